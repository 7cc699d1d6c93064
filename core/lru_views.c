/* What looks at a cache without changing it: the iterator behind keys(), values() and items(), and the statistics.
 *
 * The iterator copies the entries' numbers in order (4 bytes each), so reads that promote entries while it runs do not
 * disturb it. A key added or removed meanwhile raises RuntimeError, as dict does; an entry that expires is skipped. */
#include "lru.h"

/* Invariant: pos <= count; order is NULL once cache is. */
typedef struct {
    PyObject_HEAD
    gm_lru *cache;   /* owned; NULL when exhausted */
    uint32_t *order; /* owned */
    uint32_t count, pos;
    uint64_t changes;
    int64_t now_ns;  /* entries expired by then are skipped; 0 for a cache without time */
    int kind;
} gm_lru_iterator;

static void
release(gm_lru_iterator *self)
{
    PyMem_Free(self->order);
    self->order = NULL;
    Py_CLEAR(self->cache);
}

static PyObject *
make_item(int kind, const gm_entry *entry)
{
    if (kind != 2) {
        return Py_NewRef(kind == 0 ? entry->key : entry->value);
    }
    PyObject *key = Py_NewRef(entry->key), *value = Py_NewRef(entry->value); /* allocating may run the collector */
    PyObject *pair = PyTuple_Pack(2, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return pair;
}

static PyObject *
iterator_next(PyObject *op)
{
    gm_lru_iterator *self = (gm_lru_iterator *)op;
    if (self->cache == NULL) {
        return NULL;
    }
    if (self->changes != self->cache->changes) {
        release(self);
        PyErr_SetString(PyExc_RuntimeError, "LRUCache: keys changed during iteration");
        return NULL;
    }
    while (self->pos < self->count) {
        uint32_t at = self->order[self->pos++];
        const gm_entry *entry = &self->cache->table.slab[at];
        if (entry->key != NULL && !gm_lru_expired(self->cache, at, self->now_ns)) {
            return make_item(self->kind, entry);
        }
    }
    release(self);
    return NULL;
}

static PyObject *
iterator_length_hint(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_lru_iterator *self = (gm_lru_iterator *)op;
    return PyLong_FromUnsignedLong(self->cache ? self->count - self->pos : 0);
}

static int
iterator_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((gm_lru_iterator *)op)->cache);
    return 0;
}

static int
iterator_clear(PyObject *op)
{
    release((gm_lru_iterator *)op);
    return 0;
}

static void
iterator_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    release((gm_lru_iterator *)op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef iterator_methods[] = {
    {"__length_hint__", iterator_length_hint, METH_NOARGS, "At most so many items are left."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, iterator_dealloc},
    {Py_tp_traverse, iterator_traverse},
    {Py_tp_clear, iterator_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iterator_next},
    {Py_tp_methods, iterator_methods},
    {0, NULL},
};

static PyType_Spec iterator_spec = {
    .name = "gomem._core.LRUIterator",
    .basicsize = sizeof(gm_lru_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = iterator_slots,
};

static void
reverse(uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t swap = order[i];
        order[i] = order[count - 1 - i];
        order[count - 1 - i] = swap;
    }
}

PyObject *
gm_lru_iterate(PyObject *op, PyTypeObject *defining, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    gm_lru *cache = (gm_lru *)op;
    if (nargs != 2 || (names != NULL && PyTuple_GET_SIZE(names) != 0)) {
        PyErr_SetString(PyExc_TypeError, "_iterate: want two positional arguments");
        return NULL;
    }
    int kind = (int)PyLong_AsLong(args[0]);
    int newest_first = PyObject_IsTrue(args[1]);
    if (PyErr_Occurred()) {
        return NULL;
    }
    int64_t now_ns = 0;
    if (is_timed(cache) && gm_lru_now(cache, &now_ns) < 0) {
        return NULL;
    }
    PyObject *module = PyType_GetModule(defining); /* borrowed */
    PyObject *type = module ? PyObject_GetAttrString(module, "LRUIterator") : NULL;
    if (type == NULL) {
        return NULL;
    }
    gm_lru_iterator *self = PyObject_GC_New(gm_lru_iterator, (PyTypeObject *)type);
    Py_DECREF(type); /* the object holds one of its own */
    if (self == NULL) {
        return NULL;
    }
    self->cache = (gm_lru *)Py_NewRef(op);
    self->order = PyMem_Malloc(sizeof(uint32_t) * Py_MAX(cache->table.count, 1u));
    self->count = cache->table.count;
    self->pos = 0;
    self->changes = cache->changes;
    self->now_ns = now_ns;
    self->kind = kind;
    if (self->order == NULL) {
        self->count = 0;
        PyObject_GC_Track(self);
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    gm_lru_order_quiet(&cache->table, self->order);
    if (newest_first) {
        reverse(self->order, self->count);
    }
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *
gm_lru_stats(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const gm_lru *self = (const gm_lru *)op;
    const gm_lru_table *table = &self->table;
    return Py_BuildValue("KKKKIKK", self->hits, self->misses, self->evictions, self->expirations, table->count,
                         table->weighed ? (unsigned long long)table->total_weight : 0ULL,
                         (unsigned long long)Py_TYPE(op)->tp_basicsize + gm_lru_bytes(table));
}

int
gm_add_lru_iterator(PyObject *module)
{
    return gm_add_type(module, &iterator_spec, "LRUIterator");
}
