/* A hash index over numbered items: buckets of one cache line, in the manner of Facebook's F14 tables.
 *
 * The items live elsewhere, in an array of which each element holds a 32-bit tag (the mixed hash of its key); the
 * index maps a tag to the item's number. A slot packs the low `bits` bits of the number under as many low bits of the
 * tag as fit; the tag's top bits choose the bucket, its item's home. So a probe looks at an item only if nearly all of
 * the tags is equal. Number 0 is never an item: the empty slot is 0.
 *
 * An item that finds its home full goes to the next bucket with room, and every bucket that it passed counts it. A
 * search ends at a bucket that nobody passed, in all but one search of twenty the first; removing empties one slot and
 * takes the counts back, so nothing is moved, there are no tombstones and nothing to rebuild.
 *
 * Invariant: items <= count * GM_BUCKET_ITEMS, so an add always meets an empty slot. */
#ifndef GOMEM_LRU_INDEX_H
#define GOMEM_LRU_INDEX_H

#include "check.h"
#include "types.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define GM_BUCKET_SLOTS 15u
#define GM_BUCKET_ITEMS 10u /* of a full index, mean: a bucket in twenty is passed, an item costs 6.4 bytes */

typedef struct {
    uint32_t slots[GM_BUCKET_SLOTS];
    uint32_t passed; /* items in later buckets whose way from home led through this one */
} gm_bucket;

/* Invariant: buckets is NULL with count 0, or `count` buckets aligned to their size inside `block`. */
typedef struct {
    gm_bucket *buckets;
    void *block;     /* owned */
    uint32_t count;
    uint32_t bits;   /* of an item's number, 1..30 */
} gm_index;

#define GM_INDEX_MAX_ITEMS 700000000u

/* Spreads Python's hashes, of which small ints and pointers have only low bits, over 32 bits: multiply, fold. */
static inline uint32_t
gm_tag_of_hash(Py_hash_t hash)
{
    __uint128_t product = (__uint128_t)(uint64_t)hash * 0x9E3779B97F4A7C15u;
    uint64_t folded = (uint64_t)(product >> 64) ^ (uint64_t)product;
    return (uint32_t)(folded >> 32);
}

static inline gm_bucket *
gm_index_home(const gm_index *index, uint32_t tag)
{
    return &index->buckets[(uint64_t)tag * index->count >> 32];
}

static inline gm_bucket *
gm_index_after(const gm_index *index, const gm_bucket *bucket)
{
    uint32_t at = (uint32_t)(bucket - index->buckets) + 1;
    return &index->buckets[at == index->count ? 0 : at];
}

/* Which slots of a bucket equal `want` in the bits of `mask`, one bit each. */
static inline uint32_t
gm_bucket_match(const gm_bucket *bucket, uint32_t want, uint32_t mask)
{
#ifdef __SSE2__
    const __m128i *slots = (const __m128i *)bucket;
    __m128i wanted = _mm_set1_epi32((int)want), bits = _mm_set1_epi32((int)mask);
#define GM_SAME(i) _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(&slots[i]), bits), wanted)
    __m128i low = _mm_packs_epi32(GM_SAME(0), GM_SAME(1)), high = _mm_packs_epi32(GM_SAME(2), GM_SAME(3));
#undef GM_SAME
    uint32_t found = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
    return found & ((1u << GM_BUCKET_SLOTS) - 1); /* the last word is no slot */
#else
    uint32_t found = 0;
    for (uint32_t i = 0; i < GM_BUCKET_SLOTS; i++) {
        found |= (uint32_t)((bucket->slots[i] & mask) == want) << i;
    }
    return found;
#endif
}

static inline uint32_t
gm_index_item_mask(const gm_index *index)
{
    return ((uint32_t)1 << index->bits) - 1;
}

/* A search under way. */
typedef struct {
    const gm_bucket *bucket;
    uint32_t found; /* slots of the bucket that are still to be looked at */
    uint32_t hops;  /* buckets that were passed */
} gm_probe;

static inline gm_probe
gm_index_probe(const gm_index *index, uint32_t tag)
{
    const gm_bucket *home = gm_index_home(index, tag);
    return (gm_probe){home, gm_bucket_match(home, tag << index->bits, ~gm_index_item_mask(index)), 0};
}

/* The next item whose tag may be the wanted one, 0 when there is none. The index must not have changed since. */
static inline uint32_t
gm_index_next(const gm_index *index, gm_probe *probe, uint32_t tag)
{
    uint32_t mask = gm_index_item_mask(index);
    for (;;) {
        while (GM_LIKELY(probe->found != 0)) {
            uint32_t item = probe->bucket->slots[__builtin_ctz(probe->found)] & mask;
            probe->found &= probe->found - 1;
            if (GM_LIKELY(item != 0)) { /* empty slots look like a tag of zeros */
                return item;
            }
        }
        if (GM_LIKELY(probe->bucket->passed == 0) || ++probe->hops == index->count) {
            return 0;
        }
        probe->bucket = gm_index_after(index, probe->bucket);
        probe->found = gm_bucket_match(probe->bucket, tag << index->bits, ~mask);
    }
}

/* Adds an item that is not in the index. */
static inline void
gm_index_add(gm_index *index, uint32_t tag, uint32_t item)
{
    gm_bucket *bucket = gm_index_home(index, tag);
    uint32_t empty;
    while (GM_UNLIKELY((empty = gm_bucket_match(bucket, 0, UINT32_MAX)) == 0)) {
        bucket->passed++;
        bucket = gm_index_after(index, bucket);
    }
    bucket->slots[__builtin_ctz(empty)] = (tag << index->bits) | item;
}

/* Removes an item that is in the index under this tag. */
static inline void
gm_index_remove(gm_index *index, uint32_t tag, uint32_t item)
{
    gm_bucket *bucket = gm_index_home(index, tag);
    uint32_t found;
    while (GM_UNLIKELY((found = gm_bucket_match(bucket, item, gm_index_item_mask(index))) == 0)) {
        GM_CHECK(bucket->passed > 0);
        bucket->passed--;
        bucket = gm_index_after(index, bucket);
    }
    bucket->slots[__builtin_ctz(found)] = 0;
}

/* An empty index for so many items, numbered up to `largest`; false when memory is short. */
static inline bool
gm_index_make(gm_index *index, uint32_t items, uint32_t largest)
{
    index->count = items / GM_BUCKET_ITEMS + 1;
    index->bits = 32 - (uint32_t)__builtin_clz(largest | 1);
    index->block = PyMem_Calloc((size_t)index->count + 1, sizeof(gm_bucket)); /* one more, to align them */
    uintptr_t start = (uintptr_t)index->block + sizeof(gm_bucket) - 1;
    index->buckets = index->block ? (gm_bucket *)(start & ~(uintptr_t)(sizeof(gm_bucket) - 1)) : NULL;
    return index->block != NULL;
}

static inline void
gm_index_free(gm_index *index)
{
    PyMem_Free(index->block);
    memset(index, 0, sizeof(*index));
}

static inline size_t
gm_index_bytes(const gm_index *index)
{
    return index->block ? sizeof(gm_bucket) * ((size_t)index->count + 1) : 0;
}

#endif
