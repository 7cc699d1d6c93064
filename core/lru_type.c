/* The type gomem._core.LRUCache: making, destroying and describing a cache; what it does is in lru.c. */
#include "lru.h"
#include <structmember.h>

static bool
is_optional_callable(const char *name, PyObject *value)
{
    if (value == Py_None || PyCallable_Check(value)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s: got %.100s, want a callable", name, Py_TYPE(value)->tp_name);
    return false;
}

/* Puts a new reference, or NULL for None, in place of the old one, which it returns for the caller to drop. */
static PyObject *
exchange(PyObject **where, PyObject *value)
{
    PyObject *old = *where;
    *where = value == Py_None ? NULL : Py_NewRef(value);
    return old;
}

static int
optional_seconds(const char *name, PyObject *value, int64_t *ns)
{
    *ns = 0;
    if (value == Py_None) {
        return 0;
    }
    if (gm_lru_seconds_to_ns(value, ns) < 0) {
        return -1;
    }
    if (*ns <= 0) {
        PyErr_Format(PyExc_ValueError, "%s: got %R, want seconds above 0", name, value);
        return -1;
    }
    return 0;
}

/* __init__(maxsize, maxbytes, getsizeof, ttl, idle, clock, policy, on_evict, bound_is_weight, shrinkable), all positional: the
 * Python face has the defaults. It may be called again: then everything is checked before anything changes, and all
 * changes before the old entries are dropped, whose finalisers may use the cache. */
static int
lru_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    gm_lru *self = as_lru(op);
    PyObject *maxsize, *maxbytes, *getsizeof, *ttl, *idle, *clock, *on_evict;
    int s3fifo, bound_is_weight, shrinkable;
    uint32_t max_count;
    int64_t bytes = -1, ttl_ns, idle_ns;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "_core.LRUCache: got keyword arguments, want positional ones");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OOOOOOpOpp", &maxsize, &maxbytes, &getsizeof, &ttl, &idle, &clock, &s3fifo, &on_evict,
                          &bound_is_weight, &shrinkable) ||
        gm_lru_parse_maxsize(maxsize, &max_count) < 0) {
        return -1;
    }
    if (maxbytes != Py_None) {
        if (!PyLong_Check(maxbytes)) {
            PyErr_Format(PyExc_TypeError, "maxbytes: got %.100s, want an int or None", Py_TYPE(maxbytes)->tp_name);
            return -1;
        }
        bytes = PyLong_AsLongLong(maxbytes);
        if (bytes == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (bytes < 1 || bytes > INT64_MAX / 4) { /* so that sums of sizes stay in range */
            PyErr_Format(PyExc_ValueError, "maxbytes: got %lld, want 1 to %lld", (long long)bytes,
                         (long long)(INT64_MAX / 4));
            return -1;
        }
    }
    if (optional_seconds("ttl", ttl, &ttl_ns) < 0 || optional_seconds("idle", idle, &idle_ns) < 0 ||
        !is_optional_callable("clock", clock) || !is_optional_callable("getsizeof", getsizeof) ||
        !is_optional_callable("on_evict", on_evict)) {
        return -1;
    }
    bool has_missing = PyObject_HasAttrString((PyObject *)Py_TYPE(op), "__missing__");
    gm_lru_table old = self->table;
    PyObject *old_callables[] = {exchange(&self->clock, clock), exchange(&self->getsizeof, getsizeof),
                                 exchange(&self->on_evict, on_evict)};
    gm_lru_init(&self->table, max_count, s3fifo ? GM_POLICY_S3FIFO : GM_POLICY_LRU);
    self->table.version = old.version + 1;
    self->table.weighed = bytes >= 0 && self->getsizeof != NULL;
    self->table.timed = ttl_ns > 0;
    self->table.idles = idle_ns > 0;
    self->ttl_ns = ttl_ns;
    self->idle_limit_ns = idle_ns;
    self->maxbytes = self->table.weighed ? bytes : -1;
    self->bound_is_weight = bound_is_weight;
    self->shrinkable = shrinkable;
    self->plain = !self->table.weighed && !is_timed(self) && self->on_evict == NULL;
    self->has_missing = has_missing;
    self->changes++;
    gm_lru_clear(&old);
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(old_callables[i]);
    }
    return 0;
}

static PyObject *
lru_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    gm_lru *self = (gm_lru *)type->tp_alloc(type, 0);
    if (self != NULL) {
        gm_lru_init(&self->table, 1, GM_POLICY_LRU);
        self->maxbytes = -1;
    }
    return (PyObject *)self;
}

static int
lru_traverse(PyObject *op, visitproc visit, void *arg)
{
    gm_lru *self = as_lru(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->on_evict);
    Py_VISIT(self->getsizeof);
    Py_VISIT(self->clock);
    return gm_lru_traverse(&self->table, visit, arg);
}

static int
lru_tp_clear(PyObject *op)
{
    gm_lru *self = as_lru(op);
    self->changes++;
    self->table.weighed = false; /* what still reaches a cache being collected may put without a size */
    self->maxbytes = -1;
    gm_lru_clear(&self->table);
    Py_CLEAR(self->on_evict);
    Py_CLEAR(self->clock);
    Py_CLEAR(self->getsizeof);
    return 0;
}

static void
lru_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, lru_dealloc)
    if (as_lru(op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    lru_tp_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyObject *
lru_get_maxsize(PyObject *op, void *Py_UNUSED(closure))
{
    gm_lru *self = as_lru(op);
    if (self->bound_is_weight) {
        return PyLong_FromLongLong(self->maxbytes);
    }
    if (self->table.max_count == GM_INDEX_MAX_ITEMS) {
        Py_RETURN_NONE;
    }
    return PyLong_FromUnsignedLong(self->table.max_count);
}

static PyObject *
lru_get_maxbytes(PyObject *op, void *Py_UNUSED(closure))
{
    if (as_lru(op)->maxbytes < 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLongLong(as_lru(op)->maxbytes);
}

static PyObject *
lru_get_currsize(PyObject *op, void *Py_UNUSED(closure))
{
    if (gm_lru_expire(as_lru(op)) < 0) {
        return NULL;
    }
    const gm_lru_table *table = &as_lru(op)->table;
    return PyLong_FromUnsignedLongLong(table->weighed ? table->total_weight : (uint64_t)table->count);
}

static PyObject *
seconds_or_none(int64_t ns)
{
    if (ns == 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble((double)ns / 1e9);
}

static PyObject *
lru_get_ttl(PyObject *op, void *Py_UNUSED(closure))
{
    return seconds_or_none(as_lru(op)->ttl_ns);
}

static PyObject *
lru_get_idle(PyObject *op, void *Py_UNUSED(closure))
{
    return seconds_or_none(as_lru(op)->idle_limit_ns);
}

static PyObject *
lru_get_policy(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(as_lru(op)->table.policy == GM_POLICY_S3FIFO ? "s3fifo" : "lru");
}

static PyGetSetDef lru_getset[] = {
    {"maxsize", lru_get_maxsize, NULL, "Most entries, or None; the most size in all if only getsizeof was given.", NULL},
    {"maxbytes", lru_get_maxbytes, NULL, "Most bytes in all, or None.", NULL},
    {"currsize", lru_get_currsize, NULL, "Bytes held if bounded by bytes, else the number of entries.", NULL},
    {"ttl", lru_get_ttl, NULL, "Seconds an entry lives after it was stored, or None.", NULL},
    {"idle", lru_get_idle, NULL, "Seconds an entry lives after it was last read, or None.", NULL},
    {"policy", lru_get_policy, NULL, "'lru' or 's3fifo'.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lru_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(gm_lru, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lru_slots[] = {
    {Py_tp_new, lru_new},
    {Py_tp_init, lru_init},
    {Py_tp_dealloc, lru_dealloc},
    {Py_tp_traverse, lru_traverse},
    {Py_tp_clear, lru_tp_clear},
    {Py_tp_methods, gm_lru_methods},
    {Py_tp_getset, lru_getset},
    {Py_tp_members, lru_members},
    {Py_mp_length, gm_lru_len},
    {Py_mp_subscript, gm_lru_subscript},
    {Py_mp_ass_subscript, gm_lru_ass_subscript},
    {Py_sq_contains, gm_lru_contains},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_doc, "The native half of gomem.LRUCache."},
    {0, NULL},
};

static PyType_Spec lru_spec = {
    .name = "gomem._core.LRUCache",
    .basicsize = sizeof(gm_lru),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = lru_slots,
};

int
gm_add_lru(PyObject *module)
{
    return gm_add_type(module, &lru_spec, "LRUCache") < 0 ? -1 : gm_add_lru_iterator(module);
}
