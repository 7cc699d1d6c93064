/* Sample messages into columns whose stacks are location indexes: what most of a profile's bytes are.
 *
 * After the first sample that is not valid nobody will see the rows: the rest is read for its encoding alone. */
#include "wire.h"

static inline void
bad_row_no_python(gm_decoder *d, size_t row, size_t width)
{
    if (d->bad_row == SIZE_MAX) {
        d->bad_row = row;
        d->bad_width = width;
    }
}

static gm_fault
add_location_no_python(gm_decoder *d, uint64_t id, bool *nil)
{
    uint32_t index = gm_ids_get_no_python(&d->location_ids, id);
    *nil |= index == 0;
    return gm_vec_u32_no_python(&d->columns.stacks, index - 1) < 0 ? GM_NO_MEMORY : GM_FINE;
}

static gm_fault
sample_locations_no_python(gm_decoder *d, const gm_field *f, bool *nil)
{
    if (f->type == 0) {
        return add_location_no_python(d, f->number, nil);
    }
    if (f->type != 2) {
        return GM_MISMATCH;
    }
    gm_span in = f->body;
    if (gm_vec_reserve_no_python(&d->columns.stacks, (size_t)(in.end - in.at) * sizeof(uint32_t)) < 0) {
        return GM_NO_MEMORY;
    }
    /* Copies: the compiler cannot know that the stores below leave the originals alone. */
    const gm_ids ids = d->location_ids;
    uint32_t *out = (uint32_t *)(void *)(d->columns.stacks.data + d->columns.stacks.used);
    bool missing = false;
    while (in.at < in.end) {
        uint64_t id;
        gm_fault bad = gm_read_small_no_python(&in, &id);
        if (GM_UNLIKELY(bad)) {
            return bad;
        }
        uint32_t index = gm_ids_get_no_python(&ids, id);
        missing |= index == 0;
        *out++ = index - 1;
    }
    *nil |= missing;
    d->columns.stacks.used = (size_t)((char *)out - d->columns.stacks.data);
    return GM_FINE;
}

static gm_fault
sample_label_no_python(gm_decoder *d, const gm_field *f)
{
    if (f->type != 2) {
        return GM_MISMATCH;
    }
    uint64_t fields[4];
    gm_fault bad = gm_read_numbers_no_python(f->body, 4, fields);
    if (bad || (fields[1] == 0 && fields[2] == 0 && fields[3] == 0)) {
        return bad; /* a label without a value is no label */
    }
    return gm_vec_append_no_python(&d->scratch, fields, sizeof fields) < 0 ? GM_NO_MEMORY : GM_FINE;
}

static gm_fault
sample_fields_no_python(gm_decoder *d, gm_span in, bool *nil)
{
    while (in.at < in.end) {
        gm_field f;
        gm_fault bad = gm_read_field_no_python(&in, &f);
        if (!bad && f.field == 1) {
            bad = sample_locations_no_python(d, &f, nil);
        }
        else if (!bad && f.field == 2) {
            bad = gm_read_number_list_no_python(&f, &d->columns.values);
        }
        else if (!bad && f.field == 3) {
            bad = sample_label_no_python(d, &f);
        }
        if (bad) {
            return bad;
        }
    }
    return GM_FINE;
}

static gm_fault
read_sample_no_python(gm_decoder *d, gm_span in, size_t row)
{
    gm_columns *c = &d->columns;
    const size_t values_before = c->values.used, types = d->counts[1];
    bool nil = false;
    d->scratch.used = 0;
    gm_fault bad = sample_fields_no_python(d, in, &nil);
    if (bad) {
        return bad;
    }
    size_t width = (c->values.used - values_before) / sizeof(uint64_t);
    if (width != types || types == 0) {
        bad_row_no_python(d, row, width);
    }
    else if (nil) {
        bad_row_no_python(d, row, SIZE_MAX);
    }
    if (d->bad_row != SIZE_MAX) {
        c->stacks.used = c->values.used = 0;
        return GM_FINE;
    }
    uint32_t set = 0;
    bad = d->scratch.used > 0 ? gm_labels_intern_no_python(&d->labels, &d->scratch, &set) : GM_FINE;
    if (!bad && (gm_vec_u64_no_python(&c->starts, c->stacks.used / sizeof(uint32_t)) < 0 ||
                 gm_vec_u32_no_python(&c->label_sets, set) < 0)) {
        bad = GM_NO_MEMORY;
    }
    return bad;
}

gm_fault
gm_read_samples_no_python(gm_decoder *d)
{
    if (gm_vec_u64_no_python(&d->columns.starts, 0) < 0 || gm_labels_make_no_python(&d->labels)) {
        return GM_NO_MEMORY;
    }
    gm_span in = d->input;
    for (size_t row = 0; in.at < in.end;) {
        gm_field f;
        gm_fault bad = gm_read_field_no_python(&in, &f);
        if (!bad && f.field == 2) {
            bad = read_sample_no_python(d, f.body, row++);
        }
        if (bad) {
            return bad;
        }
    }
    return GM_FINE;
}
