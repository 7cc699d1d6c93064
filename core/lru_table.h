/* The table under gomem.LRUCache and gomem.cached: a slab of entries, an index over them and the eviction queues.
 *
 * - Entries are numbered and live in one slab that grows in steps up to the bound and is then reused for ever:
 *   replacing the oldest entry by a new one allocates nothing. An entry is 32 bytes, its share of the index 6.4.
 * - Queues are doubly linked rings of entry numbers through a sentinel: entry 0 for LRU (and S3-FIFO's small queue),
 *   entry 1 for S3-FIFO's main queue. The sentinel's `next` is the newest entry, its `prev` the oldest.
 * - S3-FIFO (Yang et al., SOSP 2023, algorithm 1): new keys enter the small queue (a tenth); on leaving it those read
 *   twice go to the main queue, the others are remembered by tag as ghosts; a key found there enters main. The details
 *   are those of libCacheSim's S3FIFO, the authors' own.
 * - `version` counts the changes of slab and index. Whoever runs Python code (a key's __eq__) with an entry number in
 *   hand compares versions afterwards and starts again if it moved.
 *
 * All functions want the GIL. Those named _quiet run no Python code: they hand references over instead of dropping
 * them, so that the caller drops them once its own state is sound. */
#ifndef GOMEM_LRU_TABLE_H
#define GOMEM_LRU_TABLE_H

#include "compat_object.h"
#include "lru_index.h"

/* Invariant: key == NULL exactly when the entry is free or a sentinel; then value == NULL too. A used entry is in the
 * index under `tag` and in the ring of `queue`. A free entry is on the free list through `next`. */
typedef struct {
    PyObject *key;   /* owned */
    PyObject *value; /* owned */
    uint32_t tag;
    uint32_t prev, next;
    uint8_t queue;  /* the number of the sentinel of its ring */
    uint8_t freq;   /* S3-FIFO: reads since it was queued, at most 3 */
    uint16_t shape; /* what the key is: see gm_shape */
} gm_entry;

enum { GM_QUEUE_SMALL = 0, GM_QUEUE_MAIN = 1, GM_SENTINELS = 2 };

/* A raw key is the object itself; otherwise the key is a tuple of a call's arguments and shape is the number of the
 * positional ones plus 1 (gomem.cached). */
enum { GM_SHAPE_RAW = 0, GM_SHAPE_MAX = 65535 };

typedef enum { GM_POLICY_LRU, GM_POLICY_S3FIFO } gm_policy;

typedef struct {
    uint32_t tag, prev, next;
} gm_ghost_node;

/* The tags of the last `size` keys that the small queue evicted, without those asked for since. Node 0 is the
 * sentinel of their ring; item i of the index is node i. Invariant: nodes 1..used are in the ring and the index, or
 * on the free list from free_head (0 ends it). */
typedef struct {
    gm_ghost_node *nodes; /* owned, size + 1 of them; NULL until it is needed */
    uint32_t size, used, free_head;
    gm_index index;
} gm_ghost;

/* Invariant: count used entries; slab entries [GM_SENTINELS, slab_used) are used or on the free list from free_head
 * (0 ends it); the columns are NULL or as long as the slab. Guarded by the GIL. */
typedef struct {
    gm_entry *slab;      /* owned */
    gm_index index;
    int64_t *weight;     /* owned, or NULL: entries have no weight */
    int64_t *expires_ns; /* owned, or NULL: entries never expire; INT64_MAX for one that does not */
    int64_t *idle_ns;    /* owned, or NULL: no idle limit; when the entry expires unless it is read */
    uint32_t slab_len, slab_used, free_head;
    uint32_t count;
    uint32_t max_count;  /* most entries; GM_INDEX_MAX_ITEMS when unbounded */
    uint32_t queue_len[GM_SENTINELS];
    gm_policy policy;
    bool weighed, timed, idles; /* which columns entries need */
    bool has_evicted;           /* S3-FIFO: until then new keys fill the main queue too */
    uint64_t version;
    uint64_t total_weight; /* unsigned: one entry above a bound of INT64_MAX still counts right */
    gm_ghost ghost;
} gm_lru_table;

/* Makes an empty table without allocating; max_count at most GM_INDEX_MAX_ITEMS. */
void gm_lru_init(gm_lru_table *table, uint32_t max_count, gm_policy policy);

/* Drops every entry and frees the memory; the table stays usable and empty. Runs Python code (finalisers). */
void gm_lru_clear(gm_lru_table *table);

int gm_lru_traverse(gm_lru_table *table, visitproc visit, void *arg);

/* Makes room for one more entry; -1 with MemoryError set. Does not evict. */
int gm_lru_reserve_quiet(gm_lru_table *table);

/* S3-FIFO: the queue that a new key belongs in; asked before room is made for it, and once, for a ghost is forgotten
 * by it. */
uint32_t gm_lru_queue_for_quiet(gm_lru_table *table, uint32_t tag);

/* Adds a key that is absent; takes new references; returns the entry's number. Wants gm_lru_reserve_quiet before. */
uint32_t gm_lru_add_quiet(gm_lru_table *table, PyObject *key, PyObject *value, uint32_t tag, uint16_t shape);

/* Takes an entry out; the caller owns *key and *value afterwards. */
void gm_lru_take_quiet(gm_lru_table *table, uint32_t at, PyObject **key, PyObject **value);

/* The entry that the policy evicts next, which the caller then takes out; 0 when empty. S3-FIFO moves entries between
 * its queues to find it. */
uint32_t gm_lru_victim_quiet(gm_lru_table *table);

/* Sets the bound and forgets the ghosts. Does not evict. */
void gm_lru_set_max_quiet(gm_lru_table *table, uint32_t max_count);

/* Writes the numbers of the entries, oldest first (S3-FIFO: small queue, then main), into out[0..count). */
void gm_lru_order_quiet(const gm_lru_table *table, uint32_t *out);

/* Moves the entries to the front of a slab no longer than they need and gives the rest back; -1 with MemoryError. */
int gm_lru_compact_quiet(gm_lru_table *table);

size_t gm_lru_bytes(const gm_lru_table *table);

/* 1 same key, 0 another, -1 error, 2 the comparison changed the table: start again. */
int gm_lru_compare_raw(gm_lru_table *table, uint32_t at, PyObject *key);

/* Lookups that a key's __eq__ keeps disturbing end in a RuntimeError after this many (dict would go on for ever). */
#define GM_LRU_RESTARTS 10000
void gm_lru_too_many_restarts(void);

/* True for strings that are equal; both must be exact str. */
static inline bool
gm_same_str(PyObject *a, PyObject *b)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(a);
    int kind = PyUnicode_KIND(a);
    return length == PyUnicode_GET_LENGTH(b) && kind == (int)PyUnicode_KIND(b) &&
           memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b), (size_t)length * (size_t)kind) == 0;
}

/* Fetches what a hit touches after the keys were compared, while they are: the neighbours and the value. */
static inline void
gm_lru_prefetch(const gm_entry *slab, const gm_entry *entry)
{
    __builtin_prefetch(&slab[entry->prev], 1);
    __builtin_prefetch(&slab[entry->next], 1);
    __builtin_prefetch(entry->value, 1);
}

/* Fetches what the next eviction touches, so that it is there when the next put comes. */
static inline void
gm_lru_prefetch_oldest(const gm_lru_table *table)
{
    const gm_entry *oldest = &table->slab[table->slab[GM_QUEUE_SMALL].prev];
    __builtin_prefetch(oldest->key, 1);
    __builtin_prefetch(oldest->value, 1);
    __builtin_prefetch(gm_index_home(&table->index, oldest->tag), 1);
    __builtin_prefetch(&table->slab[oldest->prev], 1);
}

/* Whether an entry has this raw key: as gm_lru_compare_raw. */
static inline int
gm_lru_same(gm_lru_table *table, uint32_t at, PyObject *key, uint32_t tag)
{
    const gm_entry *entry = &table->slab[at];
    if (entry->shape != GM_SHAPE_RAW || entry->tag != tag) {
        return 0;
    }
    gm_lru_prefetch(table->slab, entry);
    if (entry->key == key) {
        return 1;
    }
    if (PyUnicode_CheckExact(key) && PyUnicode_CheckExact(entry->key)) {
        return gm_same_str(key, entry->key);
    }
    if (PyLong_CheckExact(key) && PyLong_CheckExact(entry->key)) {
        int same = gm_same_small_int(key, entry->key);
        if (GM_LIKELY(same >= 0)) {
            return same;
        }
    }
    return gm_lru_compare_raw(table, at, key);
}

/* The entry of a raw key: its number, 0 when absent, -1 on error. May run the keys' __eq__. */
static inline int64_t
gm_lru_find(gm_lru_table *table, PyObject *key, uint32_t tag)
{
    int restarts = 0;
restart:;
    if (table->count == 0) {
        return 0;
    }
    gm_probe probe = gm_index_probe(&table->index, tag);
    uint32_t item;
    while ((item = gm_index_next(&table->index, &probe, tag)) != 0) {
        int same = gm_lru_same(table, item, key, tag);
        if (GM_LIKELY(same == 1)) {
            return item;
        }
        if (same < 0) {
            return -1;
        }
        if (same == 2) {
            if (++restarts == GM_LRU_RESTARTS) {
                gm_lru_too_many_restarts();
                return -1;
            }
            goto restart;
        }
    }
    return 0;
}

static inline void
gm_lru_unlink(gm_entry *slab, gm_entry *entry)
{
    slab[entry->prev].next = entry->next;
    slab[entry->next].prev = entry->prev;
}

/* Puts an entry at the newest end of a ring. */
static inline void
gm_lru_link(gm_entry *slab, uint32_t at, uint32_t queue)
{
    uint32_t newest = slab[queue].next;
    slab[at].queue = (uint8_t)queue;
    slab[at].prev = queue;
    slab[at].next = newest;
    slab[newest].prev = at;
    slab[queue].next = at;
}

/* A read of an entry: LRU makes it the newest, S3-FIFO counts. */
static inline void
gm_lru_touch(gm_lru_table *table, uint32_t at)
{
    gm_entry *slab = table->slab;
    if (table->policy == GM_POLICY_S3FIFO) {
        slab[at].freq += slab[at].freq < 3;
    }
    else if (slab[at].prev != GM_QUEUE_SMALL) {
        gm_lru_unlink(slab, &slab[at]);
        gm_lru_link(slab, at, GM_QUEUE_SMALL);
    }
}

/* Puts an absent key in the place of the entry that the policy evicts; the table must not be empty. Takes new
 * references; the caller owns *old_key and *old_value afterwards. Returns the entry's number. */
static inline uint32_t
gm_lru_replace_quiet(gm_lru_table *table, PyObject *key, PyObject *value, uint32_t tag, uint16_t shape,
                     PyObject **old_key, PyObject **old_value)
{
    gm_entry *slab = table->slab;
    uint32_t queue = GM_QUEUE_SMALL, at = slab[GM_QUEUE_SMALL].prev;
    if (table->policy != GM_POLICY_LRU) {
        queue = gm_lru_queue_for_quiet(table, tag);
        at = gm_lru_victim_quiet(table);
        table->queue_len[slab[at].queue]--;
        table->queue_len[queue]++;
    }
    gm_entry *entry = &slab[at];
    *old_key = entry->key;
    *old_value = entry->value;
    gm_index_remove(&table->index, entry->tag, at);
    gm_lru_unlink(slab, entry);
    if (table->weight != NULL) {
        table->total_weight -= (uint64_t)table->weight[at];
    }
    entry->key = Py_NewRef(key);
    entry->value = Py_NewRef(value);
    entry->tag = tag;
    entry->freq = 0;
    entry->shape = shape;
    gm_lru_link(slab, at, queue);
    gm_index_add(&table->index, tag, at);
    table->version++;
    gm_lru_prefetch_oldest(table);
    return at;
}

#endif
