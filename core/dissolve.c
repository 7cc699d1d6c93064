/* See dissolve.h.
 *
 * The look is CPython's own: references to the component's objects from outside of it are the sum of their reference
 * counts, less ours, less the references that its objects hold to each other. It is taken twice, as a sum and modulo 64
 * for each object, in the shadow: both must be 0. A tp_traverse that visits too much cannot make up in one object for
 * what comes from outside to another. */
#include "dissolve.h"

#include "check.h"
#include "passes.h"

#include <string.h>

#define AHEAD 6  /* objects fetched before they are looked at */
#define TYPES 64 /* that are remembered */

/* Guarded by the GIL. */
static struct {
    bool open;
    size_t from, at, to; /* in the order */
    size_t leaves;       /* that only one of its objects refers to, and that refer to none */
    gm_gc_head hidden;   /* where its objects are linked meanwhile: gc.get_objects() must not hand them out */
} component;

static int64_t inner; /* references found within the component */
static struct {
    PyTypeObject *type; /* borrowed, and good for one look only */
    bool quiet;
} types[TYPES];

typedef struct {
    traverseproc traverse;
    inquiry clear;
    destructor dealloc;
    freefunc free;
} gm_slots;

static gm_slots of_class, of_mixin; /* what type() gives to a class, and to one without any attributes */

static gm_slots
slots_of(PyTypeObject *type)
{
    return (gm_slots){type->tp_traverse, type->tp_clear, type->tp_dealloc, type->tp_free};
}

static int
probe(const char *format, gm_slots *out)
{
    PyObject *class = PyObject_CallFunction((PyObject *)&PyType_Type, format, "probe", "__slots__");
    if (class == NULL) {
        return -1;
    }
    *out = slots_of((PyTypeObject *)class);
    Py_DECREF(class);
    return 0;
}

int
gm_dissolve_ready(void)
{
    return probe("s(){}", &of_class) < 0 || probe("s(){s()}", &of_mixin) < 0 ? -1 : 0;
}

bool
gm_dissolve_is_open(void)
{
    return component.open;
}

size_t
gm_dissolve_leaves(void)
{
    return component.leaves;
}

static void
prefetch(size_t i, size_t to)
{
    if (i < to) {
        PyObject *object = *gm_candidate_slot(i);
        __builtin_prefetch(gm_head_of(object), 1);
        __builtin_prefetch(gm_shadow_of(object), 1);
    }
}

/* ---- of which types ----
 *
 * Other types may hand out what nobody refers to: bindings find the wrapper of a C++ object in a table of theirs, and
 * weakref.ref() one that there is. So only what the interpreter is known not to keep by a pointer, and Python classes. */

#define OTHERS 4
static PyTypeObject *others[OTHERS]; /* borrowed, of modules that need not be imported; NULL where one is not */

/* Borrowed; NULL if there is none. Looks at each key: to look it up would run the __eq__ of one that is no plain text. */
static PyObject *
item_of(PyObject *dict, const char *name)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (PyUnicode_CheckExact(key) && PyUnicode_CompareWithASCIIString(key, name) == 0) {
            return value;
        }
    }
    return NULL;
}

static void
find_others(void)
{
    static const char *const names[OTHERS][2] = {
        {"_collections", "deque"}, {"_collections", "defaultdict"}, {"_ast", "AST"}, {"_typing", "Generic"}};
    PyObject *modules = PyImport_GetModuleDict();
    for (int i = 0; i < OTHERS; i++) {
        PyObject *module = item_of(modules, names[i][0]);
        PyObject *dict = module != NULL && PyModule_CheckExact(module) ? PyModule_GetDict(module) : NULL;
        PyObject *type = dict == NULL ? NULL : item_of(dict, names[i][1]);
        others[i] = type != NULL && PyType_Check(type) ? (PyTypeObject *)type : NULL;
    }
}

static bool
is_of_the_interpreter(PyTypeObject *type)
{
    static PyTypeObject *const known[] = {
        &PyBaseObject_Type, &PyList_Type, &PyDict_Type, &PyTuple_Type, &PySet_Type,     &PyFrozenSet_Type,
        &PyFunction_Type,   &PyCell_Type, &PyMethod_Type, &PyODict_Type, &PyProperty_Type,
        /* bases of classes; what is shared of them (interned text, small numbers) is never of a class of Python */
        &PyUnicode_Type,    &PyBytes_Type, &PyLong_Type, &PyFloat_Type,
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(known); i++) {
        if (type == known[i]) {
            return true;
        }
    }
    for (int i = 0; i < OTHERS; i++) {
        if (type == others[i]) {
            return true;
        }
    }
    return false;
}

static bool
is_of_python(PyTypeObject *type)
{
    gm_slots slots = slots_of(type);
    return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
           (memcmp(&slots, &of_class, sizeof(slots)) == 0 || memcmp(&slots, &of_mixin, sizeof(slots)) == 0);
}

static bool
is_known(PyTypeObject *type)
{
    return is_of_python(type) || is_of_the_interpreter(type);
}

/* Whether a class itself is a proxy of SWIG's, or has a name that is no plain text: to look it up would run its __eq__, in the
 * middle of a look. */
static bool
may_be_swig(PyTypeObject *type)
{
    PyObject *key;
    Py_ssize_t at = 0;
    while ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 && PyDict_Next(type->tp_dict, &at, &key, NULL)) {
        if (!PyUnicode_CheckExact(key) || PyUnicode_CompareWithASCIIString(key, "__swig_destroy__") == 0) {
            return true;
        }
    }
    return false;
}

/* A class of Python's is as harmless as all that it inherits from: methods by the MRO, which a metaclass may choose, and
 * what frees an object by tp_base. But a SWIG director, C++'s half of an object, points to the other, which is of such a
 * class, and calls its methods. */
static bool
goes_quietly(PyTypeObject *type)
{
    if (type->tp_finalize != NULL || type->tp_del != NULL) {
        return false;
    }
    if (!is_of_python(type) || type->tp_mro == NULL) {
        return is_of_the_interpreter(type);
    }
    for (PyTypeObject *base = type; base != NULL; base = base->tp_base) {
        if (!is_known(base)) {
            return false;
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyObject *base = PyTuple_GET_ITEM(type->tp_mro, i);
        if (!PyType_Check(base) || !is_known((PyTypeObject *)base) || may_be_swig((PyTypeObject *)base)) {
            return false;
        }
    }
    return true;
}

/* The same from memory, for as long as no other code runs. */
static bool
is_quiet(PyTypeObject *type)
{
    size_t at = ((uintptr_t)type >> 5) % TYPES;
    if (types[at].type != type) {
        types[at].type = type;
        types[at].quiet = goes_quietly(type);
    }
    return types[at].quiet;
}

/* False when CPython has more to do for an object than to clear it, or when a weak reference could bring it back. */
static bool
can_go(PyObject *object)
{
    Py_ssize_t weak = Py_TYPE(object)->tp_weaklistoffset;
    return is_quiet(Py_TYPE(object)) && gm_is_tracked(object) && (weak == 0 || *(PyObject **)((char *)object + weak) == NULL);
}

/* ---- the look ---- */

static int
count_inner(PyObject *target, void *Py_UNUSED(arg))
{
    uint8_t *byte = gm_shadow_known(target);
    if (byte != NULL && (*byte & GM_STATE) == GM_GREY) {
        *byte -= GM_ONE;
        inner++;
    } else if (gm_is_leaf(target)) {
        component.leaves++;
    }
    return 0;
}

/* The shadow's colours mean nothing any more when candidates are freed: grey is the component here. */
static void
paint(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        *gm_shadow_of(*gm_candidate_slot(i)) = GM_GREY;
    }
}

static void
hide(gm_gc_head *head)
{
    gm_unlink(head);
    gm_link_before(head, &component.hidden);
}

/* Hides them on the way, while their heads are at hand. */
static gm_verdict
look(size_t from, size_t to)
{
    int64_t references = 0;
    inner = 0;
    component.leaves = 0;
    for (size_t i = from; i < to; i++) {
        PyObject *object = *gm_candidate_slot(i);
        prefetch(i + AHEAD, to);
        if (!can_go(object)) {
            return GM_NOT_OURS;
        }
        references += (int64_t)Py_REFCNT(object) - 1; /* one is ours */
        *gm_shadow_of(object) += (uint8_t)(gm_count_of(object) - GM_ONE);
        gm_visit_all(object, count_inner);
        hide(gm_head_of(object));
    }
    return references == inner ? GM_GARBAGE : GM_ALIVE;
}

/* Whether the counts are all 0. No object stays grey. */
static bool
unpaint(size_t from, size_t to)
{
    uint8_t left = 0;
    for (size_t i = from; i < to; i++) {
        uint8_t *byte = gm_shadow_of(*gm_candidate_slot(i));
        left |= *byte ^ GM_GREY;
        *byte = GM_NONE;
    }
    return left == 0;
}

static void
show(void)
{
    gm_ring_move(&component.hidden, gm_gc_generation(2));
}

gm_verdict
gm_dissolve_begin(size_t from, size_t to)
{
    GM_CHECK(!component.open && gm_find.phase == GM_FREE && from < to);
    if (gm_gc_debug() != 0) {
        return GM_NOT_OURS; /* CPython prints them, or keeps them */
    }
    gm_ring_init(&component.hidden);
    memset(types, 0, sizeof(types));
    find_others();
    paint(from, to);
    gm_verdict verdict = look(from, to);
    if (!unpaint(from, to) && verdict == GM_GARBAGE) {
        verdict = GM_ALIVE;
    }
    component.open = verdict == GM_GARBAGE;
    if (component.open) {
        component.from = component.at = from;
        component.to = to;
    } else {
        show();
    }
    return verdict;
}

/* Takes the reference over. It is the only one from outside, and keeps the object until it has been cleared. */
static void
clear(PyObject *object)
{
    inquiry tp_clear = Py_TYPE(object)->tp_clear;
    gm_head_of(object)->prev |= GM_GC_FINALIZED; /* its class may have got a __del__ meanwhile: it has missed that */
    if (tp_clear != NULL) {
        tp_clear(object);
        if (PyErr_Occurred()) {
            PyErr_WriteUnraisable((PyObject *)Py_TYPE(object));
        }
    }
    Py_DECREF(object);
}

/* Those that no clearing has freed are CPython's again, as after its own. Returns how many were freed. */
static size_t
end(void)
{
    size_t left = 0;
    for (gm_gc_head *node = gm_next(&component.hidden); node != &component.hidden; node = gm_next(node)) {
        left++;
    }
    show();
    component.open = false;
    return component.to - component.from - left + component.leaves;
}

/* Clearing may run anything: a finaliser may end the cycle, which clears the rest in here. */
size_t
gm_dissolve_some(size_t count)
{
    for (; component.open && component.at < component.to && count > 0; count--) {
        PyObject **slot = gm_candidate_slot(component.at++), *object = *slot;
        *slot = NULL;
        clear(object);
    }
    return component.open && component.at == component.to ? end() : 0;
}
