/* The LRUCache object, shared by lru.c (its verbs), lru_views.c (its iterator, its statistics) and lru_type.c (the rest
 * of its type). */
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
    bool plain;          /* no sizes, deadlines or callback: what most caches are, and puts have a path of their own for */
    bool has_missing;    /* the subclass defines __missing__ */
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

/* Slots and methods of the type, from lru.c. */
PyObject *gm_lru_subscript(PyObject *op, PyObject *key);
int gm_lru_ass_subscript(PyObject *op, PyObject *key, PyObject *value);
int gm_lru_contains(PyObject *op, PyObject *key);
Py_ssize_t gm_lru_len(PyObject *op);
extern PyMethodDef gm_lru_methods[];

/* The time of the cache's clock; -1 with an exception. May run Python code. */
int gm_lru_now(gm_lru *self, int64_t *now_ns);

bool gm_lru_expired(const gm_lru *self, uint32_t at, int64_t now_ns);

/* METH_METHOD: _iterate(kind, newest_first) -> iterator; kind 0 keys, 1 values, 2 pairs. */
PyObject *gm_lru_iterate(PyObject *op, PyTypeObject *defining, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *names);

/* METH_NOARGS: _stats() -> the tuple that gomem.lru.CacheStats names. */
PyObject *gm_lru_stats(PyObject *op, PyObject *unused);

int gm_add_lru_iterator(PyObject *module);

#endif
