/* The books of the profile: one record for each distinct stack, with what was allocated there, what is live and what
 * was live at the peak. All functions want the profiler's lock.
 *
 * The peak costs O(1) an event. `event` numbers the changes; `peak_event` is the one after which the live total stood
 * highest. A record that is about to change and last changed at or before peak_event still holds its value at the
 * peak, so it copies live to peak first. Reading applies the same rule. docs/design/sampling.md has a worked example.
 */
#ifndef GOMEM_STACKS_H
#define GOMEM_STACKS_H

#include "names.h"
#include "table.h"

#define GM_DEPTH_MAX 128

/* Estimates, in objects and bytes. Doubles: exact while weights are 1 and sums stay below 2^53. */
typedef struct {
    double objects, bytes;
} gm_amount;

typedef struct {
    uint32_t first;        /* index of the leaf in gm_books.frames */
    uint16_t depth;        /* frames, >= 1 */
    uint16_t thread;       /* index into gm_books.threads; 0: unnamed */
    uint16_t library;      /* 0: Python's allocators; else the native library that called malloc, see native.h */
    uint16_t reserved;
    uint32_t live_samples; /* live is exactly 0 when this is 0 */
    uint64_t changed;      /* number of the event that changed `live` last */
    gm_amount alloc, live, peak;
} gm_stack;

typedef struct {
    gm_names names;
    gm_region stacks; /* gm_stack[] */
    gm_region frames; /* uint32_t[], location ids, leaf first, each stack's in a row */
    gm_index by_stack;
    gm_table table;
    uint64_t event, peak_event;
    gm_amount alloc, live, peak; /* totals */
    double window_peak;          /* highest live.bytes since gm_books_window_locked was called last */
    uint64_t samples, lost;      /* samples taken; lost for want of memory */
    uint64_t vanished;           /* blocks whose free was not seen: their address was handed out again */
    uint64_t folded;             /* stacks folded to their leaf to bound memory */
} gm_books;

/* Id of the stack made of these locations (leaf first); GM_NONE without memory. */
uint32_t gm_stack_id_locked(gm_books *books, const uint32_t *locations, uint16_t depth, uint16_t thread,
                            uint16_t library);

/* A sampled block came to life: counted under its stack and remembered by address. */
void gm_books_add_locked(gm_books *books, const gm_live *block);

/* A sampled block that was taken out of the table by a realloc that then failed: as if it had never gone. */
void gm_books_restore_locked(gm_books *books, const gm_live *block);

/* A sampled block at this address is about to be freed; false if there is none. */
bool gm_books_remove_locked(gm_books *books, const void *address, gm_live *out);

/* What was live under a stack when the total stood highest. */
gm_amount gm_stack_peak_locked(const gm_books *books, const gm_stack *stack);

/* Nothing is live any more as far as we know, or nothing that libraries asked malloc for: the frees were not seen.
 * Allocation totals and the peak stay. */
void gm_books_forget_live_locked(gm_books *books, bool only_native);

/* The most bytes that were live at once since the last call; begins anew at what is live now. */
double gm_books_window_locked(gm_books *books);

/* Memory of stacks and names, without and with the table of live blocks. */
size_t gm_books_tables_bytes_locked(const gm_books *books);
size_t gm_books_bytes_locked(const gm_books *books);

/* Makes the books small again, for programs that run for weeks and make code as they go. Stacks with something live, or
 * live at the peak, stay as they are, and so do those with a good share of all allocation; the rest keep their leaf,
 * or only their amount, in a frame named "[folded]". Totals stay exact. Ids of stacks and locations change. Returns
 * false, and changes nothing, without memory. See fold.c. */
bool gm_books_fold_locked(gm_books *books);

/* Gives back the memory of stacks and names, not of the table of live blocks. */
void gm_books_free_tables_locked(gm_books *books);

/* Forgets everything and gives the memory back. */
void gm_books_clear_locked(gm_books *books);

#endif
