/* The LRUCache object, shared by lru.c and lru_take.c (its verbs), lru_views.c (its iterator, its statistics) and
 * lru_type.c (the rest of its type). */
#ifndef GOMEM_LRU_H
#define GOMEM_LRU_H

#include "lru_table.h"

/* Invariant: while no call is running, table.count <= table.max_count and, with a byte bound, total_weight <= maxbytes.
 * Guarded by the GIL; every method leaves the object sound before it runs Python code. */
typedef struct {
    PyObject_HEAD
    gm_lru_table table;
    PyObject *weakrefs;
    PyObject *on_evict;  /* owned or NULL: called with key, value, reason */
    PyObject *getsizeof; /* owned or NULL: called with the value */
    PyObject *clock;     /* owned or NULL: seconds; NULL is the monotonic clock */
    int64_t ttl_ns;      /* 0: none */
    int64_t idle_limit_ns; /* 0: none */
    int64_t maxbytes;    /* -1: none */
    uint64_t hits, misses, evictions, expirations;
    uint64_t changes;    /* keys added or removed other than by expiry: what iterators watch */
    uint32_t sweep_at;   /* the slab entry that the next put looks at for expiry */
    bool bound_is_weight; /* maxsize bounds the sum of sizes, as in cachetools */
    bool plain;          /* no sizes, deadlines or callback: puts have a path of their own */
    bool has_missing;    /* the subclass defines __missing__ */
    bool shrinkable;     /* gives way when memory is short */
} gm_lru;

static inline gm_lru *
as_lru(PyObject *op)
{
    return (gm_lru *)op;
}

static inline bool
is_timed(const gm_lru *self)
{
    return self->table.timed || self->table.idles;
}

/* A Python number of seconds, of at most 142 years; -1 with ValueError or TypeError. */
int gm_lru_seconds_to_ns(PyObject *seconds, int64_t *ns);

/* A bound by count from an int or None; -1 with ValueError or TypeError. */
int gm_lru_parse_maxsize(PyObject *arg, uint32_t *max_count);

/* Drops every expired entry; returns how many, -1 on error. */
Py_ssize_t gm_lru_expire(gm_lru *self);

/* Takes an entry out, tells the callback why and drops it. Runs Python code. */
void gm_lru_drop_entry(gm_lru *self, uint32_t at, const char *reason);
void gm_lru_drop_expired(gm_lru *self, uint32_t at);

/* Evicts until both bounds hold; returns how many went. Callbacks may add entries meanwhile; those count too. */
Py_ssize_t gm_lru_enforce_bounds(gm_lru *self, const char *reason);

/* Whether a verb got as many arguments as it wants; false with TypeError. */
bool gm_lru_count_is(const char *verb, Py_ssize_t got, Py_ssize_t low, Py_ssize_t high);

/* Raises KeyError(key). */
void gm_lru_set_key_error(PyObject *key);

/* The verbs of lru_take.c, by the names that Python has for them. */
PyObject *gm_lru_pop(PyObject *op, PyObject *const *args, Py_ssize_t nargs);
PyObject *gm_lru_expire_method(PyObject *op, PyObject *unused);
PyObject *gm_lru_remove_oldest(PyObject *op, PyObject *unused);
PyObject *gm_lru_evict(PyObject *op, PyObject *arg);
PyObject *gm_lru_clear_method(PyObject *op, PyObject *unused);
PyObject *gm_lru_resize(PyObject *op, PyObject *arg);
PyObject *gm_lru_sizeof(PyObject *op, PyObject *unused);

/* Slots and methods of the type, from lru.c. */
PyObject *gm_lru_subscript(PyObject *op, PyObject *key);
int gm_lru_ass_subscript(PyObject *op, PyObject *key, PyObject *value);
int gm_lru_contains(PyObject *op, PyObject *key);
Py_ssize_t gm_lru_len(PyObject *op);
extern PyMethodDef gm_lru_methods[];

/* The time of the cache's clock; -1 with an exception. May run Python code. */
int gm_lru_now(gm_lru *self, int64_t *now_ns);

bool gm_lru_expired(const gm_lru *self, uint32_t at, int64_t now_ns);

/* The number of the live entry of a key, 0 when absent or expired (and then gone), -1 on error. */
static inline int64_t
gm_lru_find_live(gm_lru *self, PyObject *key, int64_t *now_ns)
{
    Py_hash_t hash = gm_hash(key);
    if (GM_UNLIKELY(hash == -1)) {
        return -1;
    }
    if (GM_LIKELY(!is_timed(self))) {
        return gm_lru_find(&self->table, key, gm_tag_of_hash(hash));
    }
    if (gm_lru_now(self, now_ns) < 0) {
        return -1;
    }
    int64_t at = gm_lru_find(&self->table, key, gm_tag_of_hash(hash));
    if (at > 0 && gm_lru_expired(self, (uint32_t)at, *now_ns)) {
        gm_lru_drop_expired(self, (uint32_t)at);
        return 0;
    }
    return at;
}

/* METH_METHOD: _iterate(kind, newest_first) -> iterator; kind 0 keys, 1 values, 2 pairs. */
PyObject *gm_lru_iterate(PyObject *op, PyTypeObject *defining, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *names);

/* METH_NOARGS: _stats() -> the tuple that gomem.lru.CacheStats names. */
PyObject *gm_lru_stats(PyObject *op, PyObject *unused);

int gm_add_lru_iterator(PyObject *module);

#endif
