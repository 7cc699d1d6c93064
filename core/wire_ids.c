/* From the ids of a table's entries to their indexes; see gm_ids. */
#include "wire.h"

#include <stdlib.h>

int
gm_ids_make_no_python(gm_ids *ids, size_t entries)
{
    ids->entries = entries;
    ids->dense = calloc(entries + 1, sizeof *ids->dense);
    return ids->dense == NULL ? -1 : 0;
}

void
gm_ids_free_no_python(gm_ids *ids)
{
    free(ids->dense);
    free(ids->sparse);
}

static int
make_sparse_no_python(gm_ids *ids)
{
    size_t slots = 16;
    while (slots < ids->entries * 2) {
        slots *= 2;
    }
    ids->mask = slots - 1;
    ids->sparse = calloc(slots, sizeof *ids->sparse);
    return ids->sparse == NULL ? -1 : 0;
}

/* The id's slot, or the free one where it would be. */
static struct gm_sparse_id *
find_no_python(const gm_ids *ids, uint64_t id)
{
    size_t at = gm_mix_no_python(0x5bd1e995, id) & ids->mask;
    while (ids->sparse[at].index != 0 && ids->sparse[at].id != id) {
        at = (at + 1) & ids->mask;
    }
    return &ids->sparse[at];
}

int
gm_ids_put_no_python(gm_ids *ids, uint64_t id, uint32_t index)
{
    if (id <= ids->entries) {
        int known = ids->dense[id] != 0;
        ids->dense[id] = index + 1;
        return known;
    }
    if (ids->sparse == NULL && make_sparse_no_python(ids) < 0) {
        return -1;
    }
    struct gm_sparse_id *slot = find_no_python(ids, id);
    int known = slot->index != 0;
    *slot = (struct gm_sparse_id){id, (uint64_t)index + 1};
    return known;
}

uint32_t
gm_ids_sparse_no_python(const gm_ids *ids, uint64_t id)
{
    return ids->sparse == NULL ? 0 : (uint32_t)find_no_python(ids, id)->index;
}
