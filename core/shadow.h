/* The shadow: what the collector knows of an object, in one byte for each 16 bytes of address space.
 *
 * It stands beside the heap so that finding garbage writes nothing into objects: forked workers go on sharing them. A
 * byte belongs to the object whose PyObject lies at its address:
 *
 *     bits 0-1  state: none (not in this cycle's set), white, grey, black
 *     bits 2-7  references not yet accounted for, modulo 64
 *
 * A count that is 0 modulo 64 though it is not 0 makes a live object a candidate, nothing worse: candidates are counted
 * again, and CPython decides in the end.
 *
 * While it is armed, a hook on the free and realloc of the object domain resets the bytes of blocks that are given
 * back. So an address whose state is not none is that of a block that lived all the time since the state was set. */
#ifndef GOMEM_SHADOW_H
#define GOMEM_SHADOW_H

#include "types.h"

enum { GM_NONE = 0, GM_WHITE = 1, GM_GREY = 2, GM_BLACK = 3 };

#define GM_LEAF ((uint8_t)(GM_WHITE | GM_ONE)) /* the whole byte: garbage that goes with the one candidate that refers to it */
#define GM_STATE 3u      /* the bits of the state */
#define GM_ONE 4u        /* one reference in the count */
#define GM_GRAIN_BITS 4  /* 16 bytes of heap a byte: no object is smaller or less aligned */
#define GM_LEAF_BITS 26  /* a leaf is 4 MiB and stands for 64 MiB of heap; only touched pages take memory */
#define GM_ROOT_BITS 22  /* 48 bits of address */
#define GM_LEAF_ENTRIES ((size_t)1 << (GM_LEAF_BITS - GM_GRAIN_BITS))

/* leaves[address >> GM_LEAF_BITS]; NULL until gm_shadow_open. Written under the GIL; a leaf once there stays. */
extern uint8_t **gm_leaves;

/* The leaf for an address, made if need be; on want of memory a scrap leaf, and gm_shadow_failed() tells. */
uint8_t *gm_shadow_make_leaf(uintptr_t address);
bool gm_shadow_failed(void);

static inline size_t
gm_leaf_number(uintptr_t address)
{
    return (address >> GM_LEAF_BITS) & (((size_t)1 << GM_ROOT_BITS) - 1);
}

static inline size_t
gm_leaf_entry(uintptr_t address)
{
    return (address >> GM_GRAIN_BITS) & (GM_LEAF_ENTRIES - 1);
}

/* A leaf's ranks: numbers for pages of 4 KiB of heap, of use to whoever numbers objects (finder.c). */
#define GM_RANK_BITS 12
#define GM_LEAF_RANKS ((size_t)1 << (GM_LEAF_BITS - GM_RANK_BITS))
#define GM_RANKED ((size_t)1 << (GM_RANK_BITS - GM_GRAIN_BITS)) /* bytes of shadow with one rank */

static inline uint32_t *
gm_rank_of(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    uint32_t *ranks = (uint32_t *)(gm_leaves[gm_leaf_number(address)] + GM_LEAF_ENTRIES);
    return ranks + ((address >> GM_RANK_BITS) & (GM_LEAF_RANKS - 1));
}

/* A leaf's pages: which 4 KiB of its bytes were ever entered, so that a scan leaves the others out: reading one that was
 * not costs a page fault, and most of a leaf is such where a heap is small. */
#define GM_PAGE_BITS 12
#define GM_LEAF_PAGES (GM_LEAF_ENTRIES >> GM_PAGE_BITS)

static inline uint8_t *
gm_pages_of(uint8_t *leaf)
{
    return leaf + GM_LEAF_ENTRIES + GM_LEAF_RANKS * sizeof(uint32_t);
}

/* The byte of an address, for writing. */
static inline uint8_t *
gm_shadow_of(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    uint8_t *leaf = gm_leaves[gm_leaf_number(address)];
    if (GM_UNLIKELY(leaf == NULL)) {
        leaf = gm_shadow_make_leaf(address);
    }
    return leaf + gm_leaf_entry(address);
}

/* The same for an object that enters the set. */
static inline uint8_t *
gm_shadow_enter(const void *object)
{
    uint8_t *byte = gm_shadow_of(object);
    size_t entry = gm_leaf_entry((uintptr_t)object);
    gm_pages_of(byte - entry)[entry >> GM_PAGE_BITS] = 1;
    return byte;
}

/* The byte of an address, or NULL where nothing was ever written. */
static inline uint8_t *
gm_shadow_known(const void *object)
{
    uint8_t *leaf = gm_leaves[gm_leaf_number((uintptr_t)object)];
    return leaf == NULL ? NULL : leaf + gm_leaf_entry((uintptr_t)object);
}

static inline unsigned
gm_state_of(const void *object)
{
    const uint8_t *byte = gm_shadow_known(object);
    return byte == NULL ? GM_NONE : *byte & GM_STATE;
}

/* Reserves the table; false without address space. Closing is for the end of the process only: it is never needed. */
bool gm_shadow_open(void);

/* The numbers of the leaves there are, ascending; how many. Valid until the next leaf is made. */
size_t gm_shadow_leaves(const uint32_t **numbers);

/* Gives the memory of all bytes back, which are then 0; the leaves stay mapped. Needs no GIL, but nobody may look. */
void gm_shadow_clear_no_python(void);

/* Puts the hook on, if it is not, and arms it. False when it cannot be seen to work. */
bool gm_shadow_arm(void);

/* Whether frees still reach the hook: another tool may have taken it off, and then no address can be trusted. */
bool gm_shadow_is_armed(void);

/* Disarms, and takes the hook off if it is on top. */
void gm_shadow_disarm(void);

#endif
