/* The slow half of lru_table.h: growing, taking entries out, choosing victims, ghosts. */
#include "lru_table.h"

/* The first slab: enough for a small cache, little enough for one cache per instance. Then it doubles. */
#define FIRST_ENTRIES 8u

void
gm_lru_init(gm_lru_table *table, uint32_t max_count, gm_policy policy)
{
    memset(table, 0, sizeof(*table));
    table->max_count = max_count;
    table->policy = policy;
}

void
gm_lru_too_many_restarts(void)
{
    PyErr_SetString(PyExc_RuntimeError, "cache: key comparison changes the cache every time it is called");
}

int
gm_lru_compare_raw(gm_lru_table *table, uint32_t at, PyObject *key)
{
    uint64_t version = table->version;
    PyObject *other = Py_NewRef(table->slab[at].key);
    int same = PyObject_RichCompareBool(other, key, Py_EQ);
    Py_DECREF(other);
    return same < 0 ? -1 : version != table->version ? 2 : same;
}

/* --- slab and index --- */

static int
resize_column(int64_t **column, bool wanted, uint32_t length)
{
    if (!wanted) {
        return 0;
    }
    int64_t *grown = PyMem_Realloc(*column, sizeof(int64_t) * length);
    if (grown == NULL) {
        return -1;
    }
    *column = grown;
    return 0;
}

/* A fresh index big enough for `entries`, filled from the slab; the old one stays if memory is short. */
static int
rebuild_index(gm_lru_table *table, uint32_t entries)
{
    gm_index fresh;
    if (!gm_index_make(&fresh, entries, entries + GM_SENTINELS)) {
        return -1;
    }
    for (uint32_t at = GM_SENTINELS; at < table->slab_used; at++) {
        if (table->slab[at].key != NULL) {
            gm_index_add(&fresh, table->slab[at].tag, at);
        }
    }
    gm_index_free(&table->index);
    table->index = fresh;
    return 0;
}

static void
empty_rings(gm_entry *slab)
{
    memset(slab, 0, sizeof(*slab) * GM_SENTINELS);
    for (uint32_t queue = 0; queue < GM_SENTINELS; queue++) {
        slab[queue].prev = slab[queue].next = queue;
    }
}

static int
grow(gm_lru_table *table)
{
    uint64_t entries = table->slab_len ? (uint64_t)(table->slab_len - GM_SENTINELS) * 2 : FIRST_ENTRIES;
    entries = Py_MIN(entries, table->max_count);
    entries = Py_MAX(entries, (uint64_t)table->count + 1);
    if (entries > GM_INDEX_MAX_ITEMS) {
        PyErr_Format(PyExc_OverflowError, "cache: got more than %u entries", GM_INDEX_MAX_ITEMS);
        return -1;
    }
    uint32_t length = (uint32_t)entries + GM_SENTINELS;
    gm_entry *slab = PyMem_Realloc(table->slab, sizeof(gm_entry) * length);
    if (slab == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    table->slab = slab;
    if (table->slab_used == 0) {
        empty_rings(slab);
        table->slab_used = GM_SENTINELS;
    }
    table->version++;
    if (resize_column(&table->weight, table->weighed, length) < 0 ||
        resize_column(&table->expires_ns, table->timed, length) < 0 ||
        resize_column(&table->idle_ns, table->idles, length) < 0 || rebuild_index(table, (uint32_t)entries) < 0) {
        PyErr_NoMemory();
        return -1; /* the columns may be longer than slab_len, which does no harm */
    }
    table->slab_len = length;
    return 0;
}

static void free_ghost(gm_ghost *ghost);

int
gm_lru_reserve_quiet(gm_lru_table *table)
{
    return table->free_head != 0 || table->slab_used < table->slab_len ? 0 : grow(table);
}

uint32_t
gm_lru_add_quiet(gm_lru_table *table, PyObject *key, PyObject *value, uint32_t tag, uint16_t shape)
{
    uint32_t at = table->free_head;
    if (at != 0) {
        table->free_head = table->slab[at].next;
    }
    else {
        GM_CHECK(table->slab_used < table->slab_len);
        at = table->slab_used++;
    }
    gm_entry *entry = &table->slab[at];
    entry->key = Py_NewRef(key);
    entry->value = Py_NewRef(value);
    entry->tag = tag;
    entry->freq = 0;
    entry->shape = shape;
    gm_index_add(&table->index, tag, at);
    uint32_t queue = table->policy == GM_POLICY_LRU ? GM_QUEUE_SMALL : gm_lru_queue_for_quiet(table, tag);
    gm_lru_link(table->slab, at, queue);
    table->queue_len[queue]++;
    table->count++;
    table->version++;
    return at;
}

void
gm_lru_take_quiet(gm_lru_table *table, uint32_t at, PyObject **key, PyObject **value)
{
    gm_entry *entry = &table->slab[at];
    GM_CHECK(at >= GM_SENTINELS && entry->key != NULL);
    gm_index_remove(&table->index, entry->tag, at);
    gm_lru_unlink(table->slab, entry);
    table->queue_len[entry->queue]--;
    *key = entry->key;
    *value = entry->value;
    entry->key = entry->value = NULL;
    entry->next = table->free_head;
    table->free_head = at;
    if (table->weight != NULL) {
        table->total_weight -= (uint64_t)table->weight[at];
    }
    table->count--;
    table->version++;
}

/* Copies one entry of the old table to the end of the fresh slab. */
static void
move_entry(const gm_lru_table *old, gm_lru_table *fresh, uint32_t at)
{
    uint32_t to = fresh->slab_used++;
    fresh->slab[to] = old->slab[at];
    gm_lru_link(fresh->slab, to, old->slab[at].queue);
    for (int i = 0; i < 3; i++) {
        int64_t *const from[] = {old->weight, old->expires_ns, old->idle_ns};
        int64_t *const into[] = {fresh->weight, fresh->expires_ns, fresh->idle_ns};
        if (from[i] != NULL) {
            into[i][to] = from[i][at];
        }
    }
}

int
gm_lru_compact_quiet(gm_lru_table *table)
{
    if (table->slab == NULL || table->slab_len == table->count + GM_SENTINELS) {
        return 0;
    }
    gm_lru_table fresh = *table;
    fresh.slab_len = table->count + GM_SENTINELS;
    fresh.slab_used = GM_SENTINELS;
    fresh.free_head = 0;
    fresh.weight = fresh.expires_ns = fresh.idle_ns = NULL;
    memset(&fresh.index, 0, sizeof(fresh.index));
    fresh.slab = PyMem_Malloc(sizeof(gm_entry) * fresh.slab_len);
    if (fresh.slab == NULL || resize_column(&fresh.weight, table->weight != NULL, fresh.slab_len) < 0 ||
        resize_column(&fresh.expires_ns, table->expires_ns != NULL, fresh.slab_len) < 0 ||
        resize_column(&fresh.idle_ns, table->idle_ns != NULL, fresh.slab_len) < 0) {
        goto no_memory;
    }
    empty_rings(fresh.slab);
    for (uint32_t queue = 0; queue < GM_SENTINELS; queue++) {
        for (uint32_t at = table->slab[queue].prev; at != queue; at = table->slab[at].prev) {
            move_entry(table, &fresh, at);
        }
    }
    if (rebuild_index(&fresh, fresh.count) < 0) {
        goto no_memory;
    }
    PyMem_Free(table->slab);
    gm_index_free(&table->index);
    PyMem_Free(table->weight);
    PyMem_Free(table->expires_ns);
    PyMem_Free(table->idle_ns);
    fresh.version++;
    *table = fresh;
    return 0;
no_memory:
    PyMem_Free(fresh.slab);
    PyMem_Free(fresh.weight);
    PyMem_Free(fresh.expires_ns);
    PyMem_Free(fresh.idle_ns);
    PyErr_NoMemory();
    return -1;
}

/* --- the ghost queue of S3-FIFO --- */

/* Entries that the queue sizes are shares of: the bound, or what a bound by bytes lets in. */
static uint32_t
nominal_count(const gm_lru_table *table)
{
    return table->max_count == GM_INDEX_MAX_ITEMS ? Py_MAX(table->count, 10u) : table->max_count;
}

static uint32_t
small_target(const gm_lru_table *table)
{
    return Py_MAX(nominal_count(table) / 10, 1u);
}

/* Whether there is a ghost queue; makes it if need be. If memory is short there is none, and S3-FIFO does without.
 * Without a bound by count it remembers a million keys, 20 MB. */
static bool
has_ghost(gm_lru_table *table)
{
    gm_ghost *ghost = &table->ghost;
    if (ghost->nodes != NULL) {
        return true;
    }
    uint64_t size = table->max_count == GM_INDEX_MAX_ITEMS ? 1u << 20 : (uint64_t)table->max_count * 9 / 10;
    ghost->size = (uint32_t)Py_MAX(size, 1u);
    ghost->nodes = PyMem_Calloc(ghost->size + 1, sizeof(gm_ghost_node));
    if (ghost->nodes == NULL || !gm_index_make(&ghost->index, ghost->size, ghost->size)) {
        free_ghost(ghost);
        return false;
    }
    return true;
}

static void
free_ghost(gm_ghost *ghost)
{
    PyMem_Free(ghost->nodes);
    gm_index_free(&ghost->index);
    memset(ghost, 0, sizeof(*ghost));
}

static void
ghost_drop(gm_ghost *ghost, uint32_t item)
{
    gm_ghost_node *node = &ghost->nodes[item];
    gm_index_remove(&ghost->index, node->tag, item);
    ghost->nodes[node->prev].next = node->next;
    ghost->nodes[node->next].prev = node->prev;
    node->next = ghost->free_head;
    ghost->free_head = item;
}

/* Forgets a tag; true when it was remembered. */
static bool
ghost_forget(gm_ghost *ghost, uint32_t tag)
{
    gm_probe probe = gm_index_probe(&ghost->index, tag);
    uint32_t item;
    while ((item = gm_index_next(&ghost->index, &probe, tag)) != 0) {
        if (ghost->nodes[item].tag == tag) {
            ghost_drop(ghost, item);
            return true;
        }
    }
    return false;
}

static void
ghost_remember(gm_ghost *ghost, uint32_t tag)
{
    ghost_forget(ghost, tag); /* two keys of one tag are one ghost */
    if (ghost->free_head == 0 && ghost->used == ghost->size) {
        ghost_drop(ghost, ghost->nodes[0].prev);
    }
    uint32_t item = ghost->free_head;
    if (item != 0) {
        ghost->free_head = ghost->nodes[item].next;
    }
    else {
        item = ++ghost->used;
    }
    uint32_t newest = ghost->nodes[0].next;
    ghost->nodes[item] = (gm_ghost_node){.tag = tag, .prev = 0, .next = newest};
    ghost->nodes[newest].prev = item;
    ghost->nodes[0].next = item;
    gm_index_add(&ghost->index, tag, item);
}

/* --- policy --- */

uint32_t
gm_lru_queue_for_quiet(gm_lru_table *table, uint32_t tag)
{
    bool filling = !table->has_evicted && table->queue_len[GM_QUEUE_SMALL] >= small_target(table);
    return (has_ghost(table) && ghost_forget(&table->ghost, tag)) || filling ? GM_QUEUE_MAIN : GM_QUEUE_SMALL;
}

static void
requeue(gm_lru_table *table, uint32_t at, uint32_t queue)
{
    gm_entry *entry = &table->slab[at];
    table->queue_len[entry->queue]--;
    gm_lru_unlink(table->slab, entry);
    gm_lru_link(table->slab, at, queue);
    table->queue_len[queue]++;
}

/* The main queue's oldest entry with no reads since its last turn; the others take another turn with one read less. */
static uint32_t
victim_of_main(gm_lru_table *table)
{
    for (;;) {
        uint32_t oldest = table->slab[GM_QUEUE_MAIN].prev;
        if (oldest == GM_QUEUE_MAIN) {
            return 0;
        }
        if (table->slab[oldest].freq == 0) {
            return oldest;
        }
        table->slab[oldest].freq--;
        requeue(table, oldest, GM_QUEUE_MAIN);
    }
}

/* The small queue's oldest entry that was not read twice, remembered as a ghost; those that were move to main. */
static uint32_t
victim_of_small(gm_lru_table *table)
{
    for (;;) {
        uint32_t oldest = table->slab[GM_QUEUE_SMALL].prev;
        if (oldest == GM_QUEUE_SMALL) {
            return 0;
        }
        if (table->slab[oldest].freq < 2) {
            if (has_ghost(table)) {
                ghost_remember(&table->ghost, table->slab[oldest].tag);
            }
            return oldest;
        }
        table->slab[oldest].freq = 0;
        requeue(table, oldest, GM_QUEUE_MAIN);
    }
}

uint32_t
gm_lru_victim_quiet(gm_lru_table *table)
{
    if (table->count == 0) {
        return 0;
    }
    table->has_evicted = true;
    if (table->policy == GM_POLICY_LRU) {
        return table->slab[GM_QUEUE_SMALL].prev;
    }
    uint32_t main_target = nominal_count(table) - Py_MIN(nominal_count(table), small_target(table));
    uint32_t at = table->queue_len[GM_QUEUE_MAIN] <= main_target ? victim_of_small(table) : 0;
    return at != 0 ? at : victim_of_main(table);
}

void
gm_lru_set_max_quiet(gm_lru_table *table, uint32_t max_count)
{
    table->max_count = max_count;
    free_ghost(&table->ghost);
}

/* --- the whole table --- */

void
gm_lru_order_quiet(const gm_lru_table *table, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t queue = 0; table->count != 0 && queue < GM_SENTINELS; queue++) {
        for (uint32_t at = table->slab[queue].prev; at != queue; at = table->slab[at].prev) {
            out[n++] = at;
        }
    }
    GM_CHECK(n == table->count);
}

void
gm_lru_clear(gm_lru_table *table)
{
    gm_lru_table old = *table;
    gm_lru_init(table, old.max_count, old.policy);
    table->weighed = old.weighed;
    table->timed = old.timed;
    table->idles = old.idles;
    table->version = old.version + 1;
    for (uint32_t at = GM_SENTINELS; at < old.slab_used; at++) {
        Py_XDECREF(old.slab[at].key);
        Py_XDECREF(old.slab[at].value);
    }
    PyMem_Free(old.slab);
    gm_index_free(&old.index);
    PyMem_Free(old.weight);
    PyMem_Free(old.expires_ns);
    PyMem_Free(old.idle_ns);
    free_ghost(&old.ghost);
}

int
gm_lru_traverse(gm_lru_table *table, visitproc visit, void *arg)
{
    for (uint32_t at = GM_SENTINELS; at < table->slab_used; at++) {
        Py_VISIT(table->slab[at].key);
        Py_VISIT(table->slab[at].value);
    }
    return 0;
}

static size_t
column_bytes(const int64_t *column, uint32_t length)
{
    return column ? sizeof(int64_t) * length : 0;
}

size_t
gm_lru_bytes(const gm_lru_table *table)
{
    return sizeof(gm_entry) * table->slab_len + gm_index_bytes(&table->index) +
           column_bytes(table->weight, table->slab_len) + column_bytes(table->expires_ns, table->slab_len) +
           column_bytes(table->idle_ns, table->slab_len) + gm_index_bytes(&table->ghost.index) +
           (table->ghost.nodes ? sizeof(gm_ghost_node) * (table->ghost.size + 1) : 0);
}
