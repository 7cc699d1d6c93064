/* gomem._core.Pool: free objects kept for reuse until the second full collection, after Go's sync.Pool.
 *
 * - Each thread has a private slot (threads share one when their addresses collide, which does no harm); behind the
 *   slots is one stack for all. get() looks in its slot, the stack, the others' slots, the victims, and then calls
 *   new(). The GIL makes each step atomic, so nothing is locked.
 * - age() drops the victims and makes victims of all that is pooled: an object that nobody asks for between two full
 *   collections goes with the second.
 * - With a byte bound every object's size is kept beside it, and the slots are not used.
 * - One construction and one reset in SAMPLE_EVERY is timed, the first ones all, to tell whether the pool pays. */
#include "compat_object.h"
#include "types.h"
#include <structmember.h>
#include <time.h>

#ifdef __has_builtin
#define GM_HAS_THREAD_POINTER __has_builtin(__builtin_thread_pointer)
#else
#define GM_HAS_THREAD_POINTER 0
#endif

#define SLOTS 16u         /* a power of two; four per core of a small server */
#define SAMPLE_FIRST 16u  /* constructions timed one and all */
#define SAMPLE_EVERY 64u

/* Invariant: items[0..count) are owned; sizes is NULL or as long as items, and bytes is their sum. */
typedef struct {
    PyObject **items;
    int64_t *sizes;
    Py_ssize_t count, room;
    int64_t bytes;
} stack;

typedef struct {
    uint64_t calls, timed, timed_ns;
} timer;

/* Invariant: held == used slots + pooled.count + victims.count. Guarded by the GIL; sound whenever Python code runs. */
typedef struct {
    PyObject_HEAD
    PyObject *make;      /* owned: called without arguments for a new object */
    PyObject *reset;     /* owned or NULL: called with an object before it is stored */
    PyObject *getsizeof; /* owned or NULL */
    PyObject *weakrefs;
    PyObject *slots[SLOTS]; /* owned or NULL */
    stack pooled, victims;
    Py_ssize_t max_count; /* most objects held; PY_SSIZE_T_MAX for no bound */
    int64_t max_bytes;    /* -1: none */
    Py_ssize_t held;
    uint64_t reused, dropped, aged;
    timer making, resetting;
    uint64_t puts;
} pool;

/* An address that tells threads apart. A thread-local of a shared library costs a call; the thread pointer none. */
static inline uintptr_t
thread_address(void)
{
#if GM_HAS_THREAD_POINTER
    return (uintptr_t)__builtin_thread_pointer();
#else
    static _Thread_local char here;
    return (uintptr_t)&here;
#endif
}

static inline PyObject **
own_slot(pool *self)
{
    return &self->slots[(uint64_t)thread_address() * 0x9E3779B97F4A7C15u >> 60];
}

/* --- stacks --- */

static int
stack_push(stack *self, PyObject *item, int64_t size, bool sized)
{
    if (self->count == self->room) {
        Py_ssize_t room = self->room ? self->room * 2 : 8;
        PyObject **items = PyMem_Realloc(self->items, sizeof(*items) * (size_t)room);
        if (items == NULL) {
            return -1;
        }
        self->items = items;
        if (sized) {
            int64_t *sizes = PyMem_Realloc(self->sizes, sizeof(*sizes) * (size_t)room);
            if (sizes == NULL) {
                return -1;
            }
            self->sizes = sizes;
        }
        self->room = room;
    }
    if (sized) {
        self->sizes[self->count] = size;
        self->bytes += size;
    }
    self->items[self->count++] = item;
    return 0;
}

/* The newest item, which the caller owns; NULL when empty. */
static inline PyObject *
stack_pop(stack *self)
{
    if (self->count == 0) {
        return NULL;
    }
    self->count--;
    if (self->sizes != NULL) {
        self->bytes -= self->sizes[self->count];
    }
    return self->items[self->count];
}

static void
stack_free(stack *self)
{
    stack old = *self;
    memset(self, 0, sizeof(*self));
    for (Py_ssize_t i = 0; i < old.count; i++) {
        Py_DECREF(old.items[i]);
    }
    PyMem_Free(old.items);
    PyMem_Free(old.sizes);
}

/* --- timing --- */

static uint64_t
clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static PyObject *
call_timed(timer *when, PyObject *callable, PyObject *arg)
{
    bool timed = when->calls < SAMPLE_FIRST || when->calls % SAMPLE_EVERY == 0;
    when->calls++;
    uint64_t start = timed ? clock_ns() : 0;
    PyObject *result = arg ? PyObject_CallOneArg(callable, arg) : PyObject_CallNoArgs(callable);
    if (timed) {
        when->timed++;
        when->timed_ns += clock_ns() - start;
    }
    return result;
}

/* --- get and put --- */

static PyObject *
get_slowly(pool *self)
{
    PyObject *item = stack_pop(&self->pooled);
    for (uint32_t i = 0; item == NULL && i < SLOTS; i++) {
        item = self->slots[i];
        self->slots[i] = NULL;
    }
    if (item == NULL) {
        item = stack_pop(&self->victims);
    }
    if (item != NULL) {
        self->held--;
        self->reused++;
        return item;
    }
    PyObject *make = Py_NewRef(self->make);
    item = call_timed(&self->making, make, NULL);
    Py_DECREF(make);
    return item;
}

static PyObject *
pool_get(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    pool *self = (pool *)op;
    PyObject **slot = own_slot(self);
    PyObject *item = *slot;
    if (GM_LIKELY(item != NULL)) {
        *slot = NULL;
        self->held--;
        self->reused++;
        return item;
    }
    return get_slowly(self);
}

/* Runs the reset hook: 1 store the object, 0 do not, -1 error. */
static int
reset_object(pool *self, PyObject *item)
{
    PyObject *reset = Py_NewRef(self->reset);
    PyObject *answer = call_timed(&self->resetting, reset, item);
    Py_DECREF(reset);
    if (answer == NULL) {
        return -1;
    }
    int keep = answer != Py_False;
    Py_DECREF(answer);
    return keep;
}

static int
measure(pool *self, PyObject *item, int64_t *size)
{
    PyObject *getsizeof = Py_XNewRef(self->getsizeof);
    PyObject *answer = getsizeof ? PyObject_CallOneArg(getsizeof, item) : PyObject_CallMethod(item, "__sizeof__", NULL);
    Py_XDECREF(getsizeof);
    if (answer == NULL) {
        return -1;
    }
    *size = PyLong_AsLongLong(answer);
    Py_DECREF(answer);
    if (*size < 0 && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "pool: got size %lld, want at least 0", (long long)*size);
    }
    return *size < 0 ? -1 : 0;
}

static bool
fits(const pool *self, int64_t size)
{
    return self->max_bytes < 0 || size <= self->max_bytes - self->pooled.bytes - self->victims.bytes;
}

/* Makes room within the bounds: older victims give way, what is pooled does not. */
static bool
has_room(pool *self, int64_t size)
{
    while (self->victims.count != 0 && (self->held >= self->max_count || !fits(self, size))) {
        PyObject *oldest = stack_pop(&self->victims);
        self->held--;
        self->aged++;
        Py_DECREF(oldest);
    }
    return self->held < self->max_count && fits(self, size);
}

static PyObject *
put_slowly(pool *self, PyObject *item)
{
    int keep = self->reset ? reset_object(self, item) : 1;
    int64_t size = 0;
    if (keep < 0 || (keep && self->max_bytes >= 0 && measure(self, item, &size) < 0)) {
        return NULL;
    }
    if (!keep || gm_bytearray_is_viewed(item) || !has_room(self, size)) {
        self->dropped++;
        Py_RETURN_NONE;
    }
    PyObject **slot = own_slot(self);
    if (self->max_bytes < 0 && *slot == NULL) {
        *slot = Py_NewRef(item);
    }
    else if (stack_push(&self->pooled, item, size, self->max_bytes >= 0) < 0) {
        return PyErr_NoMemory();
    }
    else {
        Py_INCREF(item);
    }
    self->held++;
    Py_RETURN_NONE;
}

static PyObject *
pool_put(PyObject *op, PyObject *item)
{
    pool *self = (pool *)op;
    PyObject **slot = own_slot(self);
    self->puts++;
    if (*slot != NULL || self->reset != NULL || self->max_bytes >= 0 || self->held >= self->max_count ||
        gm_bytearray_is_viewed(item)) {
        return put_slowly(self, item);
    }
    *slot = Py_NewRef(item);
    self->held++;
    Py_RETURN_NONE;
}

/* --- ageing --- */

/* age() -> how many objects were dropped */
static PyObject *
pool_age(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    pool *self = (pool *)op;
    stack old = self->victims;
    self->victims = self->pooled;
    memset(&self->pooled, 0, sizeof(self->pooled));
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (self->slots[i] != NULL && stack_push(&self->victims, self->slots[i], 0, false) == 0) {
            self->slots[i] = NULL;
        }
    }
    self->held -= old.count;
    self->aged += (uint64_t)old.count;
    Py_ssize_t dropped = old.count;
    stack_free(&old);
    return PyLong_FromSsize_t(dropped);
}

/* _drop(count) -> how many went, victims first */
static PyObject *
pool_drop(PyObject *op, PyObject *arg)
{
    pool *self = (pool *)op;
    Py_ssize_t wanted = PyLong_AsSsize_t(arg), gone = 0;
    if (wanted == -1 && PyErr_Occurred()) {
        return NULL;
    }
    while (gone < wanted && self->held > 0) {
        PyObject *item = stack_pop(&self->victims);
        item = item ? item : stack_pop(&self->pooled);
        for (uint32_t i = 0; item == NULL && i < SLOTS; i++) {
            item = self->slots[i];
            self->slots[i] = NULL;
        }
        self->held--;
        self->aged++;
        gone++;
        Py_DECREF(item);
    }
    return PyLong_FromSsize_t(gone);
}

/* Empties the pool, then drops what was in it: finalisers may use the pool. */
static int
pool_clear_items(PyObject *op)
{
    pool *self = (pool *)op;
    stack pooled = self->pooled, victims = self->victims;
    PyObject *slots[SLOTS];
    memcpy(slots, self->slots, sizeof(slots));
    memset(self->slots, 0, sizeof(self->slots));
    memset(&self->pooled, 0, sizeof(self->pooled));
    memset(&self->victims, 0, sizeof(self->victims));
    self->held = 0;
    for (uint32_t i = 0; i < SLOTS; i++) {
        Py_XDECREF(slots[i]);
    }
    stack_free(&pooled);
    stack_free(&victims);
    return 0;
}

/* _stats() -> the tuple that gomem.pool.PoolStats is made from */
static PyObject *
pool_stats(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const pool *self = (const pool *)op;
    return Py_BuildValue("KKKKKnLKKKKK", self->reused, self->making.calls, self->puts, self->dropped, self->aged,
                         self->held, (long long)(self->pooled.bytes + self->victims.bytes), self->making.timed,
                         self->making.timed_ns, self->resetting.calls, self->resetting.timed, self->resetting.timed_ns);
}

/* --- the type --- */

static int
pool_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    pool *self = (pool *)op;
    PyObject *make, *reset, *maxsize, *maxbytes, *getsizeof;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "_core.Pool: got keyword arguments, want positional ones");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OOOOO", &make, &reset, &maxsize, &maxbytes, &getsizeof)) {
        return -1;
    }
    PyObject *callables[] = {make, reset == Py_None ? make : reset, getsizeof == Py_None ? make : getsizeof};
    const char *names[] = {"new", "reset", "getsizeof"};
    for (int i = 0; i < 3; i++) {
        if (!PyCallable_Check(callables[i])) {
            PyErr_Format(PyExc_TypeError, "%s: got %.100s, want a callable", names[i], Py_TYPE(callables[i])->tp_name);
            return -1;
        }
    }
    PyObject *bounds[] = {maxsize, maxbytes};
    for (int i = 0; i < 2; i++) {
        if (bounds[i] != Py_None && !PyLong_Check(bounds[i])) {
            PyErr_Format(PyExc_TypeError, "%s: got %.100s, want an int or None", i == 0 ? "maxsize" : "maxbytes",
                         Py_TYPE(bounds[i])->tp_name);
            return -1;
        }
    }
    Py_ssize_t count = maxsize == Py_None ? PY_SSIZE_T_MAX : PyLong_AsSsize_t(maxsize);
    long long bytes = maxbytes == Py_None ? -1 : PyLong_AsLongLong(maxbytes);
    if (PyErr_Occurred()) {
        return -1;
    }
    if (count < 0 || (bytes < 0 && maxbytes != Py_None)) {
        PyErr_Format(PyExc_ValueError, "pool: got bound %R, want at least 0", count < 0 ? maxsize : maxbytes);
        return -1;
    }
    self->max_count = 0; /* what the finalisers of the old objects put is not kept */
    pool_clear_items(op);
    if (self->held != 0) { /* one of them called __init__ itself, and that pool is in use */
        PyErr_SetString(PyExc_RuntimeError, "pool: __init__ called while it runs");
        return -1;
    }
    self->max_count = count;
    self->max_bytes = bytes;
    Py_XSETREF(self->make, Py_NewRef(make));
    Py_XSETREF(self->reset, reset == Py_None ? NULL : Py_NewRef(reset));
    Py_XSETREF(self->getsizeof, getsizeof == Py_None ? NULL : Py_NewRef(getsizeof));
    return 0;
}

/* Until __init__ ran, the pool makes None and keeps nothing. */
static PyObject *
pool_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    pool *self = (pool *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->make = Py_NewRef((PyObject *)Py_TYPE(Py_None));
        self->max_bytes = -1;
    }
    return (PyObject *)self;
}

static int
stack_traverse(const stack *self, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->items[i]);
    }
    return 0;
}

static int
pool_traverse(PyObject *op, visitproc visit, void *arg)
{
    pool *self = (pool *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->make);
    Py_VISIT(self->reset);
    Py_VISIT(self->getsizeof);
    for (uint32_t i = 0; i < SLOTS; i++) {
        Py_VISIT(self->slots[i]);
    }
    int stop = stack_traverse(&self->pooled, visit, arg);
    return stop ? stop : stack_traverse(&self->victims, visit, arg);
}

static int
pool_tp_clear(PyObject *op)
{
    pool *self = (pool *)op;
    self->max_count = 0; /* what still reaches a pool being collected may get and put, and nothing is kept */
    Py_XSETREF(self->make, Py_NewRef((PyObject *)Py_TYPE(Py_None)));
    Py_CLEAR(self->reset);
    Py_CLEAR(self->getsizeof);
    return pool_clear_items(op);
}

static void
pool_dealloc(PyObject *op)
{
    pool *self = (pool *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, pool_dealloc)
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    pool_clear_items(op);
    Py_CLEAR(self->make);
    Py_CLEAR(self->reset);
    Py_CLEAR(self->getsizeof);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static Py_ssize_t
pool_len(PyObject *op)
{
    return ((pool *)op)->held;
}

static PyObject *
pool_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    const pool *self = (const pool *)op;
    size_t each = sizeof(PyObject *) + (self->max_bytes >= 0 ? sizeof(int64_t) : 0);
    return PyLong_FromSize_t((size_t)Py_TYPE(op)->tp_basicsize +
                             each * (size_t)(self->pooled.room + self->victims.room));
}

static PyMethodDef pool_methods[] = {
    {"get", pool_get, METH_NOARGS, "get($self, /)\n--\n\nA pooled object, or new(). Never waits."},
    {"put", pool_put, METH_O,
     "put($self, item, /)\n--\n\nResets the object and keeps it for a later get(); the caller must not use it again."},
    {"age", pool_age, METH_NOARGS,
     "age($self, /)\n--\n\nWhat a full collection does: drops what the last one left, returns how many."},
    {"_drop", pool_drop, METH_O, "_drop($self, count, /)\n--\n\nDrops so many objects, the oldest first."},
    {"_stats", pool_stats, METH_NOARGS, "_stats($self, /)\n--\n\nThe tuple behind stats()."},
    {"__sizeof__", pool_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the pool without its objects."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef pool_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(pool, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot pool_slots[] = {
    {Py_tp_new, pool_new},
    {Py_tp_init, pool_init},
    {Py_tp_dealloc, pool_dealloc},
    {Py_tp_traverse, pool_traverse},
    {Py_tp_clear, pool_tp_clear},
    {Py_tp_methods, pool_methods},
    {Py_tp_members, pool_members},
    {Py_sq_length, pool_len},
    {Py_tp_doc, "The native half of gomem.Pool."},
    {0, NULL},
};

static PyType_Spec pool_spec = {
    .name = "gomem._core.Pool",
    .basicsize = sizeof(pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = pool_slots,
};

int
gm_add_pool(PyObject *module)
{
    return gm_add_type(module, &pool_spec, "Pool");
}
