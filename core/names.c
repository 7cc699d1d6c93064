/* Interned strings, functions and lines. See names.h.
 *
 * A sample has some thirty frames and most were seen moments ago, so a direct-mapped table `seen` takes a frame's
 * code object and instruction straight to its location. Code objects die and their addresses return, so an entry also
 * holds the identity of the code it was made for (compat.h) and is good only while that agrees. */
#include "names.h"

#include "check.h"

#include <string.h>

#define SEEN_SLOTS 4096 /* 224 KiB at most; thirty frames of a hundred live stacks */
#define NAME_MAX_BYTES 1024

struct seen_code {
    const PyCodeObject *code; /* compared, never followed */
    gm_code_identity identity;
    int32_t lasti;
    uint32_t location;
};

uint32_t
gm_hash_bytes(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    for (; size > 0; size--, bytes++) {
        hash = (hash ^ *bytes) * 0x100000001b3u;
    }
    return (uint32_t)(hash ^ (hash >> 29));
}

uint32_t
gm_index_find(const gm_index *index, uint32_t hash, gm_same_key same, const void *owner, const void *key)
{
    const uint32_t *slots = (const uint32_t *)index->slots.base;
    if (slots == NULL) {
        return GM_NONE;
    }
    size_t mask = index->slots.used / sizeof(uint32_t) - 1;
    for (size_t i = hash & mask; slots[i] != 0; i = (i + 1) & mask) {
        if (same(owner, slots[i] - 1, key)) {
            return slots[i] - 1;
        }
    }
    return GM_NONE;
}

static void
place(gm_index *index, uint32_t id, uint32_t hash)
{
    uint32_t *slots = (uint32_t *)index->slots.base;
    size_t mask = index->slots.used / sizeof(uint32_t) - 1;
    size_t i = hash & mask;
    while (slots[i] != 0) {
        i = (i + 1) & mask;
    }
    slots[i] = id + 1;
}

static bool
grow_index(gm_index *index, gm_hash_of_id hash_of, const void *owner)
{
    size_t slots = index->slots.used / sizeof(uint32_t);
    gm_index bigger = {.count = index->count};
    if (!gm_region_zeroed_no_python(&bigger.slots, (slots ? 2 * slots : 1024) * sizeof(uint32_t))) {
        return false;
    }
    for (uint32_t id = 0; id < index->count; id++) {
        place(&bigger, id, hash_of(owner, id));
    }
    gm_region_free_no_python(&index->slots);
    *index = bigger;
    return true;
}

bool
gm_index_add_no_python(gm_index *index, uint32_t id, uint32_t hash, gm_hash_of_id hash_of, const void *owner)
{
    GM_CHECK(id == index->count);
    if (2 * ((size_t)index->count + 1) > index->slots.used / sizeof(uint32_t) && !grow_index(index, hash_of, owner)) {
        return false;
    }
    place(index, id, hash);
    index->count++;
    return true;
}

struct text {
    const char *data;
    size_t size;
};

static bool
same_string(const void *owner, uint32_t id, const void *key)
{
    const gm_names *names = owner;
    const struct text *text = key;
    gm_string string = ((const gm_string *)names->strings.base)[id];
    return string.size == text->size && memcmp(names->chars.base + string.offset, text->data, text->size) == 0;
}

static uint32_t
hash_string(const void *owner, uint32_t id)
{
    const gm_names *names = owner;
    gm_string string = ((const gm_string *)names->strings.base)[id];
    return gm_hash_bytes(names->chars.base + string.offset, string.size);
}

uint32_t
gm_string_id_locked(gm_names *names, const char *data, size_t size)
{
    struct text text = {data, size};
    uint32_t hash = gm_hash_bytes(data, size);
    uint32_t id = gm_index_find(&names->by_string, hash, same_string, names, &text);
    if (id != GM_NONE) {
        return id;
    }
    size_t offset = gm_region_append_no_python(&names->chars, data, size);
    if (offset == SIZE_MAX || offset > UINT32_MAX - size) {
        return GM_NONE;
    }
    gm_string string = {(uint32_t)offset, (uint32_t)size};
    id = names->by_string.count;
    if (gm_region_append_no_python(&names->strings, &string, sizeof(string)) == SIZE_MAX) {
        names->chars.used = offset;
        return GM_NONE;
    }
    if (!gm_index_add_no_python(&names->by_string, id, hash, hash_string, names)) {
        names->strings.used -= sizeof(string);
        names->chars.used = offset;
        return GM_NONE;
    }
    return id;
}

static bool
same_function(const void *owner, uint32_t id, const void *key)
{
    const gm_names *names = owner;
    return memcmp((const gm_function *)names->functions.base + id, key, sizeof(gm_function)) == 0;
}

static uint32_t
hash_function(const void *owner, uint32_t id)
{
    const gm_names *names = owner;
    return gm_hash_bytes((const gm_function *)names->functions.base + id, sizeof(gm_function));
}

static bool
same_location(const void *owner, uint32_t id, const void *key)
{
    const gm_names *names = owner;
    return memcmp((const gm_location *)names->locations.base + id, key, sizeof(gm_location)) == 0;
}

static uint32_t
hash_location(const void *owner, uint32_t id)
{
    const gm_names *names = owner;
    return gm_hash_bytes((const gm_location *)names->locations.base + id, sizeof(gm_location));
}

static uint32_t
intern(gm_names *names, gm_index *index, gm_region *array, const void *key, size_t size, gm_same_key same,
       gm_hash_of_id hash_of)
{
    uint32_t hash = gm_hash_bytes(key, size);
    uint32_t id = gm_index_find(index, hash, same, names, key);
    if (id != GM_NONE) {
        return id;
    }
    id = index->count;
    if (gm_region_append_no_python(array, key, size) == SIZE_MAX) {
        return GM_NONE;
    }
    if (!gm_index_add_no_python(index, id, hash, hash_of, names)) {
        array->used -= size;
        return GM_NONE;
    }
    return id;
}

static uint32_t
function_id(gm_names *names, const char *name, size_t name_size, const char *file, size_t file_size, int32_t first_line)
{
    gm_function function = {gm_string_id_locked(names, name, name_size), gm_string_id_locked(names, file, file_size),
                            first_line};
    if (function.name == GM_NONE || function.file == GM_NONE) {
        return GM_NONE;
    }
    return intern(names, &names->by_function, &names->functions, &function, sizeof(function), same_function,
                  hash_function);
}

uint32_t
gm_location_id_locked(gm_names *names, uint32_t function, int32_t line)
{
    if (function == GM_NONE) {
        return GM_NONE;
    }
    gm_location location = {function, line};
    return intern(names, &names->by_location, &names->locations, &location, sizeof(location), same_location,
                  hash_location);
}

uint32_t
gm_named_location_locked(gm_names *names, const char *name)
{
    return gm_location_id_locked(names, function_id(names, name, strlen(name), "", 0, 0), 0);
}

uint32_t
gm_copy_location_locked(const gm_names *from, uint32_t id, gm_names *to)
{
    gm_location location = ((const gm_location *)from->locations.base)[id];
    gm_function function = ((const gm_function *)from->functions.base)[location.function];
    gm_string name = ((const gm_string *)from->strings.base)[function.name];
    gm_string file = ((const gm_string *)from->strings.base)[function.file];
    uint32_t copy = function_id(to, from->chars.base + name.offset, name.size, from->chars.base + file.offset, file.size,
                                function.first_line);
    return gm_location_id_locked(to, copy, location.line);
}

static uint32_t
resolve(gm_names *names, const gm_frame *frame)
{
    char name[NAME_MAX_BYTES], file[4 * NAME_MAX_BYTES];
    size_t name_size = gm_utf8_no_python(frame->code->co_qualname, name, sizeof(name));
    size_t file_size = gm_utf8_no_python(frame->code->co_filename, file, sizeof(file));
    uint32_t function = function_id(names, name, name_size, file, file_size, frame->code->co_firstlineno);
    return gm_location_id_locked(names, function, gm_code_line_no_python(frame->code, frame->lasti));
}

static inline struct seen_code *
seen_slot(const gm_names *names, const gm_frame *frame)
{
    uint64_t mixed = ((uintptr_t)frame->code >> 4) * 0x9e3779b97f4a7c15u + (uint64_t)(frame->lasti >> 1) * 0xff51afd7u;
    return (struct seen_code *)names->seen.base + (mixed >> 20) % SEEN_SLOTS;
}

static inline bool
is_seen(const struct seen_code *entry, const gm_frame *frame, bool have_gil)
{
    PyCodeObject *code = frame->code;
    return entry->code == code && entry->lasti == frame->lasti && entry->identity.lines == code->co_linetable &&
           entry->identity.first_line == code->co_firstlineno && entry->identity.size == (int32_t)Py_SIZE(code) &&
           entry->identity.file == gm_known_hash(code->co_filename, have_gil) &&
           entry->identity.name == gm_known_hash(code->co_qualname, have_gil);
}

/* Apart, so that the loop over frames that were seen before stays tight. */
__attribute__((noinline)) static uint32_t
see(gm_names *names, struct seen_code *entry, const gm_frame *frame, bool have_gil)
{
    uint32_t location = resolve(names, frame);
    if (location != GM_NONE) {
        *entry = (struct seen_code){frame->code, gm_identify_code_no_python(frame->code, have_gil), frame->lasti, location};
    }
    return location;
}

bool
gm_locations_locked(gm_names *names, const gm_frame *frames, int depth, bool have_gil, uint32_t *out)
{
    if (names->seen.base == NULL && !gm_region_zeroed_no_python(&names->seen, SEEN_SLOTS * sizeof(struct seen_code))) {
        return false;
    }
    for (int i = 0; i < depth; i++) {
        struct seen_code *entry = seen_slot(names, &frames[i]);
        out[i] = GM_LIKELY(is_seen(entry, &frames[i], have_gil)) ? entry->location
                                                                 : see(names, entry, &frames[i], have_gil);
        if (out[i] == GM_NONE) {
            return false;
        }
    }
    return true;
}

size_t
gm_names_bytes(const gm_names *names)
{
    return names->chars.used + names->strings.used + names->functions.used + names->locations.used +
           names->by_string.slots.used + names->by_function.slots.used + names->by_location.slots.used;
}

void
gm_names_free_no_python(gm_names *names)
{
    gm_region *all[] = {&names->chars,           &names->strings,           &names->functions,         &names->locations,
                        &names->by_string.slots, &names->by_function.slots, &names->by_location.slots, &names->seen};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        gm_region_free_no_python(all[i]);
    }
    *names = (gm_names){0};
}
