/* Where code is: interned strings, functions and lines, by copy. No Python object is kept, so a code object may die
 * the moment after it was seen and a profile still names it. All functions want the profiler's lock. */
#ifndef GOMEM_NAMES_H
#define GOMEM_NAMES_H

#include "compat.h"
#include "region.h"

#define GM_NONE UINT32_MAX /* no such id, or no memory to make one */

/* A string is its bytes in `chars`. Id 0 is the empty string. */
typedef struct {
    uint32_t offset, size;
} gm_string;

/* One Python function: names are string ids. */
typedef struct {
    uint32_t name, file;
    int32_t first_line;
} gm_function;

/* One line of one function. */
typedef struct {
    uint32_t function;
    int32_t line;
} gm_location;

/* An index over an array of keys: open addressing, a power of two of slots, each an id + 1 or 0.
 * Invariant: at most half of the slots are taken. */
typedef struct {
    gm_region slots; /* uint32_t[] */
    uint32_t count;
} gm_index;

/* Invariant: every id in functions and locations is below the count of the array it points into. */
typedef struct {
    gm_region chars, strings, functions, locations;
    gm_index by_string, by_function, by_location;
    gm_region seen; /* struct seen_code[]: what recent (code, instruction) pairs resolved to; see names.c */
} gm_names;

/* Id of a copy of text; GM_NONE without memory. */
uint32_t gm_string_id_locked(gm_names *names, const char *text, size_t size);

/* Id of a location that is not Python code, such as "<native thread>". */
uint32_t gm_named_location_locked(gm_names *names, const char *name);

/* Ids of the locations that frames are at; false without memory. */
bool gm_locations_locked(gm_names *names, const gm_frame *frames, int depth, bool have_gil, uint32_t *out);

/* Id of the location (function, line), made if it is new. */
uint32_t gm_location_id_locked(gm_names *names, uint32_t function, int32_t line);

/* Id in `to` of a copy of location `id` of `from`. */
uint32_t gm_copy_location_locked(const gm_names *from, uint32_t id, gm_names *to);

/* Finds or adds the slot for a key; the caller compares. Shared with stacks.c. */
typedef bool (*gm_same_key)(const void *owner, uint32_t id, const void *key);
uint32_t gm_index_find(const gm_index *index, uint32_t hash, gm_same_key same, const void *owner, const void *key);
typedef uint32_t (*gm_hash_of_id)(const void *owner, uint32_t id);
bool gm_index_add_no_python(gm_index *index, uint32_t id, uint32_t hash, gm_hash_of_id hash_of, const void *owner);

uint32_t gm_hash_bytes(const void *data, size_t size);

size_t gm_names_bytes(const gm_names *names);
void gm_names_free_no_python(gm_names *names);

#endif
