/* Operations on whole sample columns: filter, extend, merge, scale and add up.
 *
 * Each takes one or more samples tuples (see gm_samples) and what Python worked out once a location or once a label
 * set, as tables of flags or indexes; it returns new columns and never changes its input. Sums wrap as int64 does in
 * Go. The loops run without the GIL. */
#include "column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    gm_vec starts, stacks, values, label_sets;
} columns;

static void
columns_free_no_python(columns *c)
{
    gm_vec_free_no_python(&c->starts);
    gm_vec_free_no_python(&c->stacks);
    gm_vec_free_no_python(&c->values);
    gm_vec_free_no_python(&c->label_sets);
}

static PyObject *
columns_take(columns *c)
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

static int
append_no_python(gm_vec *vec, const void *data, size_t bytes)
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

/* Ends a row whose stack has been appended already. */
static int
end_row_no_python(columns *out, const gm_samples *s, size_t row)
{
    if (append_no_python(&out->values, s->values + row * s->width, s->width * 8) < 0 ||
        gm_vec_u32_no_python(&out->label_sets, s->label_sets[row]) < 0) {
        return -1;
    }
    return gm_vec_u64_no_python(&out->starts, out->stacks.used / 4);
}

static PyObject *
finish(columns *out, int failed)
{
    PyObject *result = failed ? PyErr_NoMemory() : columns_take(out);
    columns_free_no_python(out);
    return result;
}

/* The ways to filter; names are also in gomem/pprof/filters.py. */
enum { BY_NAME, SHOW_FROM, PRUNE, PRUNE_FROM, BY_LABEL };
enum { FOCUSED = 1, IGNORED = 2, HIDDEN = 4, MATCHED = 1, WHOLE = 2 };

typedef struct {
    const uint32_t *at, *end; /* the part of a stack that stays, leaf first */
    int keep;
} part;

static part
part_by_name_no_python(const uint32_t *at, const uint32_t *end, const uint8_t *flags)
{
    int focused = 0;
    for (const uint32_t *i = at; i < end; i++) {
        if (flags[*i] & IGNORED) {
            return (part){at, at, 0};
        }
        focused |= flags[*i] & FOCUSED;
    }
    return (part){at, end, focused};
}

static part
part_show_from_no_python(const uint32_t *at, const uint32_t *end, const uint8_t *flags)
{
    while (end > at && !(flags[end[-1]] & MATCHED)) {
        end--;
    }
    return (part){at, end, end > at};
}

/* From the root: behind the first frame that stays, everything from the first match to the leaf goes; a match that
 * covers a location in part keeps the location, whose lines were cut already. */
static part
part_prune_no_python(const uint32_t *at, const uint32_t *end, const uint8_t *flags)
{
    int stays = 0;
    for (const uint32_t *i = end; i-- > at;) {
        if (!(flags[*i] & (MATCHED | WHOLE))) {
            stays = 1;
        }
        else if (stays) {
            return (part){flags[*i] & WHOLE ? i + 1 : i, end, 1};
        }
    }
    return (part){at, end, 1};
}

static part
part_prune_from_no_python(const uint32_t *at, const uint32_t *end, const uint8_t *flags)
{
    for (const uint32_t *i = at; i < end; i++) {
        if (flags[*i] & MATCHED) {
            return (part){i, end, 1};
        }
    }
    return (part){at, end, 1};
}

static part
part_of_row_no_python(const gm_samples *s, size_t row, int mode, const uint8_t *flags)
{
    const uint32_t *at = s->stacks + s->starts[row], *end = s->stacks + s->starts[row + 1];
    switch (mode) {
    case BY_NAME:
        return part_by_name_no_python(at, end, flags);
    case SHOW_FROM:
        return part_show_from_no_python(at, end, flags);
    case PRUNE:
        return part_prune_no_python(at, end, flags);
    case PRUNE_FROM:
        return part_prune_from_no_python(at, end, flags);
    default:
        return (part){at, end, flags[s->label_sets[row]] != 0};
    }
}

static int
filter_no_python(const gm_samples *s, int mode, const uint8_t *flags, int hiding, columns *out)
{
    if (gm_vec_u64_no_python(&out->starts, 0) < 0) {
        return -1;
    }
    for (size_t row = 0; row < s->rows; row++) {
        part kept = part_of_row_no_python(s, row, mode, flags);
        if (!kept.keep) {
            continue;
        }
        size_t before = out->stacks.used;
        if (!hiding) {
            if (append_no_python(&out->stacks, kept.at, (size_t)(kept.end - kept.at) * 4) < 0) {
                return -1;
            }
        }
        else {
            for (; kept.at < kept.end; kept.at++) {
                if (!(flags[*kept.at] & HIDDEN) && gm_vec_u32_no_python(&out->stacks, *kept.at) < 0) {
                    return -1;
                }
            }
            if (out->stacks.used == before) {
                continue;
            }
        }
        if (end_row_no_python(out, s, row) < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(samples_filter_doc,
"samples_filter(samples, mode, flags, /)\n--\n\n"
"Keeps rows and parts of stacks. flags has one byte a location, for mode 4 one a label set. Modes: 0 by name\n"
"(1 focused, 2 ignored, 4 hidden), 1 show from (1 matched), 2 prune (1 matched in part, 2 whole), 3 prune from\n"
"(1 matched), 4 by label (1 keep).");

static PyObject *
samples_filter(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples;
    int mode;
    Py_buffer flags;
    gm_samples s;
    columns out = {0};
    if (!PyArg_ParseTuple(args, "Oiy*", &samples, &mode, &flags)) {
        return NULL;
    }
    if (gm_samples_view(samples, &s) < 0) {
        PyBuffer_Release(&flags);
        return NULL;
    }
    PyObject *result = NULL;
    int fits = mode == BY_LABEL ? gm_samples_check_label_sets(&s, (size_t)flags.len)
                                : gm_samples_check_locations(&s, (size_t)flags.len);
    if (fits == 0) {
        int failed, hiding = 0;
        const uint8_t *table = flags.buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; mode == BY_NAME && i < flags.len && !hiding; i++) {
            hiding = (table[i] & HIDDEN) != 0;
        }
        failed = filter_no_python(&s, mode, table, hiding, &out);
        Py_END_ALLOW_THREADS
        result = finish(&out, failed < 0);
    }
    gm_samples_release(&s);
    PyBuffer_Release(&flags);
    return result;
}

/* Label set -> a run of locations: starts has one more entry than there are sets. */
typedef struct {
    const uint64_t *starts;
    const uint32_t *locations;
    Py_buffer views[2];
} runs;

static int
runs_view(PyObject *starts, PyObject *locations, size_t *sets, runs *out)
{
    if (gm_buffer_view(starts, 8, "run starts", &out->views[0]) < 0) {
        return -1;
    }
    if (gm_buffer_view(locations, 4, "run locations", &out->views[1]) < 0) {
        PyBuffer_Release(&out->views[0]);
        return -1;
    }
    out->starts = out->views[0].buf;
    out->locations = out->views[1].buf;
    size_t count = (size_t)out->views[0].len / 8, length = (size_t)out->views[1].len / 4;
    *sets = count == 0 ? 0 : count - 1;
    for (size_t i = 0; i < count; i++) {
        if (out->starts[i] > length || (i > 0 && out->starts[i] < out->starts[i - 1])) {
            PyErr_SetString(PyExc_ValueError, "run starts: out of order");
            PyBuffer_Release(&out->views[0]);
            PyBuffer_Release(&out->views[1]);
            return -1;
        }
    }
    return 0;
}

static void
runs_release(runs *r)
{
    PyBuffer_Release(&r->views[0]);
    PyBuffer_Release(&r->views[1]);
}

static int
append_run_no_python(const runs *r, uint32_t set, gm_vec *stacks)
{
    size_t first = r->starts[set];
    return append_no_python(stacks, r->locations + first, (r->starts[set + 1] - first) * 4);
}

static int
extend_no_python(const gm_samples *s, const runs *leaves, const runs *roots, columns *out)
{
    if (gm_vec_u64_no_python(&out->starts, 0) < 0) {
        return -1;
    }
    for (size_t row = 0; row < s->rows; row++) {
        size_t first = s->starts[row], depth = s->starts[row + 1] - first;
        if (append_run_no_python(leaves, s->label_sets[row], &out->stacks) < 0 ||
            append_no_python(&out->stacks, s->stacks + first, depth * 4) < 0 ||
            append_run_no_python(roots, s->label_sets[row], &out->stacks) < 0 || end_row_no_python(out, s, row) < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(samples_extend_doc,
"samples_extend(samples, leaf_starts, leaf_locations, root_starts, root_locations, /)\n--\n\n"
"Puts the locations that belong to a row's label set before its leaf and behind its root.");

static PyObject *
samples_extend(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples, *o[4], *result = NULL;
    gm_samples s;
    runs leaves, roots;
    size_t leaf_sets, root_sets;
    columns out = {0};
    if (!PyArg_ParseTuple(args, "OOOOO", &samples, &o[0], &o[1], &o[2], &o[3]) || gm_samples_view(samples, &s) < 0) {
        return NULL;
    }
    if (runs_view(o[0], o[1], &leaf_sets, &leaves) == 0) {
        if (runs_view(o[2], o[3], &root_sets, &roots) == 0) {
            if (gm_samples_check_label_sets(&s, leaf_sets < root_sets ? leaf_sets : root_sets) == 0) {
                int failed;
                Py_BEGIN_ALLOW_THREADS
                failed = extend_no_python(&s, &leaves, &roots, &out);
                Py_END_ALLOW_THREADS
                result = finish(&out, failed < 0);
            }
            runs_release(&roots);
        }
        runs_release(&leaves);
    }
    gm_samples_release(&s);
    return result;
}

static int
is_zero_row_no_python(const gm_samples *s, size_t row)
{
    for (size_t i = 0; i < s->width; i++) {
        if (s->values[row * s->width + i] != 0) {
            return 0;
        }
    }
    return 1;
}

static int
first_use_no_python(const gm_samples *s, uint8_t *seen, uint8_t *seen_sets, gm_vec *locations, gm_vec *sets)
{
    for (size_t row = 0; row < s->rows; row++) {
        if (is_zero_row_no_python(s, row)) {
            continue;
        }
        for (size_t i = s->starts[row]; i < s->starts[row + 1]; i++) {
            uint32_t location = s->stacks[i];
            if (!seen[location]) {
                seen[location] = 1;
                if (gm_vec_u32_no_python(locations, location) < 0) {
                    return -1;
                }
            }
        }
        uint32_t set = s->label_sets[row];
        if (!seen_sets[set]) {
            seen_sets[set] = 1;
            if (gm_vec_u32_no_python(sets, set) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

PyDoc_STRVAR(samples_first_use_doc,
"samples_first_use(samples, locations, label_sets, /)\n--\n\n"
"The location indexes and the label set indexes that rows with a value other than 0 use, in order of first use.");

static PyObject *
samples_first_use(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples, *result = NULL;
    Py_ssize_t locations, sets;
    gm_samples s;
    gm_vec used = {0}, used_sets = {0};
    if (!PyArg_ParseTuple(args, "Onn", &samples, &locations, &sets) || gm_samples_view(samples, &s) < 0) {
        return NULL;
    }
    if (gm_samples_check_locations(&s, (size_t)locations) == 0 && gm_samples_check_label_sets(&s, (size_t)sets) == 0) {
        uint8_t *seen = calloc((size_t)locations + 1, 1), *seen_sets = calloc((size_t)sets + 1, 1);
        int failed = seen == NULL || seen_sets == NULL;
        if (!failed) {
            Py_BEGIN_ALLOW_THREADS
            failed = first_use_no_python(&s, seen, seen_sets, &used, &used_sets) < 0;
            Py_END_ALLOW_THREADS
        }
        free(seen);
        free(seen_sets);
        if (failed) {
            PyErr_NoMemory();
        }
        else {
            PyObject *a = gm_column_take(&used, 'I'), *b = gm_column_take(&used_sets, 'I');
            result = a == NULL || b == NULL ? NULL : Py_BuildValue("(OO)", a, b);
            Py_XDECREF(a);
            Py_XDECREF(b);
        }
        gm_vec_free_no_python(&used);
        gm_vec_free_no_python(&used_sets);
    }
    gm_samples_release(&s);
    return result;
}

/* Distinct (stack, label set) rows: slots hold row + 1; hashes one a row of the output. */
typedef struct {
    uint64_t *slots; /* owned */
    size_t mask;
    gm_vec hashes;   /* uint64 */
    columns out;
} merger;

static int
merger_grow_no_python(merger *m)
{
    size_t slots = m->mask == 0 ? 1024 : (m->mask + 1) * 2;
    uint64_t *fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL) {
        return -1;
    }
    const uint64_t *hashes = (const uint64_t *)(const void *)m->hashes.data;
    for (size_t i = 0; i < m->hashes.used / 8; i++) {
        size_t at = hashes[i] & (slots - 1);
        while (fresh[at] != 0) {
            at = (at + 1) & (slots - 1);
        }
        fresh[at] = i + 1;
    }
    free(m->slots);
    m->slots = fresh;
    m->mask = slots - 1;
    return 0;
}

/* Adds one row, whose mapped stack lies at the end of out.stacks from `first` on. */
static int
merger_add_no_python(merger *m, const gm_samples *s, size_t row, size_t first, uint32_t set)
{
    const uint32_t *stacks = (const uint32_t *)(const void *)m->out.stacks.data;
    size_t depth = m->out.stacks.used / 4 - first;
    uint64_t hash = gm_mix_no_python(depth + 1, set);
    for (size_t i = 0; i < depth; i++) {
        hash = gm_mix_no_python(hash, stacks[first + i]);
    }
    if ((m->hashes.used / 8 + 1) * 2 > m->mask && merger_grow_no_python(m) < 0) {
        return -1;
    }
    const uint64_t *hashes = (const uint64_t *)(const void *)m->hashes.data;
    const uint64_t *starts = (const uint64_t *)(const void *)m->out.starts.data;
    const uint32_t *sets = (const uint32_t *)(const void *)m->out.label_sets.data;
    size_t at = hash & m->mask;
    for (; m->slots[at] != 0; at = (at + 1) & m->mask) {
        size_t i = m->slots[at] - 1;
        if (hashes[i] == hash && sets[i] == set && starts[i + 1] - starts[i] == depth &&
            (depth == 0 || memcmp(stacks + starts[i], stacks + first, depth * 4) == 0)) {
            uint64_t *values = (uint64_t *)(void *)m->out.values.data + i * s->width;
            for (size_t j = 0; j < s->width; j++) {
                values[j] += (uint64_t)s->values[row * s->width + j];
            }
            m->out.stacks.used = first * 4;
            return 0;
        }
    }
    m->slots[at] = m->hashes.used / 8 + 1;
    if (gm_vec_u64_no_python(&m->hashes, hash) < 0 ||
        append_no_python(&m->out.values, s->values + row * s->width, s->width * 8) < 0 ||
        gm_vec_u32_no_python(&m->out.label_sets, set) < 0) {
        return -1;
    }
    return gm_vec_u64_no_python(&m->out.starts, m->out.stacks.used / 4);
}

static int
merge_one_no_python(merger *m, const gm_samples *s, const uint32_t *locations, const uint32_t *sets)
{
    for (size_t row = 0; row < s->rows; row++) {
        if (is_zero_row_no_python(s, row)) {
            continue;
        }
        size_t first = m->out.stacks.used / 4, depth = s->starts[row + 1] - s->starts[row];
        if (gm_vec_reserve_no_python(&m->out.stacks, depth * 4) < 0) {
            return -1;
        }
        uint32_t *stack = (uint32_t *)(void *)m->out.stacks.data + first;
        for (size_t i = 0; i < depth; i++) {
            stack[i] = locations[s->stacks[s->starts[row] + i]];
        }
        m->out.stacks.used += depth * 4;
        if (merger_add_no_python(m, s, row, first, sets[s->label_sets[row]]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Views and merges one source; -1 with an exception. */
static int
merge_source(merger *m, PyObject *source, size_t *width)
{
    PyObject *samples, *locations_object, *sets_object;
    gm_samples s;
    Py_buffer locations = {0}, sets = {0};
    if (!PyArg_ParseTuple(source, "OOO", &samples, &locations_object, &sets_object) || gm_samples_view(samples, &s) < 0) {
        return -1;
    }
    int failed = -1;
    if (*width != SIZE_MAX && *width != s.width) {
        PyErr_SetString(PyExc_ValueError, "samples: widths differ");
    }
    else if (gm_buffer_view(locations_object, 4, "locations", &locations) == 0 &&
             gm_buffer_view(sets_object, 4, "label sets", &sets) == 0 &&
             gm_samples_check_locations(&s, (size_t)locations.len / 4) == 0 &&
             gm_samples_check_label_sets(&s, (size_t)sets.len / 4) == 0) {
        *width = s.width;
        Py_BEGIN_ALLOW_THREADS
        failed = merge_one_no_python(m, &s, locations.buf, sets.buf);
        Py_END_ALLOW_THREADS
        if (failed) {
            PyErr_NoMemory();
        }
    }
    PyBuffer_Release(&locations);
    PyBuffer_Release(&sets);
    gm_samples_release(&s);
    return failed;
}

PyDoc_STRVAR(samples_merge_doc,
"samples_merge(sources, /)\n--\n\n"
"Adds up the rows with equal stack and label set of several sources, each (samples, location_map, label_set_map);\n"
"the maps are uint32 buffers from old to new index. Rows of zeros are left out, the order is that of first meeting.");

static PyObject *
samples_merge(PyObject *Py_UNUSED(module), PyObject *sources)
{
    merger m = {0};
    size_t width = SIZE_MAX;
    if (!PyTuple_Check(sources)) {
        PyErr_SetString(PyExc_TypeError, "sources: want a tuple");
        return NULL;
    }
    int failed = 0;
    PyObject *result = NULL;
    if (gm_vec_u64_no_python(&m.out.starts, 0) < 0) {
        PyErr_NoMemory();
        failed = 1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sources) && !failed; i++) {
        failed = merge_source(&m, PyTuple_GET_ITEM(sources, i), &width) < 0;
    }
    if (!failed) {
        result = columns_take(&m.out);
    }
    free(m.slots);
    gm_vec_free_no_python(&m.hashes);
    columns_free_no_python(&m.out);
    return result;
}

/* A float as Go converts it to int64 on amd64: out of range and not a number give the lowest int64. */
static int64_t
int64_of_no_python(double value)
{
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64_t)value : INT64_MIN;
}

static int
scale_no_python(const gm_samples *s, const double *ratios, int rounding, columns *out)
{
    if (gm_vec_u64_no_python(&out->starts, 0) < 0) {
        return -1;
    }
    for (size_t row = 0; row < s->rows; row++) {
        size_t before = out->values.used;
        int keep = !rounding;
        for (size_t i = 0; i < s->width; i++) {
            int64_t value = s->values[row * s->width + i];
            if (ratios[i] != 1.0) {
                double scaled = (double)value * ratios[i];
                value = int64_of_no_python(rounding ? round(scaled) : scaled);
                keep |= value != 0;
            }
            if (gm_vec_u64_no_python(&out->values, (uint64_t)value) < 0) {
                return -1;
            }
        }
        if (!keep) {
            out->values.used = before;
            continue;
        }
        size_t first = s->starts[row];
        if (append_no_python(&out->stacks, s->stacks + first, (s->starts[row + 1] - first) * 4) < 0 ||
            gm_vec_u32_no_python(&out->label_sets, s->label_sets[row]) < 0 ||
            gm_vec_u64_no_python(&out->starts, out->stacks.used / 4) < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(samples_scale_doc,
"samples_scale(samples, ratios, rounding, /)\n--\n\n"
"Multiplies each value by its type's ratio (a float64 buffer; 1 leaves it alone). With rounding, to the nearest, and\n"
"rows without a scaled value other than 0 are left out; else towards 0, and every row stays.");

static PyObject *
samples_scale(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples, *ratios_object, *result = NULL;
    int rounding, failed;
    Py_buffer ratios;
    gm_samples s;
    columns out = {0};
    if (!PyArg_ParseTuple(args, "OOp", &samples, &ratios_object, &rounding) || gm_samples_view(samples, &s) < 0) {
        return NULL;
    }
    if (gm_buffer_view(ratios_object, 8, "ratios", &ratios) == 0) {
        if ((size_t)ratios.len / 8 == s.width) {
            Py_BEGIN_ALLOW_THREADS
            failed = scale_no_python(&s, ratios.buf, rounding, &out);
            Py_END_ALLOW_THREADS
            result = finish(&out, failed < 0);
        }
        else {
            PyErr_SetString(PyExc_ValueError, "ratios: want one a sample type");
        }
        PyBuffer_Release(&ratios);
    }
    gm_samples_release(&s);
    return result;
}

PyDoc_STRVAR(samples_totals_doc,
"samples_totals(samples, label_sets, /)\n--\n\n"
"For every label set and sample type (sum, sum of absolute values), as one int64 column of pairs, sets outermost.");

static PyObject *
samples_totals(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *samples, *result = NULL;
    Py_ssize_t sets;
    gm_samples s;
    gm_vec out = {0};
    if (!PyArg_ParseTuple(args, "On", &samples, &sets) || gm_samples_view(samples, &s) < 0) {
        return NULL;
    }
    if (gm_samples_check_label_sets(&s, (size_t)sets) == 0) {
        size_t bytes = (size_t)sets * s.width * 16;
        if (gm_vec_reserve_no_python(&out, bytes + 16) < 0) {
            PyErr_NoMemory();
        }
        else {
            memset(out.data, 0, bytes);
            out.used = bytes;
            uint64_t *sums = (uint64_t *)(void *)out.data;
            Py_BEGIN_ALLOW_THREADS
            for (size_t row = 0; row < s.rows; row++) {
                uint64_t *at = sums + s.label_sets[row] * s.width * 2;
                for (size_t i = 0; i < s.width; i++) {
                    uint64_t value = (uint64_t)s.values[row * s.width + i];
                    at[i * 2] += value;
                    at[i * 2 + 1] += value >> 63 ? -value : value;
                }
            }
            Py_END_ALLOW_THREADS
            result = gm_column_take(&out, 'q');
        }
    }
    gm_vec_free_no_python(&out);
    gm_samples_release(&s);
    return result;
}

static PyMethodDef samples_methods[] = {
    {"samples_filter", samples_filter, METH_VARARGS, samples_filter_doc},
    {"samples_extend", samples_extend, METH_VARARGS, samples_extend_doc},
    {"samples_first_use", samples_first_use, METH_VARARGS, samples_first_use_doc},
    {"samples_merge", samples_merge, METH_O, samples_merge_doc},
    {"samples_scale", samples_scale, METH_VARARGS, samples_scale_doc},
    {"samples_totals", samples_totals, METH_VARARGS, samples_totals_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_samples(PyObject *module)
{
    return PyModule_AddFunctions(module, samples_methods);
}
