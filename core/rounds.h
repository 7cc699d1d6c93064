/* Rounds: CPython's young collections, what it counts towards the larger ones, and how its counters are set so that they come
 * when they should. Counters are set only after a collection that CPython began by itself: who asks for one finds them as
 * ever. */
#ifndef GOMEM_ROUNDS_H
#define GOMEM_ROUNDS_H

#include "types.h"

/* What CPython does before a full collection, at least, by the program's thresholds: young ones, and new objects. */
int64_t gm_rounds_to_full(void);
double gm_rounds_objects_to_full(void);

/* The middle generation is collected: how long that takes tells after how many rounds it should be. */
void gm_rounds_middle_begins(void);
void gm_rounds_middle_ends(void);

void gm_rounds_count(void); /* the youngest has been collected: makes CPython believe that the middle one is due, when it should be */
void gm_rounds_cap(void);   /* keeps CPython's count of rounds from overflowing: no full collection sets it to 0 */
void gm_rounds_hurry(void); /* the next comes sooner, if the program is far behind a cycle */

#endif
