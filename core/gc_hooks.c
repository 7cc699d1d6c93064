/* Calling what listens to the collector: gomem.gc.callbacks, and what is asked to shrink when memory is short. Always on
 * a thread of the program. */
#include "collector.h"

void
gm_call_hooks(const char *phase)
{
    const gm_cycle *c = &gm_gc.cycle;
    if (gm_drive.hooks == NULL || PyList_GET_SIZE(gm_drive.hooks) == 0) {
        return;
    }
    PyObject *list = Py_NewRef(gm_drive.hooks); /* one may disable the collector, which drops ours */
    PyObject *info = Py_BuildValue("{s:K,s:L,s:L,s:L,s:O}", "cycle", (unsigned long long)c->number, "candidates",
                                   (long long)c->candidates, "freed", (long long)c->freed, "rss_bytes",
                                   (long long)c->rss[phase[2] == 'o' ? 2 : 0], "aborted", c->aborted ? Py_True : Py_False);
    for (Py_ssize_t i = 0; info != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *hook = Py_NewRef(PyList_GET_ITEM(list, i));
        PyObject *result = PyObject_CallFunction(hook, "sO", phase, info);
        if (result == NULL) {
            PyErr_WriteUnraisable(hook);
        }
        Py_XDECREF(result);
        Py_DECREF(hook);
    }
    if (info == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(info);
    Py_DECREF(list);
}

void
gm_call_due_hooks(void)
{
    if (gm_drive.hooks_on != 0) {
        return;
    }
    gm_drive.hooks_on = PyThread_get_thread_ident();
    double fraction = gm_drive.relief_due;
    gm_drive.relief_due = 0;
    if (gm_gc.after_due) {
        gm_gc.after_due = false;
        gm_call_hooks("stop");
    }
    if (fraction > 0 && gm_drive.relief != NULL) {
        PyObject *call = Py_NewRef(gm_drive.relief), *result = PyObject_CallFunction(call, "d", fraction);
        if (result == NULL) {
            PyErr_WriteUnraisable(call);
        }
        Py_XDECREF(result);
        Py_DECREF(call);
        gm_gc.reliefs++;
        gm_gc.trim_ns = 0; /* what caches let go of goes back to the system at the next tick */
    }
    gm_drive.hooks_on = 0;
}
