/* Merging: rows with equal stack and labels, of one or several sources, become one row.
 *
 * Python maps each source's locations and label sets to the merged tables' (samples_first_use says which are used, and
 * in what order); samples_merge then maps the stacks, hashes them and adds up. Rows of zeros are left out. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

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
    if (locations < 0 || sets < 0) {
        PyErr_SetString(PyExc_ValueError, "samples: locations or label sets below 0");
    }
    else if (gm_samples_check_locations(&s, (size_t)locations) == 0 &&
             gm_samples_check_label_sets(&s, (size_t)sets) == 0) {
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
    gm_columns out;
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
        gm_vec_append_no_python(&m->out.values, s->values + row * s->width, s->width * 8) < 0 ||
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
        result = gm_columns_take(&m.out);
    }
    free(m.slots);
    gm_vec_free_no_python(&m.hashes);
    gm_columns_free_no_python(&m.out);
    return result;
}

static PyMethodDef merge_methods[] = {
    {"samples_first_use", samples_first_use, METH_VARARGS, samples_first_use_doc},
    {"samples_merge", samples_merge, METH_O, samples_merge_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_merge(PyObject *module)
{
    return PyModule_AddFunctions(module, merge_methods);
}
