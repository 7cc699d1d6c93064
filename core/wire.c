/* profile.proto into flat columns; wire_encode.c is the way back. Only these two C files know the format.
 *
 * Decoding takes two passes over the uncompressed bytes. The first walks the top-level fields only: it counts, keeps
 * where the tables' messages lie and learns every location's id, because files put samples before locations. The
 * second decodes the samples, straight into columns whose stacks are location indexes. Label messages are interned by
 * their bytes, so that a million samples with ten distinct label sets cost ten sets. Tables, which are small, become
 * tuples of Python numbers; strings become str, with surrogate escapes for bytes that are no UTF-8.
 *
 * Every length is checked against what is left, every allocation grows with bytes that were really read, and nothing
 * recurses, so hostile input costs at most a constant times its own size.
 *
 * Source: proto/profile.proto of github.com/google/pprof and protobuf.dev's description of the encoding. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
} span;

typedef struct {
    unsigned field, type;
    uint64_t number; /* types 0, 1 and 5 */
    span body;       /* type 2 */
} wire_field;

typedef enum { OK, BAD_VARINT, SHORT_DATA, LONG_DATA, BAD_TYPE, MISMATCH, BAD_STRING_0, CONCATENATED, NO_IDS, MANY_TYPES, NO_MEMORY } fault;

static const char *const fault_texts[] = {
    "", "bad varint", "not enough data", "too much data", "unknown wire type", "type mismatch",
    "string_table[0] must be ''", "concatenated profiles detected", "malformed profile: table entries without ids of their own",
    "malformed profile: more than 10000 sample types", "out of memory",
};

static inline fault
read_varint_no_python(span *in, uint64_t *out)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in->at == in->end) {
            return BAD_VARINT;
        }
        uint8_t byte = *in->at++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = number;
            return OK;
        }
    }
    return BAD_VARINT;
}

static fault
read_fixed_no_python(span *in, size_t bytes, uint64_t *out)
{
    if ((size_t)(in->end - in->at) < bytes) {
        return SHORT_DATA;
    }
    *out = 0;
    memcpy(out, in->at, bytes); /* little-endian hosts only, which is what CPython on Linux runs on here */
    in->at += bytes;
    return OK;
}

static fault
read_field_no_python(span *in, wire_field *out)
{
    uint64_t tag, length;
    fault bad = read_varint_no_python(in, &tag);
    if (bad) {
        return bad;
    }
    out->field = tag >> 3 > 1000 ? 1000 : (unsigned)(tag >> 3);
    out->type = tag & 7;
    out->number = 0;
    out->body.at = out->body.end = in->at;
    switch (out->type) {
    case 0:
        return read_varint_no_python(in, &out->number);
    case 1:
        return read_fixed_no_python(in, 8, &out->number);
    case 5:
        return read_fixed_no_python(in, 4, &out->number);
    case 2:
        bad = read_varint_no_python(in, &length);
        if (bad) {
            return bad;
        }
        if (length > (uint64_t)(in->end - in->at)) {
            return LONG_DATA;
        }
        out->body.at = in->at;
        in->at += length;
        out->body.end = in->at;
        return OK;
    default:
        return BAD_TYPE;
    }
}

/* Reads a message of number fields only, wants[i] being field i + 1. */
static fault
read_numbers_no_python(span in, unsigned fields, uint64_t *wants)
{
    memset(wants, 0, fields * sizeof *wants);
    while (in.at < in.end) {
        wire_field f;
        fault bad = read_field_no_python(&in, &f);
        if (bad) {
            return bad;
        }
        if (f.field >= 1 && f.field <= fields) {
            if (f.type != 0) {
                return MISMATCH;
            }
            wants[f.field - 1] = f.number;
        }
    }
    return OK;
}

/* Open addressing from 64-bit keys to 32-bit indexes; owns its slots. slots is a power of two, at most half full. */
typedef struct {
    uint64_t *keys;
    uint32_t *indexes; /* index + 1; 0 is free */
    size_t mask;
} id_map;

static int
id_map_make_no_python(id_map *map, size_t count)
{
    size_t slots = 16;
    while (slots < count * 2) {
        slots *= 2;
    }
    map->mask = slots - 1;
    map->keys = calloc(slots, sizeof *map->keys);
    map->indexes = calloc(slots, sizeof *map->indexes);
    return map->keys == NULL || map->indexes == NULL ? -1 : 0;
}

static void
id_map_put_no_python(id_map *map, uint64_t key, uint32_t index)
{
    size_t at = gm_mix_no_python(0x5bd1e995, key) & map->mask;
    while (map->indexes[at] != 0 && map->keys[at] != key) {
        at = (at + 1) & map->mask;
    }
    map->keys[at] = key;
    map->indexes[at] = index + 1;
}

static uint32_t
id_map_get_no_python(const id_map *map, uint64_t key)
{
    size_t at = gm_mix_no_python(0x5bd1e995, key) & map->mask;
    while (map->indexes[at] != 0) {
        if (map->keys[at] == key) {
            return map->indexes[at];
        }
        at = (at + 1) & map->mask;
    }
    return 0;
}

/* Distinct label sets by their encoded bytes; offsets[i]..offsets[i + 1] of bytes is set i. Owns all four arrays. */
typedef struct {
    gm_vec bytes, offsets /* uint64 */, hashes /* uint64, one a set */;
    uint32_t *slots; /* set + 1; 0 is free */
    size_t mask, count;
} label_table;

/* Entries without an id make a profile malformed, as Python finds out and says exactly; this many are not worth the
 * tuples: two bytes each in the file, 150 here. */
#define MAX_EMPTY_ENTRIES 65536
#define MAX_SAMPLE_TYPES 10000 /* the largest known producer has 19 */

typedef struct {
    span input;
    gm_vec table_spans;              /* (uint64 field, pointer, length) of fields 1, 3, 4, 5, 6, 11 */
    size_t samples, locations, sample_types, empty_entries;
    uint64_t numbers[16];            /* the number fields of the top level; 11 is 1 when there is a period_type */
    gm_vec comments;                 /* uint64 string indexes */
    id_map location_ids;
    uint32_t *dense;                 /* id -> index + 1 for ids <= locations; owned */
    gm_vec starts, stacks, values, label_sets;
    gm_vec scratch;                  /* the labels of one sample, end to end */
    label_table labels;
    size_t bad_row, bad_width;       /* the first sample that is not valid; SIZE_MAX: none. bad_width SIZE_MAX: nil location */
} decoder;

static void
decoder_free_no_python(decoder *d)
{
    gm_vec *vecs[] = {&d->table_spans, &d->comments, &d->starts, &d->stacks, &d->values, &d->label_sets,
                      &d->scratch, &d->labels.bytes, &d->labels.offsets, &d->labels.hashes};
    for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) {
        gm_vec_free_no_python(vecs[i]);
    }
    free(d->location_ids.keys);
    free(d->location_ids.indexes);
    free(d->dense);
    free(d->labels.slots);
}

static fault
append_bytes_no_python(gm_vec *vec, const void *data, size_t length)
{
    if (gm_vec_reserve_no_python(vec, length) < 0) {
        return NO_MEMORY;
    }
    if (length > 0) {
        memcpy(vec->data + vec->used, data, length);
        vec->used += length;
    }
    return OK;
}

static fault
keep_span_no_python(decoder *d, const wire_field *f)
{
    int failed = gm_vec_u64_no_python(&d->table_spans, f->field);
    failed |= gm_vec_u64_no_python(&d->table_spans, (uint64_t)(f->body.at - d->input.at));
    failed |= gm_vec_u64_no_python(&d->table_spans, (uint64_t)(f->body.end - f->body.at));
    return failed ? NO_MEMORY : OK;
}

static fault
read_number_list_no_python(const wire_field *f, gm_vec *out)
{
    if (f->type == 0) {
        return gm_vec_u64_no_python(out, f->number) < 0 ? NO_MEMORY : OK;
    }
    if (f->type != 2) {
        return MISMATCH;
    }
    span in = f->body;
    while (in.at < in.end) {
        uint64_t number;
        fault bad = read_varint_no_python(&in, &number);
        if (bad) {
            return bad;
        }
        if (gm_vec_u64_no_python(out, number) < 0) {
            return NO_MEMORY;
        }
    }
    return OK;
}

static fault
scan_field_no_python(decoder *d, const wire_field *f, int *strings)
{
    switch (f->field) {
    case 1: case 2: case 3: case 4: case 5: case 6: case 11:
        if (f->type != 2) {
            return MISMATCH;
        }
        d->sample_types += f->field == 1;
        d->samples += f->field == 2;
        d->locations += f->field == 4;
        d->empty_entries += f->field >= 3 && f->field <= 5 && f->body.at == f->body.end;
        if (d->empty_entries > MAX_EMPTY_ENTRIES || d->sample_types > MAX_SAMPLE_TYPES) {
            return d->sample_types > MAX_SAMPLE_TYPES ? MANY_TYPES : NO_IDS;
        }
        if (f->field == 6 && !*strings && f->body.at != f->body.end) {
            return BAD_STRING_0;
        }
        *strings |= f->field == 6;
        if (f->field == 11) {
            d->numbers[11] = 1;
        }
        return f->field == 2 ? OK : keep_span_no_python(d, f);
    case 13:
        return read_number_list_no_python(f, &d->comments);
    case 7: case 8: case 9: case 10: case 12: case 14: case 15:
        if (f->field == 9 && d->numbers[9] != 0) {
            return CONCATENATED;
        }
        if (f->type != 0) {
            return MISMATCH;
        }
        d->numbers[f->field] = f->number;
        return OK;
    default:
        return OK;
    }
}

static fault
scan_no_python(decoder *d)
{
    span in = d->input;
    int strings = 0;
    while (in.at < in.end) {
        wire_field f;
        fault bad = read_field_no_python(&in, &f);
        if (!bad) {
            bad = scan_field_no_python(d, &f, &strings);
        }
        if (bad) {
            return bad;
        }
    }
    return d->locations >= UINT32_MAX ? NO_MEMORY : OK;
}

/* The first field 1 of a location message that counts is the last one: later ones win, as everywhere in protobuf. */
static fault
location_id_no_python(span in, uint64_t *id)
{
    *id = 0;
    while (in.at < in.end) {
        wire_field f;
        fault bad = read_field_no_python(&in, &f);
        if (bad) {
            return bad;
        }
        if (f.field == 1) {
            if (f.type != 0) {
                return MISMATCH;
            }
            *id = f.number;
        }
    }
    return OK;
}

static fault
index_locations_no_python(decoder *d)
{
    d->dense = calloc(d->locations + 1, sizeof *d->dense);
    if (d->dense == NULL || id_map_make_no_python(&d->location_ids, d->locations) < 0) {
        return NO_MEMORY;
    }
    const uint64_t *spans = (const uint64_t *)(const void *)d->table_spans.data;
    uint32_t index = 0;
    for (size_t i = 0; i < d->table_spans.used / 24; i++, spans += 3) {
        if (spans[0] != 4) {
            continue;
        }
        uint64_t id;
        span body = {d->input.at + spans[1], d->input.at + spans[1] + spans[2]};
        fault bad = location_id_no_python(body, &id);
        if (bad) {
            return bad;
        }
        if (id <= d->locations) {
            d->empty_entries += d->dense[id] != 0;
            d->dense[id] = index + 1;
            if (d->empty_entries > MAX_EMPTY_ENTRIES) {
                return NO_IDS;
            }
        }
        else {
            id_map_put_no_python(&d->location_ids, id, index);
        }
        index++;
    }
    return OK;
}

static inline void
bad_row_no_python(decoder *d, size_t row, size_t width)
{
    if (d->bad_row == SIZE_MAX) {
        d->bad_row = row;
        d->bad_width = width;
    }
}

static inline fault
add_location_no_python(decoder *d, uint64_t id, int *nil)
{
    uint32_t index = id <= d->locations ? d->dense[id] : id_map_get_no_python(&d->location_ids, id);
    *nil |= index == 0;
    return gm_vec_u32_no_python(&d->stacks, index - 1) < 0 ? NO_MEMORY : OK;
}

static fault
sample_locations_no_python(decoder *d, const wire_field *f, int *nil)
{
    if (f->type == 0) {
        return add_location_no_python(d, f->number, nil);
    }
    if (f->type != 2) {
        return MISMATCH;
    }
    span in = f->body;
    if (gm_vec_reserve_no_python(&d->stacks, (size_t)(in.end - in.at) * sizeof(uint32_t)) < 0) {
        return NO_MEMORY;
    }
    uint32_t *out = (uint32_t *)(void *)(d->stacks.data + d->stacks.used);
    while (in.at < in.end) {
        uint64_t id = *in.at;
        if (id < 0x80) {
            in.at++;
        }
        else if (in.end - in.at > 1 && in.at[1] < 0x80) {
            id = (id & 0x7F) | (uint64_t)in.at[1] << 7;
            in.at += 2;
        }
        else if (in.end - in.at > 2 && in.at[2] < 0x80) {
            id = (id & 0x7F) | (uint64_t)(in.at[1] & 0x7F) << 7 | (uint64_t)in.at[2] << 14;
            in.at += 3;
        }
        else {
            fault bad = read_varint_no_python(&in, &id);
            if (bad) {
                return bad;
            }
        }
        uint32_t index = id <= d->locations ? d->dense[id] : id_map_get_no_python(&d->location_ids, id);
        *nil |= index == 0;
        *out++ = index - 1;
    }
    d->stacks.used = (size_t)((char *)out - d->stacks.data);
    return OK;
}

static fault
sample_label_no_python(decoder *d, const wire_field *f)
{
    if (f->type != 2) {
        return MISMATCH;
    }
    uint64_t fields[4];
    fault bad = read_numbers_no_python(f->body, 4, fields);
    if (bad || (fields[1] == 0 && fields[2] == 0 && fields[3] == 0)) {
        return bad; /* a label without a value is no label */
    }
    return append_bytes_no_python(&d->scratch, fields, sizeof fields);
}

static fault
labels_grow_no_python(label_table *t)
{
    size_t slots = t->mask == 0 ? 64 : (t->mask + 1) * 2;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL) {
        return NO_MEMORY;
    }
    const uint64_t *hashes = (const uint64_t *)(const void *)t->hashes.data;
    for (size_t i = 0; i < t->count; i++) {
        size_t at = hashes[i] & (slots - 1);
        while (fresh[at] != 0) {
            at = (at + 1) & (slots - 1);
        }
        fresh[at] = (uint32_t)i + 1;
    }
    free(t->slots);
    t->slots = fresh;
    t->mask = slots - 1;
    return OK;
}

/* The index of the label set whose encoded bytes these are; set 0 has none. */
static fault
intern_labels_no_python(label_table *t, const char *data, size_t length, uint32_t *set)
{
    if ((t->count + 1) * 2 > t->mask) {
        fault bad = labels_grow_no_python(t);
        if (bad) {
            return bad;
        }
    }
    uint64_t hash = length;
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        hash = gm_mix_no_python(hash, word);
    }
    const uint64_t *offsets = (const uint64_t *)(const void *)t->offsets.data;
    const uint64_t *hashes = (const uint64_t *)(const void *)t->hashes.data;
    size_t at = hash & t->mask;
    for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
        size_t i = t->slots[at] - 1;
        if (hashes[i] == hash && offsets[i + 1] - offsets[i] == length &&
            (length == 0 || memcmp(t->bytes.data + offsets[i], data, length) == 0)) {
            *set = (uint32_t)i;
            return OK;
        }
    }
    *set = (uint32_t)t->count++;
    t->slots[at] = *set + 1;
    if (t->count >= UINT32_MAX || append_bytes_no_python(&t->bytes, data, length) ||
        gm_vec_u64_no_python(&t->offsets, t->bytes.used) < 0 || gm_vec_u64_no_python(&t->hashes, hash) < 0) {
        return NO_MEMORY;
    }
    return OK;
}

static fault
read_sample_no_python(decoder *d, span in, size_t row)
{
    int nil = 0;
    size_t values_before = d->values.used;
    d->scratch.used = 0;
    while (in.at < in.end) {
        wire_field f;
        fault bad = read_field_no_python(&in, &f);
        if (!bad && f.field == 1) {
            bad = sample_locations_no_python(d, &f, &nil);
        }
        else if (!bad && f.field == 2) {
            bad = read_number_list_no_python(&f, &d->values);
        }
        else if (!bad && f.field == 3) {
            bad = sample_label_no_python(d, &f);
        }
        if (bad) {
            return bad;
        }
    }
    size_t width = (d->values.used - values_before) / sizeof(uint64_t);
    if (width != d->sample_types || d->sample_types == 0) {
        bad_row_no_python(d, row, width);
    }
    else if (nil) {
        bad_row_no_python(d, row, SIZE_MAX);
    }
    if (d->bad_row != SIZE_MAX) { /* nobody will see the rows: read on for the encoding alone */
        d->stacks.used = d->values.used = 0;
        return OK;
    }
    uint32_t set = 0;
    if (d->scratch.used > 0) {
        fault bad = intern_labels_no_python(&d->labels, d->scratch.data, d->scratch.used, &set);
        if (bad) {
            return bad;
        }
    }
    if (gm_vec_u64_no_python(&d->starts, d->stacks.used / sizeof(uint32_t)) < 0 ||
        gm_vec_u32_no_python(&d->label_sets, set) < 0) {
        return NO_MEMORY;
    }
    return OK;
}

static fault
read_samples_no_python(decoder *d)
{
    uint32_t none;
    if (gm_vec_u64_no_python(&d->starts, 0) < 0 || gm_vec_u64_no_python(&d->labels.offsets, 0) < 0 ||
        intern_labels_no_python(&d->labels, "", 0, &none)) {
        return NO_MEMORY;
    }
    span in = d->input;
    for (size_t row = 0; in.at < in.end;) {
        wire_field f;
        fault bad = read_field_no_python(&in, &f);
        if (!bad && f.field == 2) {
            bad = read_sample_no_python(d, f.body, row++);
        }
        if (bad) {
            return bad;
        }
    }
    return OK;
}

static fault
decode_no_python(decoder *d)
{
    fault bad = scan_no_python(d);
    if (!bad) {
        bad = index_locations_no_python(d);
    }
    if (!bad) {
        bad = read_samples_no_python(d);
    }
    return bad;
}

/* From here on: decoded tables into Python objects. */

/* Appends a line to a location's; one like the last is the same object again. Behind a line without a function, for
 * which the profile is refused, none is added. */
static int
append_line(PyObject *lines, const uint64_t *n, uint64_t *last)
{
    Py_ssize_t count = PyList_GET_SIZE(lines);
    if (count > 0 && last[0] == 0) {
        return 0;
    }
    bool same = count > 0 && memcmp(n, last, 3 * sizeof *n) == 0;
    memcpy(last, n, 3 * sizeof *n);
    PyObject *line = same ? Py_NewRef(PyList_GET_ITEM(lines, count - 1))
                          : Py_BuildValue("(KLL)", n[0], (long long)n[1], (long long)n[2]);
    int failed = line == NULL || PyList_Append(lines, line) < 0;
    Py_XDECREF(line);
    return failed ? -1 : 0;
}

/* A location as (id, mapping_id, address, ((function_id, line, column), ...), is_folded). */
static PyObject *
location_tuple(span in, fault *bad)
{
    uint64_t n[6] = {0}, numbers[3], last[3] = {0};
    PyObject *lines = PyList_New(0), *result = NULL;
    while (lines != NULL && in.at < in.end) {
        wire_field f;
        *bad = read_field_no_python(&in, &f);
        if (*bad || f.field == 0 || f.field > 5) {
            if (*bad) {
                goto done;
            }
            continue;
        }
        if (f.type != (f.field == 4 ? 2u : 0u)) {
            *bad = MISMATCH;
            goto done;
        }
        n[f.field] = f.number;
        if (f.field == 4) {
            *bad = read_numbers_no_python(f.body, 3, numbers);
            if (*bad || append_line(lines, numbers, last) < 0) {
                goto done;
            }
        }
    }
    if (lines != NULL) {
        PyObject *tuple = PyList_AsTuple(lines);
        result = tuple == NULL ? NULL : Py_BuildValue("(KKKNO)", n[1], n[2], n[3], tuple, n[5] ? Py_True : Py_False);
    }
done:
    Py_XDECREF(lines);
    return result;
}

static PyObject *
table_item(unsigned field, span body, fault *bad)
{
    uint64_t n[10];
    switch (field) {
    case 1: case 11:
        *bad = read_numbers_no_python(body, 2, n);
        return *bad ? NULL : Py_BuildValue("(LL)", (long long)n[0], (long long)n[1]);
    case 3:
        *bad = read_numbers_no_python(body, 10, n);
        return *bad ? NULL
                    : Py_BuildValue("(KKKKLLOOOO)", n[0], n[1], n[2], n[3], (long long)n[4], (long long)n[5],
                                    n[6] ? Py_True : Py_False, n[7] ? Py_True : Py_False, n[8] ? Py_True : Py_False,
                                    n[9] ? Py_True : Py_False);
    case 4:
        return location_tuple(body, bad);
    case 5:
        *bad = read_numbers_no_python(body, 5, n);
        return *bad ? NULL
                    : Py_BuildValue("(KLLLL)", n[0], (long long)n[1], (long long)n[2], (long long)n[3],
                                    (long long)n[4]);
    default:
        return PyUnicode_DecodeUTF8((const char *)body.at, body.end - body.at, "surrogateescape");
    }
}

/* Appends every table message to its list: lists[field]; -1 with an exception or a fault. */
static int
build_tables(const decoder *d, PyObject **lists, fault *bad)
{
    const uint64_t *spans = (const uint64_t *)(const void *)d->table_spans.data;
    for (size_t i = 0; i < d->table_spans.used / 24; i++, spans += 3) {
        span body = {d->input.at + spans[1], d->input.at + spans[1] + spans[2]};
        PyObject *item = table_item((unsigned)spans[0], body, bad);
        int failed = item == NULL || PyList_Append(lists[spans[0]], item) < 0;
        Py_XDECREF(item);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
label_rows(const label_table *t)
{
    PyObject *rows = PyList_New((Py_ssize_t)t->count);
    const uint64_t *offsets = (const uint64_t *)(const void *)t->offsets.data;
    for (size_t i = 0; rows != NULL && i < t->count; i++) {
        size_t count = (offsets[i + 1] - offsets[i]) / 32;
        PyObject *row = PyTuple_New((Py_ssize_t)count);
        for (size_t j = 0; row != NULL && j < count; j++) {
            int64_t n[4];
            memcpy(n, t->bytes.data + offsets[i] + j * 32, sizeof n);
            PyObject *label = Py_BuildValue("(LLLL)", (long long)n[0], (long long)n[1], (long long)n[2], (long long)n[3]);
            if (label == NULL) {
                Py_CLEAR(row);
            }
            else {
                PyTuple_SET_ITEM(row, (Py_ssize_t)j, label);
            }
        }
        if (row == NULL) {
            Py_CLEAR(rows);
        }
        else {
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
        }
    }
    return rows;
}

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

static PyObject *
columns_tuple(decoder *d)
{
    PyObject *starts = gm_column_take(&d->starts, 'Q'), *stacks = gm_column_take(&d->stacks, 'I');
    PyObject *values = gm_column_take(&d->values, 'q'), *label_sets = gm_column_take(&d->label_sets, 'I');
    if (starts == NULL || stacks == NULL || values == NULL || label_sets == NULL) {
        Py_XDECREF(starts);
        Py_XDECREF(stacks);
        Py_XDECREF(values);
        Py_XDECREF(label_sets);
        return NULL;
    }
    return Py_BuildValue("(NNNN)", starts, stacks, values, label_sets);
}

static PyObject *
raise_fault(fault bad)
{
    if (bad == NO_MEMORY) {
        return PyErr_NoMemory();
    }
    PyErr_SetString(PyExc_ValueError, fault_texts[bad]);
    return NULL;
}

static PyObject *
decoder_result(decoder *d)
{
    fault bad = OK;
    PyObject *lists[12] = {NULL}, *result = NULL;
    static const int fields[] = {1, 3, 4, 5, 6, 11};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        lists[fields[i]] = PyList_New(0);
        if (lists[fields[i]] == NULL) {
            goto done;
        }
    }
    if (build_tables(d, lists, &bad) < 0) {
        goto done;
    }
    PyObject *problem = d->bad_row == SIZE_MAX ? Py_NewRef(Py_None)
                        : d->bad_width == SIZE_MAX
                            ? Py_BuildValue("(nO)", (Py_ssize_t)d->bad_row, Py_None)
                            : Py_BuildValue("(nn)", (Py_ssize_t)d->bad_row, (Py_ssize_t)d->bad_width);
    PyObject *columns = d->bad_row == SIZE_MAX ? columns_tuple(d) : Py_NewRef(Py_None);
    PyObject *numbers = number_list(d->numbers, 16);
    PyObject *comments = number_list((const uint64_t *)(const void *)d->comments.data, d->comments.used / 8);
    PyObject *labels = label_rows(&d->labels);
    if (problem != NULL && columns != NULL && numbers != NULL && comments != NULL && labels != NULL) {
        result = PyTuple_Pack(11, problem, numbers, lists[1], columns, lists[3], lists[4], lists[5], lists[6], lists[11],
                              comments, labels);
    }
    Py_XDECREF(problem);
    Py_XDECREF(columns);
    Py_XDECREF(numbers);
    Py_XDECREF(comments);
    Py_XDECREF(labels);
done:
    for (size_t i = 0; i < 12; i++) {
        Py_XDECREF(lists[i]);
    }
    if (result == NULL && bad && !PyErr_Occurred()) {
        raise_fault(bad);
    }
    return result;
}

PyDoc_STRVAR(profile_decode_doc,
"profile_decode(data, /)\n--\n\n"
"Decodes profile.proto's bytes, not compressed, into a tuple (problem, numbers, sample_types, columns, mappings,\n"
"locations, functions, strings, period_types, comments, label_rows). Raises ValueError when they are no such message.");

static PyObject *
profile_decode(PyObject *Py_UNUSED(module), PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    decoder d = {.bad_row = SIZE_MAX};
    d.input.at = view.buf;
    d.input.end = d.input.at + view.len;
    fault bad;
    Py_BEGIN_ALLOW_THREADS
    bad = decode_no_python(&d);
    Py_END_ALLOW_THREADS
    PyObject *result = bad ? raise_fault(bad) : decoder_result(&d);
    decoder_free_no_python(&d);
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef wire_methods[] = {
    {"profile_decode", profile_decode, METH_O, profile_decode_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_wire(PyObject *module)
{
    return PyModule_AddFunctions(module, wire_methods);
}
