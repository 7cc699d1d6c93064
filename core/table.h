/* The sampled blocks that are alive, by address, and the filter that lets every other free pass in three instructions.
 *
 * The filter counts, in one byte for each of 2^18 address classes, how many live samples fall into the class; a free
 * whose byte is 0 is of a block that was not sampled. It must count: a bitmap that is cleared lazily fills up with
 * false hits, because allocators hand the same address out again at once. A byte that reaches 255 stays there. */
#ifndef GOMEM_TABLE_H
#define GOMEM_TABLE_H

#include "region.h"

#define GM_FILTER_BITS 18
extern uint8_t gm_filter[1 << GM_FILTER_BITS]; /* written under the lock, read without */

static inline bool
gm_maybe_sampled(const void *block)
{
    return GM_UNLIKELY(__atomic_load_n(&gm_filter[((uintptr_t)block >> 4) & ((1 << GM_FILTER_BITS) - 1)],
                                       __ATOMIC_RELAXED) != 0);
}

/* One sampled block. Its estimate of the heap is weight objects of size bytes each. */
typedef struct {
    uintptr_t address; /* never 0 in a taken slot */
    uint64_t size;     /* bytes asked for */
    double weight;     /* 1 / probability of having been sampled, >= 1 */
    uint32_t stack;    /* id in gm_stacks */
    uint32_t era;      /* the numbering that `stack` belongs to */
} gm_live;

/* Open addressing with linear probing. Invariants: a power of two of slots, at most half taken; no empty slot between
 * an entry and its home slot (removal shifts back). */
typedef struct {
    gm_region slots; /* gm_live[] */
    size_t count;
} gm_table;

/* Adds block, replacing an entry of the same address (whose free was not seen) into *replaced; returns 0 when added,
 * 1 when it replaced one, -1 without memory. */
int gm_table_put_locked(gm_table *table, const gm_live *block, gm_live *replaced);

/* Takes the entry of an address out into *out; false if there is none. */
bool gm_table_take_locked(gm_table *table, const void *address, gm_live *out);

void gm_table_clear_locked(gm_table *table);

#endif
