/* Reading profile.proto: what the wire*.c files share.
 *
 * wire_field.c   varints, fields and their faults
 * wire_ids.c     from a table's ids to its indexes
 * wire_labels.c  distinct label sets
 * wire_samples.c sample messages into columns
 * wire_tables.c  the tables into Python objects
 * wire.c         the order of it all
 * wire_encode.c  the way back, which shares nothing of this
 *
 * What ends in _no_python runs without the GIL. */
#ifndef GOMEM_WIRE_H
#define GOMEM_WIRE_H

#include "column.h"

#include <string.h>

typedef struct {
    const uint8_t *at, *end; /* borrowed from the caller's buffer */
} gm_span;

typedef struct {
    unsigned field, type; /* fields above 1000 are 1000 */
    uint64_t number;      /* types 0, 1 and 5 */
    gm_span body;         /* type 2 */
} gm_field;

typedef enum {
    GM_FINE, GM_BAD_VARINT, GM_SHORT_DATA, GM_LONG_DATA, GM_BAD_TYPE, GM_MISMATCH, GM_BAD_STRING_0, GM_CONCATENATED,
    GM_NO_STRING, GM_NO_IDS, GM_MANY_TYPES, GM_NO_MEMORY,
} gm_fault;

/* Sets the exception for a fault; always NULL. */
PyObject *gm_raise_fault(gm_fault bad);

static inline gm_fault
gm_read_varint_no_python(gm_span *in, uint64_t *out)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (in->at == in->end) {
            return GM_BAD_VARINT;
        }
        uint8_t byte = *in->at++;
        number |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = number;
            return GM_FINE;
        }
    }
    return GM_BAD_VARINT;
}

/* A varint of at most three bytes with at least four left, which is nearly all of them; anything else by the way that
 * looks at every byte's end. */
static inline gm_fault
gm_read_small_no_python(gm_span *in, uint64_t *out)
{
    const uint8_t *at = in->at;
    if (GM_UNLIKELY(in->end - at < 4)) {
        return gm_read_varint_no_python(in, out);
    }
    if (at[0] < 0x80) {
        *out = at[0];
        in->at = at + 1;
    }
    else if (at[1] < 0x80) {
        *out = (at[0] & 0x7Fu) | (uint64_t)at[1] << 7;
        in->at = at + 2;
    }
    else if (at[2] < 0x80) {
        *out = (at[0] & 0x7Fu) | (at[1] & 0x7Fu) << 7 | (uint64_t)at[2] << 14;
        in->at = at + 3;
    }
    else {
        return gm_read_varint_no_python(in, out);
    }
    return GM_FINE;
}

gm_fault gm_read_any_field_no_python(gm_span *in, gm_field *out);

/* The next field. Of one byte's tag and a small number or length, as nearly all are, here; any other there. */
static inline gm_fault
gm_read_field_no_python(gm_span *in, gm_field *out)
{
    const uint8_t *at = in->at;
    if (GM_UNLIKELY(in->end - at < 3 || (at[0] & 0x85) != 0 || (at[1] >= 0x80 && at[2] >= 0x80))) { /* types 0 and 2 */
        return gm_read_any_field_no_python(in, out);
    }
    const uint8_t *after = at + (at[1] < 0x80 ? 2 : 3);
    uint64_t number = at[1] < 0x80 ? at[1] : (at[1] & 0x7Fu) | (uint64_t)at[2] << 7;
    bool is_body = (at[0] & 7) == 2;
    if (GM_UNLIKELY(is_body && number > (uint64_t)(in->end - after))) {
        return GM_LONG_DATA;
    }
    out->field = at[0] >> 3;
    out->type = at[0] & 7;
    out->number = is_body ? 0 : number;
    out->body.at = after;
    out->body.end = in->at = after + (is_body ? number : 0);
    return GM_FINE;
}

/* Reads a message of number fields only, wants[i] being field i + 1. */
gm_fault gm_read_numbers_no_python(gm_span in, unsigned fields, uint64_t *wants);

/* Appends a repeated number, packed or not, as uint64. */
gm_fault gm_read_number_list_no_python(const gm_field *f, gm_vec *out);

/* From ids to indexes: an array for ids up to the number of entries, which is how nearly all files number them, open
 * addressing for the others. Owns its memory; sparse is NULL until an id needs it. */
typedef struct {
    uint32_t *dense; /* id -> index + 1; 0: none; entries + 1 of them */
    size_t entries;
    struct gm_sparse_id {
        uint64_t id;
        uint64_t index; /* + 1; 0: free */
    } *sparse;
    size_t mask; /* slots of sparse - 1; a power of two, at most half of them taken */
} gm_ids;

int gm_ids_make_no_python(gm_ids *ids, size_t entries);
void gm_ids_free_no_python(gm_ids *ids);

/* 0; 1 when the id had an index before; -1 out of memory. Call it at most `entries` times. */
int gm_ids_put_no_python(gm_ids *ids, uint64_t id, uint32_t index);
uint32_t gm_ids_sparse_no_python(const gm_ids *ids, uint64_t id);

/* index + 1, or 0 for an id that is none. */
static inline uint32_t
gm_ids_get_no_python(const gm_ids *ids, uint64_t id)
{
    return GM_LIKELY(id <= ids->entries) ? ids->dense[id] : gm_ids_sparse_no_python(ids, id);
}

/* Distinct label sets by their numbers, four uint64 a label (key, text, number, unit); offsets[i]..offsets[i + 1] of
 * bytes is set i, set 0 is empty. Owns its memory. */
typedef struct {
    gm_vec bytes, offsets /* uint64 */, hashes /* uint64, one a set */;
    uint32_t *slots; /* set + 1; 0 is free */
    size_t mask, count;
} gm_label_table;

gm_fault gm_labels_make_no_python(gm_label_table *labels);
void gm_labels_free_no_python(gm_label_table *labels);
gm_fault gm_labels_intern_no_python(gm_label_table *labels, const gm_vec *set, uint32_t *index);

/* A list of tuples of labels, each label a tuple of four numbers. */
PyObject *gm_labels_rows(const gm_label_table *labels);

/* A profile while it is being read. */
typedef struct {
    gm_span input;
    size_t counts[16];  /* messages by field */
    size_t empty_entries;
    uint64_t numbers[16]; /* the number fields of the top level; 11 is 1 when there is a period_type */
    gm_vec comments;      /* uint64 string indexes */
    gm_ids location_ids, function_ids, mapping_ids;
    gm_columns columns;
    gm_vec scratch; /* the labels of one sample, end to end */
    gm_label_table labels;
    size_t bad_row, bad_width; /* the first sample that is not valid; SIZE_MAX: none. bad_width SIZE_MAX: nil location */
} gm_decoder;

/* Decodes the samples into columns; wants location_ids. */
gm_fault gm_read_samples_no_python(gm_decoder *d);

/* Fills the three tables' ids. Faults when too many entries have none of their own. */
gm_fault gm_index_tables_no_python(gm_decoder *d);

/* Borrowed: tuple subclasses (NamedTuples) to make entries of. */
typedef struct {
    PyTypeObject *location, *line, *function;
} gm_table_types;

/* A tuple (sample_types, mappings, location_ids, locations, function_ids, functions, strings, period_types, comments,
 * nil_line). nil_line is the id of the first location with a line of no function, or None. NULL with an exception. */
PyObject *gm_build_tables(const gm_decoder *d, const gm_table_types *types);

#endif
