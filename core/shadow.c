/* The shadow's memory and its hook. See shadow.h.
 *
 * The hook is on the object domain's free and realloc, whose callers hold the GIL; malloc and calloc stay the
 * allocator's own. It is there only while a cycle looks for garbage, and goes when the candidates hold references.
 *
 * A freed block at b held an object, if any, at b + 16 (after its head) or b + 32 (after two more words, where the type
 * keeps a dict or weak references before the head); the allocators align to 16, so no other object's byte is there. */
#define _GNU_SOURCE
#include "shadow.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LEAF_BYTES (GM_LEAF_ENTRIES + GM_LEAF_RANKS * sizeof(uint32_t) + GM_LEAF_PAGES)
#define ROOT_BYTES (sizeof(uint8_t *) << GM_ROOT_BITS)
#define LEAVES_MAX 65536 /* 4 TiB of heap */
#define BELOW_MAX 8      /* allocators that the hook was ever put on */

uint8_t **gm_leaves;

/* All guarded by the GIL. */
static uint8_t *scrap; /* stands in for leaves that could not be made */
static bool failed;
static uint32_t numbers[LEAVES_MAX]; /* of the leaves there are, sorted */
static size_t leaf_count;

static struct {
    PyMemAllocatorEx below[BELOW_MAX]; /* [0] is the latest */
    bool armed;
    uint64_t frees; /* seen while armed; for the probe */
} hook;

static void *
map(size_t bytes)
{
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return NULL;
    }
    madvise(base, bytes, MADV_NOHUGEPAGE); /* a huge page would be 32 MiB of heap */
    return base;
}

bool
gm_shadow_open(void)
{
    if (gm_leaves == NULL) {
        gm_leaves = map(ROOT_BYTES);
    }
    if (scrap == NULL) {
        scrap = map(LEAF_BYTES);
    }
    return gm_leaves != NULL && scrap != NULL;
}

uint8_t *
gm_shadow_make_leaf(uintptr_t address)
{
    size_t number = gm_leaf_number(address);
    uint8_t *leaf = leaf_count < LEAVES_MAX ? map(LEAF_BYTES) : NULL;
    if (leaf == NULL) {
        failed = true;
        return scrap;
    }
    size_t at = leaf_count++;
    for (; at > 0 && numbers[at - 1] > number; at--) {
        numbers[at] = numbers[at - 1];
    }
    numbers[at] = (uint32_t)number;
    gm_leaves[number] = leaf;
    return leaf;
}

bool
gm_shadow_failed(void)
{
    return failed;
}

size_t
gm_shadow_leaves(const uint32_t **out)
{
    *out = numbers;
    return leaf_count;
}

/* Pages that are locked (mlockall) stay. */
static void
forget_all(uint8_t *leaf)
{
    if (madvise(leaf, LEAF_BYTES, MADV_DONTNEED) != 0) {
        memset(leaf, 0, LEAF_BYTES);
    }
}

void
gm_shadow_clear_no_python(void)
{
    for (size_t i = 0; i < leaf_count; i++) {
        forget_all(gm_leaves[numbers[i]]);
    }
    if (failed) {
        forget_all(scrap);
    }
    failed = false;
}

/* ---- the hook ---- */

static inline void
forget(uintptr_t object)
{
    uint8_t *leaf = gm_leaves[gm_leaf_number(object)];
    if (leaf != NULL) {
        leaf[gm_leaf_entry(object)] = 0;
    }
}

static void
forget_block(void *block)
{
    uintptr_t object = (uintptr_t)block + 16;
    size_t entry = gm_leaf_entry(object);
    if (GM_UNLIKELY(entry == GM_LEAF_ENTRIES - 1)) {
        forget(object);
        forget(object + 16);
        return;
    }
    uint8_t *leaf = gm_leaves[gm_leaf_number(object)];
    if (leaf != NULL) {
        memset(leaf + entry, 0, 2);
    }
}

/* Whose ctx it is: another tool may have kept our functions with the ctx of an allocator we sat on before. */
static const PyMemAllocatorEx *
below_of(void *ctx)
{
    for (int i = 0; i < BELOW_MAX; i++) {
        if (hook.below[i].ctx == ctx && hook.below[i].free != NULL) {
            return &hook.below[i];
        }
    }
    return &hook.below[0];
}

static inline const PyMemAllocatorEx *
below_for(void *ctx)
{
    return GM_LIKELY(ctx == hook.below[0].ctx) ? &hook.below[0] : below_of(ctx);
}

static void
hooked_free(void *ctx, void *block)
{
    if (GM_LIKELY(hook.armed) && block != NULL) {
        hook.frees++;
        forget_block(block);
    }
    below_for(ctx)->free(ctx, block);
}

static void *
hooked_realloc(void *ctx, void *block, size_t bytes)
{
    void *moved = below_for(ctx)->realloc(ctx, block, bytes);
    if (hook.armed && block != NULL && moved != NULL && moved != block) {
        forget_block(block);
    }
    return moved;
}

static bool
reached(void)
{
    uint64_t before = hook.frees;
    PyObject_Free(PyObject_Malloc(16));
    return hook.frees != before;
}

/* Remembers what it sits on. The table is full only if ever new allocators came and went under us. */
static bool
install(void)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &now);
    if (now.free == hooked_free) {
        return true;
    }
    int place = 0; /* where it was before: tools come and go, and come again */
    while (place < BELOW_MAX && hook.below[place].free != NULL && memcmp(&hook.below[place], &now, sizeof(now)) != 0) {
        place++;
    }
    if (place == BELOW_MAX) {
        return false;
    }
    memmove(&hook.below[1], &hook.below[0], sizeof(now) * (size_t)place);
    hook.below[0] = now;
    PyMemAllocatorEx ours = now;
    ours.free = hooked_free;
    ours.realloc = hooked_realloc;
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &ours);
    return true;
}

bool
gm_shadow_arm(void)
{
    hook.armed = true;
    if (!reached() && (!install() || !reached())) {
        hook.armed = false;
    }
    return hook.armed;
}

bool
gm_shadow_is_armed(void)
{
    return hook.armed && reached();
}

void
gm_shadow_disarm(void)
{
    hook.armed = false;
    PyMemAllocatorEx now;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &now);
    if (now.free == hooked_free) {
        PyMemAllocatorEx below = *below_for(now.ctx);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &below);
    }
}
