/* gomem._core.LRUCache: a bounded mapping that is safe under threads, re-entrant keys and callbacks.
 *
 * Each verb has the same three steps: (1) whatever may run Python code, that is hash, clock and sizes; (2) find the
 * key and change the table, which runs nothing once the key is found; (3) drop references and call the eviction
 * callback, which may do anything, the cache being sound again. The GIL makes step 2 atomic. */
#include "compat_object.h"
#include "lru.h"
#include "pressure.h"
#include <math.h>
#include <time.h>

/* --- time --- */

int
gm_lru_seconds_to_ns(PyObject *seconds, int64_t *ns)
{
    double value = PyFloat_AsDouble(seconds);
    if (value == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    if (!(fabs(value) < 4.5e9)) { /* a time and a ttl add up to less than 2^63 ns */
        PyErr_Format(PyExc_ValueError, "seconds: got %R, want less than 4.5e9", seconds);
        return -1;
    }
    *ns = (int64_t)(value * 1e9);
    return 0;
}

int
gm_lru_now(gm_lru *self, int64_t *now_ns)
{
    if (self->clock == NULL) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        *now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
        return 0;
    }
    PyObject *clock = Py_NewRef(self->clock); /* it may call __init__ again */
    PyObject *seconds = PyObject_CallNoArgs(clock);
    Py_DECREF(clock);
    int status = seconds == NULL ? -1 : gm_lru_seconds_to_ns(seconds, now_ns);
    Py_XDECREF(seconds);
    return status;
}

bool
gm_lru_expired(const gm_lru *self, uint32_t at, int64_t now_ns)
{
    const gm_lru_table *table = &self->table;
    return (table->timed && table->expires_ns[at] <= now_ns) || (table->idles && table->idle_ns[at] <= now_ns);
}

/* A deadline, INT64_MAX (never) if it is beyond what the clock's nanoseconds can reach. */
static int64_t
after(int64_t now_ns, int64_t limit_ns)
{
    int64_t deadline;
    return __builtin_add_overflow(now_ns, limit_ns, &deadline) ? INT64_MAX : deadline;
}

static void
set_deadlines(gm_lru *self, uint32_t at, int64_t now_ns, int64_t ttl_ns)
{
    if (self->table.timed) {
        self->table.expires_ns[at] = ttl_ns > 0 ? after(now_ns, ttl_ns) : INT64_MAX;
    }
    if (self->table.idles) {
        self->table.idle_ns[at] = after(now_ns, self->idle_limit_ns);
    }
}

/* --- entries that leave --- */

/* Tells the callback. An exception of it cannot undo what has happened: it goes to sys.unraisablehook. */
static void
call_on_evict(gm_lru *self, PyObject *key, PyObject *value, const char *reason)
{
    PyObject *callback = Py_NewRef(self->on_evict);
    PyObject *text = PyUnicode_InternFromString(reason);
    PyObject *result = text ? PyObject_CallFunctionObjArgs(callback, key, value, text, NULL) : NULL;
    if (result == NULL) {
        PyErr_WriteUnraisable(callback);
    }
    Py_XDECREF(result);
    Py_XDECREF(text);
    Py_DECREF(callback);
}

/* Tells the callback, if there is one, and drops the two references. */
static inline void
dispose(gm_lru *self, PyObject *key, PyObject *value, const char *reason)
{
    if (GM_UNLIKELY(self->on_evict != NULL)) {
        call_on_evict(self, key, value, reason);
    }
    Py_DECREF(key);
    Py_DECREF(value);
}

void
gm_lru_drop_entry(gm_lru *self, uint32_t at, const char *reason)
{
    PyObject *key, *value;
    gm_lru_take_quiet(&self->table, at, &key, &value);
    self->changes++;
    dispose(self, key, value, reason);
}

void
gm_lru_drop_expired(gm_lru *self, uint32_t at)
{
    PyObject *key, *value;
    gm_lru_take_quiet(&self->table, at, &key, &value);
    self->expirations++;
    dispose(self, key, value, "expired");
}

/* Evicts until both bounds hold; returns how many went. Callbacks may add entries meanwhile; those count too. */
Py_ssize_t
gm_lru_enforce_bounds(gm_lru *self, const char *reason)
{
    Py_ssize_t evicted = 0;
    gm_lru_table *table = &self->table;
    while (table->count > table->max_count ||
           (self->maxbytes >= 0 && table->total_weight > (uint64_t)self->maxbytes && table->count > 0)) {
        self->evictions++;
        evicted++;
        gm_lru_drop_entry(self, gm_lru_victim_quiet(table), reason);
    }
    return evicted;
}

/* Looks at two more entries for expiry, so that what nobody asks for again leaves within half a cache of puts. */
static void
sweep_some(gm_lru *self, int64_t now_ns)
{
    for (int i = 0; i < 2 && self->table.count != 0; i++) {
        if (self->sweep_at < GM_SENTINELS || self->sweep_at >= self->table.slab_used) {
            self->sweep_at = GM_SENTINELS;
        }
        uint32_t at = self->sweep_at++;
        if (self->table.slab[at].key != NULL && gm_lru_expired(self, at, now_ns)) {
            gm_lru_drop_expired(self, at);
        }
    }
}

/* --- finding --- */

/* A new reference to the value of a key that is read, NULL without an exception when absent. */
static inline PyObject *
read_value(gm_lru *self, PyObject *key)
{
    int64_t now_ns = 0;
    int64_t at = gm_lru_find_live(self, key, &now_ns);
    if (at <= 0) {
        self->misses += at == 0;
        return NULL;
    }
    self->hits++;
    gm_lru_touch(&self->table, (uint32_t)at);
    if (GM_UNLIKELY(self->table.idles)) {
        self->table.idle_ns[at] = after(now_ns, self->idle_limit_ns);
    }
    return Py_NewRef(self->table.slab[at].value);
}

void
gm_lru_set_key_error(PyObject *key)
{
    PyObject *error = PyObject_CallOneArg(PyExc_KeyError, key); /* so that a tuple stays one argument */
    if (error != NULL) {
        PyErr_SetObject(PyExc_KeyError, error);
        Py_DECREF(error);
    }
}

bool
gm_lru_count_is(const char *verb, Py_ssize_t got, Py_ssize_t low, Py_ssize_t high)
{
    if (got >= low && got <= high) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s: got %zd positional arguments, want %zd to %zd", verb, got, low, high);
    return false;
}

static PyObject *
lru_get(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!gm_lru_count_is("get", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *value = read_value(as_lru(op), args[0]);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    return Py_NewRef(nargs == 2 ? args[1] : Py_None);
}

PyObject *
gm_lru_subscript(PyObject *op, PyObject *key)
{
    PyObject *value = read_value(as_lru(op), key);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    if (as_lru(op)->has_missing) {
        return PyObject_CallMethod(op, "__missing__", "O", key);
    }
    gm_lru_set_key_error(key);
    return NULL;
}

static PyObject *
lru_peek(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!gm_lru_count_is("peek", nargs, 1, 2)) {
        return NULL;
    }
    int64_t now_ns;
    int64_t at = gm_lru_find_live(as_lru(op), args[0], &now_ns);
    if (at < 0) {
        return NULL;
    }
    return Py_NewRef(at > 0 ? as_lru(op)->table.slab[at].value : nargs == 2 ? args[1] : Py_None);
}

int
gm_lru_contains(PyObject *op, PyObject *key)
{
    int64_t now_ns;
    int64_t at = gm_lru_find_live(as_lru(op), key, &now_ns);
    return at < 0 ? -1 : at > 0;
}

static PyObject *
lru_contains_method(PyObject *op, PyObject *key)
{
    int found = gm_lru_contains(op, key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

/* --- storing --- */

/* The weight of a value: getsizeof's answer, at least 0 and at most the byte bound. */
static int
weigh(gm_lru *self, PyObject *value, int64_t *weight)
{
    PyObject *getsizeof = Py_NewRef(self->getsizeof); /* it may call __init__ again */
    PyObject *size = PyObject_CallOneArg(getsizeof, value);
    Py_DECREF(getsizeof);
    if (size == NULL) {
        return -1;
    }
    *weight = PyLong_AsLongLong(size);
    Py_DECREF(size);
    if (*weight == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (*weight < 0 || *weight > self->maxbytes) {
        PyErr_Format(PyExc_ValueError, "value too large: got size %lld, want 0 to %lld", (long long)*weight,
                     (long long)self->maxbytes);
        return -1;
    }
    return 0;
}

static void
replace_value(gm_lru *self, uint32_t at, PyObject *value, int64_t weight)
{
    gm_lru_table *table = &self->table;
    PyObject *key = Py_NewRef(table->slab[at].key);
    PyObject *old = table->slab[at].value;
    table->slab[at].value = Py_NewRef(value);
    if (table->weighed) {
        table->total_weight += (uint64_t)weight - (uint64_t)table->weight[at];
        table->weight[at] = weight;
    }
    gm_lru_touch(table, at);
    dispose(self, key, old, "replaced");
}

#define STORE_AGAIN 2

/* Whether the cache should not grow, for memory nears the limit faster than it is asked to shrink. */
static inline bool
should_not_grow(const gm_lru *self)
{
    return GM_UNLIKELY(gm_memory_now() != GM_AMPLE) && self->shrinkable;
}

/* Evicts until the entries weigh no more than before; the last one stays. */
static Py_ssize_t
shed(gm_lru *self, uint64_t weight)
{
    Py_ssize_t evicted = 0;
    for (; self->table.total_weight > weight && self->table.count > 1; evicted++) {
        self->evictions++;
        gm_lru_drop_entry(self, gm_lru_victim_quiet(&self->table), "pressure");
    }
    return evicted;
}

/* After a store while memory is short: as much goes as came in, or twice as much where an entry was added, for which
 * add_key has evicted one. Returns how many were evicted. */
static Py_ssize_t
make_room(gm_lru *self, uint64_t weight_before, uint64_t added_weight, bool added)
{
    bool twice = added && gm_memory_now() == GM_VERY_SHORT;
    if (self->table.weighed) {
        uint64_t less = twice ? added_weight : 0;
        return shed(self, weight_before > less ? weight_before - less : 0);
    }
    if (!twice || self->table.count < 2) {
        return 0;
    }
    self->evictions++;
    gm_lru_drop_entry(self, gm_lru_victim_quiet(&self->table), "pressure");
    return 1;
}

/* Adds an absent key; returns whether one was evicted for it, by the count bound or since memory is short; -1 on error. */
static inline __attribute__((always_inline)) int
add_key(gm_lru *self, PyObject *key, PyObject *value, uint32_t tag, int64_t now_ns, int64_t ttl_ns, int64_t weight,
        bool plain)
{
    gm_lru_table *table = &self->table;
    PyObject *old_key = NULL, *old_value = NULL;
    bool full = table->count >= table->max_count, evict = full || (should_not_grow(self) && table->count > 0);
    uint32_t at;
    if (GM_LIKELY(evict)) {
        at = gm_lru_replace_quiet(table, key, value, tag, GM_SHAPE_RAW, &old_key, &old_value);
        self->evictions++;
    }
    else if (gm_lru_reserve_quiet(table) < 0) {
        return -1;
    }
    else {
        at = gm_lru_add_quiet(table, key, value, tag, GM_SHAPE_RAW);
    }
    if (!plain && table->weighed) {
        table->weight[at] = weight;
        table->total_weight += (uint64_t)weight;
    }
    if (!plain) {
        set_deadlines(self, at, now_ns, ttl_ns);
    }
    self->changes++;
    if (GM_LIKELY(evict)) {
        dispose(self, old_key, old_value, full ? "size" : "pressure");
    }
    return evict;
}

/* Stores a value; ttl_ns 0 takes the cache's own. Returns whether entries were evicted for it, -1 on error. If kept is
 * not NULL, a value that is there already stays, and *kept becomes a new reference to it. Compiled twice: a plain cache
 * has no sizes, no deadlines and no callback; STORE_AGAIN means that the key's code made it another by __init__. */
static inline __attribute__((always_inline)) int
store_in(gm_lru *self, PyObject *key, PyObject *value, int64_t ttl_ns, PyObject **kept, bool plain)
{
    int64_t now_ns = 0, weight = 0;
    Py_hash_t hash = gm_hash(key);
    if (hash == -1 || (!plain && self->table.weighed && weigh(self, value, &weight) < 0) ||
        (!plain && is_timed(self) && gm_lru_now(self, &now_ns) < 0)) {
        return -1;
    }
    ttl_ns = ttl_ns ? ttl_ns : self->ttl_ns;
    uint32_t tag = gm_tag_of_hash(hash);
    int64_t at = gm_lru_find(&self->table, key, tag);
    if (at < 0) {
        return -1;
    }
    if (plain && GM_UNLIKELY(!self->plain)) {
        return STORE_AGAIN;
    }
    if (at > 0 && kept != NULL && (plain || !gm_lru_expired(self, (uint32_t)at, now_ns))) {
        gm_lru_touch(&self->table, (uint32_t)at);
        *kept = Py_NewRef(self->table.slab[at].value);
        return 0;
    }
    int evicted = 0;
    uint64_t weight_before = self->table.total_weight;
    if (at > 0) {
        if (!plain) {
            set_deadlines(self, (uint32_t)at, now_ns, ttl_ns);
        }
        replace_value(self, (uint32_t)at, value, weight);
    }
    else {
        evicted = add_key(self, key, value, tag, now_ns, ttl_ns, weight, plain);
        if (evicted < 0) {
            return -1;
        }
    }
    if (!plain && is_timed(self)) {
        sweep_some(self, now_ns);
    }
    if (should_not_grow(self) && make_room(self, weight_before, (uint64_t)weight, at == 0) > 0) {
        evicted = 1;
    }
    return (!plain && gm_lru_enforce_bounds(self, "size") > 0) || evicted;
}

static int
store(gm_lru *self, PyObject *key, PyObject *value, int64_t ttl_ns, PyObject **kept)
{
    int evicted = GM_LIKELY(self->plain) ? store_in(self, key, value, ttl_ns, kept, true) : STORE_AGAIN;
    return GM_LIKELY(evicted != STORE_AGAIN) ? evicted : store_in(self, key, value, ttl_ns, kept, false);
}

int
gm_lru_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    if (value != NULL) {
        return store(as_lru(op), key, value, 0, NULL) < 0 ? -1 : 0;
    }
    int64_t now_ns;
    int64_t at = gm_lru_find_live(as_lru(op), key, &now_ns);
    if (at == 0) {
        gm_lru_set_key_error(key);
    }
    if (at > 0) {
        gm_lru_drop_entry(as_lru(op), (uint32_t)at, "removed");
    }
    return at > 0 ? 0 : -1;
}

/* put(key, value, *, ttl=None) */
static PyObject *
lru_put(PyObject *op, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    if (!gm_lru_count_is("put", nargs, 2, 2)) {
        return NULL;
    }
    int64_t ttl_ns = 0;
    if (names != NULL && PyTuple_GET_SIZE(names) > 0) {
        if (PyTuple_GET_SIZE(names) != 1 || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "ttl") != 0) {
            PyErr_Format(PyExc_TypeError, "put: got keyword arguments %R, want only ttl", names);
            return NULL;
        }
        if (args[2] != Py_None) {
            if (!as_lru(op)->table.timed) {
                PyErr_SetString(PyExc_ValueError, "put: got ttl for a cache without, want LRUCache(..., ttl=)");
                return NULL;
            }
            if (gm_lru_seconds_to_ns(args[2], &ttl_ns) < 0) {
                return NULL;
            }
            if (ttl_ns <= 0) {
                PyErr_Format(PyExc_ValueError, "put: ttl: got %R, want seconds above 0", args[2]);
                return NULL;
            }
        }
    }
    int evicted = store(as_lru(op), args[0], args[1], ttl_ns, NULL);
    return evicted < 0 ? NULL : PyBool_FromLong(evicted);
}

/* setdefault(key, default=None): atomic, unlike the mapping mixin's, also if another thread stores while keys compare */
static PyObject *
lru_setdefault(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!gm_lru_count_is("setdefault", nargs, 1, 2)) {
        return NULL;
    }
    PyObject *value = read_value(as_lru(op), args[0]);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    value = nargs == 2 ? args[1] : Py_None;
    PyObject *kept = NULL;
    if (store(as_lru(op), args[0], value, 0, &kept) < 0) {
        return NULL;
    }
    return kept ? kept : Py_NewRef(value);
}

/* get_or_load(key, loader): a hit here, a miss in the Python face, which sees to one load per key. */
static PyObject *
lru_get_or_load(PyObject *op, PyObject *const *args, Py_ssize_t nargs)
{
    if (!gm_lru_count_is("get_or_load", nargs, 2, 2)) {
        return NULL;
    }
    PyObject *value = read_value(as_lru(op), args[0]);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    return PyObject_CallMethod(op, "_load", "OO", args[0], args[1]);
}

PyMethodDef gm_lru_methods[] = {
    {"get", (PyCFunction)(void (*)(void))lru_get, METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\nThe value of a key, which becomes the most recent, or the default."},
    {"put", (PyCFunction)(void (*)(void))lru_put, METH_FASTCALL | METH_KEYWORDS,
     "put($self, key, value, /, *, ttl=None)\n--\n\n"
     "Stores a value; returns whether others were evicted for it. ttl, in seconds, overrides the cache's."},
    {"peek", (PyCFunction)(void (*)(void))lru_peek, METH_FASTCALL,
     "peek($self, key, default=None, /)\n--\n\nThe value of a key without counting as a read of it."},
    {"contains", lru_contains_method, METH_O,
     "contains($self, key, /)\n--\n\nWhether the key is cached; does not count as a read of it."},
    {"setdefault", (PyCFunction)(void (*)(void))lru_setdefault, METH_FASTCALL,
     "setdefault($self, key, default=None, /)\n--\n\nThe value of a key; stores the default first if it is absent."},
    {"get_or_load", (PyCFunction)(void (*)(void))lru_get_or_load, METH_FASTCALL,
     "get_or_load($self, key, loader, /)\n--\n\n"
     "The value of a key; if it is absent, loader(key) is stored and returned, and called by one thread only."},
    {"pop", (PyCFunction)(void (*)(void))gm_lru_pop, METH_FASTCALL,
     "pop($self, key, default=..., /)\n--\n\nTakes a key out and returns its value, or the default, or KeyError."},
    {"remove_oldest", gm_lru_remove_oldest, METH_NOARGS,
     "remove_oldest($self, /)\n--\n\nTakes out the entry that would be evicted next: (key, value), or None."},
    {"expire", gm_lru_expire_method, METH_NOARGS,
     "expire($self, /)\n--\n\nDrops every expired entry now and returns how many; costs a look at all entries."},
    {"clear", gm_lru_clear_method, METH_NOARGS, "clear($self, /)\n--\n\nDrops every entry; statistics stay."},
    {"resize", gm_lru_resize, METH_O,
     "resize($self, maxsize, /)\n--\n\nChanges the bound; returns how many entries were evicted for it."},
    {"_evict", gm_lru_evict, METH_O, "_evict($self, count, /)\n--\n\nEvicts so many entries and gives their room back."},
    {"_stats", gm_lru_stats, METH_NOARGS, "_stats($self, /)\n--\n\nThe tuple behind stats()."},
    {"_iterate", (PyCFunction)(void (*)(void))gm_lru_iterate, METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "_iterate($self, kind, newest_first, /)\n--\n\nIterator of keys (0), values (1) or pairs (2)."},
    {"__sizeof__", gm_lru_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the cache without keys and values."},
    {NULL, NULL, 0, NULL},
};
