/* Freeing one component that is too large for a batch: looked at in one go, cleared in slices.
 *
 * CPython finalises and clears what it has found unreachable in the same stop, and that is most of the time: some 0.7 us
 * an object, of which looking takes a tenth. Where there is nothing to finalise, the two can be taken apart: garbage
 * that nobody refers to stays garbage. docs/design/collector.md has the argument, and for which types it holds. */
#ifndef GOMEM_DISSOLVE_H
#define GOMEM_DISSOLVE_H

#include "finder.h"

/* Learns what classes of Python look like; -1 with an exception. */
int gm_dissolve_ready(void);

/* Whether a component is being cleared. */
bool gm_dissolve_is_open(void);

typedef enum {
    GM_NOT_OURS, /* something in it has a finaliser, or a weak reference, or is of an unknown type: CPython's to decide */
    GM_ALIVE,    /* something outside of it refers to it: to be given up */
    GM_GARBAGE,  /* to be cleared; in none of CPython's lists any more */
} gm_verdict;

/* Looks at a component, the candidates from..to of the order. Stops the program for some 50 ns an object; runs no Python
 * code. */
gm_verdict gm_dissolve_begin(size_t from, size_t to);

/* How many leaves the component has that was looked at last: they go with it. */
size_t gm_dissolve_leaves(void);

/* Clears the next `count` of them, on the terms of reclaim.c's batches: runs what their deallocation runs. When it was
 * the last, returns how many were freed, else 0. */
size_t gm_dissolve_some(size_t count);

#endif
