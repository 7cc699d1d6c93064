/* What the phases of a cycle share: how far each is, and how an object is looked into. Of interest to finder.c (WALK),
 * mark.c (MARK) and candidates.c (the rest) only. */
#ifndef GOMEM_PASSES_H
#define GOMEM_PASSES_H

#include "finder.h"
#include "shadow.h"

#define GM_CHUNK 256  /* elements of a large container between looks at the budget: each may be a page fault of the shadow */
#define GM_RING 16    /* objects fetched ahead of marking; see docs/design/collector.md */
#define GM_LATE 32    /* bytes of shadow fetched ahead of use; a power of two */

/* Guarded by the GIL. */
typedef struct {
    PyObject *large;         /* borrowed: a container of which only a part was looked at; its state tells if it lives */
    Py_ssize_t large_at;
    gm_region stack;         /* uintptr_t[]: grey objects; an odd one is followed by a position in a large container */
    PyObject *ring[GM_RING]; /* grey objects on their way from the stack */
    unsigned ring_at;
    PyObject *late[GM_LATE]; /* targets whose byte is on its way; NULL: none */
    unsigned late_at;
    size_t leaf, entry;      /* how far a scan of the shadow is */
    bool rescan;             /* a grey object did not fit on the stack: scan again */
    size_t at, kept;         /* how far a pass over the candidates is */
    int round;
    bool found;              /* whether a recount found a candidate to be alive */
} gm_passes;

extern gm_passes gm_pass;

/* ---- looking into objects (look.c) ---- */

/* True for a container so large that it is looked at in parts. */
static inline bool
gm_is_large(PyObject *object)
{
    return (PyList_CheckExact(object) && PyList_GET_SIZE(object) > 2 * GM_CHUNK) ||
           (PyTuple_CheckExact(object) && PyTuple_GET_SIZE(object) > 2 * GM_CHUNK) ||
           (PyDict_CheckExact(object) && PyDict_GET_SIZE(object) > 2 * GM_CHUNK) ||
           (PyAnySet_CheckExact(object) && PySet_GET_SIZE(object) > 2 * GM_CHUNK);
}

/* Visits a part of a large container from a position on; returns the next position, -1 at its end. The container may
 * have changed since the last part, but then it is alive and so is what it refers to. */
Py_ssize_t gm_visit_part(PyObject *object, Py_ssize_t from, visitproc visit);

/* Goes on with a large container that a pass over a list stopped in; false when the budget is spent before its end. */
bool gm_finish_large(visitproc visit, gm_budget *budget);

/* What looking into an object counts beside the object itself. */
static inline int
gm_steps_of(PyObject *object)
{
    return PyList_CheckExact(object) || PyTuple_CheckExact(object) ? (int)(Py_SIZE(object) / 4) : 0;
}

static inline void
gm_visit_items(PyObject **items, Py_ssize_t from, Py_ssize_t to, visitproc visit)
{
    for (Py_ssize_t i = from; i < to; i++) {
        if (items[i] != NULL) {
            visit(items[i], NULL);
        }
    }
}

static inline void
gm_visit_all(PyObject *object, visitproc visit)
{
    if (PyList_CheckExact(object)) {
        gm_visit_items(((PyListObject *)object)->ob_item, 0, PyList_GET_SIZE(object), visit);
    } else if (PyTuple_CheckExact(object)) {
        gm_visit_items(((PyTupleObject *)object)->ob_item, 0, PyTuple_GET_SIZE(object), visit);
    } else {
        traverseproc traverse = Py_TYPE(object)->tp_traverse;
        if (traverse != NULL) {
            traverse(object, visit, NULL);
        }
    }
}

/* Visits what an object refers to, or the first part of a large one, which is then in gm_pass.large. */
static inline void
gm_visit_object(PyObject *object, visitproc visit)
{
    if (GM_UNLIKELY(gm_is_large(object))) {
        gm_pass.large_at = gm_visit_part(object, 0, visit);
        gm_pass.large = gm_pass.large_at < 0 ? NULL : object;
    } else {
        gm_visit_all(object, visit);
    }
}

static inline uint8_t
gm_count_of(PyObject *object)
{
    return (uint8_t)((unsigned)Py_REFCNT(object) << 2);
}

/* Whether TRIM has left an object out. The hook may be off: then the byte may be of what was there before. */
static inline bool
gm_is_leaf(PyObject *object)
{
    const uint8_t *byte = gm_shadow_known(object);
    return byte != NULL && *byte == GM_LEAF && PyObject_IS_GC(object) && gm_is_tracked(object) && Py_REFCNT(object) == 1;
}

/* Asks for a target's byte of shadow, and returns the target that was asked for GM_LATE targets ago, whose byte will have
 * arrived; NULL at first. Half of the time of a cycle over a large heap went into waiting for those bytes. */
static inline PyObject *
gm_later(PyObject *target)
{
    PyObject **slot = &gm_pass.late[gm_pass.late_at++ % GM_LATE], *before = *slot;
    *slot = target;
    __builtin_prefetch(gm_shadow_of(target), 1);
    return before;
}

/* The newest of those that wait, which then does not any more; NULL: there is none. Before a slice ends all are taken:
 * what they are could be freed before the next, and another object take its place. */
static inline PyObject *
gm_take_late(void)
{
    PyObject **slot = &gm_pass.late[(gm_pass.late_at - 1) % GM_LATE], *target = *slot;
    if (target != NULL) {
        *slot = NULL;
        gm_pass.late_at--;
    }
    return target;
}

/* One byte in each of eight: the shadow is looked at by eight. */
#define GM_EIGHT(byte) ((uint64_t)(byte) * 0x0101010101010101u)

/* ---- marking (mark.c) ---- */

void gm_push(uintptr_t word);

/* Makes an object grey, to be looked into. */
static inline void
gm_shade(uint8_t *byte, uintptr_t object)
{
    *byte = (uint8_t)((*byte & ~GM_STATE) | GM_GREY);
    gm_push(object);
}

/* Makes everything that is grey black, and what is reachable from it; false when the budget is spent before. */
bool gm_drain(gm_budget *budget);

/* Calls visit for each eight bytes of the shadow that hold a white or grey object, from where the last call stopped;
 * true at the end. Between two such the budget is looked at, and the stack drained. */
bool gm_scan_shadow(void (*visit)(uint8_t *leaf, size_t entry, uintptr_t base), gm_budget *budget);

/* ---- the phases: each tells whether the budget is spent ---- */

/* A phase that passes over the candidates begins. */
void gm_begin_pass(gm_phase phase);

bool gm_mark(gm_budget *budget);
bool gm_gather(gm_budget *budget);
bool gm_recount(gm_budget *budget);
bool gm_remark(gm_budget *budget);
bool gm_trim(gm_budget *budget);
bool gm_adopt(gm_budget *budget);
bool gm_link(gm_budget *budget);

#endif
