/* Growable arrays from mmap. See region.h. */
#define _GNU_SOURCE
#include "region.h"

#include <string.h>
#include <sys/mman.h>

#define FIRST_ROOM ((size_t)16384)

bool gm_regions_stay_behind;

static bool
set_room(gm_region *region, size_t room)
{
    void *base;
    if (region->base == NULL) {
        base = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base != MAP_FAILED && gm_regions_stay_behind && !region->inherited &&
            madvise(base, room, MADV_DONTFORK) != 0) {
            munmap(base, room);
            return false;
        }
    } else {
        base = mremap(region->base, region->room, room, MREMAP_MAYMOVE);
    }
    if (base == MAP_FAILED) {
        return false;
    }
    region->base = base;
    region->room = room;
    return true;
}

bool
gm_region_reserve_no_python(gm_region *region, size_t bytes)
{
    if (bytes > SIZE_MAX / 4 - region->used) {
        return false;
    }
    size_t need = region->used + bytes;
    if (need <= region->room) {
        return true;
    }
    size_t room = region->room ? region->room : FIRST_ROOM;
    while (room < need) {
        room *= 2;
    }
    return set_room(region, room);
}

size_t
gm_region_append_no_python(gm_region *region, const void *data, size_t bytes)
{
    if (!gm_region_reserve_no_python(region, bytes)) {
        return SIZE_MAX;
    }
    size_t offset = region->used;
    if (bytes > 0) { /* else base may be NULL */
        memcpy(region->base + offset, data, bytes);
    }
    region->used += bytes;
    return offset;
}

bool
gm_region_zeroed_no_python(gm_region *region, size_t bytes)
{
    gm_region fresh = {.inherited = region->inherited};
    if (!gm_region_reserve_no_python(&fresh, bytes)) {
        return false;
    }
    gm_region_free_no_python(region);
    fresh.used = bytes;
    *region = fresh;
    return true;
}

void
gm_region_cut_no_python(gm_region *region, size_t bytes)
{
    const size_t page = 4096; /* or a multiple of it: then nothing goes back */
    size_t keep = (bytes + page - 1) / page * page, end = (region->used + page - 1) / page * page;
    if (region->base != NULL && end > keep) {
        madvise(region->base + keep, end - keep, MADV_DONTNEED);
    }
    region->used = bytes;
}

void
gm_region_free_no_python(gm_region *region)
{
    if (region->base != NULL) {
        munmap(region->base, region->room);
    }
    *region = (gm_region){.inherited = region->inherited};
}
