/* The size arguments that Builder and BytesBuilder take alike: those of grow, reserve and truncate. */
#ifndef GOMEM_BUILDER_SIZE_H
#define GOMEM_BUILDER_SIZE_H

#include "types.h"

/* A number of at least 0; -1 with TypeError, ValueError or OverflowError. */
static inline Py_ssize_t
gm_size(const char *verb, PyObject *arg)
{
    Py_ssize_t size = PyLong_AsSsize_t(arg);
    if (size < 0 && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "%s: got %zd, want at least 0", verb, size);
        return -1;
    }
    return size;
}

/* length + more, as room in all; -1 with MemoryError where no buffer can have it, or when `more` is an error already. */
static inline Py_ssize_t
gm_total(Py_ssize_t length, Py_ssize_t more)
{
    if (more > PY_SSIZE_T_MAX / 8 - length) { /* a character may take four bytes, and room is doubled */
        PyErr_NoMemory();
        return -1;
    }
    return more < 0 ? -1 : length + more;
}

/* What truncate(arg) is to keep of a length; -1 with an exception. */
static inline Py_ssize_t
gm_kept(PyObject *arg, Py_ssize_t length)
{
    Py_ssize_t size = gm_size("truncate", arg);
    if (size > length) {
        PyErr_Format(PyExc_ValueError, "truncate: got %zd, want at most the length %zd", size, length);
        return -1;
    }
    return size;
}

#endif
