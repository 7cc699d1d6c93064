/* What the allocator hooks share: the per-thread state, the switch, and the three steps of a sample.
 *
 * A sampled allocation goes: gm_sample_begin (is it due? capture the stack), the real allocation, gm_sample_end (enter
 * it into the books). A free of a block that may be sampled goes: gm_forget, then the real free: the entry must be
 * gone before another thread can be handed the same address. A realloc is a free and an allocation; if the real one
 * fails, gm_remember puts the old entry back. */
#ifndef GOMEM_HOOKS_H
#define GOMEM_HOOKS_H

#include "sampler.h"
#include "table.h"

/* One a thread. `busy`: inside a hook or an export; allocations made now are not sampled. */
typedef struct {
    gm_countdown countdown; /* for the raw domain and native allocations, which hold no GIL */
    uint16_t name;          /* index into the profile's thread names; see gm_name_thread */
    uint16_t session;       /* the start of the profile that `name` belongs to */
    uint16_t install;       /* of the hooks that the countdown was drawn under; looked at by the exact form */
    bool busy;
} gm_thread;

extern _Thread_local gm_thread gm_this_thread __attribute__((tls_model("initial-exec")));

typedef struct {
    double weight;
    uint32_t stack, era;
} gm_sample;

/* A countdown went below 0 by an allocation of n bytes. True if it is to be recorded; then *sample says under which
 * stack. library: 0, or the caller of a native allocation. Only resets the countdown while the profiler is off, only
 * draws the next one while the thread is busy: other threads count down the same one. */
bool gm_sample_begin_no_python(gm_countdown *countdown, size_t n, bool have_gil, uint16_t library, gm_sample *sample);
void gm_sample_end_no_python(const gm_sample *sample, void *block, size_t n);

bool gm_forget_no_python(const void *block, gm_live *old);
void gm_remember_no_python(const gm_live *old);

/* Frees block through an allocator; true if the free reached gm_forget. */
bool gm_probe_free(const PyMemAllocatorEx *below, void *block);

/* Puts the hooks on Python's three allocator domains, or keeps those that could not be removed. exact: every allocation is counted in the domain that was asked,
 * every free looked up, whatever the allocator below; otherwise the cheap form where the allocators allow it. */
void gm_hooks_install(bool exact);

/* Takes them off. False, and nothing changed, if another tool has wrapped them and still calls them. */
bool gm_hooks_remove(void);

/* Whether allocations still reach our hooks: some tools put back the allocators that they once found. */
bool gm_hooks_alive(void);

bool gm_hooks_installed(void);
bool gm_hooks_exact(void);

#endif
