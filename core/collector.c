/* Driving cycles: the callback, the steps that the worker and collect() share, and a cycle's beginning and end. */
#define _GNU_SOURCE
#include "collector.h"

#include "check.h"
#include "reclaim.h"
#include "shadow.h"
#include "worker.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SURVIVORS_HUGE (PY_SSIZE_T_MAX / 2) /* so many that a quarter never come in: no full collection by itself */
#define COUNT_MAX (1 << 20) /* young rounds that CPython counts towards a full collection; we keep it from overflowing */
#define RELIEF_NEAR 0.9     /* of the limit: there caches are asked to shrink */
#define HURRY 700           /* objects between young collections when the program is behind, as 3.12 has by itself */
#define MEMORY_EVERY_NS ((int64_t)500000) /* between looks at memory under a limit; one takes some 5 us */
#define ROUNDS_MAX 100   /* young collections before a full one, by CPython's own thresholds */
#define FINISH_MAX 100   /* steps of a cycle in a row when nothing is left below the limit */
#define TURN_NS ((int64_t)2000000000) /* collect() waits for other threads' collections for so long */
#define RELIEF_EVERY_NS ((int64_t)500000000)

gm_collector gm_gc;

static PyObject *hooks;  /* gomem.gc.callbacks, owned; called with "start" or "stop" and a dict */
static PyObject *relief; /* called with a fraction when memory is short, owned */
static double relief_due; /* the fraction; 0: none */
static unsigned long collecting_on; /* the thread of CPython's collection, between its two callbacks; 0: none */
static bool asked;        /* a pending call is on its way; atomic */

/* ---- memory ---- */

int64_t
gm_rss_bytes_no_python(void)
{
    char text[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    long long pages = 0;
    text[length > 0 ? length : 0] = 0;
    return sscanf(text, "%*d %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

/* ---- accounts ---- */

static int
bucket_of(int64_t ns)
{
    int bucket = 0;
    for (int64_t us = ns / 1000; us > 0 && bucket < GM_BUCKETS - 1; us >>= 1) {
        bucket++;
    }
    return bucket;
}

static void
account(gm_driver driver, int64_t cpu_ns, int64_t wall_ns)
{
    gm_gc.cpu_ns[driver] += cpu_ns;
    gm_gc.cycle.cpu_ns[driver] += cpu_ns;
    gm_gc.pauses[bucket_of(cpu_ns)]++;
    gm_gc.pause_sum_ns += cpu_ns;
    gm_gc.cycle.pauses++;
    if (cpu_ns > gm_gc.cycle.pause_max_ns) {
        gm_gc.cycle.pause_max_ns = cpu_ns;
    }
    if (cpu_ns > gm_gc.pause_max_ns) {
        gm_gc.pause_max_ns = cpu_ns;
    }
    if (wall_ns > gm_gc.wall_max_ns) {
        gm_gc.wall_max_ns = wall_ns;
    }
    gm_gc.slice_ns = gm_wall_ns_no_python();
}

static int64_t
grown(void)
{
    return gm_pacer_grown(&gm_gc.pacer, gm_gc_promoted(), gm_gc.rounds, gm_gc.rounds_max);
}

/* ---- hooks ---- */

static void
call_hooks(const char *phase)
{
    const gm_cycle *c = &gm_gc.cycle;
    if (hooks == NULL || PyList_GET_SIZE(hooks) == 0) {
        return;
    }
    PyObject *list = Py_NewRef(hooks); /* one may disable the collector, which drops ours */
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

static unsigned long hooks_on; /* the thread that calls hooks: one at a time; 0: none */

static void
call_due_hooks(void)
{
    if (hooks_on != 0) {
        return;
    }
    hooks_on = PyThread_get_thread_ident();
    double fraction = relief_due;
    relief_due = 0;
    if (gm_gc.after_due) {
        gm_gc.after_due = false;
        call_hooks("stop");
    }
    if (fraction > 0 && relief != NULL) {
        PyObject *call = Py_NewRef(relief), *result = PyObject_CallFunction(call, "d", fraction);
        if (result == NULL) {
            PyErr_WriteUnraisable(call);
        }
        Py_XDECREF(result);
        Py_DECREF(call);
        gm_gc.reliefs++;
        gm_gc.trim_ns = 0; /* what caches let go of goes back to the system at the next tick */
    }
    hooks_on = 0;
}

/* ---- the beginning and the end of a cycle ---- */

static bool
begin(gm_reason reason)
{
    if (gm_has_other_interpreters()) { /* one with a GIL of its own would free objects under our eyes */
        return false;
    }
    int64_t grown_by = grown(), now = gm_wall_ns_no_python();
    if (!gm_finder_begin()) {
        return false;
    }
    gm_cycle *c = &gm_gc.cycle;
    *c = (gm_cycle){.number = gm_gc.cycles + gm_gc.aborted + 1, .reason = reason, .begun_ns = now};
    c->goal = gm_gc.pacer.live + gm_pacer_goal(&gm_gc.pacer);
    c->objects[0] = gm_gc.pacer.live + grown_by;
    c->rss[0] = gm_gc.pacer.rss_bytes = gm_rss_bytes_no_python();
    gm_pacer_begin(&gm_gc.pacer, gm_gc_promoted());
    gm_reclaim_begin();
    gm_gc.phase_ns = c->begun_ns;
    gm_gc.cancel = false;
    gm_worker_wake_no_python();
    if (hooks_on == 0) {
        hooks_on = PyThread_get_thread_ident();
        gm_gc.busy = false; /* a full collection that they ask for is to be heard of */
        call_hooks("start");
        hooks_on = 0;
    }
    return true;
}

static int64_t
lap(void)
{
    int64_t now = gm_wall_ns_no_python(), since = now - gm_gc.phase_ns;
    gm_gc.phase_ns = now;
    return since;
}

/* The garbage is known, or that there is none. */
static void
found(void)
{
    gm_cycle *c = &gm_gc.cycle;
    if (c->mark_ns != 0) {
        return;
    }
    c->mark_ns = lap();
    c->candidates = (int64_t)gm_find.candidates.count;
    c->objects[1] = (int64_t)gm_find.walked + grown();
    c->rss[1] = gm_rss_bytes_no_python();
    gm_pacer_found(&gm_gc.pacer, (int64_t)gm_find.walked);
}

static void
finish(bool aborted)
{
    gm_cycle *c = &gm_gc.cycle;
    found();
    c->free_ns = lap();
    c->aborted = aborted;
    c->freed = (int64_t)gm_reclaimed.freed;
    c->largest = (int64_t)gm_reclaimed.largest;
    c->objects[2] = c->objects[1] - c->freed;
    c->rss[2] = gm_rss_bytes_no_python();
    gm_gc.freed += gm_reclaimed.freed;
    gm_gc.survived += gm_reclaimed.handed > gm_reclaimed.freed ? gm_reclaimed.handed - gm_reclaimed.freed : 0;
    if (aborted) {
        gm_gc.aborted++;
    } else {
        gm_gc.cycles++;
        int64_t cpu_ns = gm_sum_of_drivers(c->cpu_ns), now = gm_wall_ns_no_python();
        gm_pacer_end(&gm_gc.pacer, (int64_t)gm_find.walked - c->freed, c->rss[2], cpu_ns, now);
        if (c->reason == GM_DUE_LIMIT) {
            gm_pacer_charge(&gm_gc.pacer, cpu_ns, now);
        }
    }
    if (gm_gc.trace) {
        gm_trace_cycle(c, &gm_gc);
    }
    gm_gc.after_due = hooks != NULL && PyList_GET_SIZE(hooks) > 0;
    gm_worker_wake_no_python();
}

/* Ends the cycle wherever it is. The worker may be sorting: it is told to stop, and cleans up itself. */
static unsigned long aborting; /* the thread that does; a finaliser may come back here; 0: none */

static void
abort_cycle(void)
{
    if (gm_find.phase == GM_IDLE || gm_find.phase == GM_CLEAN || aborting != 0) {
        return;
    }
    aborting = PyThread_get_thread_ident();
    __atomic_store_n(&gm_gc.cancel, true, __ATOMIC_RELAXED);
    gm_reclaimed.cycle++;
    while (__atomic_load_n(&gm_gc.sorting, __ATOMIC_ACQUIRE)) { /* it looks often, and does not wait for the GIL */
        sched_yield();
    }
    gm_finder_end();
    finish(true);
    aborting = 0;
}

void
gm_collector_abort(void)
{
    bool busy = gm_gc.busy;
    gm_gc.busy = true;
    abort_cycle();
    gm_gc.busy = busy;
}

/* ---- driving ---- */

bool
gm_collector_may_slice(void)
{
    return gm_gc.enabled && !gm_gc.busy && !gm_gc_is_collecting() && gm_gc_is_enabled() && !gm_find.failed &&
           gm_find.phase >= GM_WALK && gm_find.phase <= GM_LINK;
}

int64_t
gm_collector_owed_ns(void)
{
    return gm_gc.owed_ns = gm_pacer_owed_ns(&gm_gc.pacer, grown(), gm_finder_done(gm_gc.pacer.size));
}

/* Follows the finder from phase to phase. A cycle that failed is not ended here: this may be the worker, and what only
 * the cycle holds is finalised on an application's thread. */
static void
note_phase(gm_phase before)
{
    if (before == GM_WALK && gm_find.phase != GM_WALK) {
        gm_gc.cycle.walk_ns = lap();
    }
    if (gm_find.failed) {
        gm_collector_ask_main_no_python();
    } else if (gm_find.phase == GM_CLEAN) {
        finish(false);
        gm_collector_ask_main_no_python();
    } else if (gm_find.phase >= GM_ORDER) {
        found();
        gm_worker_wake_no_python();
    }
}

void
gm_collector_slice(gm_driver driver, int64_t ns)
{
    gm_phase before = gm_find.phase;
    int64_t wall = gm_wall_ns_no_python(), cpu = gm_cpu_ns_no_python();
    gm_budget budget = gm_budget_of(ns);
    gm_gc.busy = true;
    gm_finder_slice(&budget);
    cpu = gm_cpu_ns_no_python() - cpu;
    gm_gc.pacer.done_ns += cpu;
    account(driver, cpu, gm_wall_ns_no_python() - wall);
    note_phase(before);
    gm_collector_owed_ns();
    gm_gc.busy = false;
}

void
gm_collector_ordered(int done)
{
    if (done < 0) {
        gm_find.failed = true;
        gm_collector_ask_main_no_python();
    } else if (done > 0) {
        gm_find.phase = GM_FREE;
    } else {
        gm_finder_relink();
    }
}

/* Batches until the time is up, as far as the last one tells. */
static void
free_some(int64_t ns)
{
    int64_t wall = gm_wall_ns_no_python(), begun = gm_cpu_ns_no_python(), now = begun, last = 0;
    uint64_t cycle = gm_reclaimed.cycle;
    gm_gc.busy = true;
    while (cycle == gm_reclaimed.cycle && gm_find.phase == GM_FREE && !gm_find.failed && now - begun + last <= ns) {
        int64_t before = now;
        gm_reclaim_batch();
        now = gm_cpu_ns_no_python();
        last = now - before;
    }
    account(GM_BY_BATCH, now - begun, gm_wall_ns_no_python() - wall);
    if (cycle == gm_reclaimed.cycle && gm_find.phase == GM_CLEAN) {
        finish(false);
    }
    gm_gc.busy = false;
}

/* CPython's own full collection, where cycles cannot keep up. */
static void
collect_stock(void)
{
    gm_gc.busy = true;
    abort_cycle();
    gm_gc.stock++;
    bool collecting = gm_gc_is_collecting();
    gm_gc_set_collecting(false);
    gm_gc.busy = false; /* its callbacks are to be heard */
    PyGC_Collect();
    gm_gc_set_collecting(collecting);
    if (gm_gc.trace) {
        fprintf(stderr, "gc: cycles fall behind: a stop-the-world collection of CPython's own (%llu so far)\n",
                (unsigned long long)gm_gc.stock);
    }
}

/* ---- the limit ---- */

/* Reads resident memory, and notes what the limit asks for. */
static void
look_at_memory(void)
{
    gm_pacer *pacer = &gm_gc.pacer;
    int64_t now = gm_gc.memory_ns = gm_wall_ns_no_python();
    gm_pacer_memory(pacer, gm_rss_bytes_no_python());
    double near = pacer->limit_bytes > 0 ? (double)pacer->rss_bytes / (double)pacer->limit_bytes : 0;
    if (near > RELIEF_NEAR && now - gm_gc.relief_ns > RELIEF_EVERY_NS) {
        gm_gc.relief_ns = now;
        double fraction = (near - RELIEF_NEAR) / (1 - RELIEF_NEAR);
        relief_due = fraction < 0.1 ? 0.1 : fraction > 1 ? 1 : fraction;
    }
    int64_t alarm = gm_pacer_alarm(pacer, gm_find.phase == GM_IDLE);
    __atomic_store_n(&gm_gc.alarm_bytes, alarm, __ATOMIC_RELAXED);
}

/* What is free in the allocator's hands looks used from outside: it goes back to the system before a cycle is begun for
 * it. Rests for ten times as long as it took. Other threads may run. */
static void
trim(void)
{
    int64_t begun = gm_wall_ns_no_python();
    if (begun < gm_gc.trim_ns) {
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    malloc_trim(0);
    Py_END_ALLOW_THREADS
    int64_t now = gm_wall_ns_no_python();
    gm_gc.trim_ns = now + 4 * (now - begun);
}

/* Young garbage may be large: CPython collects it after some hundred objects, whatever they hold. */
static void
relieve_young(void)
{
    int64_t cpu = gm_cpu_ns_no_python(), wall = gm_wall_ns_no_python();
    gm_gc.busy = true;
    gm_reclaim_young();
    gm_gc.busy = false;
    account(GM_BY_BATCH, gm_cpu_ns_no_python() - cpu, gm_wall_ns_no_python() - wall);
    look_at_memory();
    if (gm_pacer_limit_calls(&gm_gc.pacer)) {
        trim();
        look_at_memory();
    }
    gm_gc.pacer.rss_young = gm_gc.pacer.rss_bytes;
    look_at_memory();
}

/* Waits for the worker, which sorts without the GIL: the program is behind, and would make garbage as fast as it can.
 * Other threads may run. */
static void
wait_for_order(int64_t ns)
{
    struct timespec moment = {0, 200000};
    int64_t end = gm_wall_ns_no_python() + ns;
    while (gm_find.phase == GM_ORDER && gm_worker_is_there() && gm_wall_ns_no_python() < end) {
        gm_worker_wake_no_python();
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&moment, NULL);
        Py_END_ALLOW_THREADS
    }
}

/* ---- what an application's thread does for the collector when it comes along ---- */

/* Whether a cycle is due now. CPython makes a full collection after 100 young ones at the soonest, if its thresholds are
 * not lower. */
static gm_reason
due(int64_t grown_by, int64_t now)
{
    int64_t rounds = (int64_t)gm_gc_threshold(1) * gm_gc_threshold(2);
    return gm_pacer_due(&gm_gc.pacer, grown_by, rounds < ROUNDS_MAX ? (int)rounds : ROUNDS_MAX, now);
}

static void
begin_if_due(int64_t grown_by)
{
    gm_reason reason = due(grown_by, gm_wall_ns_no_python());
    if (reason == GM_NOT_DUE) {
        return;
    }
    gm_gc.busy = true;
    bool begun = begin(reason);
    gm_gc.busy = false;
    if (!begun && grown_by > gm_pacer_goal(&gm_gc.pacer)) { /* another interpreter, no memory, no hook */
        collect_stock();
    }
}

static void
advance(int64_t grown_by)
{
    gm_pacer *pacer = &gm_gc.pacer;
    if (gm_find.phase == GM_ORDER) {
        wait_for_order(gm_pacer_wait_ns(pacer, grown_by));
    }
    if (gm_find.phase == GM_IDLE && !gm_worker_is_away()) {
        begin_if_due(grown_by);
    } else if (gm_find.phase == GM_FREE) {
        free_some(gm_pacer_free_ns(pacer, grown_by));
    } else if (gm_pacer_lost(pacer, grown_by)) {
        collect_stock();
    } else if (gm_find.phase >= GM_WALK && gm_find.phase <= GM_LINK) {
        int64_t owed = gm_collector_owed_ns();
        if (owed > pacer->pause_ns / 4) {
            gm_collector_slice(GM_BY_CALLBACK, gm_pacer_slice_ns(pacer, owed));
        }
    }
}

/* The limit comes before short pauses. What this cycle cannot free is not tried again here. */
static void
finish_now(void)
{
    uint64_t number = gm_gc.cycle.number;
    for (int i = 0; i < FINISH_MAX && gm_gc.enabled && !gm_gc.busy && !gm_find.failed; i++) {
        advance(grown());
        if (gm_gc.cycle.number != number || gm_find.phase < GM_WALK || gm_find.phase > GM_FREE) {
            return;
        }
    }
}

static void
drive(void)
{
    gm_pacer *pacer = &gm_gc.pacer;
    int64_t now = gm_wall_ns_no_python();
    gm_worker_start(); /* it is away after a fork, and where there could be no thread before */
    if (gm_find.failed) {
        gm_collector_abort();
        return;
    }
    if (pacer->limit_bytes > 0 && now - gm_gc.memory_ns > MEMORY_EVERY_NS) {
        look_at_memory();
        if (gm_pacer_young_due(pacer)) {
            relieve_young();
        }
    }
    if (gm_pacer_pressed(pacer) >= 1) {
        finish_now();
    } else if (now - gm_gc.slice_ns >= pacer->pause_ns / 4) { /* two slices in a row are one long pause */
        advance(grown());
    }
}

/* A full collection has just run, asked for by somebody: it tells what is alive. */
static void
after_full(void)
{
    gm_pacer_end(&gm_gc.pacer, gm_gc_survivors(), gm_rss_bytes_no_python(), 0, 0);
    gm_gc.pacer.base = gm_gc.pacer.promoted = gm_gc.pacer.young = 0;
    gm_gc_set_survivors(SURVIVORS_HUGE);
}

/* A program that is far behind pays at young collections, and 3.13 has one in 2,000 objects: it gets the next one after
 * as many as other versions. */
static void
hurry(void)
{
    int count = gm_gc_threshold(0) - HURRY;
    if (gm_gc_count(0) < count && gm_find.phase >= GM_WALK && gm_find.phase <= GM_FREE &&
        (gm_find.phase == GM_FREE || gm_collector_owed_ns() > 2 * gm_gc.pacer.pause_ns)) {
        gm_gc_set_count(0, count);
    }
}

static void
after_young(void)
{
    if (gm_gc_survivors() != SURVIVORS_HUGE) {
        after_full();
    }
    if (gm_gc_count(2) > COUNT_MAX) {
        gm_gc_set_count(2, COUNT_MAX);
    }
    if (gm_gc_is_enabled()) {
        drive();
        hurry();
        call_due_hooks();
    }
}

/* ---- the middle generation ----
 *
 * CPython collects it every tenth time or so, and stops the program for as long as all survivors since the last time
 * take: 3.13 with its 2,000 objects a round took 15 to 50 ms on a cold cache. When that is longer than a slice of ours may
 * be, it is collected after fewer rounds: the same objects are looked at, at shorter stops. */

static void
middle_begins(void)
{
    gm_gc.middle_ns = gm_cpu_ns_no_python();
}

static void
middle_ends(void)
{
    int64_t took = gm_cpu_ns_no_python() - gm_gc.middle_ns, most = gm_pacer_slice_ns(&gm_gc.pacer, INT64_MAX);
    if (took > most) {
        gm_gc.rounds_max = (int)(gm_gc.rounds * most / took);
    } else if (took < most / 2) {
        gm_gc.rounds_max++;
    }
    gm_gc.rounds = 0;
}

/* After a collection of the youngest: makes CPython believe that the middle one is due, when it should be. */
static void
count_round(void)
{
    int threshold = gm_gc_threshold(1);
    gm_gc.rounds++;
    gm_gc.pacer.young += gm_gc.pacer.young < INT_MAX;
    if (gm_gc.rounds_max > threshold || gm_gc.rounds_max <= 0) {
        gm_gc.rounds_max = gm_gc.rounds_max <= 0 ? 1 : threshold;
    }
    if (gm_gc.rounds >= gm_gc.rounds_max && gm_gc_count(1) <= threshold && gm_gc.rounds_max < threshold) {
        gm_gc_set_count(1, threshold + 1);
    }
}

static long
number_in(PyObject *info, const char *key)
{
    PyObject *number = PyDict_GetItemString(info, key);
    long value = number == NULL ? 0 : PyLong_AsLong(number);
    PyErr_Clear();
    return value < 0 ? 0 : value;
}

/* gc.callbacks: (phase, info). */
static PyObject *
gc_callback(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_Check(args[0]) || !PyDict_Check(args[1]) || !gm_gc.enabled) {
        Py_RETURN_NONE;
    }
    long generation = number_in(args[1], "generation");
    bool stop = PyUnicode_CompareWithASCIIString(args[0], "stop") == 0;
    collecting_on = PyThread_get_thread_ident();
    if (gm_gc.busy || gm_reclaim_is_running()) {
        gm_reclaim_heard(stop ? (size_t)number_in(args[1], "collected") : 0);
        Py_RETURN_NONE;
    }
    if (generation == 1) {
        (stop ? middle_ends : middle_begins)();
    } else if (generation == 0 && stop) {
        count_round();
    }
    if (generation == 2 && !stop) {
        gm_collector_abort(); /* adopted candidates must not look alive to it */
    } else if (generation == 2) {
        after_full();
    } else if (stop) {
        after_young();
    }
    collecting_on = stop ? 0 : collecting_on;
    Py_RETURN_NONE;
}

static int
on_main(void *Py_UNUSED(arg))
{
    __atomic_store_n(&asked, false, __ATOMIC_RELAXED);
    if (gm_gc.enabled && !gm_gc.busy && !gm_gc_is_collecting() && !gm_reclaim_is_running()) {
        after_young();
    }
    return 0;
}

void
gm_collector_ask_main_no_python(void)
{
    if (!__atomic_exchange_n(&asked, true, __ATOMIC_RELAXED) && Py_AddPendingCall(on_main, NULL) < 0) {
        __atomic_store_n(&asked, false, __ATOMIC_RELAXED);
    }
    gm_wake_main_no_python();
}

/* The worker's look at memory, with the GIL. */
void
gm_collector_tick(void)
{
    look_at_memory();
    bool idle = gm_find.phase == GM_IDLE;
    if (gm_gc_is_enabled() && ((idle && due(grown(), gm_gc.memory_ns) != GM_NOT_DUE) || relief_due > 0 || gm_gc.after_due)) {
        gm_collector_ask_main_no_python();
    }
}

/* ---- from Python ---- */

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
        free_some(ns);
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
wait_for_turn(void)
{
    unsigned long me = PyThread_get_thread_ident();
    int64_t end = gm_wall_ns_no_python() + TURN_NS;
    while (gm_gc.enabled && is_taken()) {
        if (collecting_on == me || aborting == me || gm_reclaim_is_on(me) || gm_wall_ns_no_python() > end) {
            return false;
        }
        let_others_run();
    }
    return gm_gc.enabled && hooks_on != me;
}

/* Returns how many objects were freed; -1 when it is called from where no cycle can begin, -2 when none can at all. */
static PyObject *
gc_collect(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    if (!wait_for_turn()) {
        return PyLong_FromLong(-1);
    }
    uint64_t freed = gm_gc.freed, number = gm_gc.cycle.number;
    run_cycle(); /* one under way began before this call: what has become garbage since is not in it */
    while (gm_gc.enabled && gm_gc.cycle.number == number) { /* else another thread has begun the next: it will do */
        if (!is_taken() && gm_find.phase == GM_IDLE) {
            gm_gc.busy = true;
            bool begun = begin(GM_NOT_DUE);
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

static PyMethodDef callback_method = {"callback", (PyCFunction)(void (*)(void))gc_callback, METH_FASTCALL,
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

/* (objects in the three lists, objects frozen): for comparing with gc.get_objects() before the first cycle. */
static PyObject *
gc_count_lists(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    Py_ssize_t counts[4] = {0};
    for (int i = 0; i < 4; i++) {
        gm_gc_head *ring = i < 3 ? gm_gc_generation(i) : gm_gc_permanent();
        for (gm_gc_head *node = gm_next(ring); node != ring; node = gm_next(node)) {
            counts[i]++;
        }
    }
    return Py_BuildValue("nnnn", counts[0], counts[1], counts[2], counts[3]);
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
    gm_gc.alarm_bytes = gm_pacer_alarm(&gm_gc.pacer, gm_find.phase == GM_IDLE);
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
    gm_pacer settings = gm_gc.pacer;
    bool trace = gm_gc.trace;
    memset(&gm_gc, 0, sizeof(gm_gc));
    gm_gc.pacer = settings;
    gm_gc.trace = trace;
    gm_gc.pacer.live = live;
    gm_gc.rounds_max = gm_gc_threshold(1) > 0 ? gm_gc_threshold(1) : 1;
    gm_gc.pacer.base = gm_gc.pacer.promoted = gm_gc_promoted();
    gm_gc.pacer.gained = 0;
    gm_gc.pacer.rss_base = gm_gc.pacer.rss_bytes = gm_gc.pacer.rss_young = gm_rss_bytes_no_python();
    gm_gc.alarm_bytes = gm_pacer_alarm(&gm_gc.pacer, true);
    gm_gc.enabled_ns = gm_wall_ns_no_python();
    if (!gm_shadow_open() || !gm_worker_start()) {
        PyErr_SetString(PyExc_MemoryError, "gomem.gc: no address space for its table, or no thread for its worker");
        return NULL;
    }
    Py_XSETREF(hooks, Py_NewRef(new_hooks));
    Py_XSETREF(relief, Py_NewRef(new_relief));
    gm_gc.enabled = true;
    gm_gc_set_survivors(SURVIVORS_HUGE);
    Py_RETURN_NONE;
}

/* False when it was not enabled. */
static PyObject *
gc_disable(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    if (!gm_gc.enabled) {
        Py_RETURN_FALSE;
    }
    gm_collector_abort();
    if (!gm_gc.enabled) { /* a finaliser has, or another thread */
        Py_RETURN_FALSE;
    }
    gm_gc.enabled = false;
    gm_gc_set_survivors((Py_ssize_t)gm_gc.pacer.live);
    Py_CLEAR(hooks);
    Py_CLEAR(relief);
    gm_worker_stop(); /* another thread may enable it meanwhile */
    if (gm_find.phase == GM_CLEAN && !gm_worker_is_there()) {
        gm_finder_clean_no_python();
    }
    Py_RETURN_TRUE;
}

/* Around os.fork(): no thread of ours, so that the child has nothing half done and nobody warns of threads. */
static PyObject *
gc_before_fork(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    gm_worker_hold();
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
    aborting = aborting == me ? me : 0;
    hooks_on = hooks_on == me ? me : 0;
    gm_gc.busy = gm_gc.busy && (batch_is_mine || aborting == me);
    if (gm_find.phase == GM_CLEAN) {
        gm_finder_clean_no_python();
    }
    gm_find.failed = gm_find.phase != GM_IDLE;
    asked = false;
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
        gm_collector_ask_main_no_python(); /* which starts the worker: here, os.fork() would warn of a thread */
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
        begin(GM_NOT_DUE);
        gm_gc.busy = false;
    } else if (gm_find.phase <= GM_LINK) {
        gm_phase before = gm_find.phase;
        gm_budget budget = {0, steps};
        gm_gc.busy = true;
        gm_finder_slice(&budget);
        note_phase(before);
        gm_gc.busy = false;
    } else if (gm_find.phase == GM_ORDER) {
        gm_collector_ordered(gm_order_no_python(&gm_find.candidates, &gm_gc.cancel));
    } else if (gm_find.phase == GM_FREE) {
        free_some(0);
    } else {
        gm_finder_clean_no_python();
    }
    return PyLong_FromLong(gm_find.phase);
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
        "{s:i,s:i,s:K,s:K,s:K,s:K,s:K,s:K,s:N,s:N,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:(KLLLLLLLLLO)}", "enabled", gm_gc.enabled, "phase",
        (int)gm_find.phase, "cycles", (unsigned long long)gm_gc.cycles, "aborted", (unsigned long long)gm_gc.aborted, "stock",
        (unsigned long long)gm_gc.stock, "freed", (unsigned long long)gm_gc.freed, "survived",
        (unsigned long long)gm_gc.survived, "reliefs", (unsigned long long)gm_gc.reliefs, "cpu_ns", cpu, "pauses", pauses,
        "pause_sum_ns", (long long)gm_gc.pause_sum_ns, "pause_max_ns", (long long)gm_gc.pause_max_ns, "wall_max_ns", (long long)gm_gc.wall_max_ns, "live",
        (long long)gm_gc.pacer.live, "grown", (long long)grown(), "goal", (long long)gm_pacer_goal(&gm_gc.pacer), "rss_bytes",
        (long long)gm_gc.pacer.rss_bytes, "last", (unsigned long long)c->number, (long long)c->walk_ns, (long long)c->mark_ns,
        (long long)c->free_ns, (long long)c->candidates, (long long)c->freed, (long long)c->largest,
        (long long)c->pause_max_ns, (long long)c->rss[0], (long long)c->rss[2], c->aborted ? Py_True : Py_False);
}

static PyMethodDef gc_methods[] = {
    {"gc_unsupported", gc_unsupported, METH_NOARGS, "Why the collector cannot run here, or None."},
    {"gc_count_lists", gc_count_lists, METH_NOARGS, "Objects in the three generations and the permanent one."},
    {"gc_configure", gc_configure, METH_VARARGS, "Sets percent, pause, limit and trace."},
    {"gc_enable", gc_enable, METH_VARARGS, "Takes the old generation over."},
    {"gc_disable", gc_disable, METH_NOARGS, "Gives it back; False if it was not enabled."},
    {"gc_collect", gc_collect, METH_NOARGS, "One whole cycle; how many objects were freed, -1 if none could begin."},
    {"gc_before_fork", gc_before_fork, METH_NOARGS, "Stops the worker."},
    {"gc_after_fork", gc_after_fork, METH_O, "Starts it again; True in the child."},
    {"gc_step", gc_step, METH_VARARGS, "For tests: the next step of a cycle, of so many objects."},
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
    if (callback == NULL || gm_finder_ready() < 0 || gm_reclaim_ready() < 0 ||
        PyModule_AddObjectRef(module, "gc_callback", callback) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, gc_methods);
}
