/* Making the books small again. See gm_books_fold_locked in stacks.h.
 *
 * What may be folded is stacks that only add to the allocation totals. Of their sum, at most FOLD_SHARES stacks can hold
 * a share of 1 / FOLD_SHARES or more each: those stay whole. The same bound picks, among the rest, the leaves that keep
 * their name. So the books shrink to what is live plus a constant, without sorting anything. */
#include "stacks.h"

#define FOLD_SHARES 1024

struct fold {
    const gm_books *from;
    gm_books to;
    gm_region locations; /* uint32_t[]: id in `to` of each location of `from`, or GM_NONE while not copied */
    gm_region leaves;    /* double[]: bytes that foldable stacks allocated, by leaf location of `from` */
    gm_region stacks;    /* uint32_t[]: id in `to` of each stack of `from` */
    uint32_t marker;     /* the location "[folded]" in `to` */
    double foldable;     /* bytes, of all foldable stacks */
};

static const gm_stack *
stack_of(const struct fold *fold, uint32_t id)
{
    return (const gm_stack *)fold->from->stacks.base + id;
}

static uint32_t
leaf_of(const struct fold *fold, uint32_t id)
{
    return ((const uint32_t *)fold->from->frames.base)[stack_of(fold, id)->first];
}

/* Stack 0 is the books' own. */
static bool
is_foldable(const struct fold *fold, uint32_t id)
{
    const gm_stack *stack = stack_of(fold, id);
    return id != 0 && stack->live_samples == 0 && gm_stack_peak_locked(fold->from, stack).bytes <= 0;
}

static bool
prepare(struct fold *fold)
{
    size_t locations = fold->from->names.by_location.count, stacks = fold->from->by_stack.count;
    if (!gm_region_zeroed_no_python(&fold->locations, locations * sizeof(uint32_t)) ||
        !gm_region_zeroed_no_python(&fold->leaves, locations * sizeof(double)) ||
        !gm_region_zeroed_no_python(&fold->stacks, stacks * sizeof(uint32_t)) ||
        gm_string_id_locked(&fold->to.names, "", 0) != 0) {
        return false;
    }
    for (size_t i = 0; i < locations; i++) {
        ((uint32_t *)fold->locations.base)[i] = GM_NONE;
    }
    fold->marker = gm_named_location_locked(&fold->to.names, "[folded]");
    for (uint32_t id = 0; id < stacks; id++) {
        if (is_foldable(fold, id)) {
            double bytes = stack_of(fold, id)->alloc.bytes;
            fold->foldable += bytes;
            ((double *)fold->leaves.base)[leaf_of(fold, id)] += bytes;
        }
    }
    return fold->marker != GM_NONE;
}

static uint32_t
copied_location(struct fold *fold, uint32_t location)
{
    uint32_t *known = (uint32_t *)fold->locations.base + location;
    if (*known == GM_NONE) {
        *known = gm_copy_location_locked(&fold->from->names, location, &fold->to.names);
    }
    return *known;
}

static uint32_t
copy_whole(struct fold *fold, const gm_stack *stack)
{
    uint32_t locations[GM_DEPTH_MAX + 1];
    const uint32_t *frames = (const uint32_t *)fold->from->frames.base + stack->first;
    for (uint16_t i = 0; i < stack->depth; i++) {
        locations[i] = copied_location(fold, frames[i]);
        if (locations[i] == GM_NONE) {
            return GM_NONE;
        }
    }
    return gm_stack_id_locked(&fold->to, locations, stack->depth, stack->thread, stack->library);
}

static uint32_t
copy_folded(struct fold *fold, uint32_t id)
{
    uint32_t leaf = leaf_of(fold, id), locations[2];
    uint16_t depth = 0;
    if (((const double *)fold->leaves.base)[leaf] >= fold->foldable / FOLD_SHARES) {
        locations[depth] = copied_location(fold, leaf);
        if (locations[depth] == GM_NONE) {
            return GM_NONE;
        }
        depth += locations[depth] != fold->marker;
    }
    locations[depth++] = fold->marker;
    fold->to.folded++;
    return gm_stack_id_locked(&fold->to, locations, depth, 0, 0);
}

static bool
copy_stacks(struct fold *fold)
{
    for (uint32_t id = 0; id < fold->from->by_stack.count; id++) {
        const gm_stack *from = stack_of(fold, id);
        bool whole = !is_foldable(fold, id) || from->alloc.bytes >= fold->foldable / FOLD_SHARES;
        uint32_t copy = whole ? copy_whole(fold, from) : copy_folded(fold, id);
        if (copy == GM_NONE) {
            return false;
        }
        ((uint32_t *)fold->stacks.base)[id] = copy;
        gm_stack *to = (gm_stack *)fold->to.stacks.base + copy;
        to->alloc.objects += from->alloc.objects;
        to->alloc.bytes += from->alloc.bytes;
        if (whole) {
            to->live = from->live;
            to->peak = from->peak;
            to->live_samples = from->live_samples;
            to->changed = from->changed;
        }
    }
    return true;
}

/* The table keeps its place; its entries learn the new ids. */
static void
hand_over(struct fold *fold, gm_books *books)
{
    gm_live *slots = (gm_live *)books->table.slots.base;
    for (size_t i = 0; i < books->table.slots.used / sizeof(gm_live); i++) {
        if (slots[i].address != 0) {
            slots[i].stack = ((const uint32_t *)fold->stacks.base)[slots[i].stack];
            slots[i].era++;
        }
    }
    gm_books_free_tables_locked(books);
    books->names = fold->to.names;
    books->stacks = fold->to.stacks;
    books->frames = fold->to.frames;
    books->by_stack = fold->to.by_stack;
    books->folded += fold->to.folded;
}

bool
gm_books_fold_locked(gm_books *books)
{
    struct fold fold = {.from = books};
    bool done = prepare(&fold) && copy_stacks(&fold);
    if (done) {
        hand_over(&fold, books);
    } else {
        gm_books_free_tables_locked(&fold.to);
    }
    gm_region_free_no_python(&fold.locations);
    gm_region_free_no_python(&fold.leaves);
    gm_region_free_no_python(&fold.stacks);
    return done;
}
