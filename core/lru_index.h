/* A hash index over numbered items: four bytes a slot, open addressing with linear probing.
 *
 * The items live elsewhere, in an array of which each element holds a 32-bit tag (the mixed hash of its key); the
 * index maps a tag to the item's number. A slot packs both: the low `bits` bits are the number, the others the same
 * bits of the tag. The tag's top `bits` bits are the home slot, so home and slot together hold the whole tag, and a
 * probe looks at an item only if (but for a number's worth of bits) the tags are equal. Number 0 is never an item:
 * the empty slot is 0. Removing shifts the followers back, so there are no tombstones and nothing to rebuild.
 *
 * Invariant: items < 2^bits * 2/3, so a probe always meets an empty slot. */
#ifndef GOMEM_LRU_INDEX_H
#define GOMEM_LRU_INDEX_H

#include "check.h"
#include "types.h"
#include <string.h>

typedef struct {
    uint32_t *slots; /* owned; 2^bits of them; NULL before the first reserve */
    uint32_t bits;   /* 3..30 once slots is set */
} gm_index;

/* Where the items keep their tags: item i has it at tags + i * stride. */
typedef struct {
    const char *tags;
    size_t stride;
} gm_tags;

#define GM_INDEX_MAX_ITEMS 700000000u /* 2^30 slots at two thirds */

/* Spreads Python's hashes, of which small ints and pointers have only low bits, over 32 bits: multiply, fold. */
static inline uint32_t
gm_tag_of_hash(Py_hash_t hash)
{
    __uint128_t product = (__uint128_t)(uint64_t)hash * 0x9E3779B97F4A7C15u;
    uint64_t folded = (uint64_t)(product >> 64) ^ (uint64_t)product;
    return (uint32_t)(folded >> 32);
}

static inline uint32_t
gm_tag_at(gm_tags where, uint32_t item)
{
    uint32_t tag;
    memcpy(&tag, where.tags + item * where.stride, sizeof(tag));
    return tag;
}

static inline uint32_t
gm_index_mask(const gm_index *index)
{
    return ((uint32_t)1 << index->bits) - 1;
}

static inline uint32_t
gm_index_home(const gm_index *index, uint32_t tag)
{
    return tag >> (32 - index->bits);
}

/* Adds an item that is not in the index. */
static inline void
gm_index_add(gm_index *index, uint32_t tag, uint32_t item)
{
    uint32_t mask = gm_index_mask(index);
    uint32_t at = gm_index_home(index, tag);
    while (index->slots[at] != 0) {
        at = (at + 1) & mask;
    }
    index->slots[at] = (tag << index->bits) | item;
}

/* Removes an item that is in the index. Items that were pushed past the hole move back, if that is nearer to home. */
static inline void
gm_index_remove(gm_index *index, gm_tags where, uint32_t item)
{
    uint32_t mask = gm_index_mask(index);
    uint32_t hole = gm_index_home(index, gm_tag_at(where, item));
    while ((index->slots[hole] & mask) != item) {
        GM_CHECK(index->slots[hole] != 0);
        hole = (hole + 1) & mask;
    }
    for (uint32_t at = (hole + 1) & mask; index->slots[at] != 0; at = (at + 1) & mask) {
        uint32_t home = gm_index_home(index, gm_tag_at(where, index->slots[at] & mask));
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = 0;
}

/* The smallest number of bits whose table holds `items` items at two thirds full. */
static inline uint32_t
gm_index_bits_for(uint32_t items)
{
    uint32_t bits = 3;
    while (((uint64_t)1 << bits) * 2 < (uint64_t)items * 3 + 3) {
        bits++;
    }
    return bits;
}

static inline size_t
gm_index_bytes(const gm_index *index)
{
    return index->slots ? sizeof(uint32_t) << index->bits : 0;
}

#endif
