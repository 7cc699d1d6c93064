/* GOMEM_GCTRACE=1: a line a cycle on stderr, in the layout of Go's gctrace. docs/gc.md says how to read it. */
#include "collector.h"

#include <stdio.h>
#include <unistd.h>

static const char *const reasons[] = {[GM_NOT_DUE] = "requested", [GM_DUE_GROWTH] = "growth", [GM_DUE_MEMORY] = "memory",
                                      [GM_DUE_LIMIT] = "limit"};

static double
ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static double
mb(int64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static void
put(const char *line, int length, size_t room)
{
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length < room ? (size_t)length : room - 1) < 0) {
        return; /* nobody reads it */
    }
}

void
gm_trace_cycle(const gm_cycle *c, const gm_collector *collector)
{
    char line[512];
    int64_t now = gm_wall_ns_no_python(), all = gm_sum_of_drivers(collector->cpu_ns);
    double share = now > collector->enabled_ns ? 100.0 * (double)all / (double)(now - collector->enabled_ns) : 0;
    int length = snprintf(
        line, sizeof(line),
        "gc %llu @%.3fs %.0f%%: %.1f+%.1f+%.1f ms clock, %.1f/%.1f/%.1f+%.1f ms cpu, %.0f->%.0f->%.0f MB, "
        "%lld->%lld->%lld objects, %lld goal, %lld freed, %llu pauses, %.2f ms max (%s)%s\n",
        (unsigned long long)c->number, (double)(c->begun_ns - collector->enabled_ns) / 1e9, share, ms(c->walk_ns),
        ms(c->mark_ns), ms(c->free_ns), ms(c->cpu_ns[GM_BY_CALLBACK]), ms(c->cpu_ns[GM_BY_WORKER]),
        ms(c->cpu_ns[GM_BY_REQUEST]), ms(c->cpu_ns[GM_BY_BATCH]), mb(c->rss[0]), mb(c->rss[1]), mb(c->rss[2]),
        (long long)c->objects[0], (long long)c->objects[1], (long long)c->objects[2], (long long)c->goal,
        (long long)c->freed, (unsigned long long)c->pauses, ms(c->pause_max_ns), reasons[c->reason],
        c->aborted ? " aborted" : "");
    put(line, length, sizeof(line));
}

void
gm_trace_stock(uint64_t count)
{
    char line[128];
    int length = snprintf(line, sizeof(line),
                          "gc: cycles fall behind: a stop-the-world collection of CPython's own (%llu so far)\n",
                          (unsigned long long)count);
    put(line, length, sizeof(line));
}
