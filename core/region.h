/* Memory of the core's own: growable arrays straight from mmap, so that keeping the books of an allocator calls no
 * allocator. A region's address changes when it grows: hold offsets or indices across growth, not pointers. */
#ifndef GOMEM_REGION_H
#define GOMEM_REGION_H

#include "types.h"

/* Invariant: used <= room; base is NULL exactly when room is 0. */
typedef struct {
    char *base;
    size_t used; /* bytes */
    size_t room; /* bytes, a multiple of the page size */
    bool inherited; /* a forked child has it too, whatever gm_regions_stay_behind says; set it before the first use */
} gm_region;

/* Regions made from now on are not handed to forked children; who sets it sees to it that a child forgets them. */
extern bool gm_regions_stay_behind;

/* Makes room for `bytes` more; false when the system has no memory, and then nothing changed. */
bool gm_region_reserve_no_python(gm_region *region, size_t bytes);

/* Appends `bytes` from data; returns their offset, or SIZE_MAX when there is no memory. */
size_t gm_region_append_no_python(gm_region *region, const void *data, size_t bytes);

/* Makes it exactly `bytes` long and all zero. */
bool gm_region_zeroed_no_python(gm_region *region, size_t bytes);

/* Makes it shorter; whole pages of what is cut off go back to the system. */
void gm_region_cut_no_python(gm_region *region, size_t bytes);

/* Gives the memory back. */
void gm_region_free_no_python(gm_region *region);

#endif
