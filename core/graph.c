/* Adds samples up over call-graph nodes, edges and call trees.
 *
 * Python says which nodes a location stands for (`node_starts`, `nodes`: for each location a run of node indexes,
 * innermost inlined call first, NONE for a node that is not shown) and which value counts; these loops walk every
 * stack once, from its root. A node or an edge met twice in one stack (recursion) counts once: stamps, not sets,
 * remember what the current row has met.
 *
 * Sums wrap as int64 does in Go. Source: what the reports of github.com/google/pprof mean by flat, cum and residual. */
#include "column.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct {
    gm_samples s;
    Py_buffer views[2];
    const uint64_t *node_starts;
    const uint32_t *nodes;
    size_t node_count;
    Py_ssize_t value, divisor; /* column of a row's values; divisor -1: none */
    long long cutoff;          /* edges below it do not count */
} walk;

/* Distinct 64-bit keys with sums; record i was met i-th. Owns both arrays. */
typedef struct {
    uint64_t key;
    uint64_t sums[4];
    uint32_t stamp, flags;
} record;

typedef struct {
    gm_vec records;
    uint32_t *slots; /* index + 1; 0 is free */
    size_t mask;
} table;

static void
table_free_no_python(table *t)
{
    gm_vec_free_no_python(&t->records);
    free(t->slots);
}

static int
table_grow_no_python(table *t)
{
    size_t slots = t->mask == 0 ? 1024 : (t->mask + 1) * 2;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL || slots > UINT32_MAX) {
        free(fresh);
        return -1;
    }
    const record *records = (const record *)(const void *)t->records.data;
    for (size_t i = 0; i < t->records.used / sizeof(record); i++) {
        size_t at = gm_mix_no_python(1, records[i].key) & (slots - 1);
        while (fresh[at] != 0) {
            at = (at + 1) & (slots - 1);
        }
        fresh[at] = (uint32_t)i + 1;
    }
    free(t->slots);
    t->slots = fresh;
    t->mask = slots - 1;
    return 0;
}

/* The record of a key, made on first meeting with *fresh set; NULL without memory. */
static record *
table_find_no_python(table *t, uint64_t key, int *fresh)
{
    size_t count = t->records.used / sizeof(record);
    if ((count + 1) * 2 > t->mask && table_grow_no_python(t) < 0) {
        return NULL;
    }
    record *records = (record *)(void *)t->records.data;
    size_t at = gm_mix_no_python(1, key) & t->mask;
    for (; t->slots[at] != 0; at = (at + 1) & t->mask) {
        if (records[t->slots[at] - 1].key == key) {
            *fresh = 0;
            return &records[t->slots[at] - 1];
        }
    }
    if (gm_vec_reserve_no_python(&t->records, sizeof(record)) < 0) {
        return NULL;
    }
    t->slots[at] = (uint32_t)count + 1;
    t->records.used += sizeof(record);
    record *made = (record *)(void *)t->records.data + count;
    memset(made, 0, sizeof *made);
    made->key = key;
    *fresh = 1;
    return made;
}

static int
walk_check(walk *w)
{
    size_t starts = (size_t)w->views[0].len / 8, nodes = (size_t)w->views[1].len / 4;
    Py_ssize_t width = (Py_ssize_t)w->s.width;
    if (starts == 0 || w->value < 0 || w->value >= width || w->divisor >= width || w->s.rows >= NONE ||
        w->node_count >= NONE) {
        PyErr_SetString(PyExc_ValueError, "graph: value, divisor or count out of range");
        return -1;
    }
    for (size_t i = 0; i < starts; i++) {
        if (w->node_starts[i] > nodes || (i > 0 && w->node_starts[i] < w->node_starts[i - 1])) {
            PyErr_SetString(PyExc_ValueError, "graph: node starts out of order");
            return -1;
        }
    }
    for (size_t i = 0; i < nodes; i++) {
        if (w->nodes[i] != NONE && w->nodes[i] >= w->node_count) {
            PyErr_SetString(PyExc_ValueError, "graph: a location points past the nodes");
            return -1;
        }
    }
    return gm_samples_check_locations(&w->s, starts - 1);
}

static void
walk_release(walk *w)
{
    PyBuffer_Release(&w->views[0]);
    PyBuffer_Release(&w->views[1]);
    gm_samples_release(&w->s);
}

/* Arguments of every function here: samples, node_starts, nodes, node_count, value, divisor; one also has a cutoff. */
static int
walk_view(PyObject *args, walk *w)
{
    PyObject *samples, *starts, *nodes;
    Py_ssize_t count;
    memset(w, 0, sizeof *w);
    if (!PyArg_ParseTuple(args, "OOOnnn|L", &samples, &starts, &nodes, &count, &w->value, &w->divisor, &w->cutoff) ||
        gm_samples_view(samples, &w->s) < 0) {
        return -1;
    }
    w->node_count = (size_t)count;
    if (gm_buffer_view(starts, 8, "node starts", &w->views[0]) < 0 ||
        gm_buffer_view(nodes, 4, "nodes", &w->views[1]) < 0) {
        walk_release(w);
        return -1;
    }
    w->node_starts = w->views[0].buf;
    w->nodes = w->views[1].buf;
    if (walk_check(w) < 0) {
        walk_release(w);
        return -1;
    }
    return 0;
}

/* The weight and divisor of a row; false when the row has neither. */
static inline int
row_weight_no_python(const walk *w, size_t row, uint64_t *weight, uint64_t *divisor)
{
    const int64_t *values = w->s.values + row * w->s.width;
    *weight = (uint64_t)values[w->value];
    *divisor = w->divisor < 0 ? 0 : (uint64_t)values[w->divisor];
    return *weight != 0 || *divisor != 0;
}

typedef struct {
    uint64_t *flat, *flat_div, *cum, *cum_div; /* views into one block */
    uint32_t *stamps;                          /* owned; node -> last row + 1 that met it */
} sums;

static void
weigh_no_python(const walk *w, sums *out)
{
    for (size_t row = 0; row < w->s.rows; row++) {
        uint64_t weight, divisor;
        if (!row_weight_no_python(w, row, &weight, &divisor)) {
            continue;
        }
        uint32_t stamp = (uint32_t)row + 1, last = NONE;
        const uint32_t *first = w->s.stacks + w->s.starts[row];
        for (const uint32_t *at = w->s.stacks + w->s.starts[row + 1]; at > first;) {
            uint32_t location = *--at;
            for (uint64_t i = w->node_starts[location + 1], end = w->node_starts[location]; i > end;) {
                last = w->nodes[--i];
                if (last != NONE && out->stamps[last] != stamp) {
                    out->stamps[last] = stamp;
                    out->cum[last] += weight;
                    out->cum_div[last] += divisor;
                }
            }
        }
        if (last != NONE) {
            out->flat[last] += weight;
            out->flat_div[last] += divisor;
        }
    }
}

PyDoc_STRVAR(graph_weights_doc,
"graph_weights(samples, node_starts, nodes, node_count, value, divisor, /)\n--\n\n"
"Columns (flat, flat_div, cum, cum_div) of every node.");

static PyObject *
graph_weights(PyObject *Py_UNUSED(module), PyObject *args)
{
    walk w;
    if (walk_view(args, &w) < 0) {
        return NULL;
    }
    gm_vec vecs[4] = {{0}};
    size_t bytes = w.node_count * 8;
    PyObject *columns[4] = {NULL}, *result = NULL;
    sums out = {.stamps = calloc(w.node_count + 1, sizeof(uint32_t))};
    int failed = out.stamps == NULL;
    for (int i = 0; i < 4 && !failed; i++) {
        failed = gm_vec_reserve_no_python(&vecs[i], bytes + 8) < 0;
        if (!failed) {
            memset(vecs[i].data, 0, bytes);
            vecs[i].used = bytes;
        }
    }
    if (failed) {
        PyErr_NoMemory();
    }
    else {
        out.flat = (uint64_t *)(void *)vecs[0].data;
        out.flat_div = (uint64_t *)(void *)vecs[1].data;
        out.cum = (uint64_t *)(void *)vecs[2].data;
        out.cum_div = (uint64_t *)(void *)vecs[3].data;
        Py_BEGIN_ALLOW_THREADS
        weigh_no_python(&w, &out);
        Py_END_ALLOW_THREADS
        for (int i = 0; i < 4; i++) {
            columns[i] = gm_column_take(&vecs[i], 'q');
        }
        if (columns[0] && columns[1] && columns[2] && columns[3]) {
            result = PyTuple_Pack(4, columns[0], columns[1], columns[2], columns[3]);
        }
    }
    for (int i = 0; i < 4; i++) {
        Py_XDECREF(columns[i]);
        gm_vec_free_no_python(&vecs[i]);
    }
    free(out.stamps);
    walk_release(&w);
    return result;
}

enum { RESIDUAL = 1, INLINE = 2 };

static int
edge_no_python(table *edges, uint64_t key, uint32_t stamp, uint64_t weight, uint64_t divisor, uint32_t flags)
{
    int fresh;
    record *edge = table_find_no_python(edges, key, &fresh);
    if (edge == NULL) {
        return -1;
    }
    if (edge->stamp == stamp) {
        return 0;
    }
    edge->stamp = stamp;
    edge->sums[0] += weight;
    edge->sums[1] += divisor;
    edge->flags = fresh ? flags : ((edge->flags | flags) & RESIDUAL) | (edge->flags & flags & INLINE);
    return 0;
}

static int
connect_no_python(const walk *w, table *edges)
{
    for (size_t row = 0; row < w->s.rows; row++) {
        uint64_t weight, divisor;
        if (!row_weight_no_python(w, row, &weight, &divisor)) {
            continue;
        }
        uint32_t parent = NONE, residual = 0;
        const uint32_t *first = w->s.stacks + w->s.starts[row];
        for (const uint32_t *at = w->s.stacks + w->s.starts[row + 1]; at > first;) {
            uint32_t location = *--at;
            uint64_t end = w->node_starts[location], last = w->node_starts[location + 1];
            for (uint64_t i = last; i > end;) {
                uint32_t node = w->nodes[--i];
                if (node == NONE) {
                    residual = RESIDUAL;
                    continue;
                }
                if (parent != NONE && parent != node) {
                    uint32_t flags = residual | (i + 1 != last ? INLINE : 0);
                    if (edge_no_python(edges, (uint64_t)parent << 32 | node, (uint32_t)row + 1, weight, divisor,
                                       flags) < 0) {
                        return -1;
                    }
                }
                parent = node;
                residual = 0;
            }
        }
    }
    return 0;
}

static void
put_no_python(gm_vec *vec, int wide, uint64_t number)
{
    if (wide) {
        *(uint64_t *)(void *)(vec->data + vec->used) = number;
        vec->used += 8;
    }
    else {
        *(uint32_t *)(void *)(vec->data + vec->used) = (uint32_t)number;
        vec->used += 4;
    }
}

/* A table as columns: both halves of the key, `sum_count` sums, the flags. */
static PyObject *
table_columns(const table *t, int sum_count)
{
    gm_vec vecs[7] = {{0}};
    int columns = sum_count + 3, failed = 0;
    size_t count = t->records.used / sizeof(record);
    const record *records = (const record *)(const void *)t->records.data;
    for (int i = 0; i < columns && !failed; i++) {
        failed = gm_vec_reserve_no_python(&vecs[i], count * 8 + 8) < 0;
    }
    for (size_t i = 0; i < count && !failed; i++) {
        put_no_python(&vecs[0], 0, records[i].key >> 32);
        put_no_python(&vecs[1], 0, records[i].key);
        for (int j = 0; j < sum_count; j++) {
            put_no_python(&vecs[2 + j], 1, records[i].sums[j]);
        }
        put_no_python(&vecs[columns - 1], 0, records[i].flags);
    }
    PyObject *result = failed ? PyErr_NoMemory() : PyTuple_New(columns);
    for (int i = 0; i < columns && result != NULL; i++) {
        PyObject *column = gm_column_take(&vecs[i], i >= 2 && i < columns - 1 ? 'q' : 'I');
        if (column == NULL) {
            Py_CLEAR(result);
        }
        else {
            PyTuple_SET_ITEM(result, i, column);
        }
    }
    for (int i = 0; i < columns; i++) {
        gm_vec_free_no_python(&vecs[i]);
    }
    return result;
}

PyDoc_STRVAR(graph_edges_doc,
"graph_edges(samples, node_starts, nodes, node_count, value, divisor, /)\n--\n\n"
"Columns (caller, callee, weight, divisor, flags) of every edge; flags are 1 residual, 2 inline.");

static PyObject *
graph_edges(PyObject *Py_UNUSED(module), PyObject *args)
{
    walk w;
    table edges = {0};
    int failed;
    if (walk_view(args, &w) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    failed = connect_no_python(&w, &edges);
    Py_END_ALLOW_THREADS
    PyObject *result = failed ? PyErr_NoMemory() : table_columns(&edges, 2);
    table_free_no_python(&edges);
    walk_release(&w);
    return result;
}

PyDoc_STRVAR(graph_inlined_doc,
"graph_inlined(samples, node_starts, nodes, node_count, value, divisor, cutoff, /)\n--\n\n"
"A byte a node: 1 when an edge of inlined and other calls leads to it, 2 when one of inlined calls alone does; edges\n"
"with less weight than the cutoff do not count.");

static PyObject *
graph_inlined(PyObject *Py_UNUSED(module), PyObject *args)
{
    walk w;
    table edges = {0};
    gm_vec out = {0};
    int failed;
    if (walk_view(args, &w) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    failed = connect_no_python(&w, &edges) < 0 || gm_vec_reserve_no_python(&out, w.node_count + 1) < 0;
    if (!failed) {
        memset(out.data, 0, w.node_count);
        out.used = w.node_count;
        const record *records = (const record *)(const void *)edges.records.data;
        for (size_t i = 0; i < edges.records.used / sizeof(record); i++) {
            int64_t weight = (int64_t)records[i].sums[0];
            if ((weight < 0 ? -(uint64_t)weight : (uint64_t)weight) >= (uint64_t)w.cutoff) {
                out.data[(uint32_t)records[i].key] |= records[i].flags & INLINE ? 2 : 1;
            }
        }
    }
    Py_END_ALLOW_THREADS
    PyObject *result = failed ? PyErr_NoMemory() : gm_column_take(&out, 'B');
    gm_vec_free_no_python(&out);
    table_free_no_python(&edges);
    walk_release(&w);
    return result;
}

enum { FLAT, FLAT_DIV, CUM, CUM_DIV };

static int
add_no_python(table *t, uint64_t key, int sum, uint64_t weight, uint64_t divisor)
{
    int fresh;
    record *found = table_find_no_python(t, key, &fresh);
    if (found == NULL) {
        return -1;
    }
    found->sums[sum] += weight;
    found->sums[sum + 1] += divisor;
    return 0;
}

static int
tag_no_python(const walk *w, table *tags, uint32_t *stamps)
{
    for (size_t row = 0; row < w->s.rows; row++) {
        uint64_t weight, divisor, set = w->s.label_sets[row];
        if (set == 0 || !row_weight_no_python(w, row, &weight, &divisor)) {
            continue;
        }
        uint32_t stamp = (uint32_t)row + 1, last = NONE;
        const uint32_t *first = w->s.stacks + w->s.starts[row];
        for (const uint32_t *at = w->s.stacks + w->s.starts[row + 1]; at > first;) {
            uint32_t location = *--at;
            for (uint64_t i = w->node_starts[location + 1], end = w->node_starts[location]; i > end;) {
                last = w->nodes[--i];
                if (last != NONE && stamps[last] != stamp) {
                    stamps[last] = stamp;
                    if (add_no_python(tags, (uint64_t)last << 32 | set, CUM, weight, divisor) < 0) {
                        return -1;
                    }
                }
            }
        }
        if (last != NONE && add_no_python(tags, (uint64_t)last << 32 | set, FLAT, weight, divisor) < 0) {
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(graph_tags_doc,
"graph_tags(samples, node_starts, nodes, node_count, value, divisor, /)\n--\n\n"
"Columns (node, label_set, flat, flat_div, cum, cum_div, flags) for every node and label set (but 0) that meet.");

static PyObject *
graph_tags(PyObject *Py_UNUSED(module), PyObject *args)
{
    walk w;
    table tags = {0};
    if (walk_view(args, &w) < 0) {
        return NULL;
    }
    uint32_t *stamps = calloc(w.node_count + 1, sizeof *stamps);
    int failed = stamps == NULL;
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS
        failed = tag_no_python(&w, &tags, stamps);
        Py_END_ALLOW_THREADS
    }
    PyObject *result = failed ? PyErr_NoMemory() : table_columns(&tags, 4);
    free(stamps);
    table_free_no_python(&tags);
    walk_release(&w);
    return result;
}

/* Adds a row's stack to the tree; the key of a tree node is its parent's index + 1 and its graph node. */
static int
plant_no_python(const walk *w, size_t row, uint64_t weight, uint64_t divisor, table *tree, table *tags)
{
    uint32_t at_node = NONE;
    uint64_t set = w->s.label_sets[row];
    const uint32_t *first = w->s.stacks + w->s.starts[row];
    for (const uint32_t *at = w->s.stacks + w->s.starts[row + 1]; at > first;) {
        uint32_t location = *--at;
        uint64_t end = w->node_starts[location], last = w->node_starts[location + 1];
        for (uint64_t i = last; i > end;) {
            uint32_t node = w->nodes[--i];
            if (node == NONE) {
                continue;
            }
            int fresh;
            record *found = table_find_no_python(tree, (uint64_t)(at_node + 1) << 32 | node, &fresh);
            if (found == NULL) {
                return -1;
            }
            uint32_t flags = i + 1 != last ? INLINE : 0;
            found->flags = fresh ? flags : found->flags & flags;
            found->sums[CUM] += weight;
            found->sums[CUM_DIV] += divisor;
            at_node = (uint32_t)(found - (record *)(void *)tree->records.data);
            if (tags != NULL && set != 0 &&
                add_no_python(tags, (uint64_t)at_node << 32 | set, CUM, weight, divisor) < 0) {
                return -1;
            }
        }
    }
    if (at_node == NONE) {
        return 0;
    }
    record *leaf = (record *)(void *)tree->records.data + at_node;
    leaf->sums[FLAT] += weight;
    leaf->sums[FLAT_DIV] += divisor;
    return tags != NULL && set != 0 ? add_no_python(tags, (uint64_t)at_node << 32 | set, FLAT, weight, divisor) : 0;
}

PyDoc_STRVAR(graph_tree_doc,
"graph_tree(samples, node_starts, nodes, node_count, value, divisor, /)\n--\n\n"
"The call tree: columns (parent, node, flat, flat_div, cum, cum_div, flags) of its nodes, parents before children;\n"
"parent is a tree index + 1, or 0 at a root; node a graph node; flags 2 when every call was inlined. A second tuple\n"
"holds (tree node, label_set, flat, flat_div, cum, cum_div, flags).");

static PyObject *
graph_tree(PyObject *Py_UNUSED(module), PyObject *args)
{
    walk w;
    table tree = {0}, tags = {0};
    int failed = 0;
    if (walk_view(args, &w) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    for (size_t row = 0; row < w.s.rows && !failed; row++) {
        uint64_t weight, divisor;
        if (row_weight_no_python(&w, row, &weight, &divisor)) {
            failed = plant_no_python(&w, row, weight, divisor, &tree, &tags);
        }
    }
    Py_END_ALLOW_THREADS
    PyObject *nodes = failed ? PyErr_NoMemory() : table_columns(&tree, 4);
    PyObject *labels = nodes == NULL ? NULL : table_columns(&tags, 4);
    PyObject *result = labels == NULL ? NULL : PyTuple_Pack(2, nodes, labels);
    Py_XDECREF(nodes);
    Py_XDECREF(labels);
    table_free_no_python(&tree);
    table_free_no_python(&tags);
    walk_release(&w);
    return result;
}

static PyMethodDef graph_methods[] = {
    {"graph_weights", graph_weights, METH_VARARGS, graph_weights_doc},
    {"graph_edges", graph_edges, METH_VARARGS, graph_edges_doc},
    {"graph_inlined", graph_inlined, METH_VARARGS, graph_inlined_doc},
    {"graph_tags", graph_tags, METH_VARARGS, graph_tags_doc},
    {"graph_tree", graph_tree, METH_VARARGS, graph_tree_doc},
    {NULL, NULL, 0, NULL},
};

int
gm_add_graph(PyObject *module)
{
    return PyModule_AddFunctions(module, graph_methods);
}
