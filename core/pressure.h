/* What the collector's worker tells the caches: memory is so near the limit that they should not grow. */
#ifndef GOMEM_PRESSURE_H
#define GOMEM_PRESSURE_H

#include <stdbool.h>

extern bool gm_memory_short; /* atomic; false while there is no limit, or no worker to look */

static inline bool
gm_memory_is_short(void)
{
    return __atomic_load_n(&gm_memory_short, __ATOMIC_RELAXED);
}

#endif
