/* The rules of pacer.h. The constants are chosen by `python -m bench.gc services`; docs/design/collector.md has the
 * figures. */
#include "pacer.h"

#define PERCENT 25.0        /* CPython's own rule is a quarter */
#define PAUSE_NS 1000000
#define TRIGGER 0.85        /* of the goal: a cycle starts there */
#define SPREAD 0.2          /* of the goal: the work of a cycle is spread over that */
#define STRETCH 2.5         /* pauses that the longest slice may take ... */
#define STRETCH_AT 4        /* ... when so many are owed */
#define LEAST 0.25          /* of a pause: a slice is not worth its cost for less ... */
#define GROWTH_MIN 10000    /* objects; below it a cycle costs more than it can free: some 5 ms for 1 MB */
#define QUIET 9             /* cycles' times between cycles: a tenth of the time, where CPython would not collect ... */
#define QUIET_GOALS 2.0     /* ... and it has not grown by that */
#define LOST 3              /* goals, and at least as much as lives: a program that grows fast makes no garbage by that */
#define LOST_MIN 500000     /* objects: some 50 MB; before that a program that starts up would be stopped again and again */
#define CYCLE_NS 120.0      /* a first guess, soon replaced by measurements */
#define LEARN 0.3           /* weight of the newest measurement */
#define MEMORY_MIN ((int64_t)64 << 20) /* growth of resident memory that may start a cycle on its own */
#define LIMIT_NEAR 0.98     /* of the limit: there a cycle should be over */
#define TABLES 0.08         /* of resident memory: what a cycle takes for itself, to be left free */
#define LIMIT_START 0.5     /* of what was left to there when the last cycle ended: the next one starts */
#define LIMIT_YOUNG 0.125   /* ... young garbage is looked for, again and again */
#define LIMIT_STEP 0.01     /* of the limit: steps are no smaller, for a heap that does not fit */
#define DEBT_NS ((int64_t)1000000000) /* by how much the limit's cycles may take longer than the program, in a row */
#define WAIT_NS ((int64_t)1000000000)
#define PRESSED 0.5         /* of what was left when a cycle began: from then on slices are as long as what is owed */

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

static int64_t
at_least(int64_t least, int64_t value)
{
    return value < least ? least : value;
}

int64_t
gm_pacer_taken_back(gm_pacer *pacer, int64_t promoted, int64_t count)
{
    pacer->back += count;
    pacer->promoted = at_least(pacer->base, promoted - count);
    return pacer->promoted;
}

int64_t
gm_pacer_given_back(gm_pacer *pacer, int64_t promoted)
{
    pacer->promoted = promoted + pacer->back;
    pacer->back = 0;
    return pacer->promoted;
}

int64_t
gm_pacer_goal(const gm_pacer *pacer)
{
    return at_least(GROWTH_MIN, (int64_t)((double)pacer->live * pacer->percent / 100));
}

/* ---- the limit ---- */

void
gm_pacer_memory(gm_pacer *pacer, int64_t rss_bytes)
{
    pacer->rss_bytes = rss_bytes;
    if (pacer->rss_base == 0 || rss_bytes < pacer->rss_base) {
        pacer->rss_base = rss_bytes;
    }
    if (pacer->rss_young == 0 || rss_bytes < pacer->rss_young) {
        pacer->rss_young = rss_bytes;
    }
}

int64_t
gm_pacer_tables_no_python(const gm_pacer *pacer)
{
    return (int64_t)(TABLES * (double)__atomic_load_n(&pacer->rss_base, __ATOMIC_RELAXED));
}

/* Where a cycle should be over. */
static double
near(const gm_pacer *pacer)
{
    return LIMIT_NEAR * (double)pacer->limit_bytes - (double)gm_pacer_tables_no_python(pacer);
}

/* A share of what was left to there when the last cycle ended. */
static int64_t
step_of(const gm_pacer *pacer, double share)
{
    return at_least((int64_t)(LIMIT_STEP * (double)pacer->limit_bytes), (int64_t)(share * (near(pacer) - (double)pacer->rss_base)));
}

bool
gm_pacer_young_due(const gm_pacer *pacer)
{
    return pacer->limit_bytes > 0 && pacer->rss_bytes - pacer->rss_young >= step_of(pacer, LIMIT_YOUNG);
}

int64_t
gm_pacer_alarm(const gm_pacer *pacer, bool idle)
{
    if (pacer->limit_bytes <= 0) {
        return 0;
    }
    return idle ? pacer->rss_young + step_of(pacer, LIMIT_YOUNG) : pacer->rss_bytes + step_of(pacer, 0);
}

double
gm_pacer_pressed(const gm_pacer *pacer)
{
    double used = (double)(pacer->rss_bytes - pacer->rss_begin);
    double left = near(pacer) - (double)pacer->rss_begin;
    if (pacer->limit_bytes <= 0 || used <= 0) {
        return 0;
    }
    return used < left ? used / left : 1;
}

bool
gm_pacer_limit_calls(const gm_pacer *pacer)
{
    return pacer->limit_bytes > 0 && pacer->rss_base > 0 &&
           pacer->rss_bytes - pacer->rss_base >= step_of(pacer, LIMIT_START);
}

static bool
memory_has_grown(const gm_pacer *pacer)
{
    int64_t growth = pacer->rss_bytes - pacer->rss_base;
    return pacer->rss_base > 0 && growth > MEMORY_MIN &&
           (double)growth > (double)pacer->rss_base * pacer->percent / 100;
}

gm_reason
gm_pacer_due(const gm_pacer *pacer, int64_t grown, int young, int64_t now_ns)
{
    if (pacer->always) {
        return GM_DUE_GROWTH;
    }
    double goals = (double)grown / (double)gm_pacer_goal(pacer);
    bool quiet = pacer->young < young && now_ns < pacer->quiet_ns;
    if (goals >= (quiet ? QUIET_GOALS : TRIGGER)) {
        return GM_DUE_GROWTH;
    }
    if (grown + pacer->back > 0 && now_ns >= pacer->rest_ns && gm_pacer_limit_calls(pacer)) {
        return GM_DUE_LIMIT;
    }
    if (grown < GROWTH_MIN / 10) {
        return GM_NOT_DUE; /* whatever memory does, it is not old objects */
    }
    return memory_has_grown(pacer) ? GM_DUE_MEMORY : GM_NOT_DUE;
}

int64_t
gm_pacer_owed_ns(const gm_pacer *pacer, int64_t grown, double done)
{
    double due = pacer->always ? 1 : (double)grown / (SPREAD * (double)gm_pacer_goal(pacer));
    double pressed = gm_pacer_pressed(pacer);
    due = due < pressed ? pressed : due;
    double behind = (due < 1 ? due : 1) - done;
    /* what it takes as a whole: as far as this cycle tells, else as the last ones did */
    double whole = done > 0.05 ? (double)pacer->done_ns / done : pacer->cycle_ns * (double)pacer->size;
    return behind <= 0 ? 0 : (int64_t)(behind * whole);
}

int64_t
gm_pacer_longest_ns(const gm_pacer *pacer)
{
    return (int64_t)(STRETCH * (double)pacer->pause_ns);
}

/* Whether the cycle has not come to the end of what its work is spread over. */
static bool
is_in_time(const gm_pacer *pacer, int64_t grown)
{
    return (double)grown < SPREAD * (double)gm_pacer_goal(pacer);
}

int64_t
gm_pacer_least_ns(const gm_pacer *pacer)
{
    return (int64_t)(LEAST * (double)pacer->pause_ns);
}

int64_t
gm_pacer_slice_ns(const gm_pacer *pacer, int64_t grown, int64_t owed_ns)
{
    int64_t least = gm_pacer_least_ns(pacer);
    if (owed_ns <= least) { /* ... but a cycle that costs little as a whole never owes more than that */
        return is_in_time(pacer, grown) ? 0 : least;
    }
    if (owed_ns <= pacer->pause_ns || gm_pacer_pressed(pacer) >= PRESSED) {
        return owed_ns;
    }
    return owed_ns > STRETCH_AT * pacer->pause_ns || !is_in_time(pacer, grown) ? gm_pacer_longest_ns(pacer) : pacer->pause_ns;
}

int64_t
gm_pacer_free_ns(const gm_pacer *pacer, int64_t grown)
{
    if (gm_pacer_pressed(pacer) >= PRESSED) {
        return INT64_MAX;
    }
    return is_in_time(pacer, grown) ? pacer->pause_ns : gm_pacer_longest_ns(pacer);
}

int64_t
gm_pacer_wait_ns(const gm_pacer *pacer, int64_t grown)
{
    if (gm_pacer_pressed(pacer) >= 1) {
        return WAIT_NS;
    }
    return is_in_time(pacer, grown) ? 0 : gm_pacer_longest_ns(pacer);
}

bool
gm_pacer_lost(const gm_pacer *pacer, int64_t grown, double own)
{
    return (double)grown > own && grown > at_least(LOST_MIN, at_least(LOST * gm_pacer_goal(pacer), pacer->live));
}

void
gm_pacer_begin(gm_pacer *pacer, int64_t promoted)
{
    pacer->size = pacer->live + promoted - pacer->base;
    pacer->base = pacer->promoted = promoted;
    pacer->rss_begin = pacer->rss_bytes;
    pacer->back = 0;
    pacer->young = 0;
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

void
gm_pacer_end(gm_pacer *pacer, int64_t live, int64_t rss_bytes, int64_t cycle_ns, int64_t now_ns)
{
    pacer->quiet_ns = now_ns + QUIET * cycle_ns;
    pacer->live = live < 0 ? 0 : live;
    pacer->rss_base = pacer->rss_young = pacer->rss_bytes = rss_bytes;
}

/* As Go's: a bucket that fills with the time of cycles that the limit began, and drains with the program's. */
void
gm_pacer_charge(gm_pacer *pacer, int64_t cycle_ns, int64_t now_ns)
{
    int64_t passed = pacer->charged_ns == 0 ? cycle_ns : now_ns - pacer->charged_ns;
    int64_t debt = at_least(0, pacer->debt_ns + 2 * cycle_ns - passed);
    pacer->charged_ns = now_ns;
    pacer->debt_ns = debt < DEBT_NS ? debt : DEBT_NS;
    pacer->rest_ns = debt < DEBT_NS ? 0 : now_ns + DEBT_NS / 2;
}
