/* Live sampled blocks by address. See table.h. */
#include "table.h"

#include "check.h"

#include <string.h>

uint8_t gm_filter[1 << GM_FILTER_BITS];

static uint8_t *
filter_byte(uintptr_t address)
{
    return &gm_filter[(address >> 4) & ((1 << GM_FILTER_BITS) - 1)];
}

static void
filter_add(uintptr_t address)
{
    uint8_t *byte = filter_byte(address);
    if (*byte != UINT8_MAX) {
        __atomic_store_n(byte, *byte + 1, __ATOMIC_RELAXED);
    }
}

static void
filter_remove(uintptr_t address)
{
    uint8_t *byte = filter_byte(address);
    GM_CHECK(*byte != 0);
    if (*byte != UINT8_MAX) {
        __atomic_store_n(byte, *byte - 1, __ATOMIC_RELAXED);
    }
}

static gm_live *
slots_of(const gm_table *table)
{
    return (gm_live *)table->slots.base;
}

static size_t
slot_count(const gm_table *table)
{
    return table->slots.used / sizeof(gm_live);
}

static size_t
home(uintptr_t address, size_t mask)
{
    return (((uint64_t)address >> 4) * 0x9e3779b97f4a7c15u >> 24) & mask;
}

/* The slot that holds address, or the empty one where it would go. */
static size_t
find(const gm_table *table, uintptr_t address)
{
    const gm_live *slots = slots_of(table);
    size_t mask = slot_count(table) - 1;
    size_t i = home(address, mask);
    while (slots[i].address != 0 && slots[i].address != address) {
        i = (i + 1) & mask;
    }
    return i;
}

static bool
grow(gm_table *table)
{
    gm_table bigger = {.count = table->count};
    size_t slots = slot_count(table);
    if (!gm_region_zeroed_no_python(&bigger.slots, (slots ? 2 * slots : 1024) * sizeof(gm_live))) {
        return false;
    }
    for (size_t i = 0; i < slots; i++) {
        gm_live entry = slots_of(table)[i];
        if (entry.address != 0) {
            slots_of(&bigger)[find(&bigger, entry.address)] = entry;
        }
    }
    gm_region_free_no_python(&table->slots);
    *table = bigger;
    return true;
}

int
gm_table_put_locked(gm_table *table, const gm_live *block, gm_live *replaced)
{
    if (2 * (table->count + 1) > slot_count(table) && !grow(table)) {
        return -1;
    }
    gm_live *slot = &slots_of(table)[find(table, block->address)];
    if (slot->address != 0) {
        *replaced = *slot;
        *slot = *block;
        return 1;
    }
    *slot = *block;
    table->count++;
    filter_add(block->address);
    return 0;
}

bool
gm_table_take_locked(gm_table *table, const void *address, gm_live *out)
{
    if (table->count == 0) {
        return false;
    }
    gm_live *slots = slots_of(table);
    size_t mask = slot_count(table) - 1;
    size_t hole = find(table, (uintptr_t)address);
    if (slots[hole].address == 0) {
        return false;
    }
    *out = slots[hole];
    for (size_t i = (hole + 1) & mask; slots[i].address != 0; i = (i + 1) & mask) {
        if (((i - home(slots[i].address, mask)) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole].address = 0;
    table->count--;
    filter_remove((uintptr_t)address);
    return true;
}

void
gm_table_clear_locked(gm_table *table)
{
    gm_region_free_no_python(&table->slots);
    table->count = 0;
    memset(gm_filter, 0, sizeof(gm_filter));
}
