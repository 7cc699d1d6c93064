/* The heap profiler: the books, their lock, the steps of a sample, and the functions that Python calls.
 *
 * One profile a process. The lock guards `heap`; it is taken for a few hundred nanoseconds a sample, by threads with
 * and without the GIL, and nothing under it calls Python or allocates through a hooked function. Whoever exports copies
 * the books under the lock and makes Python objects of the copy after. */
#include "hooks.h"
#include "stacks.h"

#include "got.h"
#include "kinds.h"
#include "native.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREAD_NAMES_MAX 256 /* distinct names kept; threads beyond share the last entry */
#define THREAD_NAME_BYTES 64
#define FOLD_AT ((size_t)1536 << 10)     /* of stacks and names; with the table of live samples it stays below 3 MB */
#define FOLD_AT_EXACT ((size_t)256 << 20) /* who asks for every allocation wants every stack */
#define CHEAP_RATE_MIN 4096 /* below it, asking for 513 bytes a sample would swell the heap: +12 % at 4 KiB */

typedef struct {
    unsigned long ident; /* threading.get_ident(); 0 for an entry that is only a name */
    char name[THREAD_NAME_BYTES];
} gm_thread_name;

static struct {
    bool active;     /* samples are taken */
    bool in_child;   /* forked and not yet told what to do: takes no samples */
    uint16_t session; /* counts starts: the name a thread remembers of an earlier profile is stale */
    uint32_t era;     /* counts what renumbers stacks, starts and folds: ids of an earlier one are stale */
    size_t fold_at;   /* bytes of stacks and names that call for folding */
    int depth;       /* frames kept of a stack */
    int64_t started_ns, stopped_ns; /* wall clock */
    gm_sampler sampler;
    gm_books books;
    uint32_t cut, native_thread, no_frame; /* locations of the marker frames */
    gm_thread_name threads[THREAD_NAMES_MAX]; /* [0] is the nameless */
    int thread_count;
    uint64_t hooks_lost; /* times that another tool was found to have taken our hooks off */
} heap;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- thread names ---- */

static uint16_t
thread_entry_locked(const char *name, unsigned long ident)
{
    int i = 1;
    while (i < heap.thread_count && strncmp(heap.threads[i].name, name, THREAD_NAME_BYTES - 1) != 0) {
        i++;
    }
    if (i == heap.thread_count) {
        if (i == THREAD_NAMES_MAX) {
            i = THREAD_NAMES_MAX - 1;
            name = "[other threads]";
        } else {
            heap.thread_count++;
        }
        strncpy(heap.threads[i].name, name, THREAD_NAME_BYTES - 1);
    }
    heap.threads[i].ident = ident;
    return (uint16_t)i;
}

/* Threads that ran before the profile began are known by their ident; later ones named themselves. */
static uint16_t
this_thread_name_locked(void)
{
    gm_thread *thread = &gm_this_thread;
    if (thread->session != heap.session) {
        thread->session = heap.session;
        thread->name = 0;
        unsigned long ident = (unsigned long)pthread_self();
        for (int i = 1; i < heap.thread_count; i++) {
            if (heap.threads[i].ident == ident) {
                thread->name = (uint16_t)i;
            }
        }
    }
    return thread->name;
}

/* ---- the steps of a sample ---- */

static bool
name_markers_locked(void)
{
    gm_names *names = &heap.books.names;
    heap.cut = gm_named_location_locked(names, "[stack cut]");
    heap.native_thread = gm_named_location_locked(names, "[native thread]");
    heap.no_frame = gm_named_location_locked(names, "[interpreter]");
    return heap.cut != GM_NONE && heap.native_thread != GM_NONE && heap.no_frame != GM_NONE;
}

/* If most of what there is cannot be folded, wait until it has doubled. */
static void
fold_if_large_locked(void)
{
    if (gm_books_tables_bytes_locked(&heap.books) <= heap.fold_at) {
        return;
    }
    if (gm_books_fold_locked(&heap.books)) {
        heap.era++;
        name_markers_locked();
    }
    size_t twice = 2 * gm_books_tables_bytes_locked(&heap.books);
    heap.fold_at = twice > heap.fold_at ? twice : heap.fold_at;
}

static uint32_t
capture_locked(bool have_gil, uint16_t library)
{
    gm_frame frames[GM_DEPTH_MAX];
    uint32_t locations[GM_DEPTH_MAX + 1];
    bool cut;
    PyThreadState *ts = gm_thread_state_no_python(have_gil);
    int depth = gm_walk_no_python(ts, frames, heap.depth, &cut);
    if (!gm_locations_locked(&heap.books.names, frames, depth, have_gil, locations)) {
        return GM_NONE;
    }
    if (cut) {
        locations[depth++] = heap.cut;
    } else if (depth == 0) {
        locations[depth++] = ts == NULL ? heap.native_thread : heap.no_frame;
    }
    return gm_stack_id_locked(&heap.books, locations, (uint16_t)depth, this_thread_name_locked(), library);
}

static bool
watching(void)
{
    return heap.active && !heap.in_child;
}

bool
gm_sample_begin_no_python(gm_countdown *countdown, size_t n, bool have_gil, uint16_t library, gm_sample *sample)
{
    gm_thread *thread = &gm_this_thread;
    pthread_mutex_lock(&lock);
    bool due = false;
    if (!watching()) {
        *countdown = (gm_countdown){1 << 20, 0};
    } else if (thread->busy) {
        *countdown = (gm_countdown){0, 0}; /* whoever allocates next, perhaps another thread, draws */
    } else {
        gm_heap_state state = {heap.books.live.bytes, heap.books.peak.bytes};
        sample->weight = gm_fire_locked(&heap.sampler, countdown, n, state);
        if (sample->weight > 0 && !thread->busy) { /* busy: the point is passed over, the next one drawn all the same */
            fold_if_large_locked();
            sample->stack = capture_locked(have_gil, library);
            sample->era = heap.era;
            due = sample->stack != GM_NONE;
            heap.books.lost += !due;
        }
    }
    pthread_mutex_unlock(&lock);
    return due;
}

void
gm_sample_end_no_python(const gm_sample *sample, void *block, size_t n)
{
    gm_live live = {(uintptr_t)block, n, sample->weight, sample->stack, sample->era};
    pthread_mutex_lock(&lock);
    if (watching() && live.era == heap.era) {
        gm_books_add_locked(&heap.books, &live);
    }
    pthread_mutex_unlock(&lock);
}

bool
gm_forget_no_python(const void *block, gm_live *old)
{
    pthread_mutex_lock(&lock);
    bool had = watching() && gm_books_remove_locked(&heap.books, block, old);
    pthread_mutex_unlock(&lock);
    return had;
}

void
gm_remember_no_python(const gm_live *old)
{
    pthread_mutex_lock(&lock);
    if (watching() && old->era == heap.era) {
        gm_books_restore_locked(&heap.books, old);
    }
    pthread_mutex_unlock(&lock);
}

bool
gm_probe_free(const PyMemAllocatorEx *below, void *block)
{
    gm_live planted = {.address = (uintptr_t)block, .size = 1, .weight = 1, .era = heap.era}, old;
    pthread_mutex_lock(&lock);
    gm_books_restore_locked(&heap.books, &planted);
    heap.active = true;
    pthread_mutex_unlock(&lock);
    below->free(below->ctx, block);
    pthread_mutex_lock(&lock);
    heap.active = false;
    bool unseen = gm_books_remove_locked(&heap.books, block, &old);
    pthread_mutex_unlock(&lock);
    return !unseen;
}

/* ---- starting, stopping, forking ---- */

/* Empty books with the marker frames and, as stack 0, the one that the probes at start are booked on. */
static bool
fresh_books_locked(void)
{
    gm_books_clear_locked(&heap.books);
    gm_names *names = &heap.books.names;
    if (gm_string_id_locked(names, "", 0) != 0) {
        return false;
    }
    if (!name_markers_locked()) {
        return false;
    }
    return gm_stack_id_locked(&heap.books, &heap.no_frame, 1, 0, 0) == 0;
}

static int64_t
wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

static void
after_fork_in_child(void)
{
    heap.in_child = true;
    pthread_mutex_unlock(&lock);
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
    if (heap.active && !heap.in_child) {
        PyErr_SetString(PyExc_RuntimeError, "heap profiler: is running already, want it stopped first");
        return NULL;
    }
    if (!(rate >= 0) || depth < 1 || depth > GM_DEPTH_MAX - 1) {
        PyErr_SetString(PyExc_ValueError, "heap profiler: rate or depth out of range");
        return NULL;
    }
    heap.active = false;
    gm_native_remove();
    bool exact = rate > 0 && rate < CHEAP_RATE_MIN;
    if (!gm_hooks_remove() && exact && !gm_hooks_exact()) {
        PyErr_SetString(PyExc_RuntimeError, "heap profiler: another tool's allocator hooks lie over those of an earlier "
                                            "profile with a larger rate, want that tool stopped first");
        return NULL;
    }
    pthread_mutex_lock(&lock);
    heap.session++;
    heap.era++;
    heap.fold_at = exact ? FOLD_AT_EXACT : FOLD_AT;
    heap.depth = depth;
    heap.in_child = false;
    heap.hooks_lost = 0;
    heap.thread_count = 1;
    gm_sampler_init(&heap.sampler, rate, seed);
    bool ready = fresh_books_locked();
    pthread_mutex_unlock(&lock);
    if (!ready) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(threads); i++) {
        unsigned long ident;
        const char *name;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(threads, i), "ky", &ident, &name)) {
            return NULL;
        }
        pthread_mutex_lock(&lock);
        thread_entry_locked(name, ident);
        pthread_mutex_unlock(&lock);
    }
    gm_hooks_install(exact);
    pthread_mutex_lock(&lock);
    heap.era++; /* another thread may be in the middle of a sample that it began during the probes */
    ready = fresh_books_locked();
    heap.started_ns = wall_ns();
    heap.active = ready;
    pthread_mutex_unlock(&lock);
    if (!ready) {
        gm_hooks_remove();
        return PyErr_NoMemory();
    }
    if (native) {
        gm_native_install();
    }
    Py_RETURN_NONE;
}

/* Whether this process was forked while a profile ran and has not been told yet what to do. */
static PyObject *
heap_forked(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(heap.active && heap.in_child);
}

static PyObject *
heap_stop(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    if (!heap.active) {
        Py_RETURN_FALSE;
    }
    bool lost = !heap.in_child && !gm_hooks_alive();
    pthread_mutex_lock(&lock);
    heap.active = false;
    heap.stopped_ns = wall_ns();
    if (lost) {
        heap.hooks_lost++;
        gm_books_forget_live_locked(&heap.books);
    }
    pthread_mutex_unlock(&lock);
    gm_native_remove();
    gm_hooks_remove();
    Py_RETURN_TRUE;
}

/* The hooks were taken off behind our back and are put on again. Frees went unseen meanwhile, so nothing that was live
 * is known to be live still. */
static PyObject *
heap_mend(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    gm_native_refresh();
    if (!heap.active || heap.in_child || gm_hooks_alive()) {
        Py_RETURN_FALSE;
    }
    bool exact = gm_hooks_exact();
    pthread_mutex_lock(&lock);
    heap.active = false;
    heap.hooks_lost++;
    gm_books_forget_live_locked(&heap.books);
    pthread_mutex_unlock(&lock);
    if (gm_hooks_remove()) {
        gm_hooks_install(exact);
    }
    pthread_mutex_lock(&lock);
    heap.active = true;
    pthread_mutex_unlock(&lock);
    Py_RETURN_TRUE;
}

/* name_thread(name: bytes): the calling thread's, for the samples it is going to take */
static PyObject *
heap_name_thread(PyObject *Py_UNUSED(module), PyObject *arg)
{
    const char *name = PyBytes_AsString(arg);
    if (name == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&lock);
    gm_this_thread.name = thread_entry_locked(name, (unsigned long)pthread_self());
    gm_this_thread.session = heap.session;
    pthread_mutex_unlock(&lock);
    Py_RETURN_NONE;
}

/* ---- export ---- */

/* Copies of the books' arrays, from malloc, so that Python objects can be made of them without the lock. */
struct copies {
    char *chars;
    gm_string *strings;
    gm_function *functions;
    gm_location *locations;
    gm_stack *stacks;
    uint32_t *frames;
    uint32_t string_count, function_count, location_count, stack_count;
    struct live_copy {
        uint32_t stack;
        int32_t kind;
        gm_amount amount;
    } *blocks; /* live samples with the position of their type, if types were asked for */
    size_t block_count;
    gm_amount alloc, live, peak;
};

static void *
copy_of(const gm_region *region, bool *complete)
{
    void *copy = malloc(region->used + 1);
    if (copy == NULL) {
        *complete = false;
    } else if (region->used > 0) {
        memcpy(copy, region->base, region->used);
    }
    return copy;
}

static bool
copy_books_locked(struct copies *to)
{
    const gm_books *books = &heap.books;
    bool complete = true;
    to->chars = copy_of(&books->names.chars, &complete);
    to->strings = copy_of(&books->names.strings, &complete);
    to->functions = copy_of(&books->names.functions, &complete);
    to->locations = copy_of(&books->names.locations, &complete);
    to->stacks = copy_of(&books->stacks, &complete);
    to->frames = copy_of(&books->frames, &complete);
    to->string_count = books->names.by_string.count;
    to->function_count = books->names.by_function.count;
    to->location_count = books->names.by_location.count;
    to->stack_count = books->by_stack.count;
    to->alloc = books->alloc;
    to->live = books->live;
    to->peak = books->peak;
    for (uint32_t i = 0; complete && i < to->stack_count; i++) {
        to->stacks[i].peak = gm_stack_peak_locked(books, (gm_stack *)books->stacks.base + i);
    }
    return complete;
}

/* A sampled block cannot be freed while the lock is held: its free would wait in gm_forget. */
static bool
copy_blocks_locked(struct copies *to, const gm_kinds *kinds)
{
    const gm_table *table = &heap.books.table;
    const gm_live *slots = (const gm_live *)table->slots.base;
    to->blocks = malloc((table->count + 1) * sizeof(struct live_copy));
    if (to->blocks == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->slots.used / sizeof(gm_live); i++) {
        if (slots[i].address != 0) {
            gm_amount amount = {slots[i].weight, slots[i].weight * (double)slots[i].size};
            int32_t kind = gm_kind_of_no_python(kinds, slots[i].address, slots[i].size);
            to->blocks[to->block_count++] = (struct live_copy){slots[i].stack, kind, amount};
        }
    }
    return true;
}

static void
free_copies(struct copies *copies)
{
    free(copies->blocks);
    free(copies->chars);
    free(copies->strings);
    free(copies->functions);
    free(copies->locations);
    free(copies->stacks);
    free(copies->frames);
}

/* Lets other threads run when this one has had the GIL for GIL_HOLD_NS: ten thousand stacks are 50 ms of work. */
#define GIL_HOLD_NS 1000000

static void
give_way(int64_t *since_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (now_ns - *since_ns > GIL_HOLD_NS) {
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
        clock_gettime(CLOCK_MONOTONIC, &now);
        *since_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
}

/* A new list of `count` items, each a new reference from make(copies, i); NULL with an exception. Gives way to other
 * threads: nothing but the copies is read. Appends, for a list with holes may be met by gc.get_objects(). */
static PyObject *
list_of(const struct copies *copies, uint32_t count, PyObject *(*make)(const struct copies *, uint32_t))
{
    int64_t since_ns = 0;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = make(copies, i);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
        if (i % 64 == 63) {
            give_way(&since_ns);
        }
    }
    return list;
}

static PyObject *
make_string(const struct copies *copies, uint32_t i)
{
    gm_string string = copies->strings[i];
    return PyUnicode_DecodeUTF8(copies->chars + string.offset, string.size, "replace");
}

static PyObject *
make_function(const struct copies *copies, uint32_t i)
{
    gm_function function = copies->functions[i];
    return Py_BuildValue("IIi", function.name, function.file, function.first_line);
}

static PyObject *
make_location(const struct copies *copies, uint32_t i)
{
    return Py_BuildValue("Ii", copies->locations[i].function, copies->locations[i].line);
}

static PyObject *
make_stack(const struct copies *copies, uint32_t i)
{
    const gm_stack *stack = &copies->stacks[i];
    PyObject *frames = PyTuple_New(stack->depth);
    for (uint16_t j = 0; frames != NULL && j < stack->depth; j++) {
        PyObject *id = PyLong_FromUnsignedLong(copies->frames[stack->first + j]);
        if (id == NULL) {
            Py_CLEAR(frames);
        } else {
            PyTuple_SET_ITEM(frames, j, id);
        }
    }
    if (frames == NULL) {
        return NULL;
    }
    return Py_BuildValue("NHH(dddddd)", frames, stack->thread, stack->library, stack->alloc.objects, stack->alloc.bytes,
                         stack->live.objects, stack->live.bytes, stack->peak.objects, stack->peak.bytes);
}

static PyObject *
make_block(const struct copies *copies, uint32_t i)
{
    const struct live_copy *block = &copies->blocks[i];
    return Py_BuildValue("Iidd", block->stack, block->kind, block->amount.objects, block->amount.bytes);
}

static PyObject *
make_threads(void)
{
    PyObject *list = PyList_New(heap.thread_count);
    for (int i = 0; list != NULL && i < heap.thread_count; i++) {
        PyObject *name = PyUnicode_DecodeUTF8(heap.threads[i].name, (Py_ssize_t)strlen(heap.threads[i].name), "replace");
        if (name == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, name);
        }
    }
    return list;
}

/* Paths of the native libraries that stacks name; [0] stands for Python's own allocators. */
static PyObject *
make_libraries(void)
{
    PyObject *list = Py_BuildValue("[s]", "");
    const gm_object *object;
    for (uint16_t i = 1; list != NULL && (object = gm_object_at(i)) != NULL; i++) {
        PyObject *path = PyUnicode_DecodeFSDefault(object->path);
        if (path == NULL || PyList_Append(list, path) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(path);
    }
    return list;
}

static PyObject *
make_export(const struct copies *copies)
{
    return Py_BuildValue("{sNsNsNsNsNsNsNs(dd)s(dd)s(dd)}", "strings", list_of(copies, copies->string_count, make_string),
                         "functions", list_of(copies, copies->function_count, make_function), "locations",
                         list_of(copies, copies->location_count, make_location), "stacks",
                         list_of(copies, copies->stack_count, make_stack), "threads", make_threads(), "libraries", make_libraries(), "blocks", list_of(copies, (uint32_t)copies->block_count, make_block), "alloc",
                         copies->alloc.objects, copies->alloc.bytes, "inuse", copies->live.objects,
                         copies->live.bytes, "peak", copies->peak.objects, copies->peak.bytes);
}

/* export(types: list[type] | None) -> dict of the profile's tables; see gomem._profile for what is made of it. With
 * types, `blocks` lists (stack, position of its type or -1, objects, bytes) of each live sample. Its own objects are not
 * sampled. */
static PyObject *
heap_export(PyObject *Py_UNUSED(module), PyObject *types)
{
    struct copies copies = {0};
    gm_kinds kinds = {0};
    bool with_types = PyList_Check(types);
    bool complete = !with_types || gm_kinds_init(&kinds, types);
    pthread_mutex_lock(&lock);
    complete = complete && copy_books_locked(&copies) && (!with_types || copy_blocks_locked(&copies, &kinds));
    pthread_mutex_unlock(&lock);
    gm_kinds_free(&kinds);
    bool was_busy = gm_this_thread.busy;
    gm_this_thread.busy = true;
    PyObject *result = complete ? make_export(&copies) : PyErr_NoMemory();
    gm_this_thread.busy = was_busy;
    free_copies(&copies);
    return result;
}

static PyObject *
heap_stats(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    pthread_mutex_lock(&lock);
    gm_books *books = &heap.books;
    size_t own = gm_books_bytes_locked(books);
    uint64_t samples = books->samples, lost = books->lost, vanished = books->vanished, folded = books->folded;
    size_t live_samples = books->table.count;
    uint32_t stacks = books->by_stack.count;
    double inuse_objects = books->live.objects, alloc_objects = books->alloc.objects;
    double inuse = books->live.bytes, peak = books->peak.bytes, alloc = books->alloc.bytes, rate = heap.sampler.last;
    pthread_mutex_unlock(&lock);
    return Py_BuildValue("{sOsOsdsdsKsKsKsKsKsnsIsnsdsdsdsdsdsLsL}", "active", heap.active && !heap.in_child ? Py_True : Py_False,
                         "exact", gm_hooks_exact() ? Py_True : Py_False, "rate_setting", heap.sampler.fixed, "rate",
                         rate, "samples", (unsigned long long)samples, "lost", (unsigned long long)lost, "vanished",
                         (unsigned long long)vanished, "folded", (unsigned long long)folded, "hooks_lost",
                         (unsigned long long)heap.hooks_lost, "live_samples", (Py_ssize_t)live_samples, "stacks",
                         stacks, "own_bytes", (Py_ssize_t)own, "inuse_objects", inuse_objects, "alloc_objects", alloc_objects, "inuse_bytes", inuse, "peak_bytes", peak, "alloc_bytes",
                         alloc, "started_ns", (long long)heap.started_ns, "stopped_ns",
                         (long long)(heap.active ? wall_ns() : heap.stopped_ns));
}

/* window() -> float: the most bytes in use at once since the last call, or since the start. Begins anew. */
static PyObject *
heap_window(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    pthread_mutex_lock(&lock);
    double peak = gm_books_window_locked(&heap.books);
    pthread_mutex_unlock(&lock);
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

/* unsupported() -> str saying why this interpreter cannot be profiled, or None */
static PyObject *
heap_unsupported(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return Py_BuildValue("z", gm_unsupported());
}

static PyMethodDef heap_methods[] = {
    {"heap_unsupported", heap_unsupported, METH_NOARGS, "Why this interpreter cannot be profiled, or None."},
    {"heap_start", heap_start, METH_VARARGS, "Starts a profile."},
    {"heap_stop", heap_stop, METH_NOARGS, "Stops it; False if none was running."},
    {"heap_forked", heap_forked, METH_NOARGS, "True in a forked child before heap_start or heap_stop."},
    {"heap_mend", heap_mend, METH_NOARGS, "Puts lost hooks back; True if they were lost."},
    {"heap_name_thread", heap_name_thread, METH_O, "Names the calling thread in samples to come."},
    {"heap_export", heap_export, METH_O, "The profile's tables."},
    {"heap_own", heap_own, METH_O, "Whether the calling thread's allocations are left out; returns what was before."},
    {"heap_window", heap_window, METH_NOARGS, "Bytes in use at the highest since the last call; begins anew."},
    {"heap_stats", heap_stats, METH_NOARGS, "Counters of the profiler."},
    {NULL, NULL, 0, NULL},
};

int
gm_add_heap(PyObject *module)
{
    static bool registered;
    if (!registered) {
        registered = true;
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    }
    return PyModule_AddFunctions(module, heap_methods);
}
