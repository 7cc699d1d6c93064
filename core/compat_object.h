/* Questions about objects whose answer differs between CPython versions, for the types (compat.h is the profiler's). */
#ifndef GOMEM_COMPAT_OBJECT_H
#define GOMEM_COMPAT_OBJECT_H

#include "types.h"

/* hash(key), -1 with an exception. A str keeps its hash in its public struct, in all versions so far; -1 until asked. */
static inline Py_hash_t
gm_hash(PyObject *key)
{
    if (PyUnicode_CheckExact(key) && ((PyASCIIObject *)key)->hash != -1) {
        return ((PyASCIIObject *)key)->hash;
    }
    return PyObject_Hash(key);
}

/* Compares exact ints: 1 same, 0 another, -1 not said, for those of more than one digit. */
static inline int
gm_same_small_int(PyObject *a, PyObject *b)
{
#if PY_VERSION_HEX >= 0x030C0000
    const PyLongObject *x = (const PyLongObject *)a, *y = (const PyLongObject *)b;
    if (PyUnstable_Long_IsCompact(x) && PyUnstable_Long_IsCompact(y)) {
        return PyUnstable_Long_CompactValue(x) == PyUnstable_Long_CompactValue(y);
    }
    return -1;
#else
    if ((size_t)Py_SIZE(a) + 1 > 2 || (size_t)Py_SIZE(b) + 1 > 2) { /* the size has the sign: -1, 0 or 1 */
        return -1;
    }
    return Py_SIZE(a) == Py_SIZE(b) && ((PyLongObject *)a)->ob_digit[0] == ((PyLongObject *)b)->ob_digit[0];
#endif
}

/* True when the weak reference's object is alive and is this one. PyWeakref_GetObject is deprecated since 3.13,
 * PyWeakref_GetRef does not exist before. */
static inline bool
gm_weakref_is(PyObject *reference, const void *object)
{
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *alive = NULL;
    bool same = PyWeakref_GetRef(reference, &alive) == 1 && (const void *)alive == object;
    Py_XDECREF(alive);
    return same;
#else
    return (const void *)PyWeakref_GET_OBJECT(reference) == object;
#endif
}

/* True for a bytearray that a memoryview, or another buffer's user, still looks at. */
static inline bool
gm_bytearray_is_viewed(PyObject *object)
{
    return PyByteArray_CheckExact(object) && ((PyByteArrayObject *)object)->ob_exports > 0;
}

/* Before 3.12 a str made by an old API may not have its characters in place yet; -1 with MemoryError. */
static inline int
gm_str_make_ready(PyObject *text)
{
#if PY_VERSION_HEX >= 0x030C0000
    (void)text;
    return 0;
#else
    return PyUnicode_READY(text);
#endif
}

#endif
