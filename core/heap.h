/* The profiler's state and its lock: what heap.c (its life), record.c (the steps of a sample) and export.c (what Python
 * is told of it) share.
 *
 * One profile a process, not one a family of processes: the state lies in pages that the system empties in a forked
 * child (MADV_WIPEONFORK), lock included, and the books' memory is not handed to it at all. So the child finds the
 * profiler off and its lock free, whatever another thread of the parent was in the middle of, and nothing has to be
 * held while the process forks: a lock taken then would wait for those that other libraries take then, and they for it. */
#ifndef GOMEM_HEAP_H
#define GOMEM_HEAP_H

#include "hooks.h"
#include "stacks.h"

#include <pthread.h>

#define GM_THREAD_NAMES_MAX 256 /* distinct names kept; threads beyond share the last entry */
#define GM_THREAD_NAME_BYTES 64

typedef struct {
    unsigned long ident; /* threading.get_ident(); 0 for an entry that is only a name */
    char name[GM_THREAD_NAME_BYTES];
} gm_thread_name;

/* All zero: off, nothing known, the lock free. */
typedef struct {
    pthread_mutex_t lock; /* guards the rest; nothing under it calls Python or allocates through a hooked function */
    bool active;          /* samples are taken */
    uint16_t session;     /* of all starts in this process and those it was forked from: tells stale thread names */
    uint32_t era;         /* counts what renumbers stacks, starts and folds: ids of an earlier one are stale */
    size_t fold_at;       /* bytes of stacks and names that call for folding */
    int depth;            /* frames kept of a stack */
    int64_t started_ns, stopped_ns; /* wall clock */
    gm_sampler sampler;
    gm_books books;
    uint32_t cut, native_thread, no_frame; /* locations of the marker frames */
    gm_thread_name threads[GM_THREAD_NAMES_MAX]; /* [0] is the nameless */
    int thread_count;
    uint64_t hooks_lost; /* times that another tool was found to have taken our hooks off */
} gm_heap;

extern gm_heap *gm_the_heap; /* never NULL once the module is there, never changed after */

static inline void
gm_heap_lock(void)
{
    pthread_mutex_lock(&gm_the_heap->lock);
}

static inline void
gm_heap_unlock(void)
{
    pthread_mutex_unlock(&gm_the_heap->lock);
}

/* The entry of a name, made if it is new; ident is the thread that has it now. */
uint16_t gm_thread_entry_locked(const char *name, unsigned long ident);

/* Empty books with the marker frames and, as stack 0, the one that the probes at start are booked on. */
bool gm_fresh_books_locked(void);

/* export(types) of the module; see export.c. */
PyObject *gm_heap_export(PyObject *module, PyObject *types);

#endif
