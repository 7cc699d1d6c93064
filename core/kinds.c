/* The types of objects in live blocks. See kinds.h. */
#define _GNU_SOURCE
#include "kinds.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_WORDS 6              /* two pairs in front, the count, the type */
#define COUNT_MAX ((uintptr_t)1 << 33) /* above any real reference count, below any address; immortal ones are 2^32 - 1 */

static int
compare(const void *a, const void *b)
{
    uintptr_t x = ((const struct gm_kind *)a)->address, y = ((const struct gm_kind *)b)->address;
    return (x > y) - (x < y);
}

bool
gm_kinds_init(gm_kinds *kinds, PyObject *list)
{
    kinds->count = (size_t)PyList_GET_SIZE(list);
    kinds->kinds = malloc((kinds->count + 1) * sizeof(struct gm_kind));
    if (kinds->kinds == NULL) {
        return false;
    }
    for (size_t i = 0; i < kinds->count; i++) {
        kinds->kinds[i] = (struct gm_kind){(uintptr_t)PyList_GET_ITEM(list, i), (int32_t)i};
    }
    qsort(kinds->kinds, kinds->count, sizeof(struct gm_kind), compare);
    return true;
}

void
gm_kinds_free(gm_kinds *kinds)
{
    free(kinds->kinds);
    *kinds = (gm_kinds){0};
}

static int32_t
find(const gm_kinds *kinds, uintptr_t address)
{
    struct gm_kind key = {address, 0}, *found;
    found = bsearch(&key, kinds->kinds, kinds->count, sizeof(key), compare);
    return found != NULL ? found->position : -1;
}

int32_t
gm_kind_of_no_python(const gm_kinds *kinds, uintptr_t address, size_t size)
{
    uintptr_t words[HEADER_WORDS];
    size_t bytes = size < sizeof(words) ? size & ~(sizeof(uintptr_t) - 1) : sizeof(words);
    struct iovec here = {words, bytes}, there = {(void *)address, bytes};
    if (bytes < 2 * sizeof(uintptr_t) || process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)bytes) {
        return -1;
    }
    for (size_t i = 0; (i + 2) * sizeof(uintptr_t) <= bytes; i += 2) {
        int32_t position = words[i] > 0 && words[i] < COUNT_MAX ? find(kinds, words[i + 1]) : -1;
        if (position >= 0) {
            return position;
        }
    }
    return -1;
}
