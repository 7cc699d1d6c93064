/* The hooks on CPython's allocator domains (PyMem_SetAllocator).
 *
 * Two forms. The cheap one, for pymalloc: the object and mem hooks count allocations of up to 512 bytes, which pymalloc
 * serves itself; everything larger reaches the raw domain and is counted there, once. A small block that is sampled is
 * asked for with 513 bytes, so pymalloc takes it from the raw domain too; when it is freed pymalloc does not find it in
 * its arenas and passes it to PyMem_RawFree, where our hook sees it. So frees of small blocks cost nothing. A probe at
 * start checks that the allocator below really behaves like this.
 *
 * The exact one, for any allocator and for small rates: every domain counts what it is asked for, a flag keeps nested
 * calls from being counted again, and every free looks at the filter.
 *
 * The hooks keep the original allocator's ctx as theirs, so that a thread that reads the allocator struct while it is
 * being swapped calls a matching pair, whichever half is new. */
#include "hooks.h"

#include "compat.h"

#define SMALL_MAX 512 /* SMALL_REQUEST_THRESHOLD of Objects/obmalloc.c, 3.11 to 3.13 */

_Thread_local gm_thread gm_this_thread __attribute__((tls_model("initial-exec")));

/* Of the object and mem domains; guarded by the GIL. With several interpreters that have a GIL each, updates may be
 * lost: the sampling is then a little less regular and nothing worse. */
static gm_countdown python_countdown;

/* The allocators below ours; written with the GIL held, while ours are not installed. */
static PyMemAllocatorEx raw, mem, obj;

static enum { OFF, CHEAP, EXACT } form; /* guarded by the GIL */
static uint16_t installs;               /* counts gm_hooks_install; guarded by the GIL */

/* ---- the raw domain: no GIL, any thread ---- */

static void *
raw_sampled(void *ctx, size_t count, size_t n, bool zero)
{
    size_t bytes = zero ? count * n : n;
    gm_sample sample;
    bool due = gm_sample_begin_no_python(&gm_this_thread.countdown, bytes, gm_holds_gil_no_python(), 0, &sample);
    void *block = zero ? raw.calloc(ctx, count, n) : raw.malloc(ctx, n);
    if (due && block != NULL) {
        gm_sample_end_no_python(&sample, block, bytes);
    }
    return block;
}

static void *
raw_malloc(void *ctx, size_t n)
{
    if (GM_UNLIKELY((gm_this_thread.countdown.bytes -= (int64_t)n) < 0)) {
        return raw_sampled(ctx, 1, n, false);
    }
    return raw.malloc(ctx, n);
}

static void *
raw_calloc(void *ctx, size_t count, size_t n)
{
    if (GM_UNLIKELY((gm_this_thread.countdown.bytes -= (int64_t)(count * n)) < 0)) {
        return raw_sampled(ctx, count, n, true);
    }
    return raw.calloc(ctx, count, n);
}

/* Shared by all domains: block may be sampled, or the new size is due, or both. */
static void *
realloc_sampled(gm_countdown *countdown, const PyMemAllocatorEx *below, void *ctx, void *block, size_t n, size_t ask,
                bool have_gil)
{
    gm_live old;
    bool had = block != NULL && gm_maybe_sampled(block) && gm_forget_no_python(block, &old);
    gm_sample sample;
    bool due = countdown->bytes < 0 && gm_sample_begin_no_python(countdown, n, have_gil, 0, &sample);
    void *moved = below->realloc(ctx, block, due ? ask : n);
    if (moved == NULL && had) {
        gm_remember_no_python(&old);
    }
    if (moved != NULL && due) {
        gm_sample_end_no_python(&sample, moved, n);
    }
    return moved;
}

static void *
raw_realloc(void *ctx, void *block, size_t n)
{
    if (GM_UNLIKELY((gm_this_thread.countdown.bytes -= (int64_t)n) < 0 || gm_maybe_sampled(block))) {
        return realloc_sampled(&gm_this_thread.countdown, &raw, ctx, block, n, n, gm_holds_gil_no_python());
    }
    return raw.realloc(ctx, block, n);
}

/* Apart from the fast path, which so needs no stack frame. */
__attribute__((noinline)) static void
free_sampled(const PyMemAllocatorEx *below, void *ctx, void *block)
{
    gm_live old;
    gm_forget_no_python(block, &old);
    below->free(ctx, block);
}

static void
raw_free(void *ctx, void *block)
{
    if (gm_maybe_sampled(block)) {
        free_sampled(&raw, ctx, block);
        return;
    }
    raw.free(ctx, block);
}

/* ---- the cheap form of the object and mem domains: the GIL is held ---- */

/* The block comes from the raw domain: keep that hook from counting it again. */
static void *
small_sampled(const PyMemAllocatorEx *below, void *ctx, size_t n, bool zero)
{
    gm_sample sample;
    if (!gm_sample_begin_no_python(&python_countdown, n, true, 0, &sample)) {
        return zero ? below->calloc(ctx, 1, n) : below->malloc(ctx, n);
    }
    gm_countdown before = gm_this_thread.countdown;
    gm_this_thread.countdown.bytes += SMALL_MAX + 1;
    void *block = zero ? below->calloc(ctx, 1, SMALL_MAX + 1) : below->malloc(ctx, SMALL_MAX + 1);
    gm_this_thread.countdown = before;
    if (block != NULL) {
        gm_sample_end_no_python(&sample, block, n);
    }
    return block;
}

__attribute__((noinline)) static void *
small_realloc_sampled(const PyMemAllocatorEx *below, void *ctx, void *block, size_t n)
{
    gm_countdown before = gm_this_thread.countdown;
    gm_this_thread.countdown.bytes += SMALL_MAX + 1;
    void *moved = realloc_sampled(&python_countdown, below, ctx, block, n, SMALL_MAX + 1, true);
    gm_this_thread.countdown = before;
    return moved;
}

/* A block that is already raw passes the raw hook and one of pymalloc's does not: n is counted here in any case, so
 * the raw hook's count is put back as it was. */
static void *
small_realloc(const PyMemAllocatorEx *below, void *ctx, void *block, size_t n)
{
    if (GM_UNLIKELY((python_countdown.bytes -= (int64_t)n) < 0 || gm_maybe_sampled(block))) {
        return small_realloc_sampled(below, ctx, block, n);
    }
    int64_t before = gm_this_thread.countdown.bytes;
    gm_this_thread.countdown.bytes = before + SMALL_MAX + 1;
    void *moved = below->realloc(ctx, block, n);
    gm_this_thread.countdown.bytes = before;
    return moved;
}

/* n - 1 < 512 is 1 <= n <= 512: pymalloc passes 0 and the larger to the raw domain. */
#define CHEAP_HOOKS(domain)                                                                                            \
    static void *domain##_cheap_malloc(void *ctx, size_t n)                                                            \
    {                                                                                                                  \
        if (GM_LIKELY(n - 1 < SMALL_MAX) && GM_UNLIKELY((python_countdown.bytes -= (int64_t)n) < 0)) {                 \
            return small_sampled(&domain, ctx, n, false);                                                              \
        }                                                                                                              \
        return domain.malloc(ctx, n);                                                                                  \
    }                                                                                                                  \
    static void *domain##_cheap_calloc(void *ctx, size_t count, size_t n)                                              \
    {                                                                                                                  \
        if (count * n - 1 < SMALL_MAX && (python_countdown.bytes -= (int64_t)(count * n)) < 0) {                       \
            return small_sampled(&domain, ctx, count * n, true);                                                       \
        }                                                                                                              \
        return domain.calloc(ctx, count, n);                                                                           \
    }                                                                                                                  \
    static void *domain##_cheap_realloc(void *ctx, void *block, size_t n)                                              \
    {                                                                                                                  \
        if (n - 1 < SMALL_MAX) {                                                                                       \
            return small_realloc(&domain, ctx, block, n);                                                              \
        }                                                                                                              \
        return domain.realloc(ctx, block, n);                                                                          \
    }

CHEAP_HOOKS(mem)
CHEAP_HOOKS(obj)

/* ---- the exact form, all domains ---- */

/* A thread may have kept a count from an earlier profile with a larger rate, which would let allocations pass. */
static gm_countdown *
countdown_of(const PyMemAllocatorEx *below)
{
    if (below != &raw) {
        return &python_countdown;
    }
    if (GM_UNLIKELY(gm_this_thread.install != installs)) {
        gm_this_thread.install = installs;
        gm_this_thread.countdown = (gm_countdown){0, 0};
    }
    return &gm_this_thread.countdown;
}

static void *
exact_alloc(const PyMemAllocatorEx *below, void *ctx, size_t count, size_t n, bool zero)
{
    gm_countdown *countdown = countdown_of(below);
    size_t bytes = zero ? count * n : n;
    gm_sample sample;
    bool due = (countdown->bytes -= (int64_t)bytes) < 0 &&
               gm_sample_begin_no_python(countdown, bytes, below != &raw || gm_holds_gil_no_python(), 0, &sample);
    gm_this_thread.busy = true;
    void *block = zero ? below->calloc(ctx, count, n) : below->malloc(ctx, n);
    gm_this_thread.busy = false;
    if (due && block != NULL) {
        gm_sample_end_no_python(&sample, block, bytes);
    }
    return block;
}

static void *
exact_realloc(const PyMemAllocatorEx *below, void *ctx, void *block, size_t n)
{
    if (gm_this_thread.busy && !gm_maybe_sampled(block)) {
        return below->realloc(ctx, block, n);
    }
    bool nested = gm_this_thread.busy;
    gm_countdown *countdown = countdown_of(below);
    gm_live old;
    bool had = block != NULL && gm_maybe_sampled(block) && gm_forget_no_python(block, &old);
    gm_sample sample;
    bool due = !nested && (countdown->bytes -= (int64_t)n) < 0 &&
               gm_sample_begin_no_python(countdown, n, below != &raw || gm_holds_gil_no_python(), 0, &sample);
    gm_this_thread.busy = true;
    void *moved = below->realloc(ctx, block, n);
    gm_this_thread.busy = nested;
    if (moved == NULL && had) {
        gm_remember_no_python(&old);
    }
    if (moved != NULL && due) {
        gm_sample_end_no_python(&sample, moved, n);
    }
    return moved;
}

#define EXACT_HOOKS(domain)                                                                                            \
    static void *domain##_exact_malloc(void *ctx, size_t n)                                                            \
    {                                                                                                                  \
        return gm_this_thread.busy ? domain.malloc(ctx, n) : exact_alloc(&domain, ctx, 1, n, false);                   \
    }                                                                                                                  \
    static void *domain##_exact_calloc(void *ctx, size_t count, size_t n)                                              \
    {                                                                                                                  \
        return gm_this_thread.busy ? domain.calloc(ctx, count, n) : exact_alloc(&domain, ctx, count, n, true);         \
    }                                                                                                                  \
    static void *domain##_exact_realloc(void *ctx, void *block, size_t n)                                              \
    {                                                                                                                  \
        return exact_realloc(&domain, ctx, block, n);                                                                  \
    }

EXACT_HOOKS(raw)
EXACT_HOOKS(mem)
EXACT_HOOKS(obj)

static void
mem_exact_free(void *ctx, void *block)
{
    if (gm_maybe_sampled(block)) {
        free_sampled(&mem, ctx, block);
        return;
    }
    mem.free(ctx, block);
}

static void
obj_exact_free(void *ctx, void *block)
{
    if (gm_maybe_sampled(block)) {
        free_sampled(&obj, ctx, block);
        return;
    }
    obj.free(ctx, block);
}

/* ---- putting them on and taking them off: the GIL is held ---- */

static PyMemAllocatorEx
with_hooks(const PyMemAllocatorEx *below, void *(*malloc)(void *, size_t), void *(*calloc)(void *, size_t, size_t),
           void *(*realloc)(void *, void *, size_t), void (*free)(void *, void *))
{
    return (PyMemAllocatorEx){below->ctx, malloc, calloc, realloc, free};
}

static void
install_exact(void)
{
    PyMemAllocatorEx on_raw = with_hooks(&raw, raw_exact_malloc, raw_exact_calloc, raw_exact_realloc, raw_free);
    PyMemAllocatorEx on_mem = with_hooks(&mem, mem_exact_malloc, mem_exact_calloc, mem_exact_realloc, mem_exact_free);
    PyMemAllocatorEx on_obj = with_hooks(&obj, obj_exact_malloc, obj_exact_calloc, obj_exact_realloc, obj_exact_free);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &on_raw);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &on_mem);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &on_obj);
    form = EXACT;
}

static void
install_cheap_raw(void)
{
    PyMemAllocatorEx on_raw = with_hooks(&raw, raw_malloc, raw_calloc, raw_realloc, raw_free);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &on_raw);
    form = CHEAP;
}

/* Small frees stay as they are, in the struct too: they must cost nothing. */
static void
install_cheap_small(void)
{
    PyMemAllocatorEx on_mem = with_hooks(&mem, mem_cheap_malloc, mem_cheap_calloc, mem_cheap_realloc, mem.free);
    PyMemAllocatorEx on_obj = with_hooks(&obj, obj_cheap_malloc, obj_cheap_calloc, obj_cheap_realloc, obj.free);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &on_mem);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &on_obj);
}

#define PROBE_BYTES ((int64_t)1 << 40)

/* Whether an allocator passes 513 bytes, and their free, to the raw domain, and keeps 64 to itself. The raw hooks are
 * in place. A free is seen by planting the block in the books, which are empty. */
static bool
passes_large_to_raw(const PyMemAllocatorEx *below)
{
    bool yes = false;
    gm_countdown before = gm_this_thread.countdown;
    gm_this_thread.countdown.bytes = PROBE_BYTES;
    void *large = below->malloc(below->ctx, SMALL_MAX + 1);
    int64_t large_took = PROBE_BYTES - gm_this_thread.countdown.bytes;
    if (large != NULL) {
        bool freed = gm_probe_free(below, large);
        gm_this_thread.countdown.bytes = PROBE_BYTES;
        void *small = below->malloc(below->ctx, 64); /* may make an arena: try again */
        below->free(below->ctx, small);
        gm_this_thread.countdown.bytes = PROBE_BYTES;
        small = below->malloc(below->ctx, 64);
        yes = freed && large_took == SMALL_MAX + 1 && gm_this_thread.countdown.bytes == PROBE_BYTES;
        below->free(below->ctx, small);
    }
    gm_this_thread.countdown = before;
    return yes;
}

void
gm_hooks_install(bool exact)
{
    installs++;
    python_countdown = (gm_countdown){0, 0};
    gm_this_thread.countdown = (gm_countdown){0, 0};
    if (form != OFF) {
        return;
    }
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &mem);
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &obj);
    if (!exact) {
        install_cheap_raw();
        if (passes_large_to_raw(&mem) && passes_large_to_raw(&obj)) {
            install_cheap_small();
            return;
        }
    }
    install_exact();
}

static bool
counts_in(gm_countdown *countdown, void *(*allocate)(size_t), void (*release)(void *))
{
    gm_countdown before = *countdown;
    countdown->bytes = PROBE_BYTES;
    void *block = allocate(64);
    bool counted = countdown->bytes < PROBE_BYTES;
    *countdown = before;
    release(block);
    return counted;
}

/* Whether an allocation in a domain reaches our hook, directly or through another tool's. */
static bool
reached(PyMemAllocatorDomain domain)
{
    switch (domain) {
    case PYMEM_DOMAIN_RAW:
        return counts_in(&gm_this_thread.countdown, PyMem_RawMalloc, PyMem_RawFree);
    case PYMEM_DOMAIN_MEM:
        return counts_in(&python_countdown, PyMem_Malloc, PyMem_Free);
    default:
        return counts_in(&python_countdown, PyObject_Malloc, PyObject_Free);
    }
}

/* Whether our hook is the first that a domain calls. */
static bool
on_top(PyMemAllocatorDomain domain)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(domain, &now);
    switch (domain) {
    case PYMEM_DOMAIN_RAW:
        return now.malloc == raw_malloc || now.malloc == raw_exact_malloc;
    case PYMEM_DOMAIN_MEM:
        return now.malloc == mem_cheap_malloc || now.malloc == mem_exact_malloc;
    default:
        return now.malloc == obj_cheap_malloc || now.malloc == obj_exact_malloc;
    }
}

static const struct {
    PyMemAllocatorDomain domain;
    PyMemAllocatorEx *below;
} domains[] = {{PYMEM_DOMAIN_OBJ, &obj}, {PYMEM_DOMAIN_MEM, &mem}, {PYMEM_DOMAIN_RAW, &raw}};

bool
gm_hooks_remove(void)
{
    if (form == OFF) {
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (!on_top(domains[i].domain) && reached(domains[i].domain)) {
            return false;
        }
    }
    for (int i = 0; i < 3; i++) {
        if (on_top(domains[i].domain)) {
            PyMem_SetAllocator(domains[i].domain, domains[i].below);
        }
    }
    form = OFF;
    return true;
}

bool
gm_hooks_alive(void)
{
    return form != OFF && reached(PYMEM_DOMAIN_RAW) && reached(PYMEM_DOMAIN_MEM) && reached(PYMEM_DOMAIN_OBJ);
}

bool
gm_hooks_installed(void)
{
    return form != OFF;
}

bool
gm_hooks_exact(void)
{
    return form == EXACT;
}
