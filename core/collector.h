/* The concurrent collector as a whole: what drives cycles, and what it has seen. One a process, in the main interpreter.
 *
 * Three drive a cycle, never two at once, for each holds the GIL and marks itself in `busy`:
 *
 *     the callback   that CPython calls after each young collection, on whichever thread allocated: starts cycles,
 *                    pays what the pacer says the program owes, frees batches (finalisers run here)
 *     the worker     a thread without Python code (worker.h): takes the GIL when nobody has it, or when it is due, for
 *                    one slice; sorts and cleans without the GIL
 *     collect()      whoever asks for a whole cycle now
 */
#ifndef GOMEM_COLLECTOR_H
#define GOMEM_COLLECTOR_H

#include "finder.h"
#include "pacer.h"

typedef enum { GM_BY_CALLBACK, GM_BY_WORKER, GM_BY_REQUEST, GM_BY_BATCH, GM_DRIVERS } gm_driver;

#define GM_BUCKETS 26 /* bucket k counts pauses of 2^(k-1) up to below 2^k microseconds; 0: less than one */

static inline int64_t
gm_sum_of_drivers(const int64_t cpu_ns[GM_DRIVERS])
{
    int64_t sum = 0;
    for (int i = 0; i < GM_DRIVERS; i++) {
        sum += cpu_ns[i];
    }
    return sum;
}

/* One cycle as it is reported; times in ns, memory in bytes, the rest in objects. */
typedef struct {
    uint64_t number;
    gm_reason reason;
    bool aborted;
    int64_t begun_ns;                  /* monotonic */
    int64_t walk_ns, mark_ns, free_ns; /* wall time of WALK; of what follows up to FREE; of FREE */
    int64_t cpu_ns[GM_DRIVERS];        /* on whose account; the worker's sorting is the worker's */
    int64_t rss[3];                    /* at the start, when garbage was known, at the end */
    int64_t objects[3];                /* in the oldest generation, as far as known, at the same moments */
    int64_t goal;
    int64_t candidates, freed, largest;
    int64_t pause_max_ns;
    uint64_t pauses;
} gm_cycle;

typedef struct {
    bool enabled;
    bool busy;          /* somebody is driving: no one else may, nor begin again from a finaliser */
    bool trace;
    bool sorting;       /* the worker is in ORDER, without the GIL; atomic */
    bool cancel;        /* it should stop; atomic */
    gm_pacer pacer;
    gm_cycle cycle;     /* the current, or the last */
    int64_t phase_ns;   /* when WALK, the rest, FREE began; monotonic */
    /* all that follows is 0 after enable(); what stands before may be in use just then, by a cycle that ends in disable() */
    bool after_due;     /* a cycle has ended and its hooks are not yet called */
    int rounds;         /* young collections since the last of the middle generation */
    int rounds_max;     /* as many as may be before the next, or the program's pauses grow; at most the threshold */
    int64_t middle_ns;  /* CPU time when the collection of the middle generation under way began */
    int64_t enabled_ns; /* monotonic */
    int64_t owed_ns;    /* CPU time that the program owed when somebody last looked; the worker reads it without the GIL */
    int64_t slice_ns;   /* when the last slice ended; monotonic */
    int64_t memory_ns;  /* when resident memory was last read */
    int64_t alarm_bytes; /* resident memory at which the limit wants somebody to look; 0: none; atomic */
    int64_t relief_ns, trim_ns; /* when memory was last asked back from caches, and from the allocator */
    /* since enable() */
    uint64_t cycles, aborted, stock, freed, survived, apart, reliefs;
    int64_t cpu_ns[GM_DRIVERS];
    uint64_t pauses[GM_BUCKETS];
    int64_t pause_sum_ns;  /* CPU time of all slices and batches */
    int64_t pause_max_ns, wall_max_ns; /* CPU time and wall time of the longest slice or batch */
} gm_collector;

extern gm_collector gm_gc; /* guarded by the GIL */

/* Who is doing what for it just now, and what it calls; a thread is 0 when nobody is. */
typedef struct {
    PyObject *hooks;             /* gomem.gc.callbacks, owned; called with "start" or "stop" and a dict */
    PyObject *relief;            /* called with a fraction when memory is short, owned */
    double relief_due;           /* the fraction; 0: none */
    unsigned long collecting_on; /* the thread of CPython's collection, between its two callbacks */
    unsigned long after_on;      /* the thread that is in the second of them, where other threads may run */
    bool by_itself;              /* ... which CPython began, nobody asked for it */
    unsigned long hooks_on;      /* the thread that calls hooks: one at a time */
    unsigned long aborting;      /* the thread that ends a cycle; a finaliser may come back there */
    bool asked;                  /* a pending call is on its way; atomic */
} gm_driving;

extern gm_driving gm_drive; /* guarded by the GIL */

/* For the worker, with the GIL held. A slice tells whether there may be more to do at once. */
bool gm_collector_may_slice(void);
void gm_collector_slice(gm_driver driver, int64_t ns);
int64_t gm_collector_owed_ns(void);
void gm_collector_tick(void);       /* reads resident memory; asks for what the limit calls for */
void gm_collector_ordered(int done); /* the result of gm_order_no_python */

#define GM_SURVIVORS_HUGE (PY_SSIZE_T_MAX / 2) /* so many that a quarter never come in: no full collection by itself */

/* ---- gc_hooks.c: may run anything ---- */

void gm_call_hooks(const char *phase); /* "start" or "stop" */
void gm_call_due_hooks(void);          /* "stop" of a cycle that has ended, and relief, when somebody else is not at it */

/* For collector_module.c. */
bool gm_collector_begin(gm_reason reason);      /* false when none can begin; wants phase IDLE and `busy` */
void gm_collector_free_some(int64_t ns);        /* batches until the time is up, as far as the last one tells */
void gm_collector_note_phase(gm_phase before);  /* after a slice: follows the finder from phase to phase */
void gm_collector_set_alarm(void);              /* at what size of memory the worker calls somebody */
void gm_collector_relieve_young(void);          /* what the limit asks for first; runs finalisers */
int64_t gm_collector_grown(void);               /* objects that came into the oldest generation since the last cycle began */
PyObject *gm_collector_callback(PyObject *self, PyObject *const *args, Py_ssize_t count); /* for gc.callbacks */

/* Ends the cycle wherever it is, with the GIL. */
void gm_collector_abort(void);

/* Runs on the main thread soon: what has to run on an application's thread and no young collection came along. */
void gm_collector_ask_main_no_python(void);

int64_t gm_rss_bytes_no_python(void);

/* For tests, drill.c: cycles without a pause, counted in a file. */
PyObject *gm_drill_begin(PyObject *self, PyObject *path);
void gm_drill_note(const gm_cycle *cycle); /* one has ended */

void gm_trace_cycle(const gm_cycle *cycle, const gm_collector *collector);
void gm_trace_stock(uint64_t count); /* a stock collection was made because cycles fell behind */

#endif
