/* The verbs of gomem._core.LRUCache that take entries out: pop, expire, remove_oldest, clear, resize. As in lru.c,
 * references are dropped and the callback is called only when the cache is sound again. */
#include "lru.h"

PyObject *
gm_lru_pop(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!gm_lru_count_is("pop", nargs, 1, 2)) {
        return NULL;
    }
    int64_t now_ns;
    int64_t at = gm_lru_find_live(as_lru(op), args[0], &now_ns);
    if (at < 0) {
        return NULL;
    }
    if (at == 0) {
        if (nargs == 2) {
            return Py_NewRef(args[1]);
        }
        gm_lru_set_key_error(args[0]);
        return NULL;
    }
    PyObject *value = Py_NewRef(as_lru(op)->table.slab[at].value);
    gm_lru_drop_entry(as_lru(op), (uint32_t)at, "removed");
    return value;
}

Py_ssize_t
gm_lru_expire(gm_lru *self)
{
    int64_t now_ns;
    Py_ssize_t dropped = 0;
    if (!is_timed(self)) {
        return 0;
    }
    if (gm_lru_now(self, &now_ns) < 0) {
        return -1;
    }
    for (uint32_t at = GM_SENTINELS; at < self->table.slab_used; at++) {
        if (self->table.slab[at].key != NULL && gm_lru_expired(self, at, now_ns)) {
            gm_lru_drop_expired(self, at);
            dropped++;
        }
    }
    return dropped;
}

PyObject *
gm_lru_expire_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    Py_ssize_t dropped = gm_lru_expire(as_lru(op));
    return dropped < 0 ? NULL : PyLong_FromSsize_t(dropped);
}

/* remove_oldest() -> (key, value), or None when empty */
PyObject *
gm_lru_remove_oldest(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_lru *self = as_lru(op);
    PyObject *pair = gm_lru_expire(self) < 0 ? NULL : PyTuple_New(2); /* this may run the collector */
    if (pair == NULL) {
        return NULL;
    }
    uint32_t at = gm_lru_victim_quiet(&self->table);
    if (at == 0) {
        Py_DECREF(pair);
        Py_RETURN_NONE;
    }
    PyTuple_SET_ITEM(pair, 0, Py_NewRef(self->table.slab[at].key));
    PyTuple_SET_ITEM(pair, 1, Py_NewRef(self->table.slab[at].value));
    gm_lru_drop_entry(self, at, "removed");
    return pair;
}

/* _evict(count) -> how many: the policy's next victims go, for the sake of memory */
PyObject *
gm_lru_evict(PyObject *op, PyObject *arg)
{
    gm_lru *self = as_lru(op);
    Py_ssize_t wanted = PyLong_AsSsize_t(arg);
    if ((wanted == -1 && PyErr_Occurred()) || gm_lru_expire(self) < 0) {
        return NULL;
    }
    Py_ssize_t gone = 0;
    for (; gone < wanted && self->table.count != 0; gone++) {
        self->evictions++;
        gm_lru_drop_entry(self, gm_lru_victim_quiet(&self->table), "pressure");
    }
    self->changes++;
    return gm_lru_compact_quiet(&self->table) < 0 ? NULL : PyLong_FromSsize_t(gone);
}

PyObject *
gm_lru_clear_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_lru *self = as_lru(op);
    if (self->on_evict == NULL) {
        self->changes++;
        gm_lru_clear(&self->table);
        Py_RETURN_NONE;
    }
    for (uint32_t left = self->table.count; left > 0 && self->table.count != 0; left--) {
        gm_lru_drop_entry(self, gm_lru_victim_quiet(&self->table), "cleared");
    }
    Py_RETURN_NONE;
}

int
gm_lru_parse_maxsize(PyObject *arg, uint32_t *max_count)
{
    if (arg == Py_None) {
        *max_count = GM_INDEX_MAX_ITEMS;
        return 0;
    }
    if (!PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "maxsize: got %.100s, want an int or None", Py_TYPE(arg)->tp_name);
        return -1;
    }
    Py_ssize_t value = PyLong_AsSsize_t(arg);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (value < 1 || value > GM_INDEX_MAX_ITEMS) {
        PyErr_Format(PyExc_ValueError, "maxsize: got %zd, want 1 to %u", value, GM_INDEX_MAX_ITEMS);
        return -1;
    }
    *max_count = (uint32_t)value;
    return 0;
}

/* resize(maxsize) -> how many were evicted */
PyObject *
gm_lru_resize(PyObject *op, PyObject *arg)
{
    gm_lru *self = as_lru(op);
    uint32_t max_count;
    if (self->bound_is_weight) {
        PyErr_SetString(PyExc_ValueError, "resize: maxsize bounds the sum of sizes here, want a cache bounded by count");
        return NULL;
    }
    if (gm_lru_parse_maxsize(arg, &max_count) < 0) {
        return NULL;
    }
    if (max_count == GM_INDEX_MAX_ITEMS && self->maxbytes < 0) {
        PyErr_SetString(PyExc_ValueError, "resize: got no bound, want a maxsize");
        return NULL;
    }
    gm_lru_set_max_quiet(&self->table, max_count);
    self->changes++;
    Py_ssize_t evicted = gm_lru_enforce_bounds(self, "size");
    self->changes++; /* callbacks may have made iterators, and compacting renumbers the entries */
    if (self->table.slab_len > max_count + GM_SENTINELS && gm_lru_compact_quiet(&self->table) < 0) {
        return NULL;
    }
    return PyLong_FromSsize_t(evicted);
}

Py_ssize_t
gm_lru_len(PyObject *op)
{
    return gm_lru_expire(as_lru(op)) < 0 ? -1 : (Py_ssize_t)as_lru(op)->table.count;
}

PyObject *
gm_lru_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t((size_t)Py_TYPE(op)->tp_basicsize + gm_lru_bytes(&as_lru(op)->table));
}
