/* A library that allocates in the ways that test_native.py is about. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *own_malloc(size_t n);
static int own_calls;

/* Like libxml2's xmlMalloc: a pointer in data that the library's user may set. */
__attribute__((visibility("hidden"))) void *(*volatile table_malloc)(size_t) = malloc;

static void *
own_malloc(size_t n)
{
    own_calls++;
    return malloc(n);
}

void use_own(void) { table_malloc = own_malloc; }
int calls_of_own(void) { return own_calls; }
void *allocate_by_table(size_t n) { return table_malloc(n); }
void *allocate(size_t n) { return malloc(n); }
void *allocate_zeroed(size_t count, size_t n) { return calloc(count, n); }
void *resize(void *block, size_t n) { return realloc(block, n); }
void release(void *block) { free(block); }

/* errno after an allocation that succeeds: as before. */
int errno_after(size_t n)
{
    errno = 77;
    free(malloc(n));
    return errno;
}

int errno_of_failure(void)
{
    errno = 0;
    return aligned_alloc(64, (size_t)1 << 62) == NULL && calloc((size_t)1 << 40, (size_t)1 << 40) == NULL ? errno : 0;
}

void *map(size_t n) { return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
void *remap(void *at, size_t n, size_t wanted) { return mremap(at, n, wanted, MREMAP_MAYMOVE); }
int unmap(void *at, size_t n) { return munmap(at, n); }
