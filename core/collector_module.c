/* The concurrent collector's face towards Python: functions of gomem._core that gomem.gc calls, and what a fork does. */
#define _GNU_SOURCE
#include "collector.h"

#include "dissolve.h"
#include "reclaim.h"
#include "shadow.h"
#include "worker.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>

#define TURN_NS ((int64_t)2000000000) /* collect() waits for other threads' collections for so long */
#define FORK_TURN_NS ((int64_t)500000000) /* ... and a fork: a finaliser may wait for the forking thread */

/* Whether somebody is at work who must not be disturbed: another thread, or this one further up. */
static bool
is_taken(void)
{
    return gm_gc.busy || gm_gc_is_collecting() || gm_reclaim_is_running();
}

static void
let_others_run(void)
{
    Py_BEGIN_ALLOW_THREADS
    sched_yield();
    Py_END_ALLOW_THREADS
}

/* Whatever is next, whether or not gc.isenabled(): somebody asked for it. Without a worker its work is done here. */
static void
step(int64_t ns)
{
    bool alone = !gm_worker_is_there();
    if (gm_find.failed && gm_find.phase != GM_CLEAN) {
        gm_collector_abort();
    } else if (gm_find.phase == GM_FREE) {
        gm_collector_free_some(ns);
    } else if (gm_find.phase <= GM_LINK) {
        gm_collector_slice(GM_BY_REQUEST, ns);
    } else if (alone && gm_find.phase == GM_ORDER) {
        gm_collector_ordered(gm_order_no_python(&gm_find.candidates, &gm_gc.cancel));
    } else if (alone && gm_find.phase == GM_CLEAN) {
        gm_finder_clean_no_python();
    } else {
        gm_worker_wake_no_python();
    }
}

/* The cycle under way to its end, on the calling thread; other threads may run between slices. */
static void
run_cycle(void)
{
    uint64_t number = gm_gc.cycle.number;
    while (gm_gc.enabled && gm_gc.cycle.number == number && gm_find.phase != GM_IDLE) {
        if (!is_taken()) {
            step(gm_gc.pacer.pause_ns);
        }
        let_others_run();
    }
}

/* Waits for other threads' collections; false when it is this thread's own, or does not end. */
static bool
wait_for_turn(int64_t ns)
{
    unsigned long me = PyThread_get_thread_ident();
    int64_t end = gm_wall_ns_no_python() + ns;
    while (gm_gc.enabled && is_taken()) {
        if (gm_drive.collecting_on == me || gm_drive.aborting == me || gm_reclaim_is_on(me) || gm_wall_ns_no_python() > end) {
            return false;
        }
        let_others_run();
    }
    return gm_gc.enabled && gm_drive.hooks_on != me;
}

/* Returns how many objects were freed; -1 when it is called from where no cycle can begin, -2 when none can at all. */
static PyObject *
gc_collect(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    if (!wait_for_turn(TURN_NS)) {
        return PyLong_FromLong(-1);
    }
    uint64_t freed = gm_gc.freed, number = gm_gc.cycle.number;
    run_cycle(); /* one under way began before this call: what has become garbage since is not in it */
    while (gm_gc.enabled && gm_gc.cycle.number == number) { /* else another thread has begun the next: it will do */
        if (!is_taken() && gm_find.phase == GM_IDLE) {
            gm_gc.busy = true;
            bool begun = gm_collector_begin(GM_NOT_DUE);
            gm_gc.busy = false;
            if (!begun) {
                return PyLong_FromLong(-2);
            }
        } else {
            let_others_run();
        }
    }
    run_cycle();
    return PyLong_FromUnsignedLongLong(gm_gc.freed - freed);
}

static PyMethodDef callback_method = {"callback", (PyCFunction)(void (*)(void))gm_collector_callback, METH_FASTCALL,
                                      "Called by CPython after each collection."};

static PyObject *callback; /* owned; in gc.callbacks while enabled */

static PyObject *
gc_unsupported(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    const char *reason = gm_gc_unsupported();
    if (reason == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(reason);
}

static Py_ssize_t
count_list(gm_gc_head *ring)
{
    Py_ssize_t count = 0;
    for (gm_gc_head *node = gm_next(ring); node != ring; node = gm_next(node)) {
        count++;
    }
    return count;
}

static Py_ssize_t
count_lists(void)
{
    return count_list(gm_gc_generation(0)) + count_list(gm_gc_generation(1)) + count_list(gm_gc_generation(2));
}

static PyObject *
gc_count_old(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    return PyLong_FromSsize_t(count_list(gm_gc_generation(2)));
}

/* None, or (objects in the collector's lists, objects that gc.get_objects, the argument, shows). One call from C, so that no
 * other thread comes between the counts; an audit hook or a finaliser may let one in all the same, hence more than one try. */
static PyObject *
gc_compare_lists(PyObject *Py_UNUSED(self), PyObject *get_objects)
{
    Py_ssize_t before = 0, seen = 0;
    for (int tries = 0; tries < 5; tries++) {
        before = count_lists();
        PyObject *objects = PyObject_CallNoArgs(get_objects);
        if (objects == NULL) {
            return NULL;
        }
        seen = PyObject_Size(objects);
        Py_DECREF(objects);
        Py_ssize_t after = count_lists();
        if (Py_MIN(before, after) - 8 <= seen && seen <= Py_MAX(before, after) + 8) {
            Py_RETURN_NONE;
        }
    }
    return Py_BuildValue("nn", before, seen);
}

/* percent, pause in ns, limit in bytes, trace. */
static PyObject *
gc_configure(PyObject *Py_UNUSED(self), PyObject *args)
{
    double percent;
    long long pause_ns, limit_bytes;
    int trace;
    if (!PyArg_ParseTuple(args, "dLLp", &percent, &pause_ns, &limit_bytes, &trace)) {
        return NULL;
    }
    gm_gc.pacer.percent = percent;
    gm_gc.pacer.pause_ns = pause_ns;
    gm_gc.pacer.limit_bytes = limit_bytes;
    gm_gc.trace = trace;
    gm_collector_set_alarm();
    gm_worker_wake_no_python();
    Py_RETURN_NONE;
}

/* The list of hooks, what to call when memory is short, and how many old objects there are. */
static PyObject *
gc_enable(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *new_hooks, *new_relief;
    long long live;
    if (!PyArg_ParseTuple(args, "O!OL", &PyList_Type, &new_hooks, &new_relief, &live)) {
        return NULL;
    }
    if (gm_gc.enabled) {
        Py_RETURN_NONE;
    }
    const size_t begin = offsetof(gm_collector, after_due);
    memset((char *)&gm_gc + begin, 0, sizeof(gm_gc) - begin);
    if (gm_drive.aborting == 0) { /* else this is a finaliser, or another thread: the last cycle's end is not over */
        gm_gc.cycle = (gm_cycle){0};
    }
    gm_gc.pacer.live = live;
    gm_gc.rounds_max = gm_gc_threshold(1) > 0 ? gm_gc_threshold(1) : 1;
    gm_gc.pacer.base = gm_gc.pacer.promoted = gm_gc_promoted();
    gm_gc.pacer.gained = 0;
    gm_gc.pacer.rss_base = gm_gc.pacer.rss_bytes = gm_gc.pacer.rss_young = gm_rss_bytes_no_python();
    gm_collector_set_alarm();
    gm_gc.enabled_ns = gm_wall_ns_no_python();
    if (!gm_shadow_open() || !gm_worker_start()) {
        PyErr_SetString(PyExc_MemoryError, "gomem.gc: no address space for its table, or no thread for its worker");
        return NULL;
    }
    Py_XSETREF(gm_drive.hooks, Py_NewRef(new_hooks));
    Py_XSETREF(gm_drive.relief, Py_NewRef(new_relief));
    gm_gc.enabled = true;
    gm_gc_set_survivors(GM_SURVIVORS_HUGE);
    Py_RETURN_NONE;
}

/* False when it was not enabled. */
static PyObject *
gc_disable(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    if (!gm_gc.enabled) {
        Py_RETURN_FALSE;
    }
    wait_for_turn(TURN_NS); /* at exit a daemon thread in mid-batch would never come back, and leave CPython collecting for good */
    gm_collector_abort();
    if (!gm_gc.enabled) { /* a finaliser has, or another thread */
        Py_RETURN_FALSE;
    }
    gm_gc.enabled = false;
    gm_reclaim_forget();
    gm_gc_set_survivors((Py_ssize_t)gm_gc.pacer.live);
    Py_CLEAR(gm_drive.hooks);
    Py_CLEAR(gm_drive.relief);
    gm_worker_stop(); /* another thread may enable it meanwhile */
    if (gm_find.phase == GM_CLEAN && !gm_worker_is_there()) {
        gm_finder_clean_no_python();
    }
    Py_RETURN_TRUE;
}

/* Around os.fork(): no thread of ours, so that the child has nothing half done and nobody warns of threads. And no
 * collection that another thread is in the middle of, in a finaliser: nobody would end it in the child. */
static PyObject *
gc_before_fork(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    gm_worker_hold();
    wait_for_turn(FORK_TURN_NS);
    Py_RETURN_NONE;
}

/* What other threads were doing is not done here. The parent's cycle is given up at the next occasion, not now: that may
 * run finalisers, and other modules are not yet ready for a child. */
static void
begin_child(void)
{
    unsigned long me = PyThread_get_thread_ident();
    gm_worker_forget();
    bool batch_is_mine = gm_reclaim_begin_child(me);
    if (gm_drive.after_on != 0 && gm_drive.after_on != me) { /* nobody here ends that collection, and it would be the last */
        gm_gc_set_collecting(false);
        gm_drive.after_on = 0;
    }
    gm_drive.aborting = gm_drive.aborting == me ? me : 0;
    gm_drive.hooks_on = gm_drive.hooks_on == me ? me : 0;
    gm_gc.busy = gm_gc.busy && (batch_is_mine || gm_drive.aborting == me);
    if (gm_find.phase == GM_CLEAN) {
        gm_finder_clean_no_python();
    }
    gm_find.failed = gm_find.phase != GM_IDLE;
    gm_drive.asked = false;
}

static PyObject *
gc_after_fork(PyObject *Py_UNUSED(self), PyObject *in_child)
{
    if (in_child == Py_True) {
        begin_child();
    } else {
        gm_worker_release();
    }
    if (gm_gc.enabled && (in_child != Py_True || gm_find.failed)) {
        gm_collector_ask_main_no_python(); /* which starts the worker soon: here, os.fork() would warn of a thread */
    }
    Py_RETURN_NONE;
}

/* For tests: the next step of a cycle on this thread, begun if there is none: `steps` objects or references, or sorting, or
 * a batch of at most `batch` objects (0: as ever), or the end. Returns the phase that follows. Wants no worker. */
static PyObject *
gc_step(PyObject *Py_UNUSED(self), PyObject *args)
{
    int steps, batch;
    if (!PyArg_ParseTuple(args, "ii", &steps, &batch)) {
        return NULL;
    }
    if (!gm_gc.enabled || gm_gc.busy || gm_gc_is_collecting() || gm_reclaim_is_running()) {
        return PyLong_FromLong(-1);
    }
    gm_find.batch = batch > 0 ? (size_t)batch : GM_BATCH;
    if (gm_find.failed && gm_find.phase != GM_CLEAN) {
        gm_collector_abort();
    }
    if (gm_find.phase == GM_IDLE) {
        gm_gc.busy = true;
        gm_collector_begin(GM_NOT_DUE);
        gm_gc.busy = false;
    } else if (gm_find.phase <= GM_LINK) {
        gm_phase before = gm_find.phase;
        gm_budget budget = {0, 0, steps};
        gm_gc.busy = true;
        gm_finder_slice(&budget);
        gm_collector_note_phase(before);
        gm_gc.busy = false;
    } else if (gm_find.phase == GM_ORDER) {
        gm_collector_ordered(gm_order_no_python(&gm_find.candidates, &gm_gc.cancel));
    } else if (gm_find.phase == GM_FREE) {
        gm_collector_free_some(0);
    } else {
        gm_finder_clean_no_python();
    }
    return PyLong_FromLong(gm_find.phase);
}

/* For tests: what the limit asks for first. Wants no worker. */
static PyObject *
gc_relieve_young(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    if (gm_gc.enabled && !gm_gc.busy && !gm_gc_is_collecting() && !gm_reclaim_is_running()) {
        gm_collector_relieve_young();
    }
    Py_RETURN_NONE;
}

static PyObject *
ns_list(const int64_t *values, int count)
{
    PyObject *list = PyList_New(count);
    for (int i = 0; list != NULL && i < count; i++) {
        PyList_SET_ITEM(list, i, PyLong_FromLongLong(values[i]));
    }
    return list;
}

static PyObject *
gc_stats(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    const gm_cycle *c = &gm_gc.cycle;
    PyObject *cpu = ns_list(gm_gc.cpu_ns, GM_DRIVERS), *pauses = ns_list((const int64_t *)gm_gc.pauses, GM_BUCKETS);
    if (cpu == NULL || pauses == NULL) {
        Py_XDECREF(cpu);
        Py_XDECREF(pauses);
        return NULL;
    }
    return Py_BuildValue(
        "{s:i,s:i,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:N,s:N,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:(KLLLLLLLLLO)}", "enabled", gm_gc.enabled, "phase",
        (int)gm_find.phase, "cycles", (unsigned long long)gm_gc.cycles, "aborted", (unsigned long long)gm_gc.aborted, "stock",
        (unsigned long long)gm_gc.stock, "freed", (unsigned long long)gm_gc.freed, "survived",
        (unsigned long long)gm_gc.survived, "apart", (unsigned long long)gm_gc.apart, "reliefs", (unsigned long long)gm_gc.reliefs, "cpu_ns", cpu, "pauses", pauses,
        "pause_sum_ns", (long long)gm_gc.pause_sum_ns, "pause_max_ns", (long long)gm_gc.pause_max_ns, "wall_max_ns", (long long)gm_gc.wall_max_ns, "live",
        (long long)gm_gc.pacer.live, "grown", (long long)gm_collector_grown(), "goal", (long long)gm_pacer_goal(&gm_gc.pacer), "rss_bytes",
        (long long)gm_gc.pacer.rss_bytes, "last", (unsigned long long)c->number, (long long)c->walk_ns, (long long)c->mark_ns,
        (long long)c->free_ns, (long long)c->candidates, (long long)c->freed, (long long)c->largest,
        (long long)c->pause_max_ns, (long long)c->rss[0], (long long)c->rss[2], c->aborted ? Py_True : Py_False);
}

static PyMethodDef gc_methods[] = {
    {"gc_unsupported", gc_unsupported, METH_NOARGS, "Why the collector cannot run here, or None."},
    {"gc_count_old", gc_count_old, METH_NOARGS, "Objects in the oldest generation."},
    {"gc_compare_lists", gc_compare_lists, METH_O, "None, or the objects in the collector's lists and those Python sees."},
    {"gc_configure", gc_configure, METH_VARARGS, "Sets percent, pause, limit and trace."},
    {"gc_enable", gc_enable, METH_VARARGS, "Takes the old generation over."},
    {"gc_disable", gc_disable, METH_NOARGS, "Gives it back; False if it was not enabled."},
    {"gc_collect", gc_collect, METH_NOARGS, "One whole cycle; how many objects were freed, -1 if none could begin."},
    {"gc_before_fork", gc_before_fork, METH_NOARGS, "Stops the worker."},
    {"gc_after_fork", gc_after_fork, METH_O, "Starts it again; True in the child."},
    {"gc_step", gc_step, METH_VARARGS, "For tests: the next step of a cycle, of so many objects."},
    {"gc_drill", gm_drill_begin, METH_O, "For tests: cycles without a pause, counted in the file of that name."},
    {"gc_relieve_young", gc_relieve_young, METH_NOARGS, "For tests: what the limit asks for first."},
    {"gc_stats", gc_stats, METH_NOARGS, "What the collector has done since it was enabled."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef sub_methods[] = {
    {"gc_unsupported", gc_unsupported, METH_NOARGS, "Why the collector cannot run here, or None."},
    {NULL, NULL, 0, NULL},
};

int
gm_add_collector(PyObject *module)
{
    static bool once;
    if (!once) {
        once = true;
        gm_pacer_init(&gm_gc.pacer);
    }
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) { /* it has nothing to collect for us, and a GIL of its own */
        return PyModule_AddFunctions(module, sub_methods);
    }
    if (callback == NULL) {
        callback = PyCFunction_New(&callback_method, NULL);
    }
    if (callback == NULL || gm_finder_ready() < 0 || gm_reclaim_ready() < 0 || gm_dissolve_ready() < 0 ||
        PyModule_AddObjectRef(module, "gc_callback", callback) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, gc_methods);
}
