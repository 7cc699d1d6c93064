/* Looking into objects, large ones in parts. See passes.h. */
#include "passes.h"

gm_passes gm_pass;

static Py_ssize_t
visit_dict_part(PyObject *dict, Py_ssize_t from, visitproc visit)
{
    PyObject *key, *value;
    for (int i = 0; i < GM_CHUNK; i++) {
        if (!PyDict_Next(dict, &from, &key, &value)) {
            return -1;
        }
        visit(key, NULL);
        visit(value, NULL);
    }
    return from;
}

static Py_ssize_t
visit_set_part(PyObject *object, Py_ssize_t from, visitproc visit)
{
    PySetObject *set = (PySetObject *)object;
    Py_ssize_t end = from + GM_CHUNK < set->mask + 1 ? from + GM_CHUNK : set->mask + 1;
    for (Py_ssize_t i = from; i < end; i++) {
        if (set->table[i].key != NULL) {
            visit(set->table[i].key, NULL);
        }
    }
    return end == set->mask + 1 || end <= from ? -1 : end;
}

Py_ssize_t
gm_visit_part(PyObject *object, Py_ssize_t from, visitproc visit)
{
    if (PyDict_CheckExact(object)) {
        return visit_dict_part(object, from, visit);
    }
    if (PyAnySet_CheckExact(object)) {
        return visit_set_part(object, from, visit);
    }
    Py_ssize_t size = PyList_CheckExact(object) ? PyList_GET_SIZE(object) : PyTuple_GET_SIZE(object);
    PyObject **items = PyList_CheckExact(object) ? ((PyListObject *)object)->ob_item : ((PyTupleObject *)object)->ob_item;
    Py_ssize_t end = from + GM_CHUNK < size ? from + GM_CHUNK : size;
    gm_visit_items(items, from, end, visit);
    return end >= size ? -1 : end;
}

bool
gm_finish_large(visitproc visit, gm_budget *budget)
{
    while (gm_pass.large != NULL) {
        if (gm_state_of(gm_pass.large) == GM_NONE || !gm_is_tracked(gm_pass.large) || !gm_is_large(gm_pass.large)) {
            gm_pass.large = NULL; /* it died or shrank: then it was alive, and counts under it do not matter */
            return true;
        }
        gm_pass.large_at = gm_visit_part(gm_pass.large, gm_pass.large_at, visit);
        if (gm_pass.large_at < 0) {
            gm_pass.large = NULL;
        }
        if (gm_budget_spent(budget, GM_CHUNK)) {
            return gm_pass.large == NULL; /* its end counts: a caller would begin it again */
        }
    }
    return true;
}
