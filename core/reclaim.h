/* Freeing candidates in batches. Each batch is handed to CPython as if it were the youngest generation, and its own
 * collection decides: what it finds unreachable it finalises and frees as ever, what is alive lives on. */
#ifndef GOMEM_RECLAIM_H
#define GOMEM_RECLAIM_H

#include "finder.h"

typedef struct {
    size_t next;      /* how far in the order */
    size_t freed;     /* unreachable objects that CPython found in this cycle's batches */
    size_t handed;    /* candidates in this cycle's batches, and the leaves that go with them */
    size_t leaves;    /* of these, leaves */
    size_t largest;   /* candidates of the largest batch: a component is looked at as one */
    size_t apart;     /* components that were taken apart */
    uint64_t cycle;   /* counts beginnings: a batch whose finalisers ended the cycle notices */
} gm_reclaim;

extern gm_reclaim gm_reclaimed; /* guarded by the GIL */

int gm_reclaim_ready(void);
void gm_reclaim_begin(void);

/* Frees the next components: a few hundred candidates, or a part of one component if it is larger and can be taken apart
 * (dissolve.h), or all of it. Runs finalisers and callbacks. The phase becomes CLEAN after the last. */
void gm_reclaim_batch(void);

/* The cycle is given up: what was taken apart is freed. Runs what its deallocation runs. */
void gm_reclaim_end(void);

/* Collects both young generations, and with them what came into the oldest one since the last cycle began, if that is not
 * too much: returns how many those were. Survivors are in the middle generation then, and grow no older by it: where young
 * garbage is large, that is called for more often than objects age. Runs finalisers and callbacks. */
Py_ssize_t gm_reclaim_young(void);

/* The middle generation, where they are, becomes old. */
void gm_reclaim_age(void);

/* The collector is disabled: nothing of ours stays in CPython's lists. */
void gm_reclaim_forget(void);

/* Whether a batch, or the collection of the young, is running on that thread. */
bool gm_reclaim_is_on(unsigned long thread);

/* In a forked child: a batch of another thread is given up. Whether one of this thread is running. */
bool gm_reclaim_begin_child(unsigned long thread);

/* Whether one is running: of this interpreter's collections that its callbacks hear of, those are ours. */
bool gm_reclaim_is_running(void);

/* A collection has ended while a batch was running. */
void gm_reclaim_heard(size_t collected);

#endif
