/* The phases of a cycle. See finder.h; docs/design/collector.md has the argument. */
#include "passes.h"

#include "check.h"

#include <string.h>
#include <time.h>

gm_finder gm_find = {.batch = GM_BATCH};

/* What is only of interest here; guarded by the GIL. */
static struct {
    PyObject *cursor, *end;  /* owned place markers in the list of the oldest generation; NULL outside of WALK */
    const gm_gc_head *frozen; /* last of the permanent generation when the cycle began: gc.freeze() moves all lists */
} at;

/* ---- the budget ---- */

int64_t
gm_cpu_ns_no_python(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
gm_wall_ns_no_python(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

gm_budget
gm_budget_of(int64_t ns)
{
    if (ns == INT64_MAX) {
        return (gm_budget){INT64_MAX, INT64_MAX, GM_STEPS};
    }
    int64_t wall = gm_wall_ns_no_python();
    return (gm_budget){gm_cpu_ns_no_python() + ns, wall + ns, GM_STEPS};
}

bool
gm_budget_spent(gm_budget *budget, int steps)
{
    budget->steps -= steps;
    if (GM_LIKELY(budget->steps > 0)) {
        return false;
    }
    budget->steps = GM_STEPS;
    int64_t wall = gm_wall_ns_no_python();
    if (wall < budget->look_ns) {
        return false;
    }
    int64_t left = budget->end_ns - gm_cpu_ns_no_python();
    budget->look_ns = wall + left;
    return left <= 0;
}

/* ---- place markers: objects that refer to nothing ---- */

static int
marker_traverse(PyObject *Py_UNUSED(self), visitproc Py_UNUSED(visit), void *Py_UNUSED(arg))
{
    return 0;
}

static void
marker_dealloc(PyObject *self)
{
    PyObject_GC_Del(self);
}

static PyTypeObject marker_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gomem.gc.marker",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = marker_traverse,
    .tp_dealloc = marker_dealloc,
};

int
gm_finder_ready(void)
{
    return PyType_Ready(&marker_type);
}

PyObject *
gm_new_marker(gm_gc_head *before)
{
    PyObject *marker = PyObject_GC_New(PyObject, &marker_type);
    if (marker == NULL) {
        PyErr_Clear();
        return NULL;
    }
    gm_link_before(gm_head_of(marker), before);
    return marker;
}

void
gm_drop_marker(PyObject **marker)
{
    if (*marker != NULL) {
        if (gm_is_tracked(*marker)) {
            gm_unlink(gm_head_of(*marker));
        }
        Py_CLEAR(*marker);
    }
}

/* ---- WALK ---- */

/* For every reference that a walked object holds. The target's memory is not touched, only its shadow. */
static int
subtract(PyObject *target, void *Py_UNUSED(arg))
{
    target = gm_later(target);
    if (GM_LIKELY(target != NULL)) {
        *gm_shadow_of(target) -= GM_ONE;
    }
    return 0;
}

static void
subtract_late(void)
{
    for (PyObject *target = gm_take_late(); target != NULL; target = gm_take_late()) {
        *gm_shadow_of(target) -= GM_ONE;
    }
}

static void
enter(PyObject *object)
{
    uint8_t *byte = gm_shadow_enter(object);
    if (GM_UNLIKELY(gm_is_immortal(object))) {
        *byte = GM_GREY; /* its count says nothing: it lives */
    } else {
        *byte = (uint8_t)((*byte & ~GM_STATE) + gm_count_of(object)) | GM_WHITE;
    }
    gm_find.walked++;
}

static void
walk_done(void)
{
    gm_drop_marker(&at.cursor);
    gm_drop_marker(&at.end);
    gm_find.steps += gm_find.walked;
    gm_find.phase = GM_MARK;
    gm_pass.leaf = gm_pass.entry = 0;
}

/* Each step of a phase tells whether the budget is spent. */
static bool
walk(gm_budget *budget)
{
    if (!gm_finish_large(subtract, budget)) {
        subtract_late();
        return true;
    }
    bool spent = false;
    gm_gc_head *cursor = gm_head_of(at.cursor), *end = gm_head_of(at.end);
    gm_gc_head *here = gm_next(cursor);
    gm_unlink(cursor);
    while (here != end && !spent && gm_pass.large == NULL) {
        if (GM_UNLIKELY(here == gm_gc_generation(2))) { /* somebody has sorted the list anew */
            gm_find.failed = true;
            break;
        }
        gm_gc_head *next = gm_next(here);
        __builtin_prefetch(next);
        PyObject *object = gm_object_of(here);
        enter(object);
        gm_visit_object(object, subtract);
        here = next;
        spent = gm_budget_spent(budget, gm_pass.large == NULL ? 3 + gm_steps_of(object) : GM_CHUNK);
    }
    gm_link_before(cursor, here);
    subtract_late();
    if (here == end && gm_pass.large == NULL) {
        walk_done();
    }
    return spent;
}

/* ---- a cycle ---- */

bool
gm_finder_begin(void)
{
    GM_CHECK(gm_find.phase == GM_IDLE);
    gm_gc_head *old = gm_gc_generation(2);
    if (gm_next(old) == old || !gm_shadow_open() || !gm_shadow_arm()) {
        return false;
    }
    at.end = gm_new_marker(old);
    at.cursor = at.end == NULL ? NULL : gm_new_marker(gm_next(old));
    if (at.cursor == NULL) {
        gm_drop_marker(&at.end);
        gm_shadow_disarm();
        return false;
    }
    at.frozen = gm_prev(gm_gc_permanent());
    gm_pass.large = NULL;
    gm_pass.ring_at = 0;
    gm_pass.rescan = false;
    memset(gm_pass.ring, 0, sizeof(gm_pass.ring));
    memset(gm_pass.late, 0, sizeof(gm_pass.late));
    gm_candidates *found = &gm_find.candidates; /* a forked child gives back what was adopted */
    found->at.inherited = found->offsets.inherited = found->edges.inherited = found->order.inherited = true;
    gm_pass.stack.inherited = true;
    gm_find.walked = gm_find.steps = gm_find.leaves = 0;
    gm_find.failed = false;
    gm_find.phase = GM_WALK;
    return true;
}

/* Whether what earlier slices have left behind can be trusted. */
static bool
is_sound(void)
{
    return !gm_find.failed && !gm_shadow_failed() && gm_prev(gm_gc_permanent()) == at.frozen &&
           (gm_find.phase >= GM_LINK || gm_shadow_is_armed());
}

void
gm_finder_slice(gm_budget *budget)
{
    static bool (*const steps[])(gm_budget *) = {
        [GM_WALK] = walk,       [GM_MARK] = gm_mark,   [GM_GATHER] = gm_gather,        [GM_RECOUNT] = gm_recount,
        [GM_REMARK] = gm_remark, [GM_TRIM] = gm_trim, [GM_ADOPT] = gm_adopt, [GM_LINK] = gm_link,
    };
    bool spent = false;
    while (!spent && gm_find.phase >= GM_WALK && gm_find.phase <= GM_LINK) {
        if (!is_sound()) {
            gm_find.failed = true;
            return;
        }
        spent = steps[gm_find.phase](budget);
    }
}

void
gm_finder_relink(void)
{
    gm_find.candidates.offsets.used = gm_find.candidates.edges.used = 0;
    gm_begin_pass(GM_LINK);
}

#define WALK_SHARE 0.45 /* of a cycle, in CPU time */
#define MARK_SHARE 0.45

static double
share_of(size_t part, size_t whole)
{
    return part < whole ? (double)part / (double)whole : 1;
}

double
gm_finder_done(int64_t size)
{
    if (gm_find.phase == GM_WALK) {
        return WALK_SHARE * share_of(gm_find.walked, (size_t)size);
    }
    if (gm_find.phase == GM_MARK) {
        return WALK_SHARE + MARK_SHARE * share_of(gm_find.steps - gm_find.walked, gm_find.walked);
    }
    return WALK_SHARE + MARK_SHARE;
}

void
gm_finder_end(void)
{
    gm_phase phase = gm_find.phase;
    if (phase == GM_IDLE || phase == GM_CLEAN) {
        return;
    }
    if (phase <= GM_ADOPT) {
        gm_find.leaves = 0; /* they are among the candidates still */
    }
    gm_drop_marker(&at.cursor);
    gm_drop_marker(&at.end);
    gm_shadow_disarm();
    gm_candidates *found = &gm_find.candidates;
    size_t adopted = phase >= GM_LINK ? found->count : phase == GM_ADOPT ? gm_pass.kept : 0;
    for (size_t i = 0; i < adopted; i++) {
        Py_CLEAR(gm_candidate_array()[i]); /* may run finalisers; the collector keeps them out of here */
    }
    gm_find.phase = GM_CLEAN;
}

void
gm_finder_clean_no_python(void)
{
    gm_candidates *found = &gm_find.candidates;
    gm_region_free_no_python(&found->at);
    gm_region_free_no_python(&found->offsets);
    gm_region_free_no_python(&found->edges);
    gm_region_free_no_python(&found->order);
    gm_region_free_no_python(&gm_pass.stack);
    found->count = 0;
    gm_shadow_clear_no_python();
    gm_find.phase = GM_IDLE;
}
