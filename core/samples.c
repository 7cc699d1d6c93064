/* Operations on whole sample columns: filter, extend, scale and add up; merge.c merges.
 *
 * Each takes one or more samples tuples (see gm_samples) and what Python worked out once a location or once a label
 * set, as tables of flags or indexes; it returns new columns and never changes its input. Sums wrap as int64 does in
 * Go. The loops run without the GIL. */
#include "column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ends a row whose stack has been appended already. */
static int
end_row_no_python(gm_columns *out, const gm_samples *s, size_t row)
{
    if (gm_vec_append_no_python(&out->values, s->values + row * s->width, s->width * 8) < 0 ||
        gm_vec_u32_no_python(&out->label_sets, s->label_sets[row]) < 0) {
        return -1;
    }
    return gm_vec_u64_no_python(&out->starts, out->stacks.used / 4);
}

static PyObject *
finish(gm_columns *out, int failed)
{
    PyObject *result = failed ? PyErr_NoMemory() : gm_columns_take(out);
    gm_columns_free_no_python(out);
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
filter_no_python(const gm_samples *s, int mode, const uint8_t *flags, int hiding, gm_columns *out)
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
            if (gm_vec_append_no_python(&out->stacks, kept.at, (size_t)(kept.end - kept.at) * 4) < 0) {
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
    gm_columns out = {0};
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
    return gm_vec_append_no_python(stacks, r->locations + first, (r->starts[set + 1] - first) * 4);
}

static int
extend_no_python(const gm_samples *s, const runs *leaves, const runs *roots, gm_columns *out)
{
    if (gm_vec_u64_no_python(&out->starts, 0) < 0) {
        return -1;
    }
    for (size_t row = 0; row < s->rows; row++) {
        size_t first = s->starts[row], depth = s->starts[row + 1] - first;
        if (append_run_no_python(leaves, s->label_sets[row], &out->stacks) < 0 ||
            gm_vec_append_no_python(&out->stacks, s->stacks + first, depth * 4) < 0 ||
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
    gm_columns out = {0};
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

/* A float as Go converts it to int64 on amd64: out of range and not a number give the lowest int64. */
static int64_t
int64_of_no_python(double value)
{
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 ? (int64_t)value : INT64_MIN;
}

static int
scale_no_python(const gm_samples *s, const double *ratios, int rounding, gm_columns *out)
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
        if (gm_vec_append_no_python(&out->stacks, s->stacks + first, (s->starts[row + 1] - first) * 4) < 0 ||
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
    gm_columns out = {0};
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
    size_t bytes;
    if (sets < 0) {
        PyErr_SetString(PyExc_ValueError, "samples: label sets below 0");
    }
    else if (gm_samples_check_label_sets(&s, (size_t)sets) == 0) {
        if (__builtin_mul_overflow((size_t)sets, s.width * 16, &bytes) || gm_vec_reserve_no_python(&out, bytes + 16) < 0) {
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
    {"samples_scale", samples_scale, METH_VARARGS, samples_scale_doc},
    {"samples_totals", samples_totals, METH_VARARGS, samples_totals_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_samples(PyObject *module)
{
    return PyModule_AddFunctions(module, samples_methods);
}
