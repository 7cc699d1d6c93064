/* The heap profiler's life: starting, stopping, forking, and the functions that Python calls. See heap.h. */
#define _GNU_SOURCE
#include "heap.h"

#include "native.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define FOLD_AT ((size_t)1536 << 10)     /* of stacks and names; with the table of live samples it stays below 3 MB */
#define FOLD_AT_EXACT ((size_t)256 << 20) /* who asks for every allocation wants every stack */
#define CHEAP_RATE_MIN 4096 /* below it, asking for 513 bytes a sample would swell the heap: +12 % at 4 KiB */

gm_heap *gm_the_heap;

static int64_t
wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* In ordinary memory, so a forked child finds them as the parent left them. Guarded by the GIL. */
static bool hooks_on;     /* between a start and its stop, also in a child that has not been told yet what to do */
static uint16_t sessions; /* counts starts */

/* The profiler is off in a child, whatever was on: see heap.h. Where the system cannot empty pages (before Linux 4.14,
 * gVisor) a handler does it, a little later, and the books' memory stays with the child unused. */
static void
empty_in_child(void)
{
    *gm_the_heap = (gm_heap){0};
}

static bool
make_heap(void)
{
    void *pages = mmap(NULL, sizeof(gm_heap), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return false;
    }
    gm_the_heap = pages;
    gm_regions_stay_behind = madvise(pages, sizeof(gm_heap), MADV_WIPEONFORK) == 0;
    return gm_regions_stay_behind || pthread_atfork(NULL, NULL, empty_in_child) == 0;
}

static void
take_hooks_off(void)
{
    hooks_on = false;
    gm_native_remove();
    gm_hooks_remove();
}

/* start(rate: float, seed: int, depth: int, native: bool, threads: list[tuple[int, bytes]]) */
static PyObject *
heap_start(PyObject *Py_UNUSED(module), PyObject *args)
{
    double rate;
    unsigned long long seed;
    int depth, native;
    PyObject *threads;
    if (!PyArg_ParseTuple(args, "dKipO!", &rate, &seed, &depth, &native, &PyList_Type, &threads)) {
        return NULL;
    }
    if (gm_the_heap->active) {
        PyErr_SetString(PyExc_RuntimeError, "heap profiler: is running already, want it stopped first");
        return NULL;
    }
    if (!(rate >= 0) || depth < 1 || depth > GM_DEPTH_MAX - 1) {
        PyErr_SetString(PyExc_ValueError, "heap profiler: rate or depth out of range");
        return NULL;
    }
    bool exact = rate > 0 && rate < CHEAP_RATE_MIN;
    if (!gm_hooks_remove() && exact && !gm_hooks_exact()) {
        PyErr_SetString(PyExc_RuntimeError, "heap profiler: another tool's allocator hooks lie over those of an earlier "
                                            "profile with a larger rate, want that tool stopped first");
        return NULL;
    }
    gm_heap_lock();
    gm_the_heap->session = ++sessions;
    gm_the_heap->era++;
    gm_the_heap->fold_at = exact ? FOLD_AT_EXACT : FOLD_AT;
    gm_the_heap->depth = depth;
    gm_the_heap->hooks_lost = 0;
    gm_the_heap->thread_count = 1;
    gm_sampler_init(&gm_the_heap->sampler, rate, seed);
    bool ready = gm_fresh_books_locked();
    gm_heap_unlock();
    if (!ready) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(threads); i++) {
        unsigned long ident;
        const char *name;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(threads, i), "ky", &ident, &name)) {
            return NULL;
        }
        gm_heap_lock();
        gm_thread_entry_locked(name, ident);
        gm_heap_unlock();
    }
    gm_hooks_install(exact);
    gm_heap_lock();
    gm_the_heap->era++; /* another thread may be in the middle of a sample that it began during the probes */
    ready = gm_fresh_books_locked();
    gm_the_heap->started_ns = wall_ns();
    gm_the_heap->active = ready;
    gm_heap_unlock();
    hooks_on = true;
    if (native) {
        gm_native_install();
    } else {
        gm_native_remove();
    }
    if (!ready) {
        take_hooks_off();
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

/* True in a process that was forked while a profile ran and has not been told yet what to do. */
static PyObject *
heap_forked(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(hooks_on && !gm_the_heap->active);
}

/* Frees went unseen since the hooks were taken off, so nothing that was live there is known to be live still. */
static void
note_loss_locked(bool python, bool native)
{
    if (python || native) {
        gm_the_heap->hooks_lost++;
        gm_books_forget_live_locked(&gm_the_heap->books, !python);
    }
}

static PyObject *
heap_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (!hooks_on) {
        Py_RETURN_FALSE;
    }
    bool python = gm_the_heap->active && !gm_hooks_alive(), native = gm_the_heap->active && gm_native_mend();
    gm_heap_lock();
    gm_the_heap->active = false;
    gm_the_heap->stopped_ns = wall_ns();
    note_loss_locked(python, native);
    gm_heap_unlock();
    take_hooks_off();
    Py_RETURN_TRUE;
}

/* Puts hooks back that were taken off behind our back. */
static PyObject *
heap_mend(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (!gm_the_heap->active) {
        Py_RETURN_FALSE;
    }
    bool exact = gm_hooks_exact(), python = !gm_hooks_alive(), native = gm_native_mend();
    gm_heap_lock();
    gm_the_heap->active = !python;
    note_loss_locked(python, native);
    gm_heap_unlock();
    if (python && gm_hooks_remove()) {
        gm_hooks_install(exact);
    }
    gm_heap_lock();
    gm_the_heap->active = true;
    gm_heap_unlock();
    return PyBool_FromLong(python || native);
}

/* name_thread(name: bytes): the calling thread's, for the samples it is going to take */
static PyObject *
heap_name_thread(PyObject *Py_UNUSED(module), PyObject *arg)
{
    const char *name = PyBytes_AsString(arg);
    if (name == NULL) {
        return NULL;
    }
    gm_heap_lock();
    gm_this_thread.name = gm_thread_entry_locked(name, (unsigned long)pthread_self());
    gm_this_thread.session = gm_the_heap->session;
    gm_heap_unlock();
    Py_RETURN_NONE;
}

/* ---- what else Python asks ---- */

static PyObject *
heap_stats(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    gm_heap_lock();
    gm_books *books = &gm_the_heap->books;
    size_t own = gm_books_bytes_locked(books);
    uint64_t samples = books->samples, lost = books->lost, vanished = books->vanished, folded = books->folded;
    size_t live_samples = books->table.count;
    uint32_t stacks = books->by_stack.count;
    double inuse_objects = books->live.objects, alloc_objects = books->alloc.objects;
    double inuse = books->live.bytes, peak = books->peak.bytes, alloc = books->alloc.bytes, rate = gm_the_heap->sampler.last;
    gm_heap_unlock();
    return Py_BuildValue(
        "{sOsOsdsdsKsKsKsKsKsnsIsnsdsdsdsdsdsLsL}", "active", gm_the_heap->active ? Py_True : Py_False, "exact",
        gm_hooks_exact() ? Py_True : Py_False, "rate_setting", gm_the_heap->sampler.fixed, "rate", rate, "samples",
        (unsigned long long)samples, "lost", (unsigned long long)lost, "vanished", (unsigned long long)vanished, "folded",
        (unsigned long long)folded, "hooks_lost", (unsigned long long)gm_the_heap->hooks_lost, "live_samples",
        (Py_ssize_t)live_samples, "stacks", stacks, "own_bytes", (Py_ssize_t)own, "inuse_objects", inuse_objects,
        "alloc_objects", alloc_objects, "inuse_bytes", inuse, "peak_bytes", peak, "alloc_bytes", alloc, "started_ns",
        (long long)gm_the_heap->started_ns, "stopped_ns",
        (long long)(gm_the_heap->active ? wall_ns() : gm_the_heap->stopped_ns));
}

/* window() -> float: the most bytes in use at once since the last call, or since the start. Begins anew. */
static PyObject *
heap_window(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    gm_heap_lock();
    double peak = gm_books_window_locked(&gm_the_heap->books);
    gm_heap_unlock();
    return PyFloat_FromDouble(peak);
}

/* own(on: bool) -> bool: whether the calling thread's allocations are ours from now on and not sampled; returns what it
 * was before. For making and encoding a profile, which must not become the peak of what it tells about. */
static PyObject *
heap_own(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int on = PyObject_IsTrue(arg);
    if (on < 0) {
        return NULL;
    }
    bool before = gm_this_thread.busy;
    gm_this_thread.busy = on;
    return PyBool_FromLong(before);
}

/* code_line(code, lasti: int) -> int: the line that samples give that instruction. For the tests, which compare it with
 * what the interpreter says. */
static PyObject *
heap_code_line(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyCodeObject *code;
    int lasti;
    if (!PyArg_ParseTuple(args, "O!i", &PyCode_Type, &code, &lasti)) {
        return NULL;
    }
    return PyLong_FromLong(gm_code_line_no_python(code, lasti));
}

/* unsupported(version=...) -> str saying why the interpreter, by default this one, cannot be profiled, or None */
static PyObject *
heap_unsupported(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned long version = Py_Version;
    if (!PyArg_ParseTuple(args, "|k", &version)) {
        return NULL;
    }
    return Py_BuildValue("z", gm_unsupported_version("heap profiler", version));
}

static PyMethodDef heap_methods[] = {
    {"heap_unsupported", heap_unsupported, METH_VARARGS, "Why this interpreter, or that version, cannot be profiled."},
    {"heap_start", heap_start, METH_VARARGS, "Starts a profile."},
    {"heap_stop", heap_stop, METH_NOARGS, "Stops it; False if none was running."},
    {"heap_forked", heap_forked, METH_NOARGS, "True in a forked child before heap_start or heap_stop."},
    {"heap_mend", heap_mend, METH_NOARGS, "Puts lost hooks back; True if they were lost."},
    {"heap_name_thread", heap_name_thread, METH_O, "Names the calling thread in samples to come."},
    {"heap_export", gm_heap_export, METH_O, "The profile's tables."},
    {"heap_own", heap_own, METH_O, "Whether the calling thread's allocations are left out; returns what was before."},
    {"heap_code_line", heap_code_line, METH_VARARGS, "The line that samples give an instruction of a code object."},
    {"heap_window", heap_window, METH_NOARGS, "Bytes in use at the highest since the last call; begins anew."},
    {"heap_stats", heap_stats, METH_NOARGS, "Counters of the profiler."},
    {NULL, NULL, 0, NULL},
};

int
gm_add_heap(PyObject *module)
{
    if (gm_the_heap == NULL && !make_heap()) {
        PyErr_NoMemory();
        return -1;
    }
    return PyModule_AddFunctions(module, heap_methods);
}
