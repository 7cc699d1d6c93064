/* See column.h. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

int
gm_vec_reserve_no_python(gm_vec *vec, size_t more_bytes)
{
    if (vec->capacity - vec->used >= more_bytes) {
        return 0;
    }
    if (more_bytes > SIZE_MAX / 4 - vec->used) {
        return -1;
    }
    /* Half as much again: big blocks are moved by page table, and pages never written to cost no memory. */
    size_t capacity = vec->capacity + vec->capacity / 2 + 64;
    if (capacity < vec->used + more_bytes) {
        capacity = vec->used + more_bytes;
    }
    char *data = realloc(vec->data, capacity);
    if (data == NULL) {
        return -1;
    }
    vec->data = data;
    vec->capacity = capacity;
    return 0;
}

void
gm_vec_free_no_python(gm_vec *vec)
{
    free(vec->data);
    memset(vec, 0, sizeof *vec);
}

typedef struct {
    PyObject_HEAD
    char *data; /* owned, malloc; may be NULL when length is 0 */
    Py_ssize_t length;
    Py_ssize_t itemsize;
    char format[2];
} Column;

static PyObject *column_type; /* owned; set once by gm_add_column under the GIL */

static void
column_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    free(((Column *)self)->data);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
column_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    Column *column = (Column *)self;
    static char empty[8];
    char *data = column->data == NULL ? empty : column->data;
    if (PyBuffer_FillInfo(view, self, data, column->length * column->itemsize, 1, flags) < 0) {
        return -1;
    }
    view->itemsize = column->itemsize;
    if (flags & PyBUF_FORMAT) {
        view->format = column->format;
    }
    if (view->shape != NULL) {
        view->shape = &column->length;
    }
    if (view->strides != NULL) {
        view->strides = &column->itemsize;
    }
    return 0;
}

static Py_ssize_t
column_length(PyObject *self)
{
    return ((Column *)self)->length;
}

static PyType_Slot column_slots[] = {
    {Py_tp_doc, "A read-only column of numbers; read it through memoryview()."},
    {Py_tp_dealloc, column_dealloc},
    {Py_bf_getbuffer, column_getbuffer},
    {Py_sq_length, column_length},
    {0, NULL},
};

static PyType_Spec column_spec = {
    .name = "gomem._core.Column",
    .basicsize = sizeof(Column),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = column_slots,
};

PyObject *
gm_column_take(gm_vec *vec, char format)
{
    PyTypeObject *type = (PyTypeObject *)column_type;
    Column *column = (Column *)type->tp_alloc(type, 0);
    if (column == NULL) {
        return NULL;
    }
    column->itemsize = format == 'I' ? 4 : format == 'B' ? 1 : 8;
    column->length = (Py_ssize_t)vec->used / column->itemsize;
    column->format[0] = format;
    if (vec->used == 0) {
        free(vec->data);
        vec->data = NULL;
    }
    else if (vec->used < vec->capacity) {
        char *data = realloc(vec->data, vec->used);
        vec->data = data == NULL ? vec->data : data;
    }
    column->data = vec->data;
    memset(vec, 0, sizeof *vec);
    return (PyObject *)column;
}

int
gm_buffer_view(PyObject *object, size_t itemsize, const char *name, Py_buffer *out)
{
    if (PyObject_GetBuffer(object, out, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        return -1;
    }
    if ((size_t)out->itemsize != itemsize) {
        PyErr_Format(PyExc_TypeError, "%s: got items of %zd bytes, want %zu", name, out->itemsize, itemsize);
        PyBuffer_Release(out);
        return -1;
    }
    return 0;
}

static int
samples_check(gm_samples *out)
{
    size_t starts = (size_t)out->views[0].len / 8;
    out->refs = (size_t)out->views[1].len / 4;
    out->rows = starts == 0 ? 0 : starts - 1;
    if (starts == 0 || out->width > 1000000 || (size_t)out->views[2].len / 8 != out->rows * out->width ||
        (size_t)out->views[3].len / 4 != out->rows) {
        PyErr_SetString(PyExc_ValueError, "samples: columns differ in length");
        return -1;
    }
    for (size_t i = 0; i < out->rows; i++) {
        if (out->starts[i] > out->starts[i + 1]) {
            PyErr_SetString(PyExc_ValueError, "samples: starts fall, want them to rise");
            return -1;
        }
    }
    if (out->starts[out->rows] > out->refs) {
        PyErr_SetString(PyExc_ValueError, "samples: starts point past the stacks");
        return -1;
    }
    return 0;
}

int
gm_samples_view(PyObject *tuple, gm_samples *out)
{
    static const size_t sizes[] = {8, 4, 8, 4};
    static const char *const names[] = {"starts", "stacks", "values", "label_sets"};
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != 5) {
        PyErr_SetString(PyExc_TypeError, "samples: want a tuple (starts, stacks, values, label_sets, width)");
        return -1;
    }
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 4; i++) {
        if (gm_buffer_view(PyTuple_GET_ITEM(tuple, i), sizes[i], names[i], &out->views[i]) < 0) {
            while (i-- > 0) {
                PyBuffer_Release(&out->views[i]);
            }
            return -1;
        }
    }
    out->starts = out->views[0].buf;
    out->stacks = out->views[1].buf;
    out->values = out->views[2].buf;
    out->label_sets = out->views[3].buf;
    out->width = PyLong_AsSize_t(PyTuple_GET_ITEM(tuple, 4));
    if (PyErr_Occurred() || samples_check(out) < 0) {
        gm_samples_release(out);
        return -1;
    }
    return 0;
}

void
gm_samples_release(gm_samples *samples)
{
    for (int i = 0; i < 4; i++) {
        PyBuffer_Release(&samples->views[i]);
    }
}

int
gm_samples_check_locations(const gm_samples *samples, size_t locations)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < samples->refs; i++) {
        highest = samples->stacks[i] > highest ? samples->stacks[i] : highest;
    }
    if (samples->refs > 0 && highest >= locations) {
        PyErr_SetString(PyExc_ValueError, "samples: a stack points past the locations");
        return -1;
    }
    return 0;
}

int
gm_samples_check_label_sets(const gm_samples *samples, size_t label_sets)
{
    for (size_t i = 0; i < samples->rows; i++) {
        if (samples->label_sets[i] >= label_sets) {
            PyErr_SetString(PyExc_ValueError, "samples: a row points past the label sets");
            return -1;
        }
    }
    return 0;
}

void
gm_columns_free_no_python(gm_columns *c)
{
    gm_vec_free_no_python(&c->starts);
    gm_vec_free_no_python(&c->stacks);
    gm_vec_free_no_python(&c->values);
    gm_vec_free_no_python(&c->label_sets);
}

PyObject *
gm_columns_take(gm_columns *c)
{
    PyObject *starts = gm_column_take(&c->starts, 'Q'), *stacks = gm_column_take(&c->stacks, 'I');
    PyObject *values = gm_column_take(&c->values, 'q'), *label_sets = gm_column_take(&c->label_sets, 'I');
    if (starts == NULL || stacks == NULL || values == NULL || label_sets == NULL) {
        Py_XDECREF(starts);
        Py_XDECREF(stacks);
        Py_XDECREF(values);
        Py_XDECREF(label_sets);
        return NULL;
    }
    return Py_BuildValue("(NNNN)", starts, stacks, values, label_sets);
}

int
gm_vec_append_no_python(gm_vec *vec, const void *data, size_t bytes)
{
    if (gm_vec_reserve_no_python(vec, bytes) < 0) {
        return -1;
    }
    if (bytes > 0) {
        memcpy(vec->data + vec->used, data, bytes);
        vec->used += bytes;
    }
    return 0;
}

int
gm_add_column(PyObject *module)
{
    if (column_type == NULL) {
        column_type = PyType_FromSpec(&column_spec);
        if (column_type == NULL) {
            return -1;
        }
    }
    return PyModule_AddObjectRef(module, "Column", column_type);
}
