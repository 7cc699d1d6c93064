/* The structs behind compat_gc.h. */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "compat_gc.h"
#include "compat.h"

#if PY_VERSION_HEX >= 0x030E0000
#define GM_UNKNOWN_GC 1 /* nobody has tried */
#endif

#ifndef GM_UNKNOWN_GC
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"

_Static_assert(sizeof(gm_gc_head) == sizeof(PyGC_Head), "the head of a tracked object");
_Static_assert(_PyGC_PREV_MASK_FINALIZED == GM_GC_FINALIZED, "the flag of what has been finalised");
_Static_assert(NUM_GENERATIONS == 3, "the generations");

static struct _gc_runtime_state *
state(void)
{
    return &PyInterpreterState_Main()->gc;
}

gm_gc_head *
gm_gc_generation(int number)
{
    return (gm_gc_head *)&state()->generations[number].head;
}

gm_gc_head *
gm_gc_permanent(void)
{
    return (gm_gc_head *)&state()->permanent_generation.head;
}

int
gm_gc_count(int generation)
{
    return state()->generations[generation].count;
}

void
gm_gc_set_count(int generation, int count)
{
    state()->generations[generation].count = count;
}

int
gm_gc_threshold(int generation)
{
    return state()->generations[generation].threshold;
}

bool
gm_gc_is_enabled(void)
{
    return state()->enabled != 0;
}

int
gm_gc_debug(void)
{
    return state()->debug;
}

bool
gm_gc_is_collecting(void)
{
    return state()->collecting != 0;
}

void
gm_gc_set_collecting(bool collecting)
{
    state()->collecting = collecting;
}

Py_ssize_t
gm_gc_promoted(void)
{
    return state()->long_lived_pending;
}

void
gm_gc_set_promoted(Py_ssize_t count)
{
    state()->long_lived_pending = count;
}

Py_ssize_t
gm_gc_survivors(void)
{
    return state()->long_lived_total;
}

void
gm_gc_set_survivors(Py_ssize_t count)
{
    state()->long_lived_total = count;
}

bool
gm_gil_is_free_no_python(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return __atomic_load_n(&PyInterpreterState_Main()->ceval.gil->locked, __ATOMIC_RELAXED) == 0;
#elif PY_VERSION_HEX >= 0x030C0000
    return __atomic_load_n(&PyInterpreterState_Main()->ceval.gil->locked._value, __ATOMIC_RELAXED) == 0;
#else
    return __atomic_load_n(&_PyRuntime.ceval.gil.locked._value, __ATOMIC_RELAXED) == 0;
#endif
}

void
gm_wake_main_no_python(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    /* Py_AddPendingCall does */
#else
    __atomic_store_n(&PyInterpreterState_Main()->ceval.eval_breaker._value, 1, __ATOMIC_RELAXED);
#endif
}

#else /* nobody calls these: gm_gc_unsupported() has refused */

gm_gc_head *
gm_gc_generation(int Py_UNUSED(number))
{
    static gm_gc_head none;
    return &none;
}

gm_gc_head *
gm_gc_permanent(void)
{
    return gm_gc_generation(0);
}

int
gm_gc_count(int Py_UNUSED(generation))
{
    return 0;
}

void
gm_gc_set_count(int Py_UNUSED(generation), int Py_UNUSED(count))
{
}

int
gm_gc_threshold(int Py_UNUSED(generation))
{
    return 0;
}

bool
gm_gc_is_enabled(void)
{
    return false;
}

int
gm_gc_debug(void)
{
    return 0;
}

bool
gm_gc_is_collecting(void)
{
    return false;
}

void
gm_gc_set_collecting(bool Py_UNUSED(collecting))
{
}

Py_ssize_t
gm_gc_promoted(void)
{
    return 0;
}

void
gm_gc_set_promoted(Py_ssize_t Py_UNUSED(count))
{
}

Py_ssize_t
gm_gc_survivors(void)
{
    return 0;
}

void
gm_gc_set_survivors(Py_ssize_t Py_UNUSED(count))
{
}

bool
gm_gil_is_free_no_python(void)
{
    return false;
}

void
gm_wake_main_no_python(void)
{
}

#endif

bool
gm_has_other_interpreters(void)
{
    return PyInterpreterState_Head() != PyInterpreterState_Main(); /* new ones come before it */
}

#ifndef GM_UNKNOWN_GC

/* Whether a ring's links agree with each other for a few steps. */
static bool
looks_like_a_ring(const gm_gc_head *ring)
{
    const gm_gc_head *node = ring;
    for (int i = 0; i < 3; i++) {
        if (node->next == 0 || gm_prev(gm_next(node)) != node) {
            return false;
        }
        node = gm_next(node);
    }
    return true;
}

/* A fresh list is the last of the youngest generation if the structs are where they were compiled to be. */
static bool
layout_is_right(void)
{
    for (int i = 0; i < 3; i++) {
        if (!looks_like_a_ring(gm_gc_generation(i))) {
            return false;
        }
    }
    PyObject *probe = PyList_New(0);
    if (probe == NULL) {
        PyErr_Clear();
        return false;
    }
    bool right = looks_like_a_ring(gm_gc_permanent()) && gm_next(gm_head_of(probe)) == gm_gc_generation(0) &&
                 gm_prev(gm_gc_generation(0)) == gm_head_of(probe);
    Py_DECREF(probe);
    return right;
}

#endif

const char *
gm_gc_unsupported(void)
{
    const char *reason = gm_unsupported_version("gomem.gc", Py_Version);
    if (reason != NULL) {
        return reason;
    }
#ifndef GM_UNKNOWN_GC
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        return "gomem.gc: got a sub-interpreter, want the main one";
    }
    if (!layout_is_right()) {
        return "gomem.gc: got an interpreter whose collector's lists are not where they were when gomem was built; "
               "install gomem again";
    }
#endif
    return NULL;
}
