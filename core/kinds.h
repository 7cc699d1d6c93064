/* Which type of object a live block holds, told from the block's first words.
 *
 * The type of an object is not known when its memory is allocated. Later its header is in memory: a count and a pointer
 * to its type, after none, one or two pairs of words that the garbage collector and managed attributes put in front. A
 * word is taken for a type only if it is the address of one that exists and the word before it is a plausible count. */
#ifndef GOMEM_KINDS_H
#define GOMEM_KINDS_H

#include "types.h"

/* Sorted addresses of the types that exist, with the position that each had in the caller's list. */
typedef struct {
    struct gm_kind {
        uintptr_t address;
        int32_t position;
    } *kinds; /* owned, from malloc */
    size_t count;
} gm_kinds;

/* From a list of types; false without memory. The GIL is held. */
bool gm_kinds_init(gm_kinds *kinds, PyObject *list);
void gm_kinds_free(gm_kinds *kinds);

/* Position of the type of the object in a block, -1 if it holds none that is known (items of a list, text, numbers).
 * The memory is read through the system, so that a block that has gone gives -1 instead of a crash. */
int32_t gm_kind_of_no_python(const gm_kinds *kinds, uintptr_t address, size_t size);

#endif
