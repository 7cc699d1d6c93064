/* A hash index over numbered items: four bytes a slot, open addressing with linear probing.
 *
 * The items live elsewhere, in an array of which each element holds a 32-bit tag (the mixed hash of its key); the
 * index maps a tag to the item's number. A slot packs both: the low `bits` bits are the number, the others the same
 * bits of the tag. The tag's top `bits` bits are the home slot, so home and slot together hold the whole tag, and a
 * probe looks at an item only if (but for a number's worth of bits) the tags are equal. Number 0 is never an item:
 * the empty slot is 0. Removing shifts the followers back, so there are no tombstones and nothing to rebuild.
 *
 * Four slots are looked at together (SSE2 where there is), which most probes need and which spares the branches that a
 * slot by slot search mispredicts. So that such a window may begin at any slot, the first three are repeated behind the
 * last.
 *
 * Invariant: items < 2^bits * 2/3, so a probe always meets an empty slot; slots[2^bits + i] == slots[i] for i < 3. */
#ifndef GOMEM_LRU_INDEX_H
#define GOMEM_LRU_INDEX_H

#include "check.h"
#include "types.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define GM_WINDOW 4u

typedef struct {
    uint32_t *slots; /* owned; 2^bits of them and GM_WINDOW - 1 more; NULL before the first reserve */
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

/* Which of the four slots from `at` on hold the wanted tag bits, one bit each, and which are empty. */
static inline uint32_t
gm_index_window(const gm_index *index, uint32_t at, uint32_t want, uint32_t *empty)
{
    const uint32_t *slots = index->slots + at;
#ifdef __SSE2__
    __m128i window = _mm_loadu_si128((const __m128i *)slots);
    __m128i differing = _mm_xor_si128(window, _mm_set1_epi32((int)want));
    __m128i tags = _mm_srl_epi32(differing, _mm_cvtsi32_si128((int)index->bits));
    __m128i zero = _mm_setzero_si128();
    *empty = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(window, zero)));
    return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(tags, zero)));
#else
    uint32_t found = 0;
    *empty = 0;
    for (uint32_t i = 0; i < GM_WINDOW; i++) {
        *empty |= (uint32_t)(slots[i] == 0) << i;
        found |= (uint32_t)((slots[i] ^ want) >> index->bits == 0) << i;
    }
    return found;
#endif
}

/* The slot of an item that is in the index, looked for from its home on. */
static inline uint32_t
gm_index_slot_of(const gm_index *index, uint32_t home, uint32_t item)
{
    uint32_t mask = gm_index_mask(index);
    for (uint32_t at = home;; at = (at + GM_WINDOW) & mask) {
        const uint32_t *slots = index->slots + at;
        uint32_t found = 0;
#ifdef __SSE2__
        __m128i items = _mm_and_si128(_mm_loadu_si128((const __m128i *)slots), _mm_set1_epi32((int)mask));
        found = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(items, _mm_set1_epi32((int)item))));
#else
        for (uint32_t i = 0; i < GM_WINDOW; i++) {
            found |= (uint32_t)((slots[i] & mask) == item) << i;
        }
#endif
        if (GM_LIKELY(found != 0)) {
            return (at + (uint32_t)__builtin_ctz(found)) & mask;
        }
    }
}

static inline void
gm_index_set(gm_index *index, uint32_t at, uint32_t slot)
{
    index->slots[at] = slot;
    if (GM_UNLIKELY(at < GM_WINDOW - 1)) {
        index->slots[at + gm_index_mask(index) + 1] = slot;
    }
}

/* Empty slots for so many bits; NULL when memory is short. */
static inline uint32_t *
gm_index_slots(uint32_t bits)
{
    return PyMem_Calloc(((size_t)1 << bits) + GM_WINDOW - 1, sizeof(uint32_t));
}

/* Adds an item that is not in the index. */
static inline void
gm_index_add(gm_index *index, uint32_t tag, uint32_t item)
{
    uint32_t mask = gm_index_mask(index), empty;
    uint32_t at = gm_index_home(index, tag);
    for (gm_index_window(index, at, 0, &empty); GM_UNLIKELY(empty == 0); gm_index_window(index, at, 0, &empty)) {
        at = (at + GM_WINDOW) & mask;
    }
    gm_index_set(index, (at + (uint32_t)__builtin_ctz(empty)) & mask, (tag << index->bits) | item);
}

/* Removes an item that is in the index. Items that were pushed past the hole move back, if that is nearer to home. */
static inline void
gm_index_remove(gm_index *index, gm_tags where, uint32_t item)
{
    uint32_t mask = gm_index_mask(index);
    uint32_t hole = gm_index_slot_of(index, gm_index_home(index, gm_tag_at(where, item)), item);
    uint32_t at = (hole + 1) & mask, slot;
    while ((slot = index->slots[at]) != 0) { /* whether one moves is a coin's toss: no branch, for it would mispredict */
        uint32_t home = gm_index_home(index, gm_tag_at(where, slot & mask));
        uint32_t moves = ((at - home) & mask) >= ((at - hole) & mask);
        gm_index_set(index, hole, moves ? slot : 0);
        hole = moves ? at : hole;
        at = (at + 1) & mask;
    }
    gm_index_set(index, hole, 0);
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
    return index->slots ? sizeof(uint32_t) * (((size_t)1 << index->bits) + GM_WINDOW - 1) : 0;
}

#endif
