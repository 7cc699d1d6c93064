/* profile.proto into flat columns and tables; wire_encode.c is the way back. Only the wire*.c files know the format.
 *
 * Decoding walks the top-level fields several times, which is cheap because a message that is not wanted is passed
 * over by its length: to count them; to learn the tables' ids, because files put samples before locations; to decode
 * the samples, straight into columns whose stacks are location indexes; and to make the tables, which are small, into
 * Python objects. Keeping where each message lies instead would cost 24 bytes for messages of two.
 *
 * Every length is checked against what is left, every allocation grows with bytes that were really read, and nothing
 * recurses, so hostile input costs at most a constant times its own size.
 *
 * Source: proto/profile.proto of github.com/google/pprof. */
#include "wire.h"

#define MAX_EMPTY_MESSAGES 65536 /* see MAX_EMPTY_ENTRIES in wire_tables.c */
#define MAX_SAMPLE_TYPES 10000   /* the largest known producer has 19 */

static void
decoder_free_no_python(gm_decoder *d)
{
    gm_vec_free_no_python(&d->comments);
    gm_vec_free_no_python(&d->scratch);
    gm_columns_free_no_python(&d->columns);
    gm_labels_free_no_python(&d->labels);
    gm_ids_free_no_python(&d->location_ids);
    gm_ids_free_no_python(&d->function_ids);
    gm_ids_free_no_python(&d->mapping_ids);
}

static gm_fault
count_message_no_python(gm_decoder *d, const gm_field *f)
{
    if (f->type != 2) {
        return GM_MISMATCH;
    }
    d->counts[f->field]++;
    d->empty_entries += f->field >= 3 && f->field <= 5 && f->body.at == f->body.end;
    if (d->counts[1] > MAX_SAMPLE_TYPES) {
        return GM_MANY_TYPES;
    }
    if (d->empty_entries > MAX_EMPTY_MESSAGES) {
        return GM_NO_IDS;
    }
    return f->field == 6 && d->counts[6] == 1 && f->body.at != f->body.end ? GM_BAD_STRING_0 : GM_FINE;
}

static gm_fault
keep_number_no_python(gm_decoder *d, const gm_field *f)
{
    if (f->field == 9 && d->numbers[9] != 0) {
        return GM_CONCATENATED;
    }
    if (f->type != 0) {
        return GM_MISMATCH;
    }
    d->numbers[f->field] = f->number;
    return GM_FINE;
}

static gm_fault
scan_field_no_python(gm_decoder *d, const gm_field *f)
{
    switch (f->field) {
    case 1: case 2: case 3: case 4: case 5: case 6:
        return count_message_no_python(d, f);
    case 11:
        d->numbers[11] = 1;
        return count_message_no_python(d, f);
    case 13:
        return gm_read_number_list_no_python(f, &d->comments);
    case 7: case 8: case 9: case 10: case 12: case 14: case 15:
        return keep_number_no_python(d, f);
    default:
        return GM_FINE;
    }
}

static gm_fault
scan_no_python(gm_decoder *d)
{
    gm_span in = d->input;
    while (in.at < in.end) {
        gm_field f;
        gm_fault bad = gm_read_field_no_python(&in, &f);
        if (!bad) {
            bad = scan_field_no_python(d, &f);
        }
        if (bad) {
            return bad;
        }
    }
    return d->counts[4] >= UINT32_MAX || d->counts[5] >= UINT32_MAX || d->counts[3] >= UINT32_MAX ? GM_NO_MEMORY : GM_FINE;
}

static gm_fault
decode_no_python(gm_decoder *d)
{
    gm_fault bad = scan_no_python(d);
    if (!bad) {
        bad = gm_index_tables_no_python(d);
    }
    return bad ? bad : gm_read_samples_no_python(d);
}

/* From here on: what was decoded into Python objects. */

static PyObject *
number_list(const uint64_t *numbers, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *number = PyLong_FromLongLong((long long)numbers[i]);
        if (number == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, number);
        }
    }
    return list;
}

/* The first sample that is not valid as (row, values), values None when a location is missing; None when all are. */
static PyObject *
problem_of(const gm_decoder *d)
{
    if (d->bad_row == SIZE_MAX) {
        Py_RETURN_NONE;
    }
    return d->bad_width == SIZE_MAX ? Py_BuildValue("(nO)", (Py_ssize_t)d->bad_row, Py_None)
                                    : Py_BuildValue("(nn)", (Py_ssize_t)d->bad_row, (Py_ssize_t)d->bad_width);
}

static PyObject *
decoder_result(gm_decoder *d, const gm_table_types *types)
{
    PyObject *parts[5] = {problem_of(d)};
    parts[1] = number_list(d->numbers, 16);
    parts[2] = gm_labels_rows(&d->labels);
    parts[3] = d->bad_row == SIZE_MAX ? gm_columns_take(&d->columns) : Py_NewRef(Py_None);
    parts[4] = PyErr_Occurred() ? NULL : gm_build_tables(d, types);
    bool complete = true;
    for (size_t i = 0; i < 5; i++) {
        complete &= parts[i] != NULL;
    }
    PyObject *result = complete ? PyTuple_Pack(5, parts[0], parts[1], parts[2], parts[3], parts[4]) : NULL;
    for (size_t i = 0; i < 5; i++) {
        Py_XDECREF(parts[i]);
    }
    return result;
}

static int
is_tuple_type(PyTypeObject *type)
{
    if (PyType_IsSubtype(type, &PyTuple_Type) && type != &PyTuple_Type) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "profile_decode: got %s, want a subclass of tuple", type->tp_name);
    return 0;
}

PyDoc_STRVAR(profile_decode_doc,
"profile_decode(data, location, line, function, /)\n--\n\n"
"Decodes profile.proto's bytes, not compressed, into a tuple (problem, numbers, label_rows, columns, tables), tables\n"
"being (sample_types, mappings, location_ids, locations, function_ids, functions, strings, period_types, comments,\n"
"nil_line). location, line and function are the NamedTuples to make those tables' entries of. Raises ValueError when\n"
"the bytes are no such message.");

static PyObject *
profile_decode(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *data;
    gm_table_types types;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO!O!O!", &data, &PyType_Type, &types.location, &PyType_Type, &types.line, &PyType_Type,
                          &types.function) ||
        !is_tuple_type(types.location) || !is_tuple_type(types.line) || !is_tuple_type(types.function) ||
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    gm_decoder d = {.bad_row = SIZE_MAX};
    d.input.at = view.buf;
    d.input.end = d.input.at + view.len;
    gm_fault bad;
    Py_BEGIN_ALLOW_THREADS
    bad = decode_no_python(&d);
    Py_END_ALLOW_THREADS
    PyObject *result = bad ? gm_raise_fault(bad) : decoder_result(&d, &types);
    decoder_free_no_python(&d);
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef wire_methods[] = {
    {"profile_decode", profile_decode, METH_VARARGS, profile_decode_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_wire(PyObject *module)
{
    return PyModule_AddFunctions(module, wire_methods);
}
