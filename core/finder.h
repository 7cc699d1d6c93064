/* Finding the garbage among old objects, in slices, with no write into an object.
 *
 * One cycle goes through the phases below, each of which stops when its budget is spent and goes on at the next call:
 *
 *     WALK     over the oldest generation: count(o) = references to o - references from walked objects
 *     MARK     what has a count left is referenced from outside: grey; then everything reachable from it
 *     GATHER   what is white still: the candidates
 *     RECOUNT, REMARK   the same among the candidates alone, until nothing changes: the program ran meanwhile
 *     TRIM     what only one of them refers to, and refers to none, is left out: it goes when that one goes
 *     ADOPT    a reference to each candidate: from now on none can be freed
 *     LINK     the references among candidates, as a graph (order.h sorts it)
 *
 * Why it finds all that was garbage at its start: garbage does not change, so its counts come out 0 however much the
 * rest moves. What is white and alive is a mistake of timing; CPython's own collection of it finds that out. */
#ifndef GOMEM_FINDER_H
#define GOMEM_FINDER_H

#include "compat_gc.h"
#include "region.h"

typedef enum {
    GM_IDLE,
    GM_WALK,
    GM_MARK,
    GM_GATHER,
    GM_RECOUNT,
    GM_REMARK,
    GM_TRIM,
    GM_ADOPT,
    GM_LINK,
    GM_ORDER, /* the worker's, without the GIL */
    GM_FREE,  /* reclaim.c */
    GM_CLEAN, /* the worker's, without the GIL: memory of the cycle goes back to the system */
} gm_phase;

/* What a slice may use: CPU time of the thread. Its clock is a system call of 0.3 to 0.7 us; the wall clock is none, and
 * tells that the time cannot be up. */
typedef struct {
    int64_t end_ns;  /* of the thread's CPU clock; INT64_MAX: no end */
    int64_t look_ns; /* of the wall clock: before it, the other one has not come to its end */
    int steps;       /* until the next look at a clock; a step is an object or a reference */
} gm_budget;

gm_budget gm_budget_of(int64_t ns);
int64_t gm_cpu_ns_no_python(void);
int64_t gm_wall_ns_no_python(void);

#define GM_STEPS 256 /* 1 to 10 us of work */

/* Counts steps; true when the budget is spent. */
bool gm_budget_spent(gm_budget *budget, int steps);

/* The candidates, adopted from ADOPT on: `at` are owned references, in order of address; order is set by order.h. */
typedef struct {
    gm_region at;      /* PyObject*[count] */
    size_t count;
    gm_region offsets; /* uint32_t[count]: where an object's references begin in edges, or GM_NO_EDGES */
    gm_region edges;   /* uint32_t[]: numbers of candidates; GM_LAST marks an object's last */
    gm_region order;   /* uint32_t[count], see order.h; empty when they go in one batch */
} gm_candidates;

typedef struct {
    gm_phase phase;
    size_t walked;  /* objects in the set of this cycle */
    size_t steps;   /* objects looked at in all phases so far */
    gm_candidates candidates;
    size_t leaves;  /* objects that TRIM has left out */
    size_t batch;   /* objects freed at a time, if no component is larger; fewer than half as many need no order */
    bool failed;    /* for want of memory, or the hook was lost: abort the cycle */
} gm_finder;

extern gm_finder gm_find; /* guarded by the GIL, but see ORDER and CLEAN */

static inline PyObject **
gm_candidate_array(void)
{
    return (PyObject **)gm_find.candidates.at.base;
}

#define GM_FIRST 0x80000000u

/* The i-th candidate's place, in the order if there is one: NULL there once its reference was given up. */
static inline PyObject **
gm_candidate_slot(size_t i)
{
    const uint32_t *order = (const uint32_t *)gm_find.candidates.order.base;
    return gm_candidate_array() + (order == NULL ? i : order[i] & ~GM_FIRST);
}

/* Begins a cycle; false when it cannot (no memory, no hook). Wants phase IDLE and no collection running. */
bool gm_finder_begin(void);

/* Works until the budget is spent or the phase is ORDER, FREE or CLEAN. Sets failed when the cycle must be aborted.
 * Calls tp_traverse of objects and nothing else of Python. */
void gm_finder_slice(gm_budget *budget);

/* How much of a cycle's work is done, 0 to 1, when there were `size` objects to look at. */
double gm_finder_done(int64_t size);

/* Ends a cycle wherever it is, but in ORDER: adopted references go (which may run finalisers of what nothing else
 * holds), and the phase becomes CLEAN. */
void gm_finder_end(void);

/* Returns the memory of the cycle: CLEAN -> IDLE. */
void gm_finder_clean_no_python(void);

/* Makes the type of the place markers; -1 with an exception. */
int gm_finder_ready(void);

/* A place marker before a node of a ring, owned; NULL without memory, and no exception. Dropping unlinks it. */
PyObject *gm_new_marker(gm_gc_head *before);
void gm_drop_marker(PyObject **marker);

/* ---- for order.c ---- */

/* Sorts the candidates so that whoever refers to another comes before it, and those that refer to each other stand
 * together: Tarjan's strongly connected components, in reverse. order[i] is a candidate's number; GM_FIRST marks the
 * first of its component. Uses the graph up. Returns 1, 0 when *cancel was set, -1 without memory. */
int gm_order_no_python(gm_candidates *candidates, const bool *cancel);

/* ORDER -> LINK: the graph is made again. */
void gm_finder_relink(void);
#define GM_BATCH 512 /* objects that are freed between looks at the clock: some 0.3 ms */

#define GM_LAST 0x80000000u
#define GM_NO_EDGES UINT32_MAX
#define GM_CANDIDATES_MAX ((size_t)1 << 30)

#endif
