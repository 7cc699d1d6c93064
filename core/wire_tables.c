/* A profile's tables into Python objects: few entries, compared with the samples.
 *
 * Locations, lines and functions are made here and not in Python, being the many among the few: tens of thousands.
 * They are tuples of subclasses that the caller gives, with references resolved to indexes; the other tables are
 * tuples of numbers. */
#include "wire.h"

/* The id of a table's message: the last field 1 counts, as later ones win everywhere in protobuf. */
static gm_fault
entry_id_no_python(gm_span in, uint64_t *id)
{
    *id = 0;
    while (in.at < in.end) {
        gm_field f;
        gm_fault bad = gm_read_field_no_python(&in, &f);
        if (bad) {
            return bad;
        }
        if (f.field == 1) {
            if (f.type != 0) {
                return GM_MISMATCH;
            }
            *id = f.number;
        }
    }
    return GM_FINE;
}

/* Entries that have no id of their own make a profile malformed, as Python finds out and says exactly; this many are
 * not worth the objects: two bytes each in the file, 150 here. */
#define MAX_EMPTY_ENTRIES 65536

/* The next message of one of the given fields (a bit each); false at the end. The scan found the top level sound. */
static bool
next_message_no_python(gm_span *in, unsigned fields, gm_field *f)
{
    while (in->at < in->end && !gm_read_field_no_python(in, f)) {
        if (f->field < 16 && fields >> f->field & 1) {
            return true;
        }
    }
    return false;
}

gm_fault
gm_index_tables_no_python(gm_decoder *d)
{
    gm_ids *tables[16] = {[3] = &d->mapping_ids, [4] = &d->location_ids, [5] = &d->function_ids};
    uint32_t indexes[16] = {0};
    for (unsigned field = 3; field <= 5; field++) {
        if (gm_ids_make_no_python(tables[field], d->counts[field]) < 0) {
            return GM_NO_MEMORY;
        }
    }
    gm_field f;
    for (gm_span in = d->input; next_message_no_python(&in, 1 << 3 | 1 << 4 | 1 << 5, &f);) {
        uint64_t id;
        gm_fault bad = entry_id_no_python(f.body, &id);
        if (bad) {
            return bad;
        }
        int known = gm_ids_put_no_python(tables[f.field], id, indexes[f.field]++);
        if (known < 0) {
            return GM_NO_MEMORY;
        }
        d->empty_entries += (size_t)known;
        if (d->empty_entries > MAX_EMPTY_ENTRIES) {
            return GM_NO_IDS;
        }
    }
    return GM_FINE;
}

/* What is being built; everything owned. */
typedef struct {
    const gm_decoder *d;
    const gm_table_types *types;
    PyObject *tables[16]; /* lists, by field */
    gm_vec location_ids, function_ids;
    gm_vec lines; /* PyObject * of the location at hand, owned */
    bool has_nil_line;
    uint64_t nil_line;
    gm_fault bad;
} builder;

/* A new tuple of a subclass; takes the items, of which none may be missing. NULL with an exception. */
static PyObject *
named_tuple(PyTypeObject *type, Py_ssize_t count, PyObject *const *items)
{
    bool complete = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        complete &= items[i] != NULL;
    }
    PyObject *tuple = complete ? type->tp_alloc(type, count) : NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (tuple == NULL) {
            Py_XDECREF(items[i]);
        }
        else {
            PyTuple_SET_ITEM(tuple, i, items[i]);
        }
    }
    return tuple;
}

static PyObject *
index_or_none(uint32_t index_and_one)
{
    return PyLong_FromLong((long)index_and_one - 1);
}

/* Appends a line to those of the location; one like the last is the same object again. Once a line has no function
 * the profile is refused, so no more are made. */
static int
add_line(builder *b, const uint64_t *n, uint64_t *last)
{
    uint32_t function = gm_ids_get_no_python(&b->d->function_ids, n[0]);
    if (function == 0 || b->has_nil_line) {
        b->has_nil_line = true;
        return 0;
    }
    PyObject *line;
    size_t count = b->lines.used / sizeof line;
    if (count > 0 && memcmp(n, last, 3 * sizeof *n) == 0) {
        line = Py_NewRef(((PyObject **)(void *)b->lines.data)[count - 1]);
    }
    else {
        PyObject *items[] = {index_or_none(function), PyLong_FromLongLong((long long)n[1]),
                             PyLong_FromLongLong((long long)n[2])};
        line = named_tuple(b->types->line, 3, items);
    }
    memcpy(last, n, 3 * sizeof *n);
    if (line == NULL || gm_vec_append_no_python(&b->lines, &line, sizeof line) < 0) {
        if (line != NULL) {
            Py_DECREF(line);
            PyErr_NoMemory();
        }
        return -1;
    }
    return 0;
}

/* The lines at hand as a tuple; none are at hand afterwards. */
static PyObject *
take_lines(builder *b)
{
    size_t count = b->lines.used / sizeof(PyObject *);
    PyObject *const *lines = (PyObject *const *)(const void *)b->lines.data, *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count; i++) {
        if (tuple == NULL) {
            Py_DECREF(lines[i]);
        }
        else {
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, lines[i]);
        }
    }
    b->lines.used = 0;
    return tuple;
}

static int
read_location(builder *b, gm_span in, uint64_t n[6])
{
    uint64_t numbers[3], last[3] = {0};
    memset(n, 0, 6 * sizeof *n);
    while (in.at < in.end) {
        gm_field f;
        b->bad = gm_read_field_no_python(&in, &f);
        if (b->bad) {
            return -1;
        }
        if (f.field == 0 || f.field > 5) {
            continue;
        }
        if (f.type != (f.field == 4 ? 2u : 0u)) {
            b->bad = GM_MISMATCH;
            return -1;
        }
        n[f.field] = f.number;
        if (f.field == 4) {
            b->bad = gm_read_numbers_no_python(f.body, 3, numbers);
            if (b->bad || add_line(b, numbers, last) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static PyObject *
location(builder *b, gm_span in)
{
    uint64_t n[6];
    bool had_nil_line = b->has_nil_line;
    int failed = read_location(b, in, n);
    PyObject *lines = take_lines(b);
    if (!had_nil_line && b->has_nil_line) {
        b->nil_line = n[1];
    }
    if (failed || lines == NULL || gm_vec_u64_no_python(&b->location_ids, n[1]) < 0) {
        Py_XDECREF(lines);
        return b->bad ? NULL : PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    PyObject *items[] = {index_or_none(gm_ids_get_no_python(&b->d->mapping_ids, n[2])), PyLong_FromUnsignedLongLong(n[3]),
                         lines, PyBool_FromLong(n[5] != 0)};
    return named_tuple(b->types->location, 4, items);
}

static PyObject *
string_at(builder *b, uint64_t index)
{
    if (index >= (uint64_t)PyList_GET_SIZE(b->tables[6])) {
        b->bad = GM_NO_STRING;
        return NULL;
    }
    return Py_NewRef(PyList_GET_ITEM(b->tables[6], (Py_ssize_t)index));
}

static PyObject *
function(builder *b, gm_span in)
{
    uint64_t n[5];
    b->bad = gm_read_numbers_no_python(in, 5, n);
    if (b->bad) {
        return NULL;
    }
    if (gm_vec_u64_no_python(&b->function_ids, n[0]) < 0) {
        return PyErr_NoMemory();
    }
    PyObject *items[] = {string_at(b, n[1]), string_at(b, n[2]), string_at(b, n[3]), PyLong_FromLongLong((long long)n[4])};
    return named_tuple(b->types->function, 4, items);
}

static PyObject *
value_type(builder *b, gm_span in)
{
    uint64_t n[2];
    b->bad = gm_read_numbers_no_python(in, 2, n);
    return b->bad ? NULL : Py_BuildValue("(LL)", (long long)n[0], (long long)n[1]);
}

static PyObject *
truth(uint64_t number)
{
    return number ? Py_True : Py_False;
}

/* (id, start, limit, offset, file, build_id, four flags); borrows the flags. */
static PyObject *
mapping(builder *b, gm_span in)
{
    uint64_t n[10];
    b->bad = gm_read_numbers_no_python(in, 10, n);
    return b->bad ? NULL
                  : Py_BuildValue("(KKKKLLOOOO)", n[0], n[1], n[2], n[3], (long long)n[4], (long long)n[5], truth(n[6]),
                                  truth(n[7]), truth(n[8]), truth(n[9]));
}

static PyObject *
string(builder *Py_UNUSED(b), gm_span in)
{
    return PyUnicode_DecodeUTF8((const char *)in.at, in.end - in.at, "surrogateescape");
}

static PyObject *(*const makers[16])(builder *b, gm_span in) = {
    [1] = value_type, [3] = mapping, [4] = location, [5] = function, [6] = string, [11] = value_type,
};

/* Appends the entries of the given fields (a bit each) to their lists; -1 with an exception or a fault. */
static int
fill_tables(builder *b, unsigned fields)
{
    gm_field f;
    for (gm_span in = b->d->input; next_message_no_python(&in, fields, &f);) {
        PyObject *item = makers[f.field](b, f.body);
        int failed = item == NULL || PyList_Append(b->tables[f.field], item) < 0;
        Py_XDECREF(item);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
comments_list(builder *b)
{
    size_t count = b->d->comments.used / sizeof(uint64_t);
    const uint64_t *indexes = (const uint64_t *)(const void *)b->d->comments.data;
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *comment = string_at(b, indexes[i]);
        if (comment == NULL) {
            Py_CLEAR(list);
        }
        else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, comment);
        }
    }
    return list;
}

static PyObject *
tables_result(builder *b)
{
    PyObject *location_ids = gm_column_take(&b->location_ids, 'Q'), *function_ids = gm_column_take(&b->function_ids, 'Q');
    PyObject *nil = b->has_nil_line ? PyLong_FromUnsignedLongLong(b->nil_line) : Py_NewRef(Py_None), *result = NULL;
    PyObject *const *t = b->tables, *comments = comments_list(b);
    if (location_ids != NULL && function_ids != NULL && nil != NULL && comments != NULL) {
        result = PyTuple_Pack(10, t[1], t[3], location_ids, t[4], function_ids, t[5], t[6], t[11], comments, nil);
    }
    Py_XDECREF(comments);
    Py_XDECREF(location_ids);
    Py_XDECREF(function_ids);
    Py_XDECREF(nil);
    return result;
}

PyObject *
gm_build_tables(const gm_decoder *d, const gm_table_types *types)
{
    builder b = {.d = d, .types = types};
    PyObject *result = NULL;
    bool complete = true;
    for (size_t field = 0; field < 16; field++) {
        b.tables[field] = makers[field] == NULL ? NULL : PyList_New(0);
        complete &= makers[field] == NULL || b.tables[field] != NULL;
    }
    /* Strings first: functions refer to them. */
    if (complete && fill_tables(&b, 1 << 6) == 0 && fill_tables(&b, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 11) == 0) {
        result = tables_result(&b);
    }
    for (size_t field = 0; field < 16; field++) {
        Py_XDECREF(b.tables[field]);
    }
    gm_vec_free_no_python(&b.location_ids);
    gm_vec_free_no_python(&b.function_ids);
    gm_vec_free_no_python(&b.lines);
    return result != NULL || PyErr_Occurred() ? result : gm_raise_fault(b.bad);
}
