/* Flat columns into profile.proto: samples by runs of rows, tables row by row.
 *
 * Samples are encoded without the GIL, from columns that were checked first. A table's rows are tuples of numbers that
 * Python made, strings being indexes; a tuple in a row is a repeated message. Numbers above two are packed, as the real
 * tool writes them. */
#include "column.h"

#include <string.h>

static inline unsigned
varint_size_no_python(uint64_t number)
{
    return number == 0 ? 1 : (70 - (unsigned)__builtin_clzll(number)) / 7;
}

static inline char *
put_varint_no_python(char *at, uint64_t number)
{
    while (number > 0x7F) {
        *at++ = (char)(number | 0x80);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

typedef struct {
    const uint64_t *ids;     /* location index -> id; NULL: index + 1 */
    const char *labels;      /* the encoded label sets, end to end */
    const uint64_t *offsets; /* label set -> where it starts; one more than there are sets */
} encoder;

static inline uint64_t
id_of_no_python(const encoder *e, uint32_t location)
{
    return e->ids == NULL ? (uint64_t)location + 1 : e->ids[location];
}

/* Repeated numbers of the given size: packed above two, as the real tool writes them. */
static size_t
list_size_no_python(size_t count, size_t bytes)
{
    return count > 2 ? 1 + varint_size_no_python(bytes) + bytes : count + bytes;
}

static int
encode_sample_no_python(const encoder *e, const gm_samples *s, size_t row, gm_vec *out)
{
    const uint32_t *stack = s->stacks + s->starts[row];
    const int64_t *values = s->values + row * s->width;
    const size_t depth = s->starts[row + 1] - s->starts[row];
    const uint64_t labels_at = e->offsets[s->label_sets[row]];
    const size_t labels = e->offsets[s->label_sets[row] + 1] - labels_at;
    size_t stack_bytes = 0, value_bytes = 0;
    for (size_t i = 0; i < depth; i++) {
        stack_bytes += varint_size_no_python(id_of_no_python(e, stack[i]));
    }
    for (size_t i = 0; i < s->width; i++) {
        value_bytes += varint_size_no_python((uint64_t)values[i]);
    }
    size_t body = list_size_no_python(depth, stack_bytes) + list_size_no_python(s->width, value_bytes) + labels;
    if (gm_vec_reserve_no_python(out, body + 16) < 0) {
        return -1;
    }
    char *at = out->data + out->used;
    *at++ = 0x12;
    at = put_varint_no_python(at, body);
    if (depth > 2) {
        *at++ = 0x0A;
        at = put_varint_no_python(at, stack_bytes);
    }
    for (size_t i = 0; i < depth; i++) {
        if (depth <= 2) {
            *at++ = 0x08;
        }
        at = put_varint_no_python(at, id_of_no_python(e, stack[i]));
    }
    if (s->width > 2) {
        *at++ = 0x12;
        at = put_varint_no_python(at, value_bytes);
    }
    for (size_t i = 0; i < s->width; i++) {
        if (s->width <= 2) {
            *at++ = 0x10;
        }
        at = put_varint_no_python(at, (uint64_t)values[i]);
    }
    memcpy(at, e->labels + labels_at, labels);
    out->used = (size_t)(at + labels - out->data);
    return 0;
}

static int
encode_check(const gm_samples *s, const Py_buffer *ids, const Py_buffer *labels, const Py_buffer *offsets)
{
    size_t sets = (size_t)offsets->len / 8;
    const uint64_t *at = offsets->buf;
    for (size_t i = 0; i < sets; i++) {
        if (at[i] > (uint64_t)labels->len || (i > 0 && at[i] < at[i - 1])) {
            PyErr_SetString(PyExc_ValueError, "label offsets: out of order");
            return -1;
        }
    }
    if (sets == 0) {
        PyErr_SetString(PyExc_ValueError, "label offsets: got none, want one more than label sets");
        return -1;
    }
    if (gm_samples_check_label_sets(s, sets - 1) < 0) {
        return -1;
    }
    return ids->obj == NULL ? 0 : gm_samples_check_locations(s, (size_t)ids->len / 8);
}

PyDoc_STRVAR(samples_encode_doc,
"samples_encode(samples, first, last, ids, labels, offsets, /)\n--\n\n"
"The rows first to last as profile.proto's sample messages. ids: a uint64 buffer of location ids, or None for\n"
"index + 1; labels and offsets (uint64): every label set's encoded labels, end to end, and where each starts.");

static PyObject *
samples_encode(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples, *ids_object, *labels_object, *offsets_object, *result = NULL;
    Py_ssize_t first, last;
    Py_buffer ids = {0}, labels = {0}, offsets = {0};
    gm_samples s;
    gm_vec out = {0};
    if (!PyArg_ParseTuple(args, "OnnOOO", &samples, &first, &last, &ids_object, &labels_object, &offsets_object) ||
        gm_samples_view(samples, &s) < 0) {
        return NULL;
    }
    if ((ids_object == Py_None || gm_buffer_view(ids_object, 8, "ids", &ids) == 0) &&
        gm_buffer_view(labels_object, 1, "labels", &labels) == 0 &&
        gm_buffer_view(offsets_object, 8, "offsets", &offsets) == 0 && encode_check(&s, &ids, &labels, &offsets) == 0) {
        encoder e = {ids.obj == NULL ? NULL : ids.buf, labels.buf, offsets.buf};
        int failed = 0;
        if (first < 0 || last < first || (size_t)last > s.rows) {
            PyErr_SetString(PyExc_IndexError, "rows out of range");
            goto done;
        }
        Py_BEGIN_ALLOW_THREADS
        for (size_t row = (size_t)first; row < (size_t)last && !failed; row++) {
            failed = encode_sample_no_python(&e, &s, row, &out);
        }
        Py_END_ALLOW_THREADS
        result = failed ? PyErr_NoMemory() : gm_column_take(&out, 'B');
    }
done:
    gm_vec_free_no_python(&out);
    PyBuffer_Release(&ids);
    PyBuffer_Release(&labels);
    PyBuffer_Release(&offsets);
    gm_samples_release(&s);
    return result;
}

static int encode_row(gm_vec *out, unsigned field, PyObject *row, int depth);

/* One field of a row: a number that is not 0, or a tuple of rows for a repeated message. */
static int
encode_item(gm_vec *out, unsigned field, PyObject *item, int depth)
{
    if (PyTuple_Check(item)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(item); i++) {
            if (encode_row(out, field, PyTuple_GET_ITEM(item, i), depth + 1) < 0) {
                return -1;
            }
        }
        return 0;
    }
    uint64_t number = PyLong_AsUnsignedLongLongMask(item);
    if (number == 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (gm_vec_reserve_no_python(out, 12) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    char *at = out->data + out->used;
    *at++ = (char)(field << 3);
    out->used = (size_t)(put_varint_no_python(at, number) - out->data);
    return 0;
}

/* Appends a row's message: its items are fields 1, 2, ... The body goes behind room for its length, then moves up. */
static int
encode_row(gm_vec *out, unsigned field, PyObject *row, int depth)
{
    if (depth > 2 || !PyTuple_Check(row) || PyTuple_GET_SIZE(row) > 15) {
        PyErr_SetString(PyExc_TypeError, "rows: want tuples of at most 15 numbers or tuples of such");
        return -1;
    }
    if (gm_vec_reserve_no_python(out, 16) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    size_t head = out->used, room = 11;
    out->used += room;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(row); i++) {
        if (encode_item(out, (unsigned)i + 1, PyTuple_GET_ITEM(row, i), depth) < 0) {
            return -1;
        }
    }
    size_t length = out->used - head - room;
    char *at = out->data + head, *body = at + room;
    *at++ = (char)(field << 3 | 2);
    at = put_varint_no_python(at, length);
    memmove(at, body, length);
    out->used = (size_t)(at + length - out->data);
    return 0;
}

PyDoc_STRVAR(rows_encode_doc,
"rows_encode(field, rows, /)\n--\n\n"
"A list of tuples as repeated messages of a field: the items are fields 1, 2, ..., zeros are left out, a tuple is a\n"
"repeated message itself. Strings are given as their index.");

static PyObject *
rows_encode(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned field;
    PyObject *rows;
    gm_vec out = {0};
    if (!PyArg_ParseTuple(args, "IO!", &field, &PyList_Type, &rows)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        if (encode_row(&out, field, PyList_GET_ITEM(rows, i), 0) < 0) {
            gm_vec_free_no_python(&out);
            return NULL;
        }
    }
    PyObject *result = gm_column_take(&out, 'B');
    gm_vec_free_no_python(&out);
    return result;
}

static PyMethodDef wire_encode_methods[] = {
    {"rows_encode", rows_encode, METH_VARARGS, rows_encode_doc},
    {"samples_encode", samples_encode, METH_VARARGS, samples_encode_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_wire_encode(PyObject *module)
{
    return PyModule_AddFunctions(module, wire_encode_methods);
}
