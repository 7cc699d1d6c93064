/* Calls of a function decorated with gomem.cached.
 *
 * A hit allocates nothing: the arguments are hashed where they lie on the caller's stack and compared with the stored
 * key item by item; only a miss makes a key of them. A single positional argument is its own key; otherwise the key
 * is a tuple of the positional arguments, then name and value of each keyword, then (typed) the types; the entry's
 * shape tells where the keywords begin. As in functools, calls that differ in keyword order are different calls.
 *
 * A method keeps one table per instance, found by the instance's address and dropped by its weak reference's callback,
 * so no key holds the instance. Every call in here may run Python code that calls the same function or clears it:
 * tables are kept alive by a reference and looked up again after such a call. */
#include "memo.h"
#include "compat_object.h"

#define SMALL_CALL 12

/* The key of a call as borrowed items, which the caller's arguments or `tuple` keep alive. */
typedef struct {
    PyObject **items; /* `space`, or allocated, or the items of tuple */
    Py_ssize_t count;
    PyObject *tuple;  /* owned or NULL */
    uint32_t tag;
    uint16_t shape;
    PyObject *space[SMALL_CALL];
} gm_call_key;

static void
release_key(gm_call_key *key)
{
    if (key->tuple == NULL && key->items != key->space) {
        PyMem_Free(key->items);
    }
    Py_XDECREF(key->tuple);
}

static PyObject *
key_tuple(gm_call_key *key)
{
    if (key->tuple != NULL) {
        return Py_NewRef(key->tuple);
    }
    PyObject *tuple = PyTuple_New(key->count);
    for (Py_ssize_t i = 0; tuple != NULL && i < key->count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(key->items[i]));
    }
    return tuple;
}

/* Mixes the items' hashes in order. */
static int
hash_key(gm_call_key *key)
{
    uint64_t mixed = 0x9E3779B97F4A7C15u + (uint64_t)key->count;
    for (Py_ssize_t i = 0; i < key->count; i++) {
        Py_hash_t hash = gm_hash(key->items[i]);
        if (hash == -1) {
            return -1;
        }
        mixed = ((mixed << 29) | (mixed >> 35)) ^ (uint64_t)hash;
        mixed *= 0xD6E8FEB86659FD93u;
    }
    key->tag = gm_tag_of_hash((Py_hash_t)(mixed ^ (mixed >> 32)));
    return 0;
}

static int
make_key(gm_call_key *key, PyObject *const *args, Py_ssize_t nargs, PyObject *names, bool typed)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    key->count = nargs + 2 * named + (typed ? nargs + named : 0);
    key->shape = (uint16_t)(nargs + 1);
    key->tuple = NULL;
    key->items = key->space;
    if (key->count > SMALL_CALL) {
        key->items = PyMem_Malloc(sizeof(PyObject *) * (size_t)key->count);
        if (key->items == NULL) {
            key->items = key->space;
            PyErr_NoMemory();
            return -1;
        }
    }
    PyObject **out = key->items;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        *out++ = args[i];
    }
    for (Py_ssize_t i = 0; i < named; i++) {
        *out++ = PyTuple_GET_ITEM(names, i);
        *out++ = args[nargs + i];
    }
    for (Py_ssize_t i = 0; typed && i < nargs + named; i++) {
        *out++ = (PyObject *)Py_TYPE(args[i]);
    }
    if (typed) { /* an __eq__ may change an argument's class and free the old one: hold the types */
        PyObject *tuple = key_tuple(key);
        if (tuple == NULL) {
            return -1;
        }
        if (key->items != key->space) {
            PyMem_Free(key->items);
        }
        key->tuple = tuple;
        key->items = ((PyTupleObject *)tuple)->ob_item;
    }
    return hash_key(key);
}

/* 1 same call, 0 another, -1 error, 2 the comparison changed the table. */
static int
compare_call(gm_lru_table *table, uint32_t at, const gm_call_key *key)
{
    uint64_t version = table->version;
    PyObject *stored = Py_NewRef(table->slab[at].key);
    int same = PyTuple_GET_SIZE(stored) == key->count;
    for (Py_ssize_t i = 0; same == 1 && i < key->count; i++) {
        PyObject *ours = key->items[i], *theirs = PyTuple_GET_ITEM(stored, i);
        if (ours != theirs) {
            same = PyObject_RichCompareBool(theirs, ours, Py_EQ);
        }
    }
    Py_DECREF(stored);
    return same < 0 ? -1 : version != table->version ? 2 : same;
}

static int64_t
find_call(gm_lru_table *table, const gm_call_key *key)
{
    int restarts = 0;
restart:;
    if (table->count == 0) {
        return 0;
    }
    gm_probe probe = gm_index_probe(&table->index, key->tag);
    uint32_t item;
    while ((item = gm_index_next(&table->index, &probe, key->tag)) != 0) {
        if (table->slab[item].tag != key->tag || table->slab[item].shape != key->shape) {
            continue;
        }
        int same = compare_call(table, item, key);
        if (same < 0 || (same == 2 && ++restarts == GM_LRU_RESTARTS)) {
            if (same == 2) {
                gm_lru_too_many_restarts();
            }
            return -1;
        }
        if (same == 2) {
            goto restart;
        }
        if (same == 1) {
            return item;
        }
    }
    return 0;
}

/* Adds a key that is absent and drops what the bound pushes out. */
static int
add_result(gm_lru_table *table, PyObject *key, PyObject *value, uint32_t tag, uint16_t shape)
{
    PyObject *old_key = NULL, *old_value = NULL;
    if (table->count >= table->max_count) {
        gm_lru_replace_quiet(table, key, value, tag, shape, &old_key, &old_value);
        Py_DECREF(old_key);
        Py_DECREF(old_value);
        return 0;
    }
    if (gm_lru_reserve_quiet(table) < 0) {
        return -1;
    }
    gm_lru_add_quiet(table, key, value, tag, shape);
    return 0;
}

static inline PyObject *
hit(gm_memo *self, gm_lru_table *table, int64_t at)
{
    self->hits++;
    if (self->bounded) {
        gm_lru_touch(table, (uint32_t)at);
    }
    return Py_NewRef(table->slab[at].value);
}

/* The arguments of one call: all of them for the function, those from `skip` on for the key. */
typedef struct {
    PyObject *const *args;
    size_t nargsf;
    PyObject *names;
    Py_ssize_t skip;
} gm_call;

static PyObject *
run_function(gm_memo *self, const gm_call *call)
{
    self->misses++;
    PyObject *function = Py_NewRef(self->function);
    PyObject *result = PyObject_Vectorcall(function, call->args, call->nargsf, call->names);
    Py_DECREF(function);
    return result;
}

static PyObject *
call_with_raw_key(gm_memo *self, gm_lru_table *table, const gm_call *call)
{
    PyObject *key = call->args[call->skip];
    Py_hash_t hash = gm_hash(key);
    if (GM_UNLIKELY(hash == -1)) {
        return NULL;
    }
    uint32_t tag = gm_tag_of_hash(hash);
    int64_t at = gm_lru_find(table, key, tag);
    if (GM_LIKELY(at > 0)) {
        return hit(self, table, at);
    }
    PyObject *result = at < 0 ? NULL : run_function(self, call);
    if (result == NULL) {
        return NULL;
    }
    at = gm_lru_find(table, key, tag); /* the call may have added it, or another thread */
    if (at < 0 || (at == 0 && add_result(table, key, result, tag, GM_SHAPE_RAW) < 0)) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

static PyObject *
call_with_key(gm_memo *self, gm_lru_table *table, const gm_call *call, gm_call_key *key)
{
    int64_t at = find_call(table, key);
    if (at > 0) {
        return hit(self, table, at);
    }
    PyObject *result = at < 0 ? NULL : run_function(self, call);
    PyObject *tuple = result ? key_tuple(key) : NULL;
    if (tuple != NULL) {
        at = find_call(table, key);
        if (at < 0 || (at == 0 && add_result(table, tuple, result, key->tag, key->shape) < 0)) {
            Py_CLEAR(result);
        }
        Py_DECREF(tuple);
    }
    else {
        Py_CLEAR(result);
    }
    return result;
}

static inline PyObject *
call_in_table(gm_memo *self, gm_lru_table *table, const gm_call *call)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(call->nargsf) - call->skip;
    if (nargs == 1 && call->names == NULL && !self->typed && !PyTuple_CheckExact(call->args[call->skip])) {
        return call_with_raw_key(self, table, call);
    }
    if (nargs >= GM_SHAPE_MAX) {
        return run_function(self, call);
    }
    gm_call_key key;
    PyObject *result = NULL;
    if (make_key(&key, call->args + call->skip, nargs, call->names, self->typed) == 0) {
        result = call_with_key(self, table, call, &key);
    }
    release_key(&key);
    return result;
}

/* --- methods: a table per instance --- */

static uint32_t
tag_of_owner(void *owner)
{
    return gm_tag_of_hash((Py_hash_t)((uintptr_t)owner >> 4));
}

/* The number of an instance's entry in owners, 0 when it has none. Runs no Python code. */
static uint32_t
find_owner(gm_memo *self, void *owner, PyObject *reference)
{
    gm_lru_table *owners = &self->owners;
    if (owners->count == 0) {
        return 0;
    }
    uint32_t tag = tag_of_owner(owner), item;
    gm_probe probe = gm_index_probe(&owners->index, tag);
    while ((item = gm_index_next(&owners->index, &probe, tag)) != 0) {
        if (owners->slab[item].tag != tag) {
            continue;
        }
        const gm_entry *entry = &owners->slab[item];
        if (reference != NULL ? entry->key == reference
                              : ((gm_memo_part *)entry->value)->owner == owner && gm_weakref_is(entry->key, owner)) {
            return item;
        }
    }
    return 0;
}

/* The weak references' callback; the bound tuple has the memo and the address of the instance that is dying. */
static PyObject *
forget_owner(PyObject *bound, PyObject *reference)
{
    gm_memo *self = (gm_memo *)PyTuple_GET_ITEM(bound, 0);
    void *owner = PyLong_AsVoidPtr(PyTuple_GET_ITEM(bound, 1));
    uint32_t at = find_owner(self, owner, reference);
    if (at != 0) {
        PyObject *key, *part;
        gm_lru_take_quiet(&self->owners, at, &key, &part);
        Py_DECREF(part);
        Py_DECREF(key);
    }
    Py_RETURN_NONE;
}

static PyMethodDef forget_owner_def = {"forget_owner", forget_owner, METH_O, NULL};

static PyObject *
make_reference(gm_memo *self, PyObject *owner)
{
    PyObject *bound = Py_BuildValue("(ON)", (PyObject *)self, PyLong_FromVoidPtr(owner));
    PyObject *callback = bound ? PyCFunction_New(&forget_owner_def, bound) : NULL;
    Py_XDECREF(bound);
    PyObject *reference = callback ? PyWeakref_NewRef(owner, callback) : NULL;
    Py_XDECREF(callback);
    if (reference == NULL && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError,
                     "cached method: got a %.100s, which cannot be weakly referenced, want '__weakref__' in its "
                     "__slots__ or cached(method=False)",
                     Py_TYPE(owner)->tp_name);
    }
    return reference;
}

/* A new reference to the part of an instance, made if it has none. */
static gm_memo_part *
part_of(gm_memo *self, PyObject *owner)
{
    uint32_t at = find_owner(self, owner, NULL);
    if (at != 0) {
        return (gm_memo_part *)Py_NewRef(self->owners.slab[at].value);
    }
    PyObject *reference = make_reference(self, owner);
    gm_memo_part *part = reference ? PyObject_GC_New(gm_memo_part, (PyTypeObject *)self->part_type) : NULL;
    if (part == NULL) {
        Py_XDECREF(reference);
        return NULL;
    }
    gm_lru_init(&part->table, self->max_count, self->table.policy);
    part->owner = owner;
    PyObject_GC_Track(part);
    at = find_owner(self, owner, NULL); /* allocating may have run the collector, and that anything */
    if (at != 0) {
        Py_DECREF(part);
        part = (gm_memo_part *)Py_NewRef(self->owners.slab[at].value);
    }
    else if (gm_lru_reserve_quiet(&self->owners) < 0) {
        Py_CLEAR(part);
    }
    else {
        gm_lru_add_quiet(&self->owners, reference, (PyObject *)part, tag_of_owner(owner), GM_SHAPE_RAW);
    }
    Py_DECREF(reference);
    return part;
}

PyObject *
gm_memo_call(PyObject *op, PyObject *const *args, size_t nargsf, PyObject *names)
{
    gm_memo *self = (gm_memo *)op;
    gm_call call = {args, nargsf, names, self->by_instance ? 1 : 0};
    if (GM_UNLIKELY(self->max_count == 0 || PyVectorcall_NARGS(nargsf) < call.skip)) {
        return run_function(self, &call);
    }
    if (!self->by_instance) {
        return call_in_table(self, &self->table, &call);
    }
    gm_memo_part *part = part_of(self, args[0]);
    if (part == NULL) {
        return NULL;
    }
    PyObject *result = call_in_table(self, &part->table, &call);
    Py_DECREF(part);
    return result;
}
