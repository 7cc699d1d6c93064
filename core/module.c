/* gomem._core: the module definition and nothing else.
 *
 * Each part of the core lives in a file of its own and adds its functions and types through one
 * gm_add_NOUN(module) function, named in the table below. */
#include "types.h"

int gm_add_column(PyObject *module);
int gm_add_wire(PyObject *module);
int gm_add_wire_encode(PyObject *module);
int gm_add_samples(PyObject *module);
int gm_add_merge(PyObject *module);
int gm_add_graph(PyObject *module);
int gm_add_heap(PyObject *module);
int gm_add_adopt(PyObject *module);
int gm_add_lru(PyObject *module);
int gm_add_memo(PyObject *module);
int gm_add_pool(PyObject *module);
int gm_add_builder(PyObject *module);
int gm_add_bytes_builder(PyObject *module);
int gm_add_collector(PyObject *module);

static int (*const parts[])(PyObject *module) = {
    gm_add_column,
    gm_add_wire,
    gm_add_wire_encode,
    gm_add_samples,
    gm_add_merge,
    gm_add_graph,
    gm_add_heap,
    gm_add_adopt,
    gm_add_lru,
    gm_add_memo,
    gm_add_pool,
    gm_add_builder,
    gm_add_bytes_builder,
    gm_add_collector,
    NULL,
};

static int
core_exec(PyObject *module)
{
    for (size_t i = 0; parts[i] != NULL; i++) {
        if (parts[i](module) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gomem._core",
    .m_doc = "The native part of gomem; use the functions of the gomem package instead.",
    .m_slots = core_slots,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_module);
}
