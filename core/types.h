/* The glossary of the core: what every C file shares.
 *
 * Suffixes are contracts: _no_python may run inside an allocator hook or a forked child, calls no Python API that
 * allocates and takes nothing but the core's own lock; _locked wants that lock held. */
#ifndef GOMEM_TYPES_H
#define GOMEM_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef Py_GIL_DISABLED
#error "gomem does not support free-threaded builds of CPython yet: build it with a default (GIL) interpreter"
#endif

#define GM_LIKELY(x) __builtin_expect(!!(x), 1)
#define GM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Makes a type and gives it to the module under that name; -1 with an exception. */
static inline int
gm_add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int status = type ? PyModule_AddObjectRef(module, name, type) : -1;
    Py_XDECREF(type);
    return status;
}

#endif
