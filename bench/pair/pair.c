/* Times allocation and free through Python's allocators and through malloc, in batches, on this thread's CPU clock.

   Called by once.py through ctypes.PyDLL, so with the GIL held. A batch allocates blocks and frees them in the order of
   allocation: what a function that builds a small result and drops it does. Blocks are written to, as programs do.
   glibc's per-thread cache holds 7 blocks of a size: larger batches of malloc would measure how its heap happens to lie
   (a few blocks that a profiler keeps change that by 10 ns either way) and not what the profiler adds. */

#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

extern void *PyObject_Malloc(size_t);
extern void PyObject_Free(void *);
extern void *PyMem_RawMalloc(size_t);
extern void PyMem_RawFree(void *);

enum { BATCH_MAX = 64 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#define PAIRS(name, allocate, release)                                                       \
    double name(size_t size, int batch, long batches)                                        \
    {                                                                                        \
        void *blocks[BATCH_MAX];                                                             \
        double start = now_ns();                                                             \
        for (long turn = 0; turn < batches; turn++) {                                        \
            for (int i = 0; i < batch; i++) {                                                \
                blocks[i] = allocate(size);                                                  \
                *(volatile char *)blocks[i] = 1;                                             \
            }                                                                                \
            for (int i = 0; i < batch; i++)                                                  \
                release(blocks[i]);                                                          \
        }                                                                                    \
        return (now_ns() - start) / ((double)batches * batch);                               \
    }

PAIRS(object_pair_ns, PyObject_Malloc, PyObject_Free)
PAIRS(raw_pair_ns, PyMem_RawMalloc, PyMem_RawFree)
PAIRS(malloc_pair_ns, malloc, free)
