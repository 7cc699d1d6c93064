/* The books of the profile. See stacks.h. */
#include "stacks.h"

#include "check.h"

#include <string.h>

struct stack_key {
    const uint32_t *locations;
    uint16_t depth, thread, library;
};

static gm_stack *
stack_at(const gm_books *books, uint32_t id)
{
    return (gm_stack *)books->stacks.base + id;
}

static uint32_t
hash_key(const struct stack_key *key)
{
    uint32_t mix = ((uint32_t)key->thread << 16 | key->library) * 0x9e3779b1u;
    return gm_hash_bytes(key->locations, key->depth * sizeof(uint32_t)) ^ mix;
}

static struct stack_key
key_of(const gm_books *books, uint32_t id)
{
    const gm_stack *stack = stack_at(books, id);
    return (struct stack_key){(const uint32_t *)books->frames.base + stack->first, stack->depth, stack->thread,
                              stack->library};
}

static bool
same_stack(const void *owner, uint32_t id, const void *wanted)
{
    struct stack_key a = key_of(owner, id);
    const struct stack_key *b = wanted;
    return a.depth == b->depth && a.thread == b->thread && a.library == b->library &&
           memcmp(a.locations, b->locations, a.depth * sizeof(uint32_t)) == 0;
}

static uint32_t
hash_stack(const void *owner, uint32_t id)
{
    struct stack_key key = key_of(owner, id);
    return hash_key(&key);
}

uint32_t
gm_stack_id_locked(gm_books *books, const uint32_t *locations, uint16_t depth, uint16_t thread, uint16_t library)
{
    struct stack_key key = {locations, depth, thread, library};
    uint32_t hash = hash_key(&key);
    uint32_t id = gm_index_find(&books->by_stack, hash, same_stack, books, &key);
    if (id != GM_NONE) {
        return id;
    }
    id = books->by_stack.count;
    size_t first = books->frames.used / sizeof(uint32_t);
    if (first > UINT32_MAX - GM_DEPTH_MAX || !gm_region_reserve_no_python(&books->frames, depth * sizeof(uint32_t)) ||
        !gm_region_reserve_no_python(&books->stacks, sizeof(gm_stack))) {
        return GM_NONE;
    }
    gm_stack stack = {.first = (uint32_t)first, .depth = depth, .thread = thread, .library = library,
                      .changed = books->event};
    gm_region_append_no_python(&books->frames, locations, depth * sizeof(uint32_t));
    gm_region_append_no_python(&books->stacks, &stack, sizeof(stack));
    if (!gm_index_add_no_python(&books->by_stack, id, hash, hash_stack, books)) {
        books->stacks.used -= sizeof(stack);
        books->frames.used -= depth * sizeof(uint32_t);
        return GM_NONE;
    }
    return id;
}

static void
amount_add(gm_amount *amount, double objects, double bytes)
{
    amount->objects += objects;
    amount->bytes += bytes;
}

/* Every change of a stack's live amount goes through here. */
static void
change_live(gm_books *books, const gm_live *block, int sign)
{
    gm_stack *stack = stack_at(books, block->stack);
    if (stack->changed <= books->peak_event) {
        stack->peak = stack->live;
    }
    stack->changed = ++books->event;
    double objects = sign * block->weight, bytes = objects * (double)block->size;
    GM_CHECK(sign > 0 || stack->live_samples > 0);
    stack->live_samples += (uint32_t)sign;
    if (stack->live_samples == 0) {
        amount_add(&books->live, -stack->live.objects, -stack->live.bytes);
        stack->live = (gm_amount){0, 0};
    } else {
        amount_add(&stack->live, objects, bytes);
        amount_add(&books->live, objects, bytes);
    }
    if (books->live.bytes > books->peak.bytes) {
        books->peak = books->live;
        books->peak_event = books->event;
    }
    if (books->live.bytes > books->window_peak) {
        books->window_peak = books->live.bytes;
    }
}

static void
enter(gm_books *books, const gm_live *block)
{
    gm_live replaced;
    int how = gm_table_put_locked(&books->table, block, &replaced);
    if (how < 0) {
        books->lost++;
        return;
    }
    if (how == 1) {
        books->vanished++;
        change_live(books, &replaced, -1);
    }
    change_live(books, block, +1);
}

void
gm_books_add_locked(gm_books *books, const gm_live *block)
{
    double bytes = block->weight * (double)block->size;
    amount_add(&stack_at(books, block->stack)->alloc, block->weight, bytes);
    amount_add(&books->alloc, block->weight, bytes);
    books->samples++;
    enter(books, block);
}

void
gm_books_restore_locked(gm_books *books, const gm_live *block)
{
    enter(books, block);
}

bool
gm_books_remove_locked(gm_books *books, const void *address, gm_live *out)
{
    if (!gm_table_take_locked(&books->table, address, out)) {
        return false;
    }
    change_live(books, out, -1);
    return true;
}

gm_amount
gm_stack_peak_locked(const gm_books *books, const gm_stack *stack)
{
    return stack->changed <= books->peak_event ? stack->live : stack->peak;
}

/* Taking an entry out may move a later one into its slot, so that is looked at again. */
void
gm_books_forget_live_locked(gm_books *books, bool only_native)
{
    const gm_live *slots = (const gm_live *)books->table.slots.base;
    for (size_t i = 0; i < books->table.slots.used / sizeof(gm_live);) {
        gm_live gone;
        if (slots[i].address != 0 && (!only_native || stack_at(books, slots[i].stack)->library != 0)) {
            gm_books_remove_locked(books, (const void *)slots[i].address, &gone);
        } else {
            i++;
        }
    }
}

double
gm_books_window_locked(gm_books *books)
{
    double peak = books->window_peak;
    books->window_peak = books->live.bytes;
    return peak;
}

size_t
gm_books_tables_bytes_locked(const gm_books *books)
{
    return gm_names_bytes(&books->names) + books->stacks.used + books->frames.used + books->by_stack.slots.used;
}

size_t
gm_books_bytes_locked(const gm_books *books)
{
    return gm_books_tables_bytes_locked(books) + books->table.slots.used;
}

void
gm_books_free_tables_locked(gm_books *books)
{
    gm_names_free_no_python(&books->names);
    gm_region_free_no_python(&books->stacks);
    gm_region_free_no_python(&books->frames);
    gm_region_free_no_python(&books->by_stack.slots);
}

void
gm_books_clear_locked(gm_books *books)
{
    gm_books_free_tables_locked(books);
    gm_table_clear_locked(&books->table);
    *books = (gm_books){0};
}
