/* The types behind gomem.cached: the decorated callable and the table it keeps per instance. */
#include "memo.h"
#include <structmember.h>

static inline gm_memo *
as_memo(PyObject *op)
{
    return (gm_memo *)op;
}

static PyObject *
memo_cache_info(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_memo *self = as_memo(op);
    size_t size = self->table.count;
    for (uint32_t at = GM_SENTINELS; at < self->owners.slab_used; at++) {
        if (self->owners.slab[at].value != NULL) {
            size += ((gm_memo_part *)self->owners.slab[at].value)->table.count;
        }
    }
    PyObject *maxsize = self->bounded ? PyLong_FromUnsignedLong(self->max_count) : Py_NewRef(Py_None);
    return PyObject_CallFunction(self->info_type, "KKNn", self->hits, self->misses, maxsize, (Py_ssize_t)size);
}

static PyObject *
memo_cache_clear(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_memo *self = as_memo(op);
    self->hits = self->misses = 0;
    gm_lru_clear(&self->table);
    gm_lru_clear(&self->owners);
    Py_RETURN_NONE;
}

static PyObject *
memo_cache_parameters(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_memo *self = as_memo(op);
    PyObject *maxsize = self->bounded ? PyLong_FromUnsignedLong(self->max_count) : Py_NewRef(Py_None);
    return Py_BuildValue("{s:N,s:O}", "maxsize", maxsize, "typed", self->typed ? Py_True : Py_False);
}

/* Called when a class body binds the function to a name. A function written in that class is a method. */
static PyObject *
memo_set_name(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    gm_memo *self = as_memo(op);
    if (nargs != 2) {
        PyErr_Format(PyExc_TypeError, "__set_name__: got %zd arguments, want 2", nargs);
        return NULL;
    }
    if (!PyType_Check(args[0]) || !PyUnicode_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "__set_name__: got %.100s and %.100s, want a class and a str",
                     Py_TYPE(args[0])->tp_name, Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    if (!self->detect_method) {
        Py_RETURN_NONE;
    }
    PyObject *class_name = PyObject_GetAttrString(args[0], "__qualname__");
    PyObject *expected = class_name ? PyUnicode_FromFormat("%S.%U", class_name, args[1]) : NULL;
    PyObject *name = expected ? PyObject_GetAttrString(self->function, "__qualname__") : NULL;
    if (name != NULL) {
        self->by_instance = PyObject_RichCompareBool(name, expected, Py_EQ) == 1;
    }
    PyErr_Clear(); /* a callable without these names is no method */
    Py_XDECREF(class_name);
    Py_XDECREF(expected);
    Py_XDECREF(name);
    Py_RETURN_NONE;
}

static PyObject *
memo_get(PyObject *op, PyObject *instance, PyObject *Py_UNUSED(type))
{
    return instance == NULL || instance == Py_None ? Py_NewRef(op) : PyMethod_New(op, instance);
}

static PyObject *
memo_self(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(op);
}

static PyObject *
memo_reduce(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return PyObject_GetAttrString(op, "__qualname__");
}

static PyObject *
memo_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<gomem.cached %R>", as_memo(op)->function);
}

static PyObject *
memo_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    gm_memo *self = as_memo(op);
    size_t bytes = sizeof(*self) + gm_lru_bytes(&self->table) + gm_lru_bytes(&self->owners);
    for (uint32_t at = GM_SENTINELS; at < self->owners.slab_used; at++) {
        if (self->owners.slab[at].value != NULL) {
            bytes += sizeof(gm_memo_part) + gm_lru_bytes(&((gm_memo_part *)self->owners.slab[at].value)->table);
        }
    }
    return PyLong_FromSize_t(bytes);
}

/* Memo(function, maxsize or None, typed, s3fifo, method: True, False or None to detect, info_type) */
static PyObject *
memo_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *function, *maxsize, *method, *info_type;
    int typed, s3fifo;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "_core.Memo: got keyword arguments, want positional ones");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "OOppOO", &function, &maxsize, &typed, &s3fifo, &method, &info_type)) {
        return NULL;
    }
    Py_ssize_t bound = maxsize == Py_None ? GM_INDEX_MAX_ITEMS : PyLong_AsSsize_t(maxsize);
    if (bound == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *module = PyType_GetModule(type); /* borrowed */
    PyObject *part_type = module ? PyObject_GetAttrString(module, "MemoPart") : NULL;
    gm_memo *self = part_type ? (gm_memo *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(part_type);
        return NULL;
    }
    self->call = gm_memo_call;
    self->max_count = (uint32_t)Py_MAX(0, Py_MIN(bound, (Py_ssize_t)GM_INDEX_MAX_ITEMS));
    gm_lru_init(&self->table, self->max_count, s3fifo ? GM_POLICY_S3FIFO : GM_POLICY_LRU);
    gm_lru_init(&self->owners, GM_INDEX_MAX_ITEMS, GM_POLICY_LRU);
    self->function = Py_NewRef(function);
    self->info_type = Py_NewRef(info_type);
    self->part_type = part_type;
    self->typed = typed;
    self->bounded = maxsize != Py_None;
    self->by_instance = method == Py_True;
    self->detect_method = method == Py_None;
    return (PyObject *)self;
}

static int
memo_traverse(PyObject *op, visitproc visit, void *arg)
{
    gm_memo *self = as_memo(op);
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->function);
    Py_VISIT(self->info_type);
    Py_VISIT(self->part_type);
    Py_VISIT(self->dict);
    int stop = gm_lru_traverse(&self->owners, visit, arg);
    return stop ? stop : gm_lru_traverse(&self->table, visit, arg);
}

static int
memo_clear(PyObject *op)
{
    gm_memo *self = as_memo(op);
    gm_lru_clear(&self->table);
    gm_lru_clear(&self->owners);
    Py_CLEAR(self->dict);
    return 0; /* function and types stay: what still reaches the callable may call it */
}

static void
memo_dealloc(PyObject *op)
{
    gm_memo *self = as_memo(op);
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, memo_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    memo_clear(op);
    Py_XDECREF(self->function);
    Py_XDECREF(self->info_type);
    Py_XDECREF(self->part_type);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyMethodDef memo_methods[] = {
    {"cache_info", memo_cache_info, METH_NOARGS,
     "cache_info($self, /)\n--\n\nHits, misses, maxsize and entries; of a method, the entries of all instances."},
    {"cache_clear", memo_cache_clear, METH_NOARGS, "cache_clear($self, /)\n--\n\nForgets all results and counts."},
    {"cache_parameters", memo_cache_parameters, METH_NOARGS,
     "cache_parameters($self, /)\n--\n\nA new dict of maxsize and typed."},
    {"__set_name__", (PyCFunction)(void (*)(void))memo_set_name, METH_FASTCALL, NULL},
    {"__copy__", memo_self, METH_NOARGS, NULL},
    {"__deepcopy__", memo_self, METH_O, NULL},
    {"__reduce__", memo_reduce, METH_NOARGS, NULL},
    {"__sizeof__", memo_sizeof, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef memo_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(gm_memo, call), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(gm_memo, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(gm_memo, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef memo_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot memo_slots[] = {
    {Py_tp_new, memo_new},
    {Py_tp_dealloc, memo_dealloc},
    {Py_tp_traverse, memo_traverse},
    {Py_tp_clear, memo_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, memo_get},
    {Py_tp_repr, memo_repr},
    {Py_tp_methods, memo_methods},
    {Py_tp_members, memo_members},
    {Py_tp_getset, memo_getset},
    {Py_tp_doc, "A function decorated with gomem.cached."},
    {0, NULL},
};

static PyType_Spec memo_spec = {
    .name = "gomem._core.Memo",
    .basicsize = sizeof(gm_memo),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = memo_slots,
};

/* --- parts --- */

static int
part_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return gm_lru_traverse(&((gm_memo_part *)op)->table, visit, arg);
}

static int
part_clear(PyObject *op)
{
    gm_lru_clear(&((gm_memo_part *)op)->table);
    return 0;
}

static void
part_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    part_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot part_slots[] = {
    {Py_tp_dealloc, part_dealloc},
    {Py_tp_traverse, part_traverse},
    {Py_tp_clear, part_clear},
    {0, NULL},
};

static PyType_Spec part_spec = {
    .name = "gomem._core.MemoPart",
    .basicsize = sizeof(gm_memo_part),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = part_slots,
};

int
gm_add_memo(PyObject *module)
{
    return gm_add_type(module, &part_spec, "MemoPart") < 0 ? -1 : gm_add_type(module, &memo_spec, "Memo");
}
