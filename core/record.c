/* The steps of a sample: whose turn it is, under which stack, into the books and out of them again. See hooks.h.
 *
 * Runs inside allocators, on any thread, with and without the GIL; the lock is held for a few hundred nanoseconds. */
#include "heap.h"

#include <string.h>

/* ---- thread names ---- */

uint16_t
gm_thread_entry_locked(const char *name, unsigned long ident)
{
    int i = 1;
    while (i < gm_the_heap->thread_count && strncmp(gm_the_heap->threads[i].name, name, GM_THREAD_NAME_BYTES - 1) != 0) {
        i++;
    }
    if (i == gm_the_heap->thread_count) {
        if (i == GM_THREAD_NAMES_MAX) {
            i = GM_THREAD_NAMES_MAX - 1;
            name = "[other threads]";
        } else {
            gm_the_heap->thread_count++;
        }
        strncpy(gm_the_heap->threads[i].name, name, GM_THREAD_NAME_BYTES - 1);
    }
    gm_the_heap->threads[i].ident = ident;
    return (uint16_t)i;
}

/* Threads that ran before the profile began are known by their ident; later ones named themselves. */
static uint16_t
this_thread_name_locked(void)
{
    gm_thread *thread = &gm_this_thread;
    if (thread->session != gm_the_heap->session) {
        thread->session = gm_the_heap->session;
        thread->name = 0;
        unsigned long ident = (unsigned long)pthread_self();
        for (int i = 1; i < gm_the_heap->thread_count; i++) {
            if (gm_the_heap->threads[i].ident == ident) {
                thread->name = (uint16_t)i;
            }
        }
    }
    return thread->name;
}

/* ---- the steps of a sample ---- */

static bool
name_markers_locked(void)
{
    gm_names *names = &gm_the_heap->books.names;
    gm_the_heap->cut = gm_named_location_locked(names, "[stack cut]");
    gm_the_heap->native_thread = gm_named_location_locked(names, "[native thread]");
    gm_the_heap->no_frame = gm_named_location_locked(names, "[interpreter]");
    return gm_the_heap->cut != GM_NONE && gm_the_heap->native_thread != GM_NONE && gm_the_heap->no_frame != GM_NONE;
}

bool
gm_fresh_books_locked(void)
{
    gm_books_clear_locked(&gm_the_heap->books);
    gm_names *names = &gm_the_heap->books.names;
    if (gm_string_id_locked(names, "", 0) != 0) {
        return false;
    }
    if (!name_markers_locked()) {
        return false;
    }
    return gm_stack_id_locked(&gm_the_heap->books, &gm_the_heap->no_frame, 1, 0, 0) == 0;
}

/* If most of what there is cannot be folded, wait until it has doubled. */
static void
fold_if_large_locked(void)
{
    if (gm_books_tables_bytes_locked(&gm_the_heap->books) <= gm_the_heap->fold_at) {
        return;
    }
    if (gm_books_fold_locked(&gm_the_heap->books)) {
        gm_the_heap->era++;
        name_markers_locked();
    }
    size_t twice = 2 * gm_books_tables_bytes_locked(&gm_the_heap->books);
    gm_the_heap->fold_at = twice > gm_the_heap->fold_at ? twice : gm_the_heap->fold_at;
}

static uint32_t
capture_locked(bool have_gil, uint16_t library)
{
    gm_frame frames[GM_DEPTH_MAX];
    uint32_t locations[GM_DEPTH_MAX + 1];
    bool cut;
    PyThreadState *ts = gm_thread_state_no_python(have_gil);
    int depth = gm_walk_no_python(ts, frames, gm_the_heap->depth, &cut);
    if (!gm_locations_locked(&gm_the_heap->books.names, frames, depth, have_gil, locations)) {
        return GM_NONE;
    }
    if (cut) {
        locations[depth++] = gm_the_heap->cut;
    } else if (depth == 0) {
        locations[depth++] = ts == NULL ? gm_the_heap->native_thread : gm_the_heap->no_frame;
    }
    return gm_stack_id_locked(&gm_the_heap->books, locations, (uint16_t)depth, this_thread_name_locked(), library);
}

bool
gm_sample_begin_no_python(gm_countdown *countdown, size_t n, bool have_gil, uint16_t library, gm_sample *sample)
{
    gm_thread *thread = &gm_this_thread;
    gm_heap_lock();
    bool due = false;
    if (!gm_the_heap->active) {
        *countdown = (gm_countdown){1 << 20, 0};
    } else if (thread->busy) {
        *countdown = (gm_countdown){0, 0}; /* whoever allocates next, perhaps another thread, draws */
    } else {
        gm_heap_state state = {gm_the_heap->books.live.bytes, gm_the_heap->books.peak.bytes};
        sample->weight = gm_fire_locked(&gm_the_heap->sampler, countdown, n, state);
        if (sample->weight > 0 && !thread->busy) { /* busy: the point is passed over, the next one drawn all the same */
            fold_if_large_locked();
            sample->stack = capture_locked(have_gil, library);
            sample->era = gm_the_heap->era;
            due = sample->stack != GM_NONE;
            gm_the_heap->books.lost += !due;
        }
    }
    gm_heap_unlock();
    return due;
}

void
gm_sample_end_no_python(const gm_sample *sample, void *block, size_t n)
{
    gm_live live = {(uintptr_t)block, n, sample->weight, sample->stack, sample->era};
    gm_heap_lock();
    if (gm_the_heap->active && live.era == gm_the_heap->era) {
        gm_books_add_locked(&gm_the_heap->books, &live);
    }
    gm_heap_unlock();
}

bool
gm_forget_no_python(const void *block, gm_live *old)
{
    gm_heap_lock();
    bool had = gm_the_heap->active && gm_books_remove_locked(&gm_the_heap->books, block, old);
    gm_heap_unlock();
    return had;
}

void
gm_remember_no_python(const gm_live *old)
{
    gm_heap_lock();
    if (gm_the_heap->active && old->era == gm_the_heap->era) {
        gm_books_restore_locked(&gm_the_heap->books, old);
    }
    gm_heap_unlock();
}

bool
gm_probe_free(const PyMemAllocatorEx *below, void *block)
{
    gm_live planted = {.address = (uintptr_t)block, .size = 1, .weight = 1, .era = gm_the_heap->era}, old;
    gm_heap_lock();
    gm_books_restore_locked(&gm_the_heap->books, &planted);
    gm_the_heap->active = true;
    gm_heap_unlock();
    below->free(below->ctx, block);
    gm_heap_lock();
    gm_the_heap->active = false;
    bool unseen = gm_books_remove_locked(&gm_the_heap->books, block, &old);
    gm_heap_unlock();
    return !unseen;
}
