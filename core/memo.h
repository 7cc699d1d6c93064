/* gomem.cached's callable, shared by memo.c (calls) and memo_type.c (the type). */
#ifndef GOMEM_MEMO_H
#define GOMEM_MEMO_H

#include "lru_table.h"

/* One instance's results of a method. */
typedef struct {
    PyObject_HEAD
    gm_lru_table table;
    void *owner; /* the instance's address, not a reference; compared only while its weak reference is alive */
} gm_memo_part;

/* Invariant: table is in use unless by_instance; then owners maps weak references of instances (tagged by their
 * address) to gm_memo_parts, and a part leaves when its instance dies. Guarded by the GIL. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    gm_lru_table table;
    gm_lru_table owners;
    PyObject *function;   /* owned: what is called on a miss */
    PyObject *info_type;  /* owned: makes cache_info()'s answer */
    PyObject *part_type;  /* owned */
    PyObject *dict;
    PyObject *weakrefs;
    uint64_t hits, misses;
    uint32_t max_count;   /* 0: nothing is kept */
    bool typed, bounded, by_instance, detect_method;
} gm_memo;

PyObject *gm_memo_call(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *names);

#endif
