/* In which order candidates can be freed.
 *
 * A batch of garbage is only seen to be garbage when nothing outside of it refers to it. So whoever refers to others
 * goes first, and those that refer to each other go together: the strongly connected components of the candidates'
 * graph, referrers first. Pearce's form of Tarjan's algorithm (An Improved Algorithm for Finding the Strongly Connected
 * Components of a Directed Graph, 2005), without recursion. It emits components referees first, so the order is filled
 * from its end. Runs without the GIL: it touches numbers only. */
#define _GNU_SOURCE
#include "finder.h"

#define NOT_ROOT 0x80000000u
#define LOOKS 4096 /* steps between looks at cancel */

/* The graph is used up on the way: offsets[v] is the next reference of v to follow while v is on the path, and links
 * those whose component is not known yet after. */
typedef struct {
    uint32_t *offsets;
    const uint32_t *edges;
    uint32_t *index; /* 0: not seen; else order of discovery, lowered to the least reachable; then a component's number */
    uint32_t *order; /* from the front: the path; from the back: what is sorted. Together never more than all. */
    uint32_t count, path, waiting, next_index, component, out;
} gm_sorter;

static void
enter(gm_sorter *s, uint32_t v)
{
    s->index[v] = s->next_index++;
    s->order[s->path++] = v;
}

static void
emit(gm_sorter *s, uint32_t v)
{
    s->index[v] = s->component;
    s->order[--s->out] = v;
    s->next_index--;
}

static void
leave(gm_sorter *s, uint32_t v, bool root)
{
    s->path--;
    if (!root) {
        s->offsets[v] = s->waiting;
        s->waiting = v;
        return;
    }
    uint32_t index = s->index[v];
    while (s->waiting != GM_NO_EDGES && index <= s->index[s->waiting]) {
        uint32_t w = s->waiting;
        s->waiting = s->offsets[w];
        emit(s, w);
    }
    emit(s, v);
    s->order[s->out] |= GM_FIRST;
    s->component--;
}

/* Follows the next reference of the path's last vertex. */
static void
step(gm_sorter *s)
{
    uint32_t *top = &s->order[s->path - 1], v = *top & ~NOT_ROOT;
    while (s->offsets[v] != GM_NO_EDGES) {
        uint32_t edge = s->edges[s->offsets[v]], w = edge & ~GM_LAST;
        if (s->index[w] == 0) {
            enter(s, w);
            return;
        }
        if (s->index[w] < s->index[v]) {
            s->index[v] = s->index[w];
            *top |= NOT_ROOT;
        }
        s->offsets[v] = edge & GM_LAST ? GM_NO_EDGES : s->offsets[v] + 1;
    }
    leave(s, v, (*top & NOT_ROOT) == 0);
}

static bool
sort_all(gm_sorter *s, const bool *cancel)
{
    uint32_t looks = 0;
    for (uint32_t v = 0; v < s->count; v++) {
        if (s->index[v] == 0) {
            enter(s, v);
        }
        while (s->path > 0) {
            step(s);
            if (GM_UNLIKELY(++looks % LOOKS == 0) && __atomic_load_n(cancel, __ATOMIC_RELAXED)) {
                return false;
            }
        }
    }
    return true;
}

int
gm_order_no_python(gm_candidates *found, const bool *cancel)
{
    size_t bytes = found->count * sizeof(uint32_t);
    gm_region index = {0};
    int done = -1;
    if (gm_region_zeroed_no_python(&index, bytes) && gm_region_zeroed_no_python(&found->order, bytes)) {
        gm_sorter sorter = {
            .offsets = (uint32_t *)found->offsets.base,
            .edges = (uint32_t *)found->edges.base,
            .index = (uint32_t *)index.base,
            .order = (uint32_t *)found->order.base,
            .count = (uint32_t)found->count,
            .out = (uint32_t)found->count,
            .waiting = GM_NO_EDGES,
            .next_index = 1,
            .component = UINT32_MAX,
        };
        done = sort_all(&sorter, cancel);
    }
    gm_region_free_no_python(&index);
    gm_region_free_no_python(&found->offsets);
    gm_region_free_no_python(&found->edges);
    return done;
}
