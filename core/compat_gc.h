/* CPython's own collector as the concurrent one sees it: its lists, its counters, and whether the GIL is free.
 *
 * Everything is about the main interpreter and, but for what ends in _no_python, wants its GIL. Nothing here calls Python.
 *
 * | fact                     | 3.11, 3.12, 3.13                                   | 3.14.0 to 3.14.4           |
 * |--------------------------|----------------------------------------------------|----------------------------|
 * | lists                    | generations[0..2], permanent                       | young, old[2]: refused     |
 * | an untracked object      | has 0 in the first word of its head                | same                       |
 * | full collection is due   | when long_lived_pending >= long_lived_total / 4    | never: refused             |
 * | the GIL                  | _PyRuntime.ceval.gil (3.11), interp->ceval.gil     | interp->ceval.gil          |
 */
#ifndef GOMEM_COMPAT_GC_H
#define GOMEM_COMPAT_GC_H

#include "types.h"

/* What stands before every object that the collector may track: a link of a ring whose head is in the interpreter.
 * Invariant of a tracked one outside of a collection: next and prev (without its two flag bits) are links. */
typedef struct gm_gc_head {
    uintptr_t next;
    uintptr_t prev;
} gm_gc_head;

#define GM_GC_FLAGS ((uintptr_t)3) /* of prev: finalized, collecting */
#define GM_GC_FINALIZED ((uintptr_t)1)

static inline gm_gc_head *
gm_head_of(PyObject *object)
{
    return (gm_gc_head *)object - 1;
}

static inline PyObject *
gm_object_of(gm_gc_head *head)
{
    return (PyObject *)(head + 1);
}

static inline bool
gm_is_tracked(PyObject *object)
{
    return gm_head_of(object)->next != 0;
}

static inline gm_gc_head *
gm_next(const gm_gc_head *head)
{
    return (gm_gc_head *)head->next;
}

static inline gm_gc_head *
gm_prev(const gm_gc_head *head)
{
    return (gm_gc_head *)(head->prev & ~GM_GC_FLAGS);
}

/* Puts an untracked node, or one just unlinked, before another of a ring; keeps the node's flags. */
static inline void
gm_link_before(gm_gc_head *node, gm_gc_head *place)
{
    gm_gc_head *before = gm_prev(place);
    node->next = (uintptr_t)place;
    node->prev = (node->prev & GM_GC_FLAGS) | (uintptr_t)before;
    before->next = (uintptr_t)node;
    place->prev = (place->prev & GM_GC_FLAGS) | (uintptr_t)node;
}

/* Takes a node out of its ring; it is then untracked. */
static inline void
gm_unlink(gm_gc_head *node)
{
    gm_gc_head *before = gm_prev(node), *after = gm_next(node);
    before->next = (uintptr_t)after;
    after->prev = (after->prev & GM_GC_FLAGS) | (uintptr_t)before;
    node->next = 0;
    node->prev &= GM_GC_FLAGS;
}

static inline void
gm_ring_init(gm_gc_head *ring)
{
    ring->next = ring->prev = (uintptr_t)ring;
}

/* Moves all of one ring to the front of another. */
static inline void
gm_ring_move(gm_gc_head *from, gm_gc_head *to)
{
    if (gm_next(from) == from) {
        return;
    }
    gm_gc_head *first = gm_next(from), *last = gm_prev(from), *after = gm_next(to);
    to->next = (uintptr_t)first;
    first->prev = (first->prev & GM_GC_FLAGS) | (uintptr_t)to;
    last->next = (uintptr_t)after;
    after->prev = (after->prev & GM_GC_FLAGS) | (uintptr_t)last;
    gm_ring_init(from);
}

/* Moves what follows a node of a ring to the end of another. */
static inline void
gm_ring_move_rest(gm_gc_head *node, gm_gc_head *ring, gm_gc_head *to)
{
    gm_gc_head *first = gm_next(node), *last = gm_prev(ring), *before = gm_prev(to);
    if (first == ring) {
        return;
    }
    node->next = (uintptr_t)ring;
    ring->prev = (ring->prev & GM_GC_FLAGS) | (uintptr_t)node;
    before->next = (uintptr_t)first;
    first->prev = (first->prev & GM_GC_FLAGS) | (uintptr_t)before;
    last->next = (uintptr_t)to;
    to->prev = (to->prev & GM_GC_FLAGS) | (uintptr_t)last;
}

/* True for an object whose count of references says nothing (3.12 and later). */
static inline bool
gm_is_immortal(PyObject *object)
{
#ifdef _Py_IMMORTAL_REFCNT
    return _Py_IsImmortal(object);
#else
    (void)object;
    return false;
#endif
}

/* NULL, or one sentence that says why the collector cannot run in this interpreter. */
const char *gm_gc_unsupported(void);

gm_gc_head *gm_gc_generation(int number); /* 0, 1 or 2 */
gm_gc_head *gm_gc_permanent(void);        /* what gc.freeze() has put away */

int gm_gc_count(int generation);
void gm_gc_set_count(int generation, int count);
int gm_gc_threshold(int generation);
bool gm_gc_is_enabled(void); /* gc.isenabled() */
int gm_gc_debug(void);       /* gc.get_debug() */

/* True while a collection runs, in which the lists must not be touched. */
bool gm_gc_is_collecting(void);
void gm_gc_set_collecting(bool collecting);

/* Objects that have come into the oldest generation since the last full collection, dead ones included. */
Py_ssize_t gm_gc_promoted(void);
void gm_gc_set_promoted(Py_ssize_t count);

/* Objects that survived the last full collection. CPython starts another when a quarter as many have come in: a huge
 * value here keeps it from doing so, and shows nowhere in Python. */
Py_ssize_t gm_gc_survivors(void);
void gm_gc_set_survivors(Py_ssize_t count);

/* True when no thread holds the main interpreter's GIL: whoever asks may be wrong a moment later. */
bool gm_gil_is_free_no_python(void);

/* Has the main thread look for pending calls soon. Before 3.13 one that another thread adds is seen when the main thread
 * next takes the GIL, which may be minutes later: so all threads are told to look whether something is to be done. */
void gm_wake_main_no_python(void);

/* True when there is another interpreter in this process. */
bool gm_has_other_interpreters(void);

#endif
