/* Flat columns: the growing C arrays that hold a profile's samples, and the Python object that hands them out.
 *
 * A gm_vec grows with realloc and owns its memory until gm_column_take() moves it into a Column, a read-only Python
 * object with the buffer protocol. Growing, reading and hashing call no Python API, so they run without the GIL. */
#ifndef GOMEM_COLUMN_H
#define GOMEM_COLUMN_H

#include "types.h"

typedef struct {
    char *data;      /* owned, malloc; NULL while empty */
    size_t used;     /* bytes in use; always <= capacity */
    size_t capacity; /* bytes allocated */
} gm_vec;

/* The rows of a profile; invariant: starts has rows + 1 entries that never fall, the last one <= the length of stacks. */
typedef struct {
    const uint64_t *starts;
    const uint32_t *stacks;     /* location indexes, leaf first */
    const int64_t *values;      /* rows * width */
    const uint32_t *label_sets; /* one a row */
    size_t rows, refs, width;
    Py_buffer views[4]; /* owned; keep the pointers above alive */
} gm_samples;

/* New rows as they grow; the same columns as gm_samples. */
typedef struct {
    gm_vec starts, stacks, values, label_sets;
} gm_columns;

void gm_columns_free_no_python(gm_columns *columns);

/* A tuple of the four Columns; the vecs are empty afterwards. NULL with an exception. */
PyObject *gm_columns_take(gm_columns *columns);

int gm_vec_append_no_python(gm_vec *vec, const void *data, size_t bytes);
int gm_vec_reserve_no_python(gm_vec *vec, size_t more_bytes);
void gm_vec_free_no_python(gm_vec *vec);

static inline int
gm_vec_u32_no_python(gm_vec *vec, uint32_t item)
{
    if (GM_UNLIKELY(vec->capacity - vec->used < sizeof item) && gm_vec_reserve_no_python(vec, sizeof item) < 0) {
        return -1;
    }
    *(uint32_t *)(void *)(vec->data + vec->used) = item;
    vec->used += sizeof item;
    return 0;
}

static inline int
gm_vec_u64_no_python(gm_vec *vec, uint64_t item)
{
    if (GM_UNLIKELY(vec->capacity - vec->used < sizeof item) && gm_vec_reserve_no_python(vec, sizeof item) < 0) {
        return -1;
    }
    *(uint64_t *)(void *)(vec->data + vec->used) = item;
    vec->used += sizeof item;
    return 0;
}

/* A new Column of items 'I' (uint32), 'Q' (uint64) or 'q' (int64) that takes the vec's memory; NULL with an exception. */
PyObject *gm_column_take(gm_vec *vec, char format);

/* Fills a view of a tuple (starts, stacks, values, label_sets, width); checks types, lengths and, in one pass, that
 * starts never fall. Release it with gm_samples_release(). -1 with an exception. */
int gm_samples_view(PyObject *tuple, gm_samples *out);
void gm_samples_release(gm_samples *samples);

/* A contiguous view of items of the given size; `name` goes into the TypeError. */
int gm_buffer_view(PyObject *object, size_t itemsize, const char *name, Py_buffer *out);

/* True when every stack entry is < locations; sets ValueError otherwise. */
int gm_samples_check_locations(const gm_samples *samples, size_t locations);
int gm_samples_check_label_sets(const gm_samples *samples, size_t label_sets);

static inline uint64_t
gm_mix_no_python(uint64_t hash, uint64_t item)
{
    hash = (hash ^ item) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

int gm_add_column(PyObject *module);

#endif
