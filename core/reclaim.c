/* See reclaim.h.
 *
 *     1. the youngest generation's list is set aside, so that its objects do not age
 *     2. the batch takes its place, and gives up the references that the candidates were adopted with
 *     3. gc.collect(0): CPython looks for what only the batch itself refers to, calls weak reference callbacks and
 *        finalisers, looks again, and clears the rest
 *     4. the list and the counters come back
 *
 * It may stand in the middle of a collection, in a callback at its end: the flag that says so is lifted for 3. */
#include "reclaim.h"

#include "check.h"
#include "dissolve.h"
#include "passes.h"

#define RECENT_MAX 50000 /* objects that are made young again at most: some 5 ms */

gm_reclaim gm_reclaimed;

static PyObject *collect_function, *generations[2]; /* gc.collect as it was at import, owned; 0 and 1 */
static bool running;
static bool inside; /* CPython's own collection is under way */
static size_t heard; /* objects found by collections during a batch */
static unsigned long running_on; /* the thread */
static gm_gc_head aside;         /* the youngest generation's list meanwhile; not on a stack, which a forked child may reuse */
static PyObject *since; /* owned place marker in the oldest generation: what follows came in after a cycle began; or NULL */

int
gm_reclaim_ready(void)
{
    if (collect_function != NULL) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("gc");
    generations[0] = PyLong_FromLong(0);
    generations[1] = PyLong_FromLong(1);
    collect_function = module == NULL ? NULL : PyObject_GetAttrString(module, "collect");
    Py_XDECREF(module);
    return collect_function == NULL || generations[0] == NULL || generations[1] == NULL ? -1 : 0;
}

bool
gm_reclaim_is_running(void)
{
    return running;
}

bool
gm_reclaim_is_on(unsigned long thread)
{
    return running && running_on == thread;
}

bool
gm_reclaim_begin_child(unsigned long thread)
{
    if (running && running_on != thread) {
        gm_ring_move(&aside, gm_gc_generation(0));
        if (!inside) { /* else its objects are marked as being collected, and CPython must not meet them again: as ever after
                        * such a fork, the child makes no collections */
            gm_gc_set_collecting(false);
        }
        running = inside = false;
    }
    return running;
}

static void
mark_since(void)
{
    gm_drop_marker(&since);
    since = gm_new_marker(gm_gc_generation(2));
}

void
gm_reclaim_begin(void)
{
    if (since != NULL) {
        mark_since();
    }
    gm_reclaimed.next = gm_reclaimed.freed = gm_reclaimed.handed = gm_reclaimed.leaves = gm_reclaimed.largest = gm_reclaimed.apart = 0;
    gm_reclaimed.cycle++;
}

static bool
begins_component(size_t i)
{
    const uint32_t *order = (const uint32_t *)gm_find.candidates.order.base;
    return order != NULL && (order[i] & GM_FIRST) != 0;
}

/* How many candidates a batch may have: their leaves count, too, as many as they have on average. */
static size_t
batch_room(void)
{
    size_t count = gm_find.candidates.count, room = gm_find.batch * count / (count + gm_find.leaves);
    return room > 0 ? room : 1;
}

static size_t
component_end(size_t from)
{
    size_t end = from + 1;
    while (end < gm_find.candidates.count && !begins_component(end)) {
        end++;
    }
    return end;
}

/* The end of the batch that begins at from: one component that is larger than the room, or some that are not, no more than
 * gm_find.batch objects in all. hand_over() may end it sooner. */
static size_t
batch_end(size_t from)
{
    size_t room = batch_room(), end = component_end(from);
    if (end - from > room) {
        return end;
    }
    while (end < gm_find.candidates.count) {
        size_t next = component_end(end);
        if (next - end > room || next - from > gm_find.batch) {
            break;
        }
        end = next;
    }
    return end;
}

/* ---- leaves: what TRIM has left out ---- */

static size_t leaves; /* met by the visit */

static int
count_leaf(PyObject *target, void *Py_UNUSED(arg))
{
    leaves += gm_is_leaf(target);
    return 0;
}

static int
move_leaf(PyObject *target, void *Py_UNUSED(arg))
{
    if (gm_is_leaf(target)) {
        leaves++;
        gm_unlink(gm_head_of(target));
        gm_link_before(gm_head_of(target), gm_gc_generation(0));
    }
    return 0;
}

/* Visits what goes with a candidate; returns how many. */
static size_t
with_leaves(PyObject *object, visitproc visit)
{
    leaves = 0;
    if (gm_find.leaves > 0 && !gm_is_large(object)) {
        gm_visit_all(object, visit);
    }
    return leaves;
}

/* Gives the references up that the candidates were adopted with. That may free objects, and run anything: also what ends
 * the cycle. Returns how many it freed. */
static size_t
drop(size_t from, size_t to)
{
    uint64_t cycle = gm_reclaimed.cycle;
    size_t freed = 0;
    for (size_t i = from; i < to && cycle == gm_reclaimed.cycle; i++) {
        PyObject **slot = gm_candidate_slot(i);
        if (Py_REFCNT(*slot) == 1) { /* what referred to it went with an earlier batch, or the program let go of it */
            freed += 1 + (gm_is_tracked(*slot) ? with_leaves(*slot, count_leaf) : 0);
        }
        Py_CLEAR(*slot);
    }
    return freed;
}

/* The references are dropped only when all are in their place. Ends before a component when there are enough with their leaves. */
static size_t
hand_over(size_t from, size_t to)
{
    gm_gc_head *young = gm_gc_generation(0);
    size_t before = gm_reclaimed.leaves;
    for (size_t i = from; i < to; i++) {
        if (begins_component(i) && i - from + gm_reclaimed.leaves - before >= gm_find.batch) {
            gm_reclaimed.next = to = i;
            break;
        }
        PyObject *object = *gm_candidate_slot(i);
        if (gm_is_tracked(object)) {
            gm_unlink(gm_head_of(object));
            gm_link_before(gm_head_of(object), young);
            gm_reclaimed.leaves += with_leaves(object, move_leaf);
        }
    }
    return drop(from, to);
}

void
gm_reclaim_heard(size_t collected)
{
    heard += collected;
}

/* Returns how many objects were freed, as far as CPython tells: 3.12 may run a collection that was due before this one,
 * when a callback of the program's runs at its beginning, and then that one has found them. */
static size_t
collect(int generation)
{
    heard = 0;
    bool collecting = gm_gc_is_collecting();
    gm_gc_set_collecting(false);
    inside = true;
    PyObject *result = PyObject_CallOneArg(collect_function, generations[generation]);
    inside = false;
    gm_gc_set_collecting(collecting);
    if (result == NULL) {
        PyErr_WriteUnraisable(collect_function);
        return 0;
    }
    size_t found = PyLong_AsSize_t(result);
    Py_DECREF(result);
    return found > heard ? found : heard;
}

/* Tells whether CPython was collecting. */
static bool
start_running(void)
{
    bool collecting = gm_gc_is_collecting();
    gm_ring_init(&aside);
    running = true;
    running_on = PyThread_get_thread_ident();
    gm_gc_set_collecting(true); /* no other thread's allocation may start a collection now */
    return collecting;
}

static void
stop_running(bool collecting)
{
    gm_gc_set_collecting(collecting);
    running = false;
}

static size_t
free_range(size_t from, size_t to)
{
    int counts[] = {gm_gc_count(0), gm_gc_count(1)}; /* what is freed here would put the next young collection off */
    bool collecting = start_running();
    gm_ring_move(gm_gc_generation(0), &aside);
    size_t most = to - from, before = gm_reclaimed.leaves;
    size_t freed = hand_over(from, to);
    most += gm_reclaimed.leaves - before;
    freed += collect(0);
    gm_ring_move(&aside, gm_gc_generation(0));
    gm_gc_set_count(0, counts[0]);
    gm_gc_set_count(1, counts[1]);
    stop_running(collecting);
    return freed < most ? freed : most; /* a finaliser may have collected others */
}

/* How many objects follow the marker; -1 when there are more, or when it is elsewhere: gc.freeze() moves all lists. */
static Py_ssize_t
count_since(void)
{
    gm_gc_head *old = gm_gc_generation(2), *node = gm_prev(old);
    for (Py_ssize_t count = 0; since != NULL && count <= RECENT_MAX && node != old; count++, node = gm_prev(node)) {
        if (node == gm_head_of(since)) {
            return count;
        }
    }
    return -1;
}

/* CPython appends the survivors to the oldest generation, and counts them: what then stands behind the marker is taken
 * back, unless a finaliser has called gc.freeze(), or gomem.gc.disable(). */
Py_ssize_t
gm_reclaim_young(void)
{
    Py_ssize_t recent = count_since();
    if (recent < 0) {
        mark_since();
    }
    if (since == NULL) {
        return -1;
    }
    const gm_gc_head *frozen = gm_prev(gm_gc_permanent());
    int rounds[] = {gm_gc_count(1), gm_gc_count(2)};
    bool collecting = start_running();
    gm_ring_move_rest(gm_head_of(since), gm_gc_generation(2), gm_gc_generation(1));
    collect(1);
    bool stayed = since != NULL && gm_prev(gm_gc_permanent()) == frozen;
    if (stayed) {
        gm_ring_move_rest(gm_head_of(since), gm_gc_generation(2), gm_gc_generation(1));
        gm_gc_set_count(1, rounds[0]);
        gm_gc_set_count(2, rounds[1]);
    }
    stop_running(collecting);
    return !stayed ? -1 : recent > 0 ? recent : 0;
}

void
gm_reclaim_age(void)
{
    gm_ring_move_rest(gm_gc_generation(1), gm_gc_generation(1), gm_gc_generation(2));
}

void
gm_reclaim_forget(void)
{
    gm_drop_marker(&since);
}

/* A batch is over, of which so many were freed. */
static void
note_freed(size_t freed)
{
    gm_reclaimed.freed += freed;
    gm_reclaimed.handed = gm_reclaimed.next + gm_reclaimed.leaves;
}

/* Other collections would do no harm here; but a fork is to know of it, and disable(). */
static size_t
give_up(size_t from, size_t to)
{
    bool collecting = start_running();
    size_t freed = drop(from, to);
    stop_running(collecting);
    return freed;
}

/* Returns how many were freed. */
static size_t
begin_batch(void)
{
    size_t from = gm_reclaimed.next, to = batch_end(from), size = to - from;
    gm_reclaimed.next = to;
    gm_reclaimed.largest = size > gm_reclaimed.largest ? size : gm_reclaimed.largest;
    gm_verdict verdict = component_end(from) == to && size > batch_room() ? gm_dissolve_begin(from, to) : GM_NOT_OURS;
    gm_reclaimed.apart += verdict == GM_GARBAGE;
    gm_reclaimed.leaves += verdict == GM_NOT_OURS ? 0 : gm_dissolve_leaves();
    return verdict == GM_NOT_OURS ? free_range(from, to) : verdict == GM_ALIVE ? give_up(from, to) : 0;
}

/* As give_up() does. */
static size_t
go_on_with_batch(void)
{
    bool collecting = start_running();
    size_t freed = gm_dissolve_some(batch_room());
    stop_running(collecting);
    return freed;
}

void
gm_reclaim_batch(void)
{
    GM_CHECK(gm_find.phase == GM_FREE && !running);
    uint64_t cycle = gm_reclaimed.cycle;
    size_t freed = gm_dissolve_is_open() ? go_on_with_batch() : begin_batch();
    if (cycle != gm_reclaimed.cycle || gm_dissolve_is_open()) { /* a finaliser has ended the cycle, or this is a forked child */
        return;
    }
    note_freed(freed);
    if (gm_reclaimed.next == gm_find.candidates.count) {
        gm_find.candidates.count = 0; /* all given up */
        gm_finder_end();
    }
}

void
gm_reclaim_end(void)
{
    if (gm_dissolve_is_open()) {
        note_freed(gm_dissolve_some(SIZE_MAX));
    }
}
