/* GATHER to LINK: what is white still, counted again until nothing changes, adopted, and made a graph. See finder.h. */
#include "passes.h"

#include "check.h"

#include <string.h>

#define ROUNDS_MAX 4 /* recounts of the candidates */
#define LEAVES_MAX 4 /* that one candidate takes along: they are freed in the same step */
#define TRIES_MAX 8  /* objects that are looked into for it */

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

void
gm_begin_pass(gm_phase phase)
{
    gm_find.phase = phase;
    gm_pass.at = gm_pass.kept = 0;
    gm_pass.large = NULL;
}

bool
gm_gather(gm_budget *budget)
{
    if (!gm_scan_shadow(gather_whites, budget)) {
        return true;
    }
    gm_candidates *found = &gm_find.candidates;
    found->count = found->at.used / sizeof(PyObject *);
    if (found->count > GM_CANDIDATES_MAX) {
        gm_find.failed = true;
    }
    gm_pass.round = 0;
    gm_pass.found = false;
    gm_begin_pass(GM_RECOUNT);
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
        __builtin_prefetch((char *)gm_candidate_array()[i] - sizeof(gm_gc_head));
        __builtin_prefetch(gm_candidate_array()[i]);
    }
}

bool
gm_recount(gm_budget *budget)
{
    if (!gm_finish_large(subtract_white, budget)) {
        return true;
    }
    bool spent = false;
    while (gm_pass.at < gm_find.candidates.count && !spent && gm_pass.large == NULL) {
        PyObject *object = gm_candidate_array()[gm_pass.at++];
        prefetch_candidate(gm_pass.at + 4);
        if (gm_state_of(object) == GM_WHITE) {
            *gm_shadow_of(object) += gm_count_of(object);
            if (gm_is_tracked(object)) {
                gm_visit_object(object, subtract_white);
            }
        }
        spent = gm_budget_spent(budget, 4);
    }
    if (gm_pass.at == gm_find.candidates.count && gm_pass.large == NULL) {
        gm_find.steps += gm_find.candidates.count;
        gm_begin_pass(GM_REMARK);
    }
    return spent;
}

static void
remark_done(void)
{
    gm_region_cut_no_python(&gm_find.candidates.at, gm_pass.kept * sizeof(PyObject *));
    gm_find.candidates.count = gm_pass.kept;
    if (gm_pass.rescan) { /* no memory: what is grey has not been looked into, and must not stay grey (dissolve.c) */
        gm_find.failed = true;
        return;
    }
    if (gm_pass.found && ++gm_pass.round < ROUNDS_MAX) {
        gm_pass.found = false;
        gm_begin_pass(GM_RECOUNT);
    } else if (gm_pass.kept == 0) {
        gm_shadow_disarm();
        gm_find.phase = GM_CLEAN;
    } else {
        gm_begin_pass(gm_pass.kept <= gm_find.batch / 2 ? GM_ADOPT : GM_TRIM);
    }
}

/* The first pass shades what a recount found alive, and all that is reachable from it, before the second drops what is
 * no longer white. gm_pass.kept counts the second; it begins when gm_pass.at has come to the end once. */
bool
gm_remark(gm_budget *budget)
{
    size_t count = gm_find.candidates.count;
    if (!gm_drain(budget)) {
        return true;
    }
    while (gm_pass.at < count) {
        PyObject *object = gm_candidate_array()[gm_pass.at++];
        uint8_t *byte = gm_shadow_of(object);
        if ((*byte & GM_STATE) == GM_WHITE && *byte != GM_WHITE) {
            gm_pass.found = true;
            gm_shade(byte, (uintptr_t)object);
        }
        if (!gm_drain(budget) || gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    while (gm_pass.at < 2 * count) {
        PyObject *object = gm_candidate_array()[gm_pass.at++ - count];
        if (gm_state_of(object) == GM_WHITE) {
            gm_candidate_array()[gm_pass.kept++] = object;
        }
        if (gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    remark_done();
    return gm_find.failed;
}

/* ---- TRIM ---- */

static struct {
    PyObject *from; /* borrowed: the candidate that is looked at */
    int leaves, tries;
    bool refers; /* whether one that it refers to refers to any of them */
} trim;

static int
note_white(PyObject *target, void *Py_UNUSED(arg))
{
    if (gm_state_of(target) == GM_WHITE) { /* a leaf, too: what is left out goes one step deep */
        trim.refers = true;
    }
    return 0;
}

static int
trim_target(PyObject *target, void *Py_UNUSED(arg))
{
    uint8_t *byte = gm_shadow_known(target);
    if (byte == NULL || *byte != GM_WHITE || target == trim.from || trim.leaves == LEAVES_MAX || trim.tries == TRIES_MAX ||
        Py_REFCNT(target) != 1 || !gm_is_tracked(target) || gm_is_large(target)) {
        return 0;
    }
    trim.tries++;
    trim.refers = false;
    gm_visit_all(target, note_white);
    if (!trim.refers) {
        *byte = GM_LEAF;
        trim.leaves++;
    }
    return 0;
}

/* Half of most garbage is lists, dicts and the like that belong to one object. They need no place in the tables: they go
 * when it goes. */
bool
gm_trim(gm_budget *budget)
{
    while (gm_pass.at < gm_find.candidates.count) {
        PyObject *object = gm_candidate_array()[gm_pass.at++];
        prefetch_candidate(gm_pass.at + 4);
        trim.from = object;
        trim.leaves = trim.tries = 0;
        if (*gm_shadow_of(object) == GM_WHITE && gm_is_tracked(object) && !gm_is_large(object)) {
            gm_visit_all(object, trim_target);
        }
        gm_find.leaves += (size_t)trim.leaves;
        if (gm_budget_spent(budget, 4 + 8 * trim.tries)) {
            return true;
        }
    }
    gm_begin_pass(GM_ADOPT);
    return false;
}

/* ---- ADOPT ---- */

/* A candidate with no references is being freed at this moment; one that is not tracked is in a free list. */
bool
gm_adopt(gm_budget *budget)
{
    gm_candidates *found = &gm_find.candidates;
    while (gm_pass.at < found->count) {
        PyObject *object = gm_candidate_array()[gm_pass.at++];
        prefetch_candidate(gm_pass.at + 4);
        if (*gm_shadow_of(object) == GM_WHITE) {
            if (gm_is_tracked(object) && Py_REFCNT(object) > 0) {
                Py_INCREF(object);
                gm_candidate_array()[gm_pass.kept++] = object;
            } else {
                *gm_shadow_of(object) = 0;
            }
        }
        if (gm_budget_spent(budget, 2)) {
            return true;
        }
    }
    gm_region_cut_no_python(&found->at, gm_pass.kept * sizeof(PyObject *));
    found->count = gm_pass.kept;
    gm_region_free_no_python(&gm_pass.stack);
    gm_shadow_disarm();
    gm_begin_pass(GM_LINK);
    return false;
}

/* ---- LINK: candidates by number ---- */

typedef uint8_t gm_block __attribute__((vector_size(16)));

/* A white object's number: that of its page's first, and the whites before it on the page. The states do not change
 * any more, and candidates are in order of address. */
static uint32_t
number_of(PyObject *object)
{
    static const gm_block places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint8_t *byte = gm_shadow_of(object), *at = byte - gm_leaf_entry((uintptr_t)object) % GM_RANKED;
    gm_block bytes, found = {0}; /* a page has 16 blocks: no sum overflows */
    for (; at + sizeof(gm_block) <= byte; at += sizeof(gm_block)) {
        memcpy(&bytes, at, sizeof(bytes));
        found -= (gm_block)(bytes == GM_WHITE);
    }
    memcpy(&bytes, at, sizeof(bytes));
    found -= (gm_block)(bytes == GM_WHITE) & (gm_block)(places < (uint8_t)(byte - at));
    uint64_t halves[2];
    memcpy(halves, &found, sizeof(halves));
    return *gm_rank_of(object) + (uint32_t)((halves[0] + halves[1]) * GM_EIGHT(1) >> 56);
}

/* Numbers the first candidate of each page, from gm_pass.kept on; true when the budget is spent. */
static bool
rank(gm_budget *budget)
{
    while (gm_pass.kept < gm_find.candidates.count) {
        uintptr_t address = (uintptr_t)gm_candidate_array()[gm_pass.kept];
        uintptr_t before = gm_pass.kept == 0 ? 0 : (uintptr_t)gm_candidate_array()[gm_pass.kept - 1];
        if (address >> GM_RANK_BITS != before >> GM_RANK_BITS) {
            *gm_rank_of((void *)address) = (uint32_t)gm_pass.kept;
        }
        gm_pass.kept++;
        if (gm_budget_spent(budget, 1)) {
            return true;
        }
    }
    return false;
}

static int
add_edge(PyObject *target, void *Py_UNUSED(arg))
{
    uint8_t *byte = gm_shadow_known(target);
    if (byte != NULL && *byte == GM_WHITE) {
        uint32_t number = number_of(target);
        GM_CHECK(gm_candidate_array()[number] == target);
        if (number != (uint32_t)gm_pass.at &&
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

/* The edges of a candidate are complete: the last is marked, or there are none. */
static void
end_edges(size_t candidate)
{
    gm_candidates *found = &gm_find.candidates;
    uint32_t *offset = (uint32_t *)found->offsets.base + candidate;
    size_t edges = found->edges.used / sizeof(uint32_t);
    if (*offset == edges) {
        *offset = GM_NO_EDGES;
    } else {
        ((uint32_t *)found->edges.base)[edges - 1] |= GM_LAST;
    }
}

static bool
link_one(gm_budget *budget)
{
    PyObject *object = gm_candidate_array()[gm_pass.at];
    prefetch_candidate(gm_pass.at + 4);
    if (gm_pass.large == NULL) {
        gm_find.failed = !put_offset();
        if (gm_find.failed) {
            return true;
        }
        gm_visit_object(object, add_edge);
    } else if (!gm_finish_large(add_edge, budget)) {
        return true;
    }
    if (gm_pass.large == NULL) {
        end_edges(gm_pass.at++);
    }
    return gm_budget_spent(budget, 6);
}

bool
gm_link(gm_budget *budget)
{
    gm_candidates *found = &gm_find.candidates;
    if (found->count == 0 || found->count + gm_find.leaves <= gm_find.batch / 2) { /* one batch, and no component (reclaim.c) */
        gm_find.phase = found->count == 0 ? GM_CLEAN : GM_FREE;
        return false;
    }
    if (rank(budget)) {
        return true;
    }
    while (gm_pass.at < found->count) {
        if (gm_find.failed || link_one(budget)) {
            return true;
        }
    }
    gm_find.steps += found->count;
    gm_find.phase = GM_ORDER;
    return false;
}
