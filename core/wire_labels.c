/* Label sets by their contents: a million samples with ten distinct sets cost ten sets. */
#include "wire.h"

#include <stdlib.h>

#define LABEL_BYTES 32 /* four numbers: key, text, number, unit */

void
gm_labels_free_no_python(gm_label_table *t)
{
    gm_vec_free_no_python(&t->bytes);
    gm_vec_free_no_python(&t->offsets);
    gm_vec_free_no_python(&t->hashes);
    free(t->slots);
}

static gm_fault
grow_no_python(gm_label_table *t)
{
    size_t slots = t->mask == 0 ? 64 : (t->mask + 1) * 2;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL) {
        return GM_NO_MEMORY;
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
    return GM_FINE;
}

static uint64_t
hash_no_python(const gm_vec *set)
{
    uint64_t hash = set->used;
    for (size_t i = 0; i < set->used; i += 8) {
        uint64_t word;
        memcpy(&word, set->data + i, 8);
        hash = gm_mix_no_python(hash, word);
    }
    return hash;
}

static bool
is_set_no_python(const gm_label_table *t, size_t i, uint64_t hash, const gm_vec *set)
{
    const uint64_t *offsets = (const uint64_t *)(const void *)t->offsets.data;
    const uint64_t *hashes = (const uint64_t *)(const void *)t->hashes.data;
    return hashes[i] == hash && offsets[i + 1] - offsets[i] == set->used &&
           (set->used == 0 || memcmp(t->bytes.data + offsets[i], set->data, set->used) == 0);
}

gm_fault
gm_labels_intern_no_python(gm_label_table *t, const gm_vec *set, uint32_t *index)
{
    if ((t->count + 1) * 2 > t->mask) {
        gm_fault bad = grow_no_python(t);
        if (bad) {
            return bad;
        }
    }
    uint64_t hash = hash_no_python(set);
    size_t at = hash & t->mask;
    for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
        if (is_set_no_python(t, t->slots[at] - 1, hash, set)) {
            *index = t->slots[at] - 1;
            return GM_FINE;
        }
    }
    *index = (uint32_t)t->count++;
    t->slots[at] = *index + 1;
    if (t->count >= UINT32_MAX || gm_vec_append_no_python(&t->bytes, set->data, set->used) < 0 ||
        gm_vec_u64_no_python(&t->offsets, t->bytes.used) < 0 || gm_vec_u64_no_python(&t->hashes, hash) < 0) {
        return GM_NO_MEMORY;
    }
    return GM_FINE;
}

gm_fault
gm_labels_make_no_python(gm_label_table *t)
{
    const gm_vec empty = {0};
    uint32_t none;
    return gm_vec_u64_no_python(&t->offsets, 0) < 0 ? GM_NO_MEMORY : gm_labels_intern_no_python(t, &empty, &none);
}

static PyObject *
row_of(const gm_label_table *t, uint64_t first, uint64_t last)
{
    size_t count = (last - first) / LABEL_BYTES;
    PyObject *row = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; row != NULL && i < count; i++) {
        int64_t n[4];
        memcpy(n, t->bytes.data + first + i * LABEL_BYTES, sizeof n);
        PyObject *label = Py_BuildValue("(LLLL)", (long long)n[0], (long long)n[1], (long long)n[2], (long long)n[3]);
        if (label == NULL) {
            Py_CLEAR(row);
        }
        else {
            PyTuple_SET_ITEM(row, (Py_ssize_t)i, label);
        }
    }
    return row;
}

PyObject *
gm_labels_rows(const gm_label_table *t)
{
    PyObject *rows = PyList_New((Py_ssize_t)t->count);
    const uint64_t *offsets = (const uint64_t *)(const void *)t->offsets.data;
    for (size_t i = 0; rows != NULL && i < t->count; i++) {
        PyObject *row = row_of(t, offsets[i], offsets[i + 1]);
        if (row == NULL) {
            Py_CLEAR(rows);
        }
        else {
            PyList_SET_ITEM(rows, (Py_ssize_t)i, row);
        }
    }
    return rows;
}
