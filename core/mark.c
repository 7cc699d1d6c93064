/* MARK: from what is referenced from outside to all that is reachable. See finder.h and passes.h. */
#include "passes.h"

#include <string.h>

void
gm_push(uintptr_t word)
{
    if (GM_UNLIKELY(gm_region_append_no_python(&gm_pass.stack, &word, sizeof(word)) == SIZE_MAX)) {
        gm_pass.rescan = true; /* it is grey: the scan of the shadow finds it */
    }
}

static inline uintptr_t
pop(void)
{
    gm_pass.stack.used -= sizeof(uintptr_t);
    return *(uintptr_t *)(gm_pass.stack.base + gm_pass.stack.used);
}

static inline void
shade_now(PyObject *target)
{
    uint8_t *byte = gm_shadow_of(target);
    if ((*byte & GM_STATE) == GM_WHITE) {
        gm_shade(byte, (uintptr_t)target);
    }
}

static int
shade(PyObject *target, void *Py_UNUSED(arg))
{
    if (gm_shadow_known(target) == NULL) { /* not of this cycle; and no leaf may come while the shadow is scanned */
        return 0;
    }
    target = gm_later(target);
    if (GM_LIKELY(target != NULL)) {
        shade_now(target);
    }
    return 0;
}

static void
shade_late(void)
{
    for (PyObject *target = gm_take_late(); target != NULL; target = gm_take_late()) {
        shade_now(target);
    }
}

static void
push_rest(PyObject *container, Py_ssize_t position)
{
    if (!gm_region_reserve_no_python(&gm_pass.stack, 2 * sizeof(uintptr_t))) {
        gm_find.failed = true;
        return;
    }
    gm_push((uintptr_t)position);
    gm_push((uintptr_t)container | 1);
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
    if (GM_UNLIKELY(gm_is_large(object))) {
        push_rest(object, 0); /* under its elements, so that the stack stays small */
    } else {
        gm_visit_all(object, shade);
    }
}

static void
shade_rest(PyObject *container, Py_ssize_t position)
{
    if (gm_state_of(container) != GM_BLACK || !gm_is_tracked(container) || !gm_is_large(container)) {
        if (gm_state_of(container) == GM_BLACK && gm_is_tracked(container)) {
            gm_visit_all(container, shade); /* it shrank */
        }
        return;
    }
    size_t mark = gm_pass.stack.used;
    push_rest(container, position);
    Py_ssize_t next = gm_visit_part(container, position, shade);
    if (gm_pass.stack.used < mark + 2 * sizeof(uintptr_t)) {
        return; /* no memory */
    }
    uintptr_t *rest = (uintptr_t *)(gm_pass.stack.base + mark);
    rest[0] = next < 0 ? 0 : (uintptr_t)next;
    rest[1] = next < 0 ? 1 : rest[1]; /* 1: nothing left */
}

/* Takes from the stack and puts into the ring what comes out of it later, so that memory has time to arrive. */
static bool
mark_one(void)
{
    PyObject *object = gm_pass.ring[gm_pass.ring_at % GM_RING];
    gm_pass.ring[gm_pass.ring_at % GM_RING] = NULL;
    if (gm_pass.stack.used > 0) {
        uintptr_t word = pop();
        if (GM_UNLIKELY(word & 1)) {
            Py_ssize_t position = (Py_ssize_t)pop();
            if (word != 1) {
                shade_rest((PyObject *)(word - 1), position);
            }
        } else {
            __builtin_prefetch((void *)(word - sizeof(gm_gc_head)));
            __builtin_prefetch((void *)word);
            gm_pass.ring[gm_pass.ring_at % GM_RING] = (PyObject *)word;
        }
    } else if (object == NULL) {
        for (unsigned i = 1; i <= GM_RING && object == NULL; i++) { /* a chain has one, and it is the newest */
            PyObject **slot = &gm_pass.ring[(gm_pass.ring_at - i) % GM_RING];
            object = *slot;
            *slot = NULL;
        }
        if (object == NULL) {
            return false;
        }
    }
    gm_pass.ring_at++;
    if (object != NULL) {
        blacken(object);
    }
    return true;
}

bool
gm_drain(gm_budget *budget)
{
    do {
        while (mark_one()) {
            if (gm_budget_spent(budget, 4)) {
                shade_late();
                return false;
            }
        }
        shade_late(); /* may push */
    } while (gm_pass.stack.used > 0);
    return true;
}

/* What among eight bytes of shadow is neither NONE nor BLACK: bit 0 of each. */
static inline uint64_t
roots_of(const uint8_t *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, 8);
    return (bytes ^ bytes >> 1) & GM_EIGHT(1); /* a white or a grey one */
}

#define LINE 64
#define PAGE ((size_t)1 << GM_PAGE_BITS)

static inline bool
line_has_roots(const uint8_t *at)
{
    uint64_t any = 0;
    for (int i = 0; i < LINE; i += 8) {
        any |= roots_of(at + i);
    }
    return any != 0;
}

/* How many entries from here on hold nothing of interest, as far as one look tells. */
static inline size_t
bare_at(uint8_t *leaf, size_t entry)
{
    if (entry % PAGE == 0 && gm_pages_of(leaf)[entry / PAGE] == 0) {
        return PAGE;
    }
    return entry % LINE == 0 && !line_has_roots(leaf + entry) ? LINE : 0;
}

static void
shade_roots(uint8_t *leaf, size_t entry, uintptr_t base)
{
    for (size_t i = entry; i < entry + 8; i++) {
        unsigned state = leaf[i] & GM_STATE;
        if (state == GM_GREY || (state == GM_WHITE && leaf[i] != GM_WHITE)) {
            gm_shade(&leaf[i], base + (i << GM_GRAIN_BITS));
        }
    }
}

bool
gm_scan_shadow(void (*visit)(uint8_t *leaf, size_t entry, uintptr_t base), gm_budget *budget)
{
    const uint32_t *numbers;
    size_t leaves = gm_shadow_leaves(&numbers);
    for (; gm_pass.leaf < leaves; gm_pass.leaf++, gm_pass.entry = 0) {
        uint8_t *leaf = gm_leaves[numbers[gm_pass.leaf]];
        uintptr_t base = (uintptr_t)numbers[gm_pass.leaf] << GM_LEAF_BITS;
        while (gm_pass.entry < GM_LEAF_ENTRIES) {
            size_t bare = bare_at(leaf, gm_pass.entry);
            gm_pass.entry += bare;
            if (bare == 0) {
                if (roots_of(leaf + gm_pass.entry) != 0) {
                    visit(leaf, gm_pass.entry, base);
                }
                gm_pass.entry += 8;
                if (gm_pass.stack.used > 0 && !gm_drain(budget)) {
                    return false;
                }
            }
            if (gm_pass.entry % 2048 == 0 && gm_budget_spent(budget, 128)) {
                return false;
            }
        }
    }
    return true;
}

bool
gm_mark(gm_budget *budget)
{
    if (!gm_drain(budget) || !gm_scan_shadow(shade_roots, budget)) {
        return true;
    }
    gm_pass.leaf = gm_pass.entry = 0;
    if (gm_pass.rescan) {
        gm_pass.rescan = false;
    } else {
        gm_find.phase = GM_GATHER;
    }
    return false;
}
