/* See worker.h. The lock guards `wanted` and `stopping`; it is never held while waiting for the GIL. */
#define _GNU_SOURCE
#include "worker.h"

#include "collector.h"
#include "pressure.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS ((int64_t)1000000)         /* between looks at the GIL while there is marking to do */
#define REST_NS ((int64_t)500000)          /* ... when nobody has it; as long as such a slice: half of the time is ours */
#define TICK_NS ((int64_t)250000000)       /* between looks at memory */
#define WATCH_MIN_NS ((int64_t)1000000)    /* between looks at resident memory under a limit, without the GIL ... */
#define WATCH_MAX_NS ((int64_t)20000000)
#define WATCH_BYTES_NS 4                   /* ... by how far the next step is at 4 GB/s, as fast as memory is filled */
#define SHORT_NEAR 0.95                    /* of the limit, the tables of a cycle in it: there caches should not grow */
#define VERY_SHORT_NEAR 0.97               /* ... and there they should shrink, for something else grows */
#define DUE_NS ((int64_t)10000000)         /* without a slice for so long, the worker asks for the GIL: a tenth of the time */
#define BEHIND_NS ((int64_t)4000000)       /* ... and when the program owes more than a pause and does not pay it */
#define BATCH_NS ((int64_t)2000000)        /* without a batch for so long, the main thread is asked for one */
#define TRIM_NS ((int64_t)1000000000)
#define FORK_NS ((int64_t)20000000)        /* a fork's end is not waited for longer, in CPU time of its thread, or as others see it */
#define STACK_BYTES ((size_t)256 << 10)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t awake;
static pthread_t thread;
static bool running;  /* a thread is there; guarded by the GIL */
static bool starting; /* ... or will be in a moment, and somebody waits for it; guarded by the GIL */
static bool born;     /* it has its thread state; atomic */
static bool leaving;  /* ... and somebody waits for its end; guarded by the GIL */
static int held;      /* forks under way, during which there must be none; guarded by the GIL */
static struct {
    unsigned long thread; /* 0: it is over */
    const void *caller;   /* the frame that called os.fork(), to be compared only; NULL: unknown */
    int64_t cpu_ns, wall_ns;
} forked;             /* the last fork; guarded by the GIL */
static bool wanted, stopping;
static bool cleaning; /* atomic */
int gm_memory;
static int64_t watched_bytes;           /* the worker's own: resident memory when it last looked */
static int64_t ticked_ns, released_ns; /* the worker's own: when it last looked at memory, and had the GIL */
static pid_t thread_id;

bool
gm_worker_is_away(void)
{
    return __atomic_load_n(&cleaning, __ATOMIC_ACQUIRE);
}

void
gm_worker_wake_no_python(void)
{
    pthread_mutex_lock(&lock);
    wanted = true;
    pthread_cond_signal(&awake);
    pthread_mutex_unlock(&lock);
}

/* Until it is woken or ns have passed; false when it should stop. */
static bool
sleep_for(int64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t end = (int64_t)until.tv_sec * 1000000000 + until.tv_nsec + ns;
    until = (struct timespec){end / 1000000000, end % 1000000000};
    pthread_mutex_lock(&lock);
    if (!wanted && !stopping) {
        pthread_cond_timedwait(&awake, &lock, &until);
    }
    wanted = false;
    bool on = !stopping;
    pthread_mutex_unlock(&lock);
    return on;
}

static void
release(void)
{
    PyEval_SaveThread();
    released_ns = gm_wall_ns_no_python();
}

/* Whether the GIL is to be had without a wait. A thread that waits for it is told when the worker lets it go, and takes it
 * some time later; until then it looks free. To take it then, again and again, kept such a thread from running for
 * half a second, a whole cycle. */
static bool
is_free(void)
{
    return gm_gil_is_free_no_python() && gm_wall_ns_no_python() - released_ns >= REST_NS;
}

/* One slice if it may be had: at once when nobody has the GIL. Else a program that is behind is asked to do it itself,
 * on its main thread, which needs no switch; if it does not hear, or the cycle makes no progress, the worker queues up
 * for the GIL. What is read before it has it are only hints. Returns how long to sleep. */
static int64_t
slice(PyThreadState *state)
{
    bool free = is_free();
    if (!free) {
        int64_t since = gm_wall_ns_no_python() - gm_gc.slice_ns;
        bool behind = gm_gc.owed_ns >= gm_gc.pacer.pause_ns;
        if (behind && since < BEHIND_NS) {
            gm_collector_ask_main_no_python();
        }
        if (since < (behind ? BEHIND_NS : DUE_NS)) {
            return gm_gil_is_free_no_python() ? REST_NS : LOOK_NS;
        }
    }
    PyEval_RestoreThread(state);
    if (gm_collector_may_slice()) {
        gm_collector_slice(GM_BY_WORKER, free ? gm_gc.pacer.pause_ns / 2 : gm_gc.pacer.pause_ns);
    }
    release();
    return free ? REST_NS : LOOK_NS;
}

static void
sort(PyThreadState *state)
{
    PyEval_RestoreThread(state);
    bool mine = gm_find.phase == GM_ORDER && !gm_gc.busy && !gm_find.failed;
    uint64_t number = gm_gc.cycle.number;
    if (mine) {
        __atomic_store_n(&gm_gc.sorting, true, __ATOMIC_RELEASE);
    }
    release();
    if (!mine) {
        return;
    }
    int64_t cpu = gm_cpu_ns_no_python();
    int done = gm_order_no_python(&gm_find.candidates, &gm_gc.cancel);
    cpu = gm_cpu_ns_no_python() - cpu;
    __atomic_store_n(&gm_gc.sorting, false, __ATOMIC_RELEASE);
    PyEval_RestoreThread(state);
    gm_gc.cpu_ns[GM_BY_WORKER] += cpu;
    if (gm_find.phase == GM_ORDER && gm_gc.cycle.number == number) {
        gm_gc.cycle.cpu_ns[GM_BY_WORKER] += cpu;
        gm_collector_ordered(done);
    }
    release();
}

static void
clean(PyThreadState *state)
{
    PyEval_RestoreThread(state);
    bool mine = gm_find.phase == GM_CLEAN && !gm_gc.busy;
    __atomic_store_n(&cleaning, mine, __ATOMIC_RELEASE);
    release();
    if (mine) {
        if (gm_gc.cycle.reason == GM_DUE_LIMIT) {
            malloc_trim(0); /* what is free in the allocator's hands looks used to the limit */
        }
        gm_finder_clean_no_python();
        __atomic_store_n(&cleaning, false, __ATOMIC_RELEASE);
    }
}

static void
set_memory(int state)
{
    __atomic_store_n(&gm_memory, state, __ATOMIC_RELAXED);
}

/* Under a limit: asks for the main thread when memory has grown by a step, and tells the caches when they should not
 * grow. Returns how long nobody need look again. */
static int64_t
watch(void)
{
    int64_t alarm = __atomic_load_n(&gm_gc.alarm_bytes, __ATOMIC_RELAXED);
    if (alarm <= 0) {
        set_memory(GM_AMPLE);
        return TICK_NS;
    }
    int64_t rss = gm_rss_bytes_no_python(), before = watched_bytes, left = alarm - rss;
    bool idle = __atomic_load_n(&gm_find.phase, __ATOMIC_RELAXED) == GM_IDLE;
    int64_t used = rss + (idle ? gm_pacer_tables_no_python(&gm_gc.pacer) : 0); /* the next cycle takes them */
    double limit = (double)__atomic_load_n(&gm_gc.pacer.limit_bytes, __ATOMIC_RELAXED);
    int64_t room = (int64_t)(SHORT_NEAR * limit) - used;
    watched_bytes = rss;
    bool very_short = (double)used >= VERY_SHORT_NEAR * limit;
    set_memory(room > 0 ? GM_AMPLE : very_short ? GM_VERY_SHORT : GM_SHORT);
    if (left <= 0) {
        gm_collector_ask_main_no_python();
    }
    else if (room > 0 && room < left && rss != before) { /* memory at rest is not looked at all the time */
        left = room;
    }
    int64_t ns = left / WATCH_BYTES_NS;
    return ns < WATCH_MIN_NS ? WATCH_MIN_NS : ns > WATCH_MAX_NS ? WATCH_MAX_NS : ns;
}

/* With the GIL held. A process ends when its last thread does, and a child that a thread forked may have no other end: so
 * the worker must not be the last. */
static bool
is_alone(PyThreadState *state)
{
    PyThreadState *first = PyInterpreterState_ThreadHead(PyThreadState_GetInterpreter(state));
    return running && first == state && PyThreadState_Next(first) == NULL;
}

/* Returns whether to go on. */
static bool
tick(PyThreadState *state)
{
    int64_t now = gm_wall_ns_no_python();
    if (now - ticked_ns < TICK_NS) {
        return true;
    }
    ticked_ns = now;
    PyEval_RestoreThread(state);
    if (is_alone(state)) {
        running = false;
        pthread_detach(pthread_self());
        release();
        return false;
    }
    gm_collector_tick();
    bool trim = gm_gc.pacer.limit_bytes > 0 && gm_gc.pacer.rss_bytes > gm_gc.pacer.limit_bytes / 10 * 9 &&
                now > gm_gc.trim_ns;
    if (trim) {
        gm_gc.trim_ns = now + TRIM_NS;
    }
    release();
    if (trim) {
        malloc_trim(0);
    }
    return true;
}

/* Returns how long to sleep. */
static int64_t
work(PyThreadState *state)
{
    gm_phase phase = __atomic_load_n(&gm_find.phase, __ATOMIC_RELAXED);
    if (phase != GM_IDLE && phase != GM_CLEAN && gm_find.failed) {
        gm_collector_ask_main_no_python();
        return DUE_NS;
    }
    if (phase >= GM_WALK && phase <= GM_LINK) {
        return slice(state);
    }
    if (phase == GM_ORDER) {
        sort(state);
        return LOOK_NS;
    }
    if (phase == GM_FREE) {
        if (gm_wall_ns_no_python() - gm_gc.slice_ns > BATCH_NS) {
            gm_collector_ask_main_no_python();
        }
        return BATCH_NS;
    }
    if (phase == GM_CLEAN) {
        clean(state);
        return LOOK_NS;
    }
    if (gm_gc.pacer.always) {
        gm_collector_ask_main_no_python();
        return LOOK_NS;
    }
    return TICK_NS;
}

static void *
run(void *Py_UNUSED(arg))
{
    thread_id = (pid_t)syscall(SYS_gettid);
    PyGILState_STATE had = PyGILState_Ensure();
    __atomic_store_n(&born, true, __ATOMIC_RELEASE);
    PyThreadState *state = PyEval_SaveThread();
    int64_t rest = 0;
    while (sleep_for(rest) && tick(state)) {
        int64_t watched = watch(), worked = work(state);
        rest = watched < worked ? watched : worked;
    }
    set_memory(GM_AMPLE);
    PyEval_RestoreThread(state);
    PyGILState_Release(had);
    return NULL;
}

static bool
create(void)
{
    pthread_attr_t attributes;
    pthread_condattr_t clock;
    sigset_t all, before;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&awake, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool made = pthread_create(&thread, &attributes, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return made;
}

/* Python's frame on this thread, so many calls up. */
static const void *
frame_above(int calls)
{
    PyFrameObject *frame = PyEval_GetFrame();
    Py_XINCREF(frame);
    for (; frame != NULL && calls > 0; calls--) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_SETREF(frame, back);
    }
    const void *at = frame;
    Py_XDECREF(frame);
    PyErr_Clear();
    return at;
}

/* 3.13 warns of threads at the very end of os.fork(), after what other modules have registered to run there; any of that may
 * be the occasion at which a thread would be started. It is over when its caller is at work again. */
bool
gm_worker_is_late(void)
{
    if (forked.thread == 0) {
        return false;
    }
    bool mine = forked.thread == PyThread_get_thread_ident();
    if (mine ? frame_above(0) == forked.caller || gm_cpu_ns_no_python() - forked.cpu_ns >= FORK_NS
             : gm_wall_ns_no_python() - forked.wall_ns >= FORK_NS) {
        forked.thread = 0;
    }
    return forked.thread != 0;
}

/* Other threads may run. Without the wait this thread might end before, as the last that Python knows of in a forked child,
 * and 3.12 cannot make a thread state when there is none. */
static void
wait_until_born(void)
{
    struct timespec moment = {0, 20000};
    Py_BEGIN_ALLOW_THREADS
    while (!__atomic_load_n(&born, __ATOMIC_ACQUIRE)) {
        nanosleep(&moment, NULL);
    }
    Py_END_ALLOW_THREADS
}

bool
gm_worker_start(void)
{
    bool wait = held > 0 || gm_worker_is_late();
    if (!running && !leaving && !starting && !wait) {
        wanted = stopping = born = false;
        starting = true;
        bool made = create();
        if (made) {
            wait_until_born();
        }
        starting = false;
        running = made;
    }
    return running || leaving || starting || wait; /* the next occasion starts it */
}

bool
gm_worker_is_there(void)
{
    return running || leaving || starting;
}

/* The kernel counts a joined thread for a moment longer, and os.fork() warns of what it counts. */
static void
wait_until_gone(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d", (int)thread_id);
    for (int i = 0; i < 1000 && access(path, F_OK) == 0; i++) {
        struct timespec moment = {0, 20000};
        nanosleep(&moment, NULL);
    }
}

void
gm_worker_stop(void)
{
    struct timespec moment = {0, 50000};
    while (leaving || starting) { /* another thread is at it */
        Py_BEGIN_ALLOW_THREADS
        nanosleep(&moment, NULL);
        Py_END_ALLOW_THREADS
    }
    if (!running) {
        return;
    }
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&awake);
    pthread_mutex_unlock(&lock);
    __atomic_store_n(&gm_gc.cancel, true, __ATOMIC_RELAXED); /* sorting begins anew after a fork */
    running = false;
    leaving = true;
    Py_BEGIN_ALLOW_THREADS
    pthread_join(thread, NULL);
    wait_until_gone();
    Py_END_ALLOW_THREADS
    leaving = false;
    __atomic_store_n(&gm_gc.cancel, false, __ATOMIC_RELAXED);
}

void
gm_worker_hold(void)
{
    held++;
    gm_worker_stop();
}

void
gm_worker_release(void)
{
    held -= held > 0;
    forked.thread = PyThread_get_thread_ident();
    forked.caller = frame_above(1);
    forked.cpu_ns = gm_cpu_ns_no_python();
    forked.wall_ns = gm_wall_ns_no_python();
}

void
gm_worker_forget(void)
{
    running = leaving = starting = false;
    held = 0;
    forked.thread = 0;
    cleaning = false;
    set_memory(GM_AMPLE);
    gm_gc.sorting = false;
    pthread_mutex_init(&lock, NULL);
}
