/* Driving cycles: the callback, the steps that the worker and collect() share, and a cycle's beginning and end. */
#define _GNU_SOURCE
#include "collector.h"

#include "reclaim.h"
#include "rounds.h"
#include "worker.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define RELIEF_NEAR 0.9     /* of the limit: there caches are asked to shrink */
#define MEMORY_EVERY_NS ((int64_t)500000) /* between looks at memory under a limit; one takes some 5 us */
#define ROUNDS_MAX 100      /* young collections before a full one, by CPython's own thresholds */
#define FINISH_MAX 100      /* steps of a cycle in a row when nothing is left below the limit */
#define RELIEF_EVERY_NS ((int64_t)500000000)

gm_collector gm_gc;
gm_driving gm_drive;

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

/* How long the program stood still at once, which may be several slices. */
static void
note_stop(int64_t cpu_ns, int64_t wall_ns)
{
    if (gm_find.phase != GM_IDLE && cpu_ns > gm_gc.cycle.pause_max_ns) {
        gm_gc.cycle.pause_max_ns = cpu_ns;
    }
    if (cpu_ns > gm_gc.pause_max_ns) {
        gm_gc.pause_max_ns = cpu_ns;
    }
    if (wall_ns > gm_gc.wall_max_ns) {
        gm_gc.wall_max_ns = wall_ns;
    }
}

static void
account(gm_driver driver, int64_t cpu_ns, int64_t wall_ns)
{
    gm_gc.cpu_ns[driver] += cpu_ns;
    gm_gc.pauses[bucket_of(cpu_ns)]++;
    gm_gc.pause_sum_ns += cpu_ns;
    if (gm_find.phase != GM_IDLE) { /* young garbage is looked for between cycles, too */
        gm_gc.cycle.cpu_ns[driver] += cpu_ns;
        gm_gc.cycle.pauses++;
    }
    note_stop(cpu_ns, wall_ns);
    gm_gc.slice_ns = gm_wall_ns_no_python();
}

int64_t
gm_collector_grown(void)
{
    return gm_pacer_grown(&gm_gc.pacer, gm_gc_promoted(), gm_gc.rounds, gm_gc.rounds_max);
}

/* ---- the beginning and the end of a cycle ---- */

/* What was made young again belongs to the cycle: garbage that is of both generations would be found in neither. */
static void
age_again(void)
{
    if (gm_gc.pacer.back > 0) {
        gm_reclaim_age();
        gm_gc_set_promoted((Py_ssize_t)gm_pacer_given_back(&gm_gc.pacer, gm_gc_promoted()));
    }
}

bool
gm_collector_begin(gm_reason reason)
{
    if (gm_has_other_interpreters()) { /* one with a GIL of its own would free objects under our eyes */
        return false;
    }
    age_again();
    int64_t grown_by = gm_collector_grown(), now = gm_wall_ns_no_python();
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
    if (gm_drive.hooks_on == 0) {
        gm_drive.hooks_on = PyThread_get_thread_ident();
        gm_gc.busy = false; /* a full collection that they ask for is to be heard of */
        gm_call_hooks("start");
        gm_drive.hooks_on = 0;
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
    c->candidates = (int64_t)(gm_find.candidates.count + gm_find.leaves);
    c->objects[1] = (int64_t)gm_find.walked + gm_collector_grown();
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
    gm_gc.apart += gm_reclaimed.apart;
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
    gm_find.failed = false; /* the next may do better */
    gm_drill_note(c);
    if (gm_gc.trace) {
        gm_trace_cycle(c, &gm_gc);
    }
    gm_gc.after_due = gm_drive.hooks != NULL && PyList_GET_SIZE(gm_drive.hooks) > 0;
    gm_worker_wake_no_python();
}

/* Ends the cycle wherever it is. The worker may be sorting: it is told to stop, and cleans up itself. */
static void
abort_cycle(void)
{
    if (gm_find.phase == GM_IDLE || gm_find.phase == GM_CLEAN || gm_drive.aborting != 0) {
        return;
    }
    gm_drive.aborting = PyThread_get_thread_ident();
    __atomic_store_n(&gm_gc.cancel, true, __ATOMIC_RELAXED);
    gm_reclaimed.cycle++;
    while (__atomic_load_n(&gm_gc.sorting, __ATOMIC_ACQUIRE)) { /* it looks often, and does not wait for the GIL */
        sched_yield();
    }
    gm_reclaim_end();
    gm_finder_end();
    finish(true);
    gm_drive.aborting = 0;
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
    return gm_gc.owed_ns = gm_pacer_owed_ns(&gm_gc.pacer, gm_collector_grown(), gm_finder_done(gm_gc.pacer.size));
}

/* Follows the finder from phase to phase. A cycle that failed is not ended here: this may be the worker, and what only
 * the cycle holds is finalised on an application's thread. */
void
gm_collector_note_phase(gm_phase before)
{
    if (before == GM_WALK && gm_find.phase != GM_WALK) {
        gm_gc.cycle.walk_ns = lap();
    }
    if (gm_find.phase == GM_CLEAN) {
        finish(false);
        gm_collector_ask_main_no_python();
    } else if (gm_find.failed) {
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
    gm_collector_note_phase(before);
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
void
gm_collector_free_some(int64_t ns)
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
        gm_trace_stock(gm_gc.stock);
    }
}

/* ---- the limit ---- */

void
gm_collector_set_alarm(void)
{
    int64_t alarm = gm_pacer_alarm(&gm_gc.pacer, gm_find.phase == GM_IDLE);
    __atomic_store_n(&gm_gc.alarm_bytes, alarm, __ATOMIC_RELAXED);
}

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
        gm_drive.relief_due = fraction < 0.1 ? 0.1 : fraction > 1 ? 1 : fraction;
    }
    gm_collector_set_alarm();
}

/* What is free in the allocator's hands looks used from outside: it goes back to the system before a cycle is begun for
 * it. Rests for four times as long as it took. Other threads may run. */
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
void
gm_collector_relieve_young(void)
{
    int64_t cpu = gm_cpu_ns_no_python(), wall = gm_wall_ns_no_python();
    gm_gc.busy = true;
    Py_ssize_t promoted = gm_gc_promoted(), back = gm_reclaim_young();
    if (back >= 0) {
        gm_gc_set_promoted((Py_ssize_t)gm_pacer_taken_back(&gm_gc.pacer, promoted, back));
    }
    gm_gc.busy = false;
    account(GM_BY_BATCH, gm_cpu_ns_no_python() - cpu, gm_wall_ns_no_python() - wall);
    look_at_memory();
    if (gm_pacer_limit_calls(&gm_gc.pacer)) {
        trim();
        look_at_memory();
    }
    gm_gc.pacer.rss_young = gm_gc.pacer.rss_bytes;
    gm_collector_set_alarm();
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
    int64_t rounds = gm_rounds_to_full();
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
    bool begun = gm_collector_begin(reason);
    gm_gc.busy = false;
    if (!begun && grown_by > gm_pacer_goal(&gm_gc.pacer)) { /* another interpreter, no memory, no hook */
        collect_stock();
    }
}

/* Whether this thread may go on, asked again wherever another one may have run. If that one is in the middle of a
 * collection, in a finaliser, CPython's lists are on its stack, and the flag that says so is its own: who saves it now and
 * sets it again when that collection is over keeps all others from beginning, for ever. */
static bool
may_drive(void)
{
    return gm_gc.enabled && !gm_gc.busy && (!gm_gc_is_collecting() || gm_drive.after_on == PyThread_get_thread_ident());
}

static void
advance(int64_t grown_by)
{
    gm_pacer *pacer = &gm_gc.pacer;
    if (gm_find.phase == GM_ORDER) {
        int64_t wall = gm_wall_ns_no_python();
        wait_for_order(gm_pacer_wait_ns(pacer, grown_by));
        note_stop(0, gm_wall_ns_no_python() - wall);
    }
    if (!may_drive()) {
        return;
    }
    if (gm_find.phase == GM_IDLE && !gm_worker_is_away()) {
        begin_if_due(grown_by);
    } else if (gm_find.phase == GM_FREE) {
        gm_collector_free_some(gm_pacer_free_ns(pacer, grown_by));
    } else if (gm_pacer_lost(pacer, grown_by, gm_rounds_objects_to_full())) {
        collect_stock();
    } else if (gm_find.phase >= GM_WALK && gm_find.phase <= GM_LINK) {
        int64_t ns = gm_pacer_slice_ns(pacer, grown_by, gm_collector_owed_ns());
        if (ns > 0) {
            gm_collector_slice(GM_BY_CALLBACK, ns);
        }
    }
}

/* The limit comes before short pauses. What this cycle cannot free is not tried again here. */
static void
finish_now(void)
{
    uint64_t number = gm_gc.cycle.number;
    for (int i = 0; i < FINISH_MAX && may_drive() && !gm_find.failed; i++) {
        advance(gm_collector_grown());
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
    if (!may_drive()) {
        return;
    }
    if (gm_find.failed) {
        gm_collector_abort();
        return;
    }
    if (pacer->limit_bytes > 0 && now - gm_gc.memory_ns > MEMORY_EVERY_NS) {
        look_at_memory();
        if (gm_pacer_young_due(pacer)) {
            gm_collector_relieve_young();
            if (!may_drive() || gm_find.failed) {
                return;
            }
        }
    }
    if (gm_pacer_pressed(pacer) >= 1) {
        int64_t cpu = gm_cpu_ns_no_python();
        finish_now();
        note_stop(gm_cpu_ns_no_python() - cpu, gm_wall_ns_no_python() - now);
    } else if (now - gm_gc.slice_ns >= gm_pacer_least_ns(pacer)) { /* two slices in a row are one long pause */
        advance(gm_collector_grown());
    }
}

/* A full collection has just run, asked for by somebody: it tells what is alive. */
static void
after_full(void)
{
    gm_pacer_end(&gm_gc.pacer, gm_gc_survivors(), gm_rss_bytes_no_python(), 0, 0);
    gm_gc.pacer.base = gm_gc.pacer.promoted = gm_gc.pacer.back = gm_gc.pacer.young = 0;
    gm_gc.rounds = 0; /* it took the middle generation along */
    gm_gc_set_survivors(GM_SURVIVORS_HUGE);
}

static void
after_young(void)
{
    if (gm_gc_survivors() != GM_SURVIVORS_HUGE) {
        after_full();
    }
    gm_rounds_cap();
    if (gm_gc_is_enabled()) {
        drive();
        gm_rounds_hurry();
        gm_call_due_hooks();
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
PyObject *
gm_collector_callback(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_Check(args[0]) || !PyDict_Check(args[1]) || !gm_gc.enabled) {
        Py_RETURN_NONE;
    }
    long generation = number_in(args[1], "generation");
    bool stop = PyUnicode_CompareWithASCIIString(args[0], "stop") == 0;
    if (gm_gc.busy || gm_reclaim_is_running()) {
        gm_reclaim_heard(stop ? (size_t)number_in(args[1], "collected") : 0);
        Py_RETURN_NONE;
    }
    gm_drive.collecting_on = PyThread_get_thread_ident();
    if (!stop) {
        gm_drive.by_itself = gm_gc_count(0) > gm_gc_threshold(0);
    }
    if (generation == 1) {
        (stop ? gm_rounds_middle_ends : gm_rounds_middle_begins)();
    } else if (generation == 0 && stop) {
        gm_rounds_count();
    }
    if (generation == 2 && !stop) {
        gm_collector_abort(); /* adopted candidates must not look alive to it */
    } else if (generation == 2) {
        after_full();
    } else if (stop) {
        gm_drive.after_on = gm_drive.collecting_on;
        after_young();
        gm_drive.after_on = 0;
    }
    if (stop) {
        gm_drive.collecting_on = 0;
        gm_drive.by_itself = false;
    }
    Py_RETURN_NONE;
}

static int
on_main(void *Py_UNUSED(arg))
{
    __atomic_store_n(&gm_drive.asked, false, __ATOMIC_RELAXED);
    if (gm_gc.enabled && gm_worker_is_late()) { /* it is to start as soon as it may: no other occasion need come */
        gm_collector_ask_main_no_python();
    } else if (gm_gc.enabled && !gm_gc.busy && !gm_gc_is_collecting() && !gm_reclaim_is_running()) {
        after_young();
    }
    return 0;
}

void
gm_collector_ask_main_no_python(void)
{
    if (!__atomic_exchange_n(&gm_drive.asked, true, __ATOMIC_RELAXED) && Py_AddPendingCall(on_main, NULL) < 0) {
        __atomic_store_n(&gm_drive.asked, false, __ATOMIC_RELAXED);
    }
    gm_wake_main_no_python();
}

/* The worker's look at memory, with the GIL. */
void
gm_collector_tick(void)
{
    look_at_memory();
    bool idle = gm_find.phase == GM_IDLE;
    if (gm_gc_is_enabled() && ((idle && due(gm_collector_grown(), gm_gc.memory_ns) != GM_NOT_DUE) || gm_drive.relief_due > 0 || gm_gc.after_due)) {
        gm_collector_ask_main_no_python();
    }
}
