/* What the collector's worker tells the caches: memory is so near the limit that they should not grow, or even shrink. */
#ifndef GOMEM_PRESSURE_H
#define GOMEM_PRESSURE_H

#include <stdbool.h>

enum { GM_AMPLE, GM_SHORT, GM_VERY_SHORT };

extern int gm_memory; /* atomic; GM_AMPLE while there is no limit, or no worker to look */

static inline int
gm_memory_now(void)
{
    return __atomic_load_n(&gm_memory, __ATOMIC_RELAXED);
}

#endif
