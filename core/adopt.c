/* gomem._core.adopt: lends a native type's methods to the Python class that completes it.
 *
 * The interpreter calls a native method without detours only if the object's type is exactly the one that the method
 * was made for (CALL_METHOD_DESCRIPTOR_*, CPython 3.11 to 3.14). LRUCache, Pool and Builder are Python classes over
 * native types, so inherited methods would all go the long way: 15 to 30 ns a call. Making the same methods anew for the
 * class costs nothing else. */
#include "types.h"

static PyObject *
adopt(PyObject *Py_UNUSED(module), PyObject *arg)
{
    if (!PyType_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "adopt: got %.100s, want a class", Py_TYPE(arg)->tp_name);
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)arg;
    PyObject *own = PyObject_GetAttrString(arg, "__dict__");
    if (own == NULL) {
        return NULL;
    }
    for (PyTypeObject *base = type->tp_base; base != NULL; base = base->tp_base) {
        PyMethodDef *methods = base == &PyBaseObject_Type || !(base->tp_flags & Py_TPFLAGS_HEAPTYPE)
                                   ? NULL
                                   : PyType_GetSlot(base, Py_tp_methods);
        for (PyMethodDef *method = methods; method != NULL && method->ml_name != NULL; method++) {
            if (method->ml_name[0] == '_' || (method->ml_flags & METH_METHOD)) {
                continue;
            }
            PyObject *made = PyMapping_HasKeyString(own, method->ml_name) ? Py_NewRef(Py_None)
                                                                          : PyDescr_NewMethod(type, method);
            int status = made == NULL      ? -1
                         : made == Py_None ? 0
                                           : PyObject_SetAttrString(arg, method->ml_name, made);
            Py_XDECREF(made);
            if (status < 0) {
                Py_DECREF(own);
                return NULL;
            }
        }
    }
    Py_DECREF(own);
    return Py_NewRef(arg);
}

static PyMethodDef functions[] = {
    {"adopt", adopt, METH_O, "adopt(cls, /)\n--\n\nGives a class its native bases' public methods as its own."},
    {NULL, NULL, 0, NULL},
};

int
gm_add_adopt(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
