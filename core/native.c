/* Hooks on malloc and its kin in native libraries. See native.h.
 *
 * These run without the GIL, on any thread, also on threads that Python does not know. */
#define _GNU_SOURCE
#include "native.h"

#include "compat.h"
#include "got.h"
#include "hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

enum {
    MALLOC, CALLOC, REALLOC, FREE, ALIGNED_ALLOC, MEMALIGN, POSIX_MEMALIGN, REALLOCARRAY, MMAP, MMAP64, MUNMAP, MREMAP, DLSYM,
    FUNCTIONS
};

static gm_redirect functions[FUNCTIONS]; /* written once, before the first redirect */
static bool installed; /* guarded by the GIL */

#define REAL(index, type) ((type)functions[index].real)
typedef void *(*malloc_function)(size_t);
typedef void *(*calloc_function)(size_t, size_t);
typedef void *(*realloc_function)(void *, size_t);
typedef void (*free_function)(void *);
typedef void *(*aligned_function)(size_t, size_t);
typedef int (*posix_memalign_function)(void **, size_t, size_t);
typedef void *(*reallocarray_function)(void *, size_t, size_t);
typedef void *(*mmap_function)(void *, size_t, int, int, int, off_t);
typedef int (*munmap_function)(void *, size_t);
typedef void *(*mremap_function)(void *, size_t, size_t, int, ...);
typedef void *(*dlsym_function)(void *, const char *);

/* Sizes above 2^63, which cannot be had, must not count up. */
static bool
count_down(size_t n)
{
    return GM_UNLIKELY((gm_this_thread.countdown.bytes -= (int64_t)(n & INT64_MAX)) < 0);
}

static bool
begin(size_t n, const void *caller, gm_sample *sample)
{
    return gm_sample_begin_no_python(&gm_this_thread.countdown, n, gm_holds_gil_no_python(),
                                     gm_object_of_no_python(caller), sample);
}

/* An allocation function has returned block; errno is the caller's to see. */
static void *
end(bool due, const gm_sample *sample, void *block, size_t n)
{
    if (due && block != NULL) {
        int error = errno;
        gm_sample_end_no_python(sample, block, n);
        errno = error;
    }
    return block;
}

__attribute__((noinline)) static void *
malloc_sampled(size_t n, const void *caller)
{
    gm_sample sample;
    bool due = begin(n, caller, &sample);
    return end(due, &sample, REAL(MALLOC, malloc_function)(n), n);
}

static void *
hook_malloc(size_t n)
{
    if (count_down(n)) {
        return malloc_sampled(n, __builtin_return_address(0));
    }
    return REAL(MALLOC, malloc_function)(n);
}

__attribute__((noinline)) static void *
calloc_sampled(size_t count, size_t n, const void *caller)
{
    gm_sample sample;
    bool due = begin(count * n, caller, &sample);
    return end(due, &sample, REAL(CALLOC, calloc_function)(count, n), count * n);
}

/* A product that overflows makes the real function fail, so what it counted as does not matter. */
static void *
hook_calloc(size_t count, size_t n)
{
    if (count_down(count * n)) {
        return calloc_sampled(count, n, __builtin_return_address(0));
    }
    return REAL(CALLOC, calloc_function)(count, n);
}

__attribute__((noinline)) static void *
realloc_sampled(void *block, size_t n, const void *caller)
{
    gm_live old;
    bool had = block != NULL && gm_maybe_sampled(block) && gm_forget_no_python(block, &old);
    gm_sample sample;
    bool due = gm_this_thread.countdown.bytes < 0 && begin(n, caller, &sample);
    void *moved = REAL(REALLOC, realloc_function)(block, n);
    if (moved == NULL && had && n != 0) { /* realloc(p, 0) has freed p */
        gm_remember_no_python(&old);
    }
    return end(due, &sample, moved, n);
}

static void *
hook_realloc(void *block, size_t n)
{
    if (count_down(n) || gm_maybe_sampled(block)) {
        return realloc_sampled(block, n, __builtin_return_address(0));
    }
    return REAL(REALLOC, realloc_function)(block, n);
}

static void *
hook_reallocarray(void *block, size_t count, size_t n)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, n, &bytes)) {
        return REAL(REALLOCARRAY, reallocarray_function)(block, count, n);
    }
    if (count_down(bytes) || gm_maybe_sampled(block)) {
        return realloc_sampled(block, bytes, __builtin_return_address(0));
    }
    return REAL(REALLOCARRAY, reallocarray_function)(block, count, n);
}

__attribute__((noinline)) static void
free_sampled(void *block)
{
    gm_live old;
    gm_forget_no_python(block, &old);
    REAL(FREE, free_function)(block);
}

static void
hook_free(void *block)
{
    if (gm_maybe_sampled(block)) {
        free_sampled(block);
        return;
    }
    REAL(FREE, free_function)(block);
}

static void *
hook_aligned_alloc(size_t alignment, size_t n)
{
    gm_sample sample;
    bool due = count_down(n) && begin(n, __builtin_return_address(0), &sample);
    return end(due, &sample, REAL(ALIGNED_ALLOC, aligned_function)(alignment, n), n);
}

static void *
hook_memalign(size_t alignment, size_t n)
{
    gm_sample sample;
    bool due = count_down(n) && begin(n, __builtin_return_address(0), &sample);
    return end(due, &sample, REAL(MEMALIGN, aligned_function)(alignment, n), n);
}

static int
hook_posix_memalign(void **block, size_t alignment, size_t n)
{
    gm_sample sample;
    bool due = count_down(n) && begin(n, __builtin_return_address(0), &sample);
    int failed = REAL(POSIX_MEMALIGN, posix_memalign_function)(block, alignment, n);
    end(due, &sample, failed ? NULL : *block, n);
    return failed;
}

#define RESERVATION_MIN ((size_t)1 << 30) /* mimalloc reserves arenas of 1 GiB; jemalloc maps 2 MB to some 100 MB at a time */

/* Memory of its own that a library can write to at once; address space that it only reserves is not memory yet. */
static bool
is_memory(size_t n, int protection, int flags, int fd)
{
    bool reserved = (flags & MAP_NORESERVE) && n >= RESERVATION_MIN;
    return fd == -1 && (flags & MAP_ANONYMOUS) && !(flags & MAP_STACK) && (protection & PROT_WRITE) && !reserved;
}

static void *
map(int which, void *at, size_t n, int protection, int flags, int fd, off_t offset, const void *caller)
{
    gm_sample sample;
    bool due = is_memory(n, protection, flags, fd) && count_down(n) && begin(n, caller, &sample);
    void *block = REAL(which, mmap_function)(at, n, protection, flags, fd, offset);
    end(due, &sample, block == MAP_FAILED ? NULL : block, n);
    return block;
}

static void *
hook_mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return map(MMAP, at, n, protection, flags, fd, offset, __builtin_return_address(0));
}

static void *
hook_mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return map(MMAP64, at, n, protection, flags, fd, offset, __builtin_return_address(0));
}

/* A part may be unmapped from the front; then the rest lives on. */
static int
hook_munmap(void *block, size_t n)
{
    gm_live old;
    bool had = gm_maybe_sampled(block) && gm_forget_no_python(block, &old);
    int failed = REAL(MUNMAP, munmap_function)(block, n);
    if (had && (failed || n < old.size)) {
        if (!failed) {
            old.address += n;
            old.size -= n;
        }
        int error = errno;
        gm_remember_no_python(&old);
        errno = error;
    }
    return failed;
}

/* The mapping stays the one that was sampled, at a new place with a new size. The address is read whether or not it was
 * passed, as libc does. */
static void *
hook_mremap(void *block, size_t old_size, size_t n, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *wanted = va_arg(rest, void *);
    va_end(rest);
    gm_live old;
    bool stays = old_size == 0 || (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) != 0; /* a second mapping is made */
    bool had = !stays && gm_maybe_sampled(block) && gm_forget_no_python(block, &old);
    void *moved = REAL(MREMAP, mremap_function)(block, old_size, n, flags, wanted);
    if (had) {
        int error = errno;
        if (moved != MAP_FAILED) {
            old.address = (uintptr_t)moved;
            old.size = n;
        }
        gm_remember_no_python(&old);
        errno = error;
    }
    return moved;
}

/* The interpreter loads an extension module and then asks for its initialiser: what it brought along calls malloc too.
 * dlopen itself is left alone, for it looks at who called, whose RUNPATH it searches. So does dlsym, which is why this
 * ends in a jump, not in a call. */
static void *
hook_dlsym(void *handle, const char *name)
{
    gm_native_refresh();
    return REAL(DLSYM, dlsym_function)(handle, name);
}

static gm_redirect functions[FUNCTIONS] = {
    [MALLOC] = {.name = "malloc", .hook = (void *)hook_malloc},
    [CALLOC] = {.name = "calloc", .hook = (void *)hook_calloc},
    [REALLOC] = {.name = "realloc", .hook = (void *)hook_realloc},
    [FREE] = {.name = "free", .hook = (void *)hook_free},
    [ALIGNED_ALLOC] = {.name = "aligned_alloc", .hook = (void *)hook_aligned_alloc},
    [MEMALIGN] = {.name = "memalign", .hook = (void *)hook_memalign},
    [POSIX_MEMALIGN] = {.name = "posix_memalign", .hook = (void *)hook_posix_memalign},
    [REALLOCARRAY] = {.name = "reallocarray", .hook = (void *)hook_reallocarray},
    [MMAP] = {.name = "mmap", .hook = (void *)hook_mmap},
    [MMAP64] = {.name = "mmap64", .hook = (void *)hook_mmap64},
    [MUNMAP] = {.name = "munmap", .hook = (void *)hook_munmap},
    [MREMAP] = {.name = "mremap", .hook = (void *)hook_mremap},
    [DLSYM] = {.name = "dlsym", .hook = (void *)hook_dlsym, .in_python = true},
};

void
gm_native_install(void)
{
    if (installed) {
        return; /* a forked child, perhaps with the dynamic linker's lock in the hands of a thread that is not there */
    }
    gm_got_resolve(functions, FUNCTIONS);
    if (functions[MALLOC].real == NULL || functions[FREE].real == NULL || functions[REALLOC].real == NULL) {
        return;
    }
    installed = true;
    gm_got_redirect(functions, FUNCTIONS);
}

void
gm_native_remove(void)
{
    if (installed) {
        installed = false;
        gm_got_restore(functions, FUNCTIONS);
    }
}

void
gm_native_refresh(void)
{
    if (installed) {
        gm_got_redirect(functions, FUNCTIONS);
    }
}

bool
gm_native_mend(void)
{
    return installed && gm_got_mend(functions, FUNCTIONS);
}
