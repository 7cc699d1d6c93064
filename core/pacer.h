/* When a cycle starts and how much of it is done at a time: numbers only, no Python. docs/design/collector.md draws it.
 *
 * Everything is measured in objects that came into the oldest generation ("grown"), for that is what the garbage there
 * is made of. The goal is growth by `percent`. A cycle starts when the generation has grown by TRIGGER of the goal since
 * the last one began, and its work is spread over the next SPREAD of it, in slices that are as long as the program is
 * behind. Together they are what may wait at most: the garbage made until the cycle began, and that made meanwhile. */
#ifndef GOMEM_PACER_H
#define GOMEM_PACER_H

#include "types.h"

typedef struct {
    /* settings */
    double percent;     /* growth that a cycle may take, of the objects that survived the last one; > 0 */
    int64_t pause_ns;   /* CPU time that one slice should take at most */
    bool always;        /* for tests: a cycle is due when the last is over, and all of its work at once */
    int64_t limit_bytes; /* resident memory not to exceed if it can be helped; 0: none */
    /* what was learnt */
    int64_t live;       /* old objects that survived the last cycle or full collection */
    int64_t base;       /* promoted objects when the last cycle began */
    int64_t promoted, gained; /* at the last young collection that promoted any; how many it did */
    double cycle_ns;    /* CPU time that finding takes an object of the oldest generation */
    int64_t rss_bytes;  /* resident memory when it was last read; 0 before */
    int64_t rss_base;   /* ... and when the last cycle ended, or less */
    int64_t rss_begin;  /* ... when this cycle began */
    int64_t rss_young;  /* ... when young garbage was last looked for because of it, or less */
    int64_t debt_ns, charged_ns; /* what the limit's cycles took beyond the program's own time; when that was counted */
    int64_t back;       /* promoted objects that were made young again since the last cycle began */
    int young;          /* young collections since the last cycle began */
    int64_t quiet_ns;   /* until then growth starts a cycle only where CPython would collect as well; monotonic */
    int64_t rest_ns;    /* until then the limit starts no cycle; monotonic */
    int64_t done_ns;    /* CPU time spent on finding in this cycle */
    int64_t size;       /* old objects when this cycle began, as far as known */
} gm_pacer;

void gm_pacer_init(gm_pacer *pacer);

/* Objects grown by since the last cycle began. `promoted` is what the interpreter counts, `young` how many young
 * collections there were since it last rose, of `per_round`. */
int64_t gm_pacer_grown(gm_pacer *pacer, int64_t promoted, int young, int per_round);

/* So many objects that came in since the last cycle began were made young again: returns what is left of `promoted`. */
int64_t gm_pacer_taken_back(gm_pacer *pacer, int64_t promoted, int64_t count);

/* ... and all of them are old again: what `promoted` is then. */
int64_t gm_pacer_given_back(gm_pacer *pacer, int64_t promoted);

/* Objects that may come in before a cycle should have found its garbage. */
int64_t gm_pacer_goal(const gm_pacer *pacer);

typedef enum { GM_NOT_DUE, GM_DUE_GROWTH, GM_DUE_MEMORY, GM_DUE_LIMIT } gm_reason;

/* `young`: how many young collections CPython makes before a full one, at most. */
gm_reason gm_pacer_due(const gm_pacer *pacer, int64_t grown, int young, int64_t now_ns);

/* CPU time that the program owes to a cycle of which the share `done` is done: 0 when it is ahead. */
int64_t gm_pacer_owed_ns(const gm_pacer *pacer, int64_t grown, double done);

/* How long a slice may be when the limit does not press. */
int64_t gm_pacer_longest_ns(const gm_pacer *pacer);

/* For less no slice is worth its cost; two are as far apart. */
int64_t gm_pacer_least_ns(const gm_pacer *pacer);

/* How long a slice may be that pays what is owed: a pause, or somewhat more when that would not keep up; 0: no slice yet. */
int64_t gm_pacer_slice_ns(const gm_pacer *pacer, int64_t grown, int64_t owed_ns);

/* ... and one that frees. */
int64_t gm_pacer_free_ns(const gm_pacer *pacer, int64_t grown);

/* How long the program waits for what is done beside it, in wall time. */
int64_t gm_pacer_wait_ns(const gm_pacer *pacer, int64_t grown);

/* Whether the program makes old objects so much faster than cycles end that only a stop-the-world collection helps.
 * CPython by itself makes one after `own` objects at the soonest. */
bool gm_pacer_lost(const gm_pacer *pacer, int64_t grown, double own);

void gm_pacer_begin(gm_pacer *pacer, int64_t promoted);
void gm_pacer_found(gm_pacer *pacer, int64_t walked); /* finding is over: learns what it cost */

/* The cycle, or a full collection, is over, and took so much CPU time. */
void gm_pacer_end(gm_pacer *pacer, int64_t live, int64_t rss_bytes, int64_t cycle_ns, int64_t now_ns);

/* A cycle that the limit began has ended, and took so much CPU time: in the long run half of the time is spent on a limit
 * that cannot be kept, and no more. */
void gm_pacer_charge(gm_pacer *pacer, int64_t cycle_ns, int64_t now_ns);

/* Resident memory as it is now. */
void gm_pacer_memory(gm_pacer *pacer, int64_t rss_bytes);

/* ---- the limit: all in bytes of resident memory ---- */

/* Whether memory has grown so much since young garbage was last looked for that the limit asks for it again. */
bool gm_pacer_young_due(const gm_pacer *pacer);

/* ... and for a cycle. */
bool gm_pacer_limit_calls(const gm_pacer *pacer);

/* What a cycle takes for itself, in bytes. */
int64_t gm_pacer_tables_no_python(const gm_pacer *pacer);

/* The size at which somebody should look again; 0: no limit. */
int64_t gm_pacer_alarm(const gm_pacer *pacer, bool idle);

/* How much of what was left below the limit when this cycle began is used up: 0 none or no limit, 1 all of it. */
double gm_pacer_pressed(const gm_pacer *pacer);

#endif
