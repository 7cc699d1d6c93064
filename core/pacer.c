/* The rules of pacer.h. The constants are chosen by `python -m bench.gc services`; docs/design/collector.md has the
 * figures. */
#include "pacer.h"

#define PERCENT 25.0        /* CPython's own rule is a quarter */
#define PAUSE_NS 1000000
#define TRIGGER 0.75        /* of the goal: a cycle starts there */
#define SPREAD 0.25          /* of the goal: the work of a cycle is spread over that */
#define STRETCH 2.5         /* pauses that the longest slice may take ... */
#define STRETCH_AT 4        /* ... when so many are owed */
#define GROWTH_MIN 10000    /* objects; below it a cycle costs more than it can free: some 5 ms for 1 MB */
#define LOST 3              /* goals, and at least as much as lives: a program that grows fast makes no garbage by that */
#define LOST_MIN 500000     /* objects: some 50 MB; before that a program that starts up would be stopped again and again */
#define CYCLE_NS 120.0      /* a first guess, soon replaced by measurements */
#define LEARN 0.3           /* weight of the newest measurement */
#define MEMORY_MIN ((int64_t)64 << 20) /* growth of resident memory that may start a cycle on its own */
#define LIMIT_NEAR 0.95     /* of the limit */
#define TABLES 0.08         /* of resident memory: what a cycle takes for itself */
#define FREEING 0.15        /* of the goal: what comes in while garbage is freed */

void
gm_pacer_init(gm_pacer *pacer)
{
    *pacer = (gm_pacer){.percent = PERCENT, .pause_ns = PAUSE_NS, .cycle_ns = CYCLE_NS};
}

int64_t
gm_pacer_grown(gm_pacer *pacer, int64_t promoted, int young, int per_round)
{
    if (promoted < pacer->promoted) { /* a full collection has set it to 0 */
        pacer->promoted = pacer->base = 0;
    }
    if (promoted > pacer->promoted) {
        pacer->gained = promoted - pacer->promoted;
        pacer->promoted = promoted;
    }
    int64_t coming = per_round > 0 ? pacer->gained * (young < per_round ? young : per_round) / per_round : 0;
    return promoted - pacer->base + coming;
}

/* What is left to the limit, as growth in objects. A cycle's own tables take memory too, and it goes on growing until the
 * garbage is freed. */
static int64_t
limit_goal(const gm_pacer *pacer)
{
    double each = (double)pacer->rss_base / (double)(pacer->live + 1);
    if (pacer->bytes_each > each) {
        each = pacer->bytes_each;
    }
    double left = (double)pacer->limit_bytes - (1 + TABLES) * (double)pacer->rss_base;
    return left <= 0 ? 0 : (int64_t)(left / each / (TRIGGER + SPREAD + FREEING));
}

void
gm_pacer_memory(gm_pacer *pacer, int64_t rss_bytes, int64_t grown, bool idle)
{
    pacer->rss_bytes = rss_bytes;
    if (pacer->rss_base == 0) {
        pacer->rss_base = rss_bytes;
    }
    if (idle && grown > GROWTH_MIN / 10) {
        double each = (double)(rss_bytes - pacer->rss_base) / (double)grown;
        pacer->bytes_each = each > pacer->bytes_each ? each : pacer->bytes_each + LEARN / 10 * (each - pacer->bytes_each);
    }
}

static int64_t
at_least(int64_t least, int64_t value)
{
    return value < least ? least : value;
}

static int64_t
percent_goal(const gm_pacer *pacer)
{
    return at_least(GROWTH_MIN, (int64_t)((double)pacer->live * pacer->percent / 100));
}

/* Whether the limit, not the percentage, says when the next cycle is due. */
static bool
is_limited(const gm_pacer *pacer)
{
    return pacer->limit_bytes > 0 && pacer->rss_base > 0 && limit_goal(pacer) < percent_goal(pacer);
}

int64_t
gm_pacer_goal(const gm_pacer *pacer)
{
    return is_limited(pacer) ? at_least(GROWTH_MIN, limit_goal(pacer)) : percent_goal(pacer);
}

static bool
memory_has_grown(const gm_pacer *pacer)
{
    int64_t growth = pacer->rss_bytes - pacer->rss_base;
    return pacer->rss_base > 0 && growth > MEMORY_MIN &&
           (double)growth > (double)pacer->rss_base * pacer->percent / 100;
}

gm_reason
gm_pacer_due(const gm_pacer *pacer, int64_t grown, int64_t now_ns)
{
    if (now_ns < pacer->rest_ns && grown < percent_goal(pacer)) {
        return GM_NOT_DUE;
    }
    if ((double)grown >= TRIGGER * (double)gm_pacer_goal(pacer)) {
        return GM_DUE_GROWTH;
    }
    if (grown < GROWTH_MIN / 10) {
        return GM_NOT_DUE; /* whatever memory does, it is not old objects */
    }
    if (pacer->limit_bytes > 0 && (double)pacer->rss_bytes > LIMIT_NEAR * (double)pacer->limit_bytes) {
        return GM_DUE_LIMIT;
    }
    return memory_has_grown(pacer) ? GM_DUE_MEMORY : GM_NOT_DUE;
}

int64_t
gm_pacer_owed_ns(const gm_pacer *pacer, int64_t grown, double done)
{
    double due = (double)grown / (SPREAD * (double)gm_pacer_goal(pacer));
    double behind = (due < 1 ? due : 1) - done;
    /* what it takes as a whole: as far as this cycle tells, else as the last ones did */
    double whole = done > 0.05 ? (double)pacer->done_ns / done : pacer->cycle_ns * (double)pacer->size;
    return behind <= 0 ? 0 : (int64_t)(behind * whole);
}

int64_t
gm_pacer_slice_ns(const gm_pacer *pacer, int64_t owed_ns)
{
    if (owed_ns > STRETCH_AT * pacer->pause_ns) {
        return (int64_t)(STRETCH * (double)pacer->pause_ns);
    }
    return owed_ns < pacer->pause_ns ? owed_ns : pacer->pause_ns;
}

int64_t
gm_pacer_free_ns(const gm_pacer *pacer, int64_t grown)
{
    bool in_time = (double)grown < SPREAD * (double)gm_pacer_goal(pacer);
    return in_time ? pacer->pause_ns : (int64_t)(STRETCH * (double)pacer->pause_ns);
}

bool
gm_pacer_lost(const gm_pacer *pacer, int64_t grown)
{
    return grown > at_least(LOST_MIN, at_least(LOST * percent_goal(pacer), pacer->live));
}

void
gm_pacer_begin(gm_pacer *pacer, int64_t promoted)
{
    pacer->size = pacer->live + promoted - pacer->base;
    pacer->base = pacer->promoted = promoted;
    pacer->done_ns = 0;
}

static void
learn(double *known, double measured)
{
    *known += LEARN * (measured - *known);
}

void
gm_pacer_found(gm_pacer *pacer, int64_t walked)
{
    if (walked > GROWTH_MIN) {
        learn(&pacer->cycle_ns, (double)pacer->done_ns / (double)walked);
    }
}

/* What the limit alone would start again at once rests for as long as the cycle took: half of the time at most is spent
 * on a limit that cannot be kept, as in Go. */
void
gm_pacer_end(gm_pacer *pacer, int64_t live, int64_t rss_bytes, int64_t cycle_ns, int64_t now_ns)
{
    pacer->live = live < 0 ? 0 : live;
    pacer->rss_base = pacer->rss_bytes = rss_bytes;
    pacer->rest_ns = is_limited(pacer) ? now_ns + cycle_ns : 0;
}
