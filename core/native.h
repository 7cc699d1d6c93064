/* The hooks on malloc and its kin in native libraries: numpy's older versions, sqlite, Pillow, lxml, C++ extensions.
 *
 * The interpreter's own calls are left alone: they belong to the allocator domains (hooks.h), so every allocation is
 * counted in one place. Memory that a library maps for itself is counted like an allocation of that size. */
#ifndef GOMEM_NATIVE_H
#define GOMEM_NATIVE_H

#include "types.h"

void gm_native_install(void);
void gm_native_remove(void);

/* Redirects what libraries loaded since; called by the hook on dlsym. */
void gm_native_refresh(void);

/* The same, and looks whether another tool took hooks off: true if so, and then frees went unseen. */
bool gm_native_mend(void);

#endif
