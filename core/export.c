/* What Python is told of the profile: its tables, copied under the lock and made into objects without it.
 *
 * The copies are from malloc and are read by nobody else, so making objects of them may give way to other threads. */
#include "heap.h"

#include "got.h"
#include "kinds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Copies of the books' arrays, from malloc, so that Python objects can be made of them without the lock. */
struct copies {
    char *chars;
    gm_string *strings;
    gm_function *functions;
    gm_location *locations;
    gm_stack *stacks;
    uint32_t *frames;
    uint32_t string_count, function_count, location_count, stack_count;
    struct live_copy {
        uint32_t stack;
        int32_t kind;
        gm_amount amount;
    } *blocks; /* live samples with the position of their type, if types were asked for */
    size_t block_count;
    gm_amount alloc, live, peak;
};

static void *
copy_of(const gm_region *region, bool *complete)
{
    void *copy = malloc(region->used + 1);
    if (copy == NULL) {
        *complete = false;
    } else if (region->used > 0) {
        memcpy(copy, region->base, region->used);
    }
    return copy;
}

static bool
copy_books_locked(struct copies *to)
{
    const gm_books *books = &gm_the_heap->books;
    bool complete = true;
    to->chars = copy_of(&books->names.chars, &complete);
    to->strings = copy_of(&books->names.strings, &complete);
    to->functions = copy_of(&books->names.functions, &complete);
    to->locations = copy_of(&books->names.locations, &complete);
    to->stacks = copy_of(&books->stacks, &complete);
    to->frames = copy_of(&books->frames, &complete);
    to->string_count = books->names.by_string.count;
    to->function_count = books->names.by_function.count;
    to->location_count = books->names.by_location.count;
    to->stack_count = books->by_stack.count;
    to->alloc = books->alloc;
    to->live = books->live;
    to->peak = books->peak;
    for (uint32_t i = 0; complete && i < to->stack_count; i++) {
        to->stacks[i].peak = gm_stack_peak_locked(books, (gm_stack *)books->stacks.base + i);
    }
    return complete;
}

/* A sampled block cannot be freed while the lock is held: its free would wait in gm_forget. */
static bool
copy_blocks_locked(struct copies *to, const gm_kinds *kinds)
{
    const gm_table *table = &gm_the_heap->books.table;
    const gm_live *slots = (const gm_live *)table->slots.base;
    to->blocks = malloc((table->count + 1) * sizeof(struct live_copy));
    if (to->blocks == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->slots.used / sizeof(gm_live); i++) {
        if (slots[i].address != 0) {
            gm_amount amount = {slots[i].weight, slots[i].weight * (double)slots[i].size};
            int32_t kind = gm_kind_of_no_python(kinds, slots[i].address, slots[i].size);
            to->blocks[to->block_count++] = (struct live_copy){slots[i].stack, kind, amount};
        }
    }
    return true;
}

static void
free_copies(struct copies *copies)
{
    free(copies->blocks);
    free(copies->chars);
    free(copies->strings);
    free(copies->functions);
    free(copies->locations);
    free(copies->stacks);
    free(copies->frames);
}

/* Lets other threads run when this one has had the GIL for GIL_HOLD_NS: ten thousand stacks are 50 ms of work. */
#define GIL_HOLD_NS 1000000

static void
give_way(int64_t *since_ns)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (now_ns - *since_ns > GIL_HOLD_NS) {
        Py_BEGIN_ALLOW_THREADS
        Py_END_ALLOW_THREADS
        clock_gettime(CLOCK_MONOTONIC, &now);
        *since_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
}

/* A new list of `count` items, each a new reference from make(copies, i); NULL with an exception. Gives way to other
 * threads: nothing but the copies is read. Appends, for a list with holes may be met by gc.get_objects(). */
static PyObject *
list_of(const struct copies *copies, uint32_t count, PyObject *(*make)(const struct copies *, uint32_t))
{
    int64_t since_ns = 0;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = make(copies, i);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
        if (i % 64 == 63) {
            give_way(&since_ns);
        }
    }
    return list;
}

static PyObject *
make_string(const struct copies *copies, uint32_t i)
{
    gm_string string = copies->strings[i];
    return PyUnicode_DecodeUTF8(copies->chars + string.offset, string.size, "replace");
}

static PyObject *
make_function(const struct copies *copies, uint32_t i)
{
    gm_function function = copies->functions[i];
    return Py_BuildValue("IIi", function.name, function.file, function.first_line);
}

static PyObject *
make_location(const struct copies *copies, uint32_t i)
{
    return Py_BuildValue("Ii", copies->locations[i].function, copies->locations[i].line);
}

static PyObject *
make_stack(const struct copies *copies, uint32_t i)
{
    const gm_stack *stack = &copies->stacks[i];
    PyObject *frames = PyTuple_New(stack->depth);
    for (uint16_t j = 0; frames != NULL && j < stack->depth; j++) {
        PyObject *id = PyLong_FromUnsignedLong(copies->frames[stack->first + j]);
        if (id == NULL) {
            Py_CLEAR(frames);
        } else {
            PyTuple_SET_ITEM(frames, j, id);
        }
    }
    if (frames == NULL) {
        return NULL;
    }
    return Py_BuildValue("NHH(dddddd)", frames, stack->thread, stack->library, stack->alloc.objects, stack->alloc.bytes,
                         stack->live.objects, stack->live.bytes, stack->peak.objects, stack->peak.bytes);
}

static PyObject *
make_block(const struct copies *copies, uint32_t i)
{
    const struct live_copy *block = &copies->blocks[i];
    return Py_BuildValue("Iidd", block->stack, block->kind, block->amount.objects, block->amount.bytes);
}

static PyObject *
make_threads(void)
{
    PyObject *list = PyList_New(gm_the_heap->thread_count);
    for (int i = 0; list != NULL && i < gm_the_heap->thread_count; i++) {
        PyObject *name = PyUnicode_DecodeUTF8(gm_the_heap->threads[i].name, (Py_ssize_t)strlen(gm_the_heap->threads[i].name), "replace");
        if (name == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, name);
        }
    }
    return list;
}

/* Paths of the native libraries that stacks name; [0] stands for Python's own allocators. */
static PyObject *
make_libraries(void)
{
    PyObject *list = Py_BuildValue("[s]", "");
    const gm_object *object;
    for (uint16_t i = 1; list != NULL && (object = gm_object_at(i)) != NULL; i++) {
        PyObject *path = PyUnicode_DecodeFSDefault(object->path);
        if (path == NULL || PyList_Append(list, path) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(path);
    }
    return list;
}

static PyObject *
make_export(const struct copies *copies)
{
    return Py_BuildValue("{sNsNsNsNsNsNsNs(dd)s(dd)s(dd)}", "strings", list_of(copies, copies->string_count, make_string),
                         "functions", list_of(copies, copies->function_count, make_function), "locations",
                         list_of(copies, copies->location_count, make_location), "stacks",
                         list_of(copies, copies->stack_count, make_stack), "threads", make_threads(), "libraries", make_libraries(), "blocks", list_of(copies, (uint32_t)copies->block_count, make_block), "alloc",
                         copies->alloc.objects, copies->alloc.bytes, "inuse", copies->live.objects,
                         copies->live.bytes, "peak", copies->peak.objects, copies->peak.bytes);
}

/* export(types: list[type] | None) -> dict of the profile's tables; see gomem._profile for what is made of it. With
 * types, `blocks` lists (stack, position of its type or -1, objects, bytes) of each live sample. Its own objects are not
 * sampled. */
PyObject *
gm_heap_export(PyObject *Py_UNUSED(module), PyObject *types)
{
    struct copies copies = {0};
    gm_kinds kinds = {0};
    bool with_types = PyList_Check(types);
    bool complete = !with_types || gm_kinds_init(&kinds, types);
    gm_heap_lock();
    complete = complete && copy_books_locked(&copies) && (!with_types || copy_blocks_locked(&copies, &kinds));
    gm_heap_unlock();
    gm_kinds_free(&kinds);
    bool was_busy = gm_this_thread.busy;
    gm_this_thread.busy = true;
    PyObject *result = complete ? make_export(&copies) : PyErr_NoMemory();
    gm_this_thread.busy = was_busy;
    free_copies(&copies);
    return result;
}
