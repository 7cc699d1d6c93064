/* The phases of a cycle. See finder.h; docs/design/collector.md has the argument. */
#include "finder.h"

#include "check.h"
#include "shadow.h"

#include <string.h>
#include <time.h>

#define CHUNK 2048      /* elements of a large container between looks at the budget */
#define RING 16         /* objects fetched ahead of marking; see docs/design/collector.md */
#define LATE 32         /* bytes of shadow fetched ahead of use; a power of two */
#define ROUNDS_MAX 4    /* recounts of the candidates */

gm_finder gm_find;

/* What is only of interest here; guarded by the GIL. */
static struct {
    PyObject *cursor, *end;  /* owned place markers in the list of the oldest generation; NULL outside of WALK */
    PyObject *large;         /* borrowed: a container of which only a part was looked at; its state tells if it lives */
    Py_ssize_t large_at;
    gm_region stack;         /* uintptr_t[]: grey objects; an odd one is followed by a position in a large container */
    PyObject *ring[RING];    /* grey objects on their way from the stack */
    unsigned ring_at;
    PyObject *late[LATE];    /* targets whose byte is on its way; NULL: none */
    unsigned late_at;
    size_t leaf, entry;      /* how far a scan of the shadow is */
    bool rescan;             /* a grey object did not fit on the stack: scan again */
    size_t at, kept;         /* how far a pass over the candidates is */
    int round;
    bool found;              /* whether a recount found a candidate to be alive */
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
    return (gm_budget){ns == INT64_MAX ? INT64_MAX : gm_cpu_ns_no_python() + ns, GM_STEPS};
}

bool
gm_budget_spent(gm_budget *budget, int steps)
{
    budget->steps -= steps;
    if (GM_LIKELY(budget->steps > 0)) {
        return false;
    }
    budget->steps = GM_STEPS;
    return budget->end_ns != INT64_MAX && gm_cpu_ns_no_python() >= budget->end_ns;
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

static PyObject *
new_marker(gm_gc_head *before)
{
    PyObject *marker = PyObject_GC_New(PyObject, &marker_type);
    if (marker == NULL) {
        PyErr_Clear();
        return NULL;
    }
    gm_link_before(gm_head_of(marker), before);
    return marker;
}

static void
drop_marker(PyObject **marker)
{
    if (*marker != NULL) {
        if (gm_is_tracked(*marker)) {
            gm_unlink(gm_head_of(*marker));
        }
        Py_CLEAR(*marker);
    }
}

/* ---- looking into objects ---- */

static inline bool
is_large(PyObject *object)
{
    return (PyList_CheckExact(object) && PyList_GET_SIZE(object) > 2 * CHUNK) ||
           (PyTuple_CheckExact(object) && PyTuple_GET_SIZE(object) > 2 * CHUNK) ||
           (PyDict_CheckExact(object) && PyDict_GET_SIZE(object) > 2 * CHUNK) ||
           (PyAnySet_CheckExact(object) && PySet_GET_SIZE(object) > 2 * CHUNK);
}

static inline void
visit_items(PyObject **items, Py_ssize_t from, Py_ssize_t to, visitproc visit)
{
    for (Py_ssize_t i = from; i < to; i++) {
        if (items[i] != NULL) {
            visit(items[i], NULL);
        }
    }
}

static Py_ssize_t
visit_dict_part(PyObject *dict, Py_ssize_t from, visitproc visit)
{
    PyObject *key, *value;
    for (int i = 0; i < CHUNK; i++) {
        if (!PyDict_Next(dict, &from, &key, &value)) {
            return -1;
        }
        visit(key, NULL);
        visit(value, NULL);
    }
    return from;
}

static Py_ssize_t
visit_set_part(PyObject *object, Py_ssize_t from, visitproc visit)
{
    PySetObject *set = (PySetObject *)object;
    Py_ssize_t end = from + CHUNK < set->mask + 1 ? from + CHUNK : set->mask + 1;
    for (Py_ssize_t i = from; i < end; i++) {
        if (set->table[i].key != NULL) {
            visit(set->table[i].key, NULL);
        }
    }
    return end == set->mask + 1 || end <= from ? -1 : end;
}

/* Visits a part of a large container from a position on; returns the next position, -1 at its end. The container may
 * have changed since the last part, but then it is alive and so is what it refers to. */
static Py_ssize_t
visit_part(PyObject *object, Py_ssize_t from, visitproc visit)
{
    if (PyDict_CheckExact(object)) {
        return visit_dict_part(object, from, visit);
    }
    if (PyAnySet_CheckExact(object)) {
        return visit_set_part(object, from, visit);
    }
    Py_ssize_t size = PyList_CheckExact(object) ? PyList_GET_SIZE(object) : PyTuple_GET_SIZE(object);
    PyObject **items = PyList_CheckExact(object) ? ((PyListObject *)object)->ob_item : ((PyTupleObject *)object)->ob_item;
    Py_ssize_t end = from + CHUNK < size ? from + CHUNK : size;
    visit_items(items, from, end, visit);
    return end >= size ? -1 : end;
}

static inline void
visit_all(PyObject *object, visitproc visit)
{
    if (PyList_CheckExact(object)) {
        visit_items(((PyListObject *)object)->ob_item, 0, PyList_GET_SIZE(object), visit);
    } else if (PyTuple_CheckExact(object)) {
        visit_items(((PyTupleObject *)object)->ob_item, 0, PyTuple_GET_SIZE(object), visit);
    } else {
        traverseproc traverse = Py_TYPE(object)->tp_traverse;
        if (traverse != NULL) {
            traverse(object, visit, NULL);
        }
    }
}

/* Visits what an object refers to, or the first part of a large one, which is then in at.large. */
static inline void
visit_object(PyObject *object, visitproc visit)
{
    if (GM_UNLIKELY(is_large(object))) {
        at.large_at = visit_part(object, 0, visit);
        at.large = at.large_at < 0 ? NULL : object;
    } else {
        visit_all(object, visit);
    }
}

/* Goes on with a large container that a pass over a list stopped in; false when the budget is spent before its end. */
static bool
finish_large(visitproc visit, gm_budget *budget)
{
    while (at.large != NULL) {
        if (gm_state_of(at.large) == GM_NONE || !gm_is_tracked(at.large) || !is_large(at.large)) {
            at.large = NULL; /* it died or shrank: then it was alive, and counts under it do not matter */
            return true;
        }
        at.large_at = visit_part(at.large, at.large_at, visit);
        if (at.large_at < 0) {
            at.large = NULL;
        }
        if (gm_budget_spent(budget, CHUNK)) {
            return false;
        }
    }
    return true;
}

static inline uint8_t
count_of(PyObject *object)
{
    return (uint8_t)((unsigned)Py_REFCNT(object) << 2);
}

/* ---- WALK ---- */

/* Asks for a target's byte of shadow, and returns the target that was asked for LATE targets ago, whose byte will have
 * arrived; NULL at first. Half of the time of a cycle over a large heap went into waiting for those bytes. */
static inline PyObject *
later(PyObject *target)
{
    PyObject **slot = &at.late[at.late_at++ % LATE], *before = *slot;
    *slot = target;
    __builtin_prefetch(gm_shadow_of(target), 1);
    return before;
}

/* For every reference that a walked object holds. The target's memory is not touched, only its shadow. */
static int
subtract(PyObject *target, void *Py_UNUSED(arg))
{
    target = later(target);
    if (GM_LIKELY(target != NULL)) {
        *gm_shadow_of(target) -= GM_ONE;
    }
    return 0;
}

/* Before a slice ends: what is late could be freed before the next, and another object take its place. */
static void
subtract_late(void)
{
    for (int i = 0; i < LATE; i++) {
        if (at.late[i] != NULL) {
            *gm_shadow_of(at.late[i]) -= GM_ONE;
            at.late[i] = NULL;
        }
    }
}

static void
enter(PyObject *object)
{
    uint8_t *byte = gm_shadow_of(object);
    if (GM_UNLIKELY(gm_is_immortal(object))) {
        *byte = GM_GREY; /* its count says nothing: it lives */
    } else {
        *byte = (uint8_t)((*byte & ~GM_STATE) + count_of(object)) | GM_WHITE;
    }
    gm_find.walked++;
}

static void
walk_done(void)
{
    drop_marker(&at.cursor);
    drop_marker(&at.end);
    gm_find.steps += gm_find.walked;
    gm_find.phase = GM_MARK;
    at.leaf = at.entry = 0;
}

/* Each step of a phase tells whether the budget is spent. */
static bool
walk(gm_budget *budget)
{
    if (!finish_large(subtract, budget)) {
        subtract_late();
        return true;
    }
    bool spent = false;
    gm_gc_head *cursor = gm_head_of(at.cursor), *end = gm_head_of(at.end);
    gm_gc_head *here = gm_next(cursor);
    gm_unlink(cursor);
    while (here != end && !spent && at.large == NULL) {
        if (GM_UNLIKELY(here == gm_gc_generation(2))) { /* somebody has sorted the list anew */
            gm_find.failed = true;
            break;
        }
        gm_gc_head *next = gm_next(here);
        __builtin_prefetch(next);
        PyObject *object = gm_object_of(here);
        enter(object);
        visit_object(object, subtract);
        here = next;
        spent = gm_budget_spent(budget, 3);
    }
    gm_link_before(cursor, here);
    subtract_late();
    if (here == end && at.large == NULL) {
        walk_done();
    }
    return spent;
}

/* ---- MARK ---- */

static void
push(uintptr_t word)
{
    if (GM_UNLIKELY(gm_region_append_no_python(&at.stack, &word, sizeof(word)) == SIZE_MAX)) {
        at.rescan = true; /* it is grey: the scan of the shadow finds it */
    }
}

static inline uintptr_t
pop(void)
{
    at.stack.used -= sizeof(uintptr_t);
    return *(uintptr_t *)(at.stack.base + at.stack.used);
}

static inline void
shade_now(PyObject *target)
{
    uint8_t *byte = gm_shadow_of(target);
    if ((*byte & GM_STATE) == GM_WHITE) {
        *byte += GM_GREY - GM_WHITE;
        push((uintptr_t)target);
    }
}

static int
shade(PyObject *target, void *Py_UNUSED(arg))
{
    if (gm_shadow_known(target) == NULL) { /* not of this cycle; and no leaf may come while the shadow is scanned */
        return 0;
    }
    target = later(target);
    if (GM_LIKELY(target != NULL)) {
        shade_now(target);
    }
    return 0;
}

static void
shade_late(void)
{
    for (int i = 0; i < LATE; i++) {
        if (at.late[i] != NULL) {
            shade_now(at.late[i]);
            at.late[i] = NULL;
        }
    }
}

static void
push_rest(PyObject *container, Py_ssize_t position)
{
    if (!gm_region_reserve_no_python(&at.stack, 2 * sizeof(uintptr_t))) {
        gm_find.failed = true;
        return;
    }
    push((uintptr_t)position);
    push((uintptr_t)container | 1);
}

/* A grey object becomes black. What it held the state of may be gone: the hook has then taken the state away. */
static void
blacken(PyObject *object)
{
    uint8_t *byte = gm_shadow_of(object);
    if ((*byte & GM_STATE) != GM_GREY) {
        return;
    }
    *byte |= GM_BLACK;
    gm_find.steps++;
    if (!gm_is_tracked(object)) { /* in a free list, or an object that refers to nothing of interest */
        return;
    }
    if (GM_UNLIKELY(is_large(object))) {
        push_rest(object, 0); /* under its elements, so that the stack stays small */
    } else {
        visit_all(object, shade);
    }
}

static void
shade_rest(PyObject *container, Py_ssize_t position)
{
    if (gm_state_of(container) != GM_BLACK || !gm_is_tracked(container) || !is_large(container)) {
        if (gm_state_of(container) == GM_BLACK && gm_is_tracked(container)) {
            visit_all(container, shade); /* it shrank */
        }
        return;
    }
    size_t mark = at.stack.used;
    push_rest(container, position);
    Py_ssize_t next = visit_part(container, position, shade);
    if (at.stack.used < mark + 2 * sizeof(uintptr_t)) {
        return; /* no memory */
    }
    uintptr_t *rest = (uintptr_t *)(at.stack.base + mark);
    rest[0] = next < 0 ? 0 : (uintptr_t)next;
    rest[1] = next < 0 ? 1 : rest[1]; /* 1: nothing left */
}

/* Takes from the stack and puts into the ring what comes out of it later, so that memory has time to arrive. */
static bool
mark_one(void)
{
    PyObject *object = at.ring[at.ring_at % RING];
    at.ring[at.ring_at % RING] = NULL;
    if (at.stack.used > 0) {
        uintptr_t word = pop();
        if (GM_UNLIKELY(word & 1)) {
            Py_ssize_t position = (Py_ssize_t)pop();
            if (word != 1) {
                shade_rest((PyObject *)(word - 1), position);
            }
        } else {
            __builtin_prefetch((void *)(word - sizeof(gm_gc_head)));
            __builtin_prefetch((void *)word);
            at.ring[at.ring_at % RING] = (PyObject *)word;
        }
    } else if (object == NULL) {
        for (int i = 0; i < RING && object == NULL; i++) {
            object = at.ring[i];
            at.ring[i] = NULL;
        }
        if (object == NULL) {
            return false;
        }
    }
    at.ring_at++;
    if (object != NULL) {
        blacken(object);
    }
    return true;
}

/* Everything that is grey, and what is reachable from it; false when the budget is spent before. */
static bool
drain(gm_budget *budget)
{
    do {
        while (mark_one()) {
            if (gm_budget_spent(budget, 4)) {
                shade_late();
                return false;
            }
        }
        shade_late(); /* may push */
    } while (at.stack.used > 0);
    return true;
}

#define EIGHT(byte) ((uint64_t)(byte) * 0x0101010101010101u)

/* Whether eight bytes of shadow hold anything but NONE, BLACK and candidates (white, no count left). */
static inline bool
has_roots(uint64_t bytes)
{
    uint64_t low = bytes & EIGHT(1), high = (bytes >> 1) & EIGHT(1);
    return (low ^ high) != 0; /* a white or a grey one */
}

static void
shade_roots(uint8_t *leaf, size_t entry, uintptr_t base)
{
    for (size_t i = entry; i < entry + 8; i++) {
        unsigned state = leaf[i] & GM_STATE;
        if (state == GM_GREY || (state == GM_WHITE && leaf[i] != GM_WHITE)) {
            leaf[i] = (uint8_t)((leaf[i] & ~GM_STATE) | GM_GREY);
            push(base + (i << GM_GRAIN_BITS));
        }
    }
}

/* Calls visit for each eight bytes of the shadow that hold a white or grey object, from where the last call stopped;
 * true at the end. Between two such the budget is looked at, and the stack drained. */
static bool
scan_shadow(void (*visit)(uint8_t *leaf, size_t entry, uintptr_t base), gm_budget *budget)
{
    const uint32_t *numbers;
    size_t leaves = gm_shadow_leaves(&numbers);
    for (; at.leaf < leaves; at.leaf++, at.entry = 0) {
        uint8_t *leaf = gm_leaves[numbers[at.leaf]];
        uintptr_t base = (uintptr_t)numbers[at.leaf] << GM_LEAF_BITS;
        while (at.entry < GM_LEAF_ENTRIES) {
            uint64_t bytes;
            memcpy(&bytes, leaf + at.entry, 8);
            if (has_roots(bytes)) {
                visit(leaf, at.entry, base);
            }
            at.entry += 8;
            if (at.stack.used > 0 && !drain(budget)) {
                return false;
            }
            if ((at.entry & 2047) == 0 && gm_budget_spent(budget, 128)) { /* 256 words */
                return false;
            }
        }
    }
    return true;
}

static bool
mark(gm_budget *budget)
{
    if (!drain(budget) || !scan_shadow(shade_roots, budget)) {
        return true;
    }
    at.leaf = at.entry = 0;
    if (at.rescan) {
        at.rescan = false;
    } else {
        gm_find.phase = GM_GATHER;
    }
    return false;
}

/* ---- GATHER, RECOUNT, REMARK ---- */

static PyObject **
candidates(void)
{
    return (PyObject **)gm_find.candidates.at.base;
}

static void
gather_whites(uint8_t *leaf, size_t entry, uintptr_t base)
{
    for (size_t i = entry; i < entry + 8; i++) {
        if ((leaf[i] & GM_STATE) == GM_WHITE) {
            uintptr_t address = base + (i << GM_GRAIN_BITS);
            if (gm_region_append_no_python(&gm_find.candidates.at, &address, sizeof(address)) == SIZE_MAX) {
                gm_find.failed = true;
            }
        }
    }
}

static void
begin_pass(gm_phase phase)
{
    gm_find.phase = phase;
    at.at = at.kept = 0;
    at.large = NULL;
}

static bool
gather(gm_budget *budget)
{
    if (!scan_shadow(gather_whites, budget)) {
        return true;
    }
    gm_candidates *found = &gm_find.candidates;
    found->count = found->at.used / sizeof(PyObject *);
    if (found->count > GM_CANDIDATES_MAX) {
        gm_find.failed = true;
    }
    at.round = 0;
    at.found = false;
    begin_pass(GM_RECOUNT);
    return false;
}

static int
subtract_white(PyObject *target, void *Py_UNUSED(arg))
{
    uint8_t *byte = gm_shadow_known(target);
    if (byte != NULL && (*byte & GM_STATE) == GM_WHITE) {
        *byte -= GM_ONE;
    }
    return 0;
}

static void
prefetch_candidate(size_t i)
{
    if (i < gm_find.candidates.count) {
        __builtin_prefetch((char *)candidates()[i] - sizeof(gm_gc_head));
        __builtin_prefetch(candidates()[i]);
    }
}

static bool
recount(gm_budget *budget)
{
    if (!finish_large(subtract_white, budget)) {
        return true;
    }
    bool spent = false;
    while (at.at < gm_find.candidates.count && !spent && at.large == NULL) {
        PyObject *object = candidates()[at.at++];
        prefetch_candidate(at.at + 4);
        if (gm_state_of(object) == GM_WHITE) {
            *gm_shadow_of(object) += count_of(object);
            if (gm_is_tracked(object)) {
                visit_object(object, subtract_white);
            }
        }
        spent = gm_budget_spent(budget, 4);
    }
    if (at.at == gm_find.candidates.count && at.large == NULL) {
        gm_find.steps += gm_find.candidates.count;
        begin_pass(GM_REMARK);
    }
    return spent;
}

static void
remark_done(void)
{
    gm_find.candidates.at.used = at.kept * sizeof(PyObject *);
    gm_find.candidates.count = at.kept;
    if (at.found && ++at.round < ROUNDS_MAX) {
        at.found = false;
        begin_pass(GM_RECOUNT);
    } else if (at.kept == 0) {
        gm_find.phase = GM_CLEAN;
    } else {
        begin_pass(GM_ADOPT);
    }
}

/* The first pass shades what a recount found alive, and all that is reachable from it, before the second drops what is
 * no longer white. at.kept counts the second; it begins when at.at has come to the end once. */
static bool
remark(gm_budget *budget)
{
    size_t count = gm_find.candidates.count;
    if (!drain(budget)) {
        return true;
    }
    while (at.at < count) {
        PyObject *object = candidates()[at.at++];
        uint8_t *byte = gm_shadow_of(object);
        if ((*byte & GM_STATE) == GM_WHITE && *byte != GM_WHITE) {
            at.found = true;
            *byte = (uint8_t)((*byte & ~GM_STATE) | GM_GREY);
            push((uintptr_t)object);
        }
        if (!drain(budget) || gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    while (at.at < 2 * count) {
        PyObject *object = candidates()[at.at++ - count];
        if (gm_state_of(object) == GM_WHITE) {
            candidates()[at.kept++] = object;
        }
        if (gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    remark_done();
    return false;
}

/* ---- ADOPT ---- */

/* A candidate with no references is being freed at this moment; one that is not tracked is in a free list. */
static bool
adopt(gm_budget *budget)
{
    gm_candidates *found = &gm_find.candidates;
    while (at.at < found->count) {
        PyObject *object = candidates()[at.at++];
        prefetch_candidate(at.at + 4);
        if (gm_state_of(object) == GM_WHITE) {
            if (gm_is_tracked(object) && Py_REFCNT(object) > 0) {
                Py_INCREF(object);
                candidates()[at.kept++] = object;
            } else {
                *gm_shadow_of(object) = 0;
            }
        }
        if (gm_budget_spent(budget, 2)) {
            return true;
        }
    }
    found->at.used = at.kept * sizeof(PyObject *);
    found->count = at.kept;
    gm_shadow_disarm();
    begin_pass(GM_LINK);
    return false;
}

/* ---- LINK: candidates by number ---- */

static inline uint64_t
whites_of(uint64_t bytes)
{
    return bytes & ~(bytes >> 1) & EIGHT(1);
}

static inline unsigned
sum_of(uint64_t ones) /* of bytes that are 0 or 1, eight of them */
{
    return (unsigned)((ones * EIGHT(1)) >> 56);
}

/* A white object's number: that of its page's first, and the whites before it on the page. The states do not change
 * any more, and candidates are in order of address. */
static uint32_t
number_of(PyObject *object)
{
    const uintptr_t page = (uintptr_t)object & ~(((uintptr_t)1 << GM_RANK_BITS) - 1);
    const uint8_t *byte = gm_shadow_of((void *)page), *end = gm_shadow_of(object);
    uint32_t number = *gm_rank_of(object);
    uint64_t bytes;
    for (; byte + 8 <= end; byte += 8) {
        memcpy(&bytes, byte, 8);
        number += sum_of(whites_of(bytes));
    }
    for (; byte < end; byte++) {
        number += (*byte & GM_STATE) == GM_WHITE;
    }
    return number;
}

/* Numbers the first candidate of each page, from at.kept on; true when the budget is spent. */
static bool
rank(gm_budget *budget)
{
    while (at.kept < gm_find.candidates.count) {
        uintptr_t address = (uintptr_t)candidates()[at.kept];
        uintptr_t before = at.kept == 0 ? 0 : (uintptr_t)candidates()[at.kept - 1];
        if (address >> GM_RANK_BITS != before >> GM_RANK_BITS) {
            *gm_rank_of((void *)address) = (uint32_t)at.kept;
        }
        at.kept++;
        if (gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    return false;
}

static int
add_edge(PyObject *target, void *Py_UNUSED(arg))
{
    if (gm_state_of(target) == GM_WHITE) {
        uint32_t number = number_of(target);
        GM_CHECK(candidates()[number] == target);
        if (number != (uint32_t)at.at &&
            gm_region_append_no_python(&gm_find.candidates.edges, &number, sizeof(number)) == SIZE_MAX) {
            gm_find.failed = true;
        }
    }
    return 0;
}

static bool
put_offset(void)
{
    uint32_t offset = (uint32_t)(gm_find.candidates.edges.used / sizeof(uint32_t));
    return gm_find.candidates.edges.used < UINT32_MAX &&
           gm_region_append_no_python(&gm_find.candidates.offsets, &offset, sizeof(offset)) != SIZE_MAX;
}

#define ONE_BATCH 256 /* so few need no order: they go at once, in well under a millisecond */

static bool
link_one(gm_budget *budget)
{
    PyObject *object = candidates()[at.at];
    prefetch_candidate(at.at + 4);
    if (at.large == NULL) {
        gm_find.failed = !put_offset();
        visit_object(object, add_edge);
    } else if (!finish_large(add_edge, budget)) {
        return true;
    }
    if (at.large == NULL) {
        at.at++;
    }
    return gm_budget_spent(budget, 6);
}

static bool
link_candidates(gm_budget *budget)
{
    gm_candidates *found = &gm_find.candidates;
    if (found->count <= ONE_BATCH) {
        gm_find.phase = found->count == 0 ? GM_CLEAN : GM_FREE;
        return false;
    }
    if (rank(budget)) {
        return true;
    }
    while (at.at < found->count) {
        if (gm_find.failed || link_one(budget)) {
            return true;
        }
    }
    gm_find.failed = gm_find.failed || !put_offset();
    gm_find.steps += found->count;
    gm_find.phase = GM_ORDER;
    return false;
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
    at.end = new_marker(old);
    at.cursor = at.end == NULL ? NULL : new_marker(gm_next(old));
    if (at.cursor == NULL) {
        drop_marker(&at.end);
        gm_shadow_disarm();
        return false;
    }
    at.frozen = gm_prev(gm_gc_permanent());
    at.large = NULL;
    at.ring_at = 0;
    at.rescan = false;
    memset(at.ring, 0, sizeof(at.ring));
    memset(at.late, 0, sizeof(at.late));
    gm_find.walked = gm_find.steps = 0;
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
        [GM_WALK] = walk,       [GM_MARK] = mark,   [GM_GATHER] = gather,        [GM_RECOUNT] = recount,
        [GM_REMARK] = remark,   [GM_ADOPT] = adopt, [GM_LINK] = link_candidates,
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
    GM_CHECK(phase != GM_ORDER);
    drop_marker(&at.cursor);
    drop_marker(&at.end);
    gm_shadow_disarm();
    gm_candidates *found = &gm_find.candidates;
    size_t adopted = phase >= GM_LINK ? found->count : phase == GM_ADOPT ? at.kept : 0;
    for (size_t i = 0; i < adopted; i++) {
        Py_CLEAR(candidates()[i]); /* may run finalisers; the collector keeps them out of here */
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
    gm_region_free_no_python(&at.stack);
    found->count = 0;
    gm_shadow_clear_no_python();
    gm_find.phase = GM_IDLE;
}
