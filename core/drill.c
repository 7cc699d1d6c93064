/* For tests: cycles without a pause between them, counted in a file that a test's processes share. A process may end
 * without a word (os._exit, a signal); what it has counted stays. */
#define _GNU_SOURCE
#include "collector.h"

#include "reclaim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BATCH 8 /* so that many a component is too large for one */

enum { CYCLES, ABORTED, HANDED, FREED, PROCESSES, APART, COUNTS };

static uint64_t *counts; /* NULL: nobody asked; uint64_t[COUNTS] of the file */

static void
count(int which, int64_t by)
{
    __atomic_fetch_add(&counts[which], (uint64_t)by, __ATOMIC_RELAXED);
}

void
gm_drill_note(const gm_cycle *cycle)
{
    if (counts != NULL) {
        count(cycle->aborted ? ABORTED : CYCLES, 1);
        count(HANDED, cycle->candidates);
        count(FREED, cycle->freed);
        count(APART, (int64_t)gm_reclaimed.apart);
    }
}

/* The path of the file, which is made or made longer as needed, or None for an end of it. Whether or not the collector is
 * enabled yet. */
PyObject *
gm_drill_begin(PyObject *Py_UNUSED(self), PyObject *path)
{
    PyObject *bytes;
    if (path == Py_None) {
        gm_gc.pacer.always = false;
        gm_find.batch = GM_BATCH;
        Py_RETURN_NONE;
    }
    if (!PyUnicode_FSConverter(path, &bytes)) {
        return NULL;
    }
    int fd = open(PyBytes_AS_STRING(bytes), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    Py_DECREF(bytes);
    size_t size = COUNTS * sizeof(uint64_t);
    void *base = fd < 0 || ftruncate(fd, (off_t)size) < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (base == MAP_FAILED) {
        return NULL;
    }
    counts = base;
    count(PROCESSES, 1);
    gm_gc.pacer.always = true;
    gm_find.batch = BATCH;
    Py_RETURN_NONE;
}
