/* See rounds.h. */
#include "rounds.h"

#include "collector.h"

#include <limits.h>
#include <math.h>

#define COUNT_MAX (1 << 20) /* rounds that CPython counts towards a full collection */
#define HURRY 700           /* objects between young collections when the program is behind, as 3.12 has by itself */
#define ROUND_MAX 10000     /* objects a round up to which the middle generation's stops are shortened */

/* How often CPython counts before it is more than a threshold. */
static int64_t
counts_to(int generation)
{
    int threshold = gm_gc_threshold(generation);
    return threshold < 0 ? 1 : (int64_t)threshold + 1;
}

int64_t
gm_rounds_to_full(void)
{
    return counts_to(1) * counts_to(2);
}

double
gm_rounds_objects_to_full(void) /* with a threshold of 0 it makes none by itself */
{
    return gm_gc_threshold(0) == 0 ? HUGE_VAL : (double)counts_to(0) * (double)gm_rounds_to_full();
}

/* ---- the middle generation ----
 *
 * CPython collects it every tenth time or so, and stops the program for as long as all survivors since the last time
 * take: 3.13 with its 2,000 objects a round took 15 to 50 ms on a cold cache. When that is longer than a slice of ours may
 * be, it is collected after fewer rounds: the same objects are looked at, at shorter stops. Not where a round is so large that
 * it stops the program for longer by itself: the program has chosen that (mypy: 200,000), and would pay twice. */

void
gm_rounds_middle_begins(void)
{
    gm_gc.middle_ns = gm_cpu_ns_no_python();
}

void
gm_rounds_middle_ends(void)
{
    int64_t took = gm_cpu_ns_no_python() - gm_gc.middle_ns, most = gm_pacer_longest_ns(&gm_gc.pacer);
    if (took > most) {
        gm_gc.rounds_max = (int)(gm_gc.rounds * most / took);
    } else if (took < most / 2) {
        gm_gc.rounds_max++;
    }
    gm_gc.rounds = 0;
    gm_gc.pacer.back = 0; /* CPython has made them old, and counted them */
}

void
gm_rounds_count(void)
{
    int threshold = gm_gc_threshold(1);
    gm_gc.rounds++;
    gm_gc.pacer.young += gm_gc.pacer.young < INT_MAX;
    if (gm_gc.rounds_max > threshold || gm_gc.rounds_max <= 0) {
        gm_gc.rounds_max = gm_gc.rounds_max <= 0 ? 1 : threshold;
    }
    if (gm_drive.by_itself && gm_gc.rounds >= gm_gc.rounds_max && gm_gc_count(1) <= threshold && gm_gc.rounds_max < threshold &&
        threshold < INT_MAX && gm_gc_threshold(0) <= ROUND_MAX) {
        gm_gc_set_count(1, threshold + 1);
    }
}

void
gm_rounds_cap(void)
{
    if (gm_gc_count(2) > COUNT_MAX) {
        gm_gc_set_count(2, COUNT_MAX);
    }
}

/* A program that is far behind pays at young collections, and 3.13 has one in 2,000 objects: it gets the next one after
 * as many as other versions. */
void
gm_rounds_hurry(void)
{
    int count = gm_gc_threshold(0) - HURRY;
    if (gm_drive.by_itself && gm_gc_threshold(0) < INT_MAX && gm_gc_count(0) < count && /* counts would overflow to below 0 */
        gm_find.phase >= GM_WALK && gm_find.phase <= GM_FREE &&
        (gm_find.phase == GM_FREE || gm_collector_owed_ns() > 2 * gm_gc.pacer.pause_ns)) {
        gm_gc_set_count(0, count);
    }
}
