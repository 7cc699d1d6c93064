/* Redirecting calls through relocation tables. See got.h. The format: System V ABI, chapter 5; elf(5). */
#define _GNU_SOURCE
#include "got.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define IS_CALL_RELOCATION(type) ((type) == R_X86_64_JUMP_SLOT)
#define IS_DATA_RELOCATION(type) ((type) == R_X86_64_64)
#define IS_POINTER_RELOCATION(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT || (type) == R_X86_64_64)
#elif defined(__aarch64__)
#define IS_CALL_RELOCATION(type) ((type) == R_AARCH64_JUMP_SLOT)
#define IS_DATA_RELOCATION(type) ((type) == R_AARCH64_ABS64)
#define IS_POINTER_RELOCATION(type)                                                                                    \
    ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT || (type) == R_AARCH64_ABS64)
#else
#define IS_CALL_RELOCATION(type) false
#define IS_DATA_RELOCATION(type) false
#define IS_POINTER_RELOCATION(type) false /* an architecture nobody has tried: redirect nothing */
#endif

/* Guarded by the dynamic linker's own lock, which dl_iterate_phdr holds. Readers of `objects` see whole entries: the
 * count grows after the entry is written. */
static gm_object objects[GM_OBJECTS_MAX];
static int object_count;
static unsigned long long loads_seen, unloads_seen;
static unsigned round_number = 1; /* grows when pointers are put back, or when an object may have made room for another */
static int redirected;
static int ours_before, ours_after; /* of the object being walked: pointers that nobody took from us */
static bool found_lost;             /* in this walk */

/* The parts of an object's dynamic section that name its pointers. */
struct tables {
    const ElfW(Sym) *symbols;
    const char *strings;
    const ElfW(Rela) *relocations[2]; /* of the procedure linkage table, and the rest */
    size_t counts[2];
    uintptr_t relro_start, relro_limit; /* pages that are read-only after relocation */
    uintptr_t code_start, code_limit;
    uintptr_t start, limit; /* everything */
};

/* glibc stores addresses in the dynamic section, other linkers offsets. */
static const void *
address_in(const struct dl_phdr_info *object, ElfW(Addr) value)
{
    return (const void *)(value < object->dlpi_addr ? value + object->dlpi_addr : value);
}

static void
read_dynamic(const struct dl_phdr_info *object, const ElfW(Dyn) *entry, struct tables *tables)
{
    size_t relative = 0; /* relocations at the head of the table that have no symbol: nine in ten */
    for (; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB:
            tables->symbols = address_in(object, entry->d_un.d_ptr);
            break;
        case DT_STRTAB:
            tables->strings = address_in(object, entry->d_un.d_ptr);
            break;
        case DT_JMPREL:
            tables->relocations[0] = address_in(object, entry->d_un.d_ptr);
            break;
        case DT_PLTRELSZ:
            tables->counts[0] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_RELA:
            tables->relocations[1] = address_in(object, entry->d_un.d_ptr);
            break;
        case DT_RELASZ:
            tables->counts[1] = entry->d_un.d_val / sizeof(ElfW(Rela));
            break;
        case DT_RELACOUNT:
            relative = entry->d_un.d_val;
            break;
        }
    }
    if (relative <= tables->counts[1]) {
        tables->relocations[1] += relative;
        tables->counts[1] -= relative;
    }
}

static void
widen(uintptr_t *start, uintptr_t *limit, uintptr_t from, size_t size)
{
    if (*limit == 0 || from < *start) {
        *start = from;
    }
    if (from + size > *limit) {
        *limit = from + size;
    }
}

static bool
read_tables(const struct dl_phdr_info *object, struct tables *tables)
{
    const ElfW(Dyn) *dynamic = NULL;
    *tables = (struct tables){0};
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD) {
            widen(&tables->start, &tables->limit, from, segment->p_memsz);
            if (segment->p_flags & PF_X) {
                widen(&tables->code_start, &tables->code_limit, from, segment->p_memsz);
            }
        } else if (segment->p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)from;
        } else if (segment->p_type == PT_GNU_RELRO) {
            tables->relro_start = from;
            tables->relro_limit = from + segment->p_memsz;
        }
    }
    if (dynamic == NULL) {
        return false;
    }
    read_dynamic(object, dynamic, tables);
    return tables->symbols != NULL && tables->strings != NULL;
}

/* A pointer that an object keeps for a function of another object. */
struct place {
    const struct dl_phdr_info *object;
    const struct tables *tables;
    void **pointer;
    bool is_call; /* of the procedure linkage table: until it is resolved it leads to a stub of the object itself */
    bool is_data; /* a variable, which the object may set as it likes */
};

/* Pointers in pages that the file says are read-only (DT_TEXTREL) are not: the linker closed them behind itself. */
static bool
is_writable(const struct dl_phdr_info *object, uintptr_t at)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t from = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && at >= from && at < from + segment->p_memsz) {
            return (segment->p_flags & PF_W) != 0;
        }
    }
    return false;
}

static void
set_pointer(const struct place *place, void *value)
{
    const struct tables *tables = place->tables;
    void **pointer = place->pointer;
    uintptr_t at = (uintptr_t)pointer;
    if (!is_writable(place->object, at)) {
        return;
    }
    uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE), page = at & ~(page_size - 1);
    /* The linker protects whole pages only: the last, if partial, stays writable and holds other data too. */
    bool guarded = at >= (tables->relro_start & ~(page_size - 1)) && at < (tables->relro_limit & ~(page_size - 1));
    if (guarded && mprotect((void *)page, page_size, PROT_READ | PROT_WRITE) != 0) {
        return;
    }
    __atomic_store_n(pointer, value, __ATOMIC_RELEASE);
    if (guarded) {
        mprotect((void *)page, page_size, PROT_READ);
    }
}

typedef void (*visit_pointer)(const struct place *, gm_redirect *);

/* The redirect for a symbol; most names differ in the first letter, and there are a hundred thousand of them. */
static gm_redirect *
redirect_for(const char *name, gm_redirect *redirects, int count, bool python)
{
    for (int i = 0; i < count; i++) {
        if (redirects[i].name[0] == name[0] && redirects[i].in_python == python && redirects[i].real != NULL &&
            strcmp(name, redirects[i].name) == 0) {
            return &redirects[i];
        }
    }
    return NULL;
}

struct walk {
    gm_redirect *redirects;
    int count;
    visit_pointer visit;
    bool only_new;
};

/* Calls visit for each pointer of an object that stands for one of the redirected functions of another object. */
static void
visit_pointers(const struct dl_phdr_info *object, const struct tables *tables, const struct walk *walk, bool python)
{
    for (int table = 0; table < 2; table++) {
        const ElfW(Rela) *relocation = tables->relocations[table];
        for (size_t i = 0; relocation != NULL && i < tables->counts[table]; i++, relocation++) {
            size_t number = ELF64_R_SYM(relocation->r_info), type = ELF64_R_TYPE(relocation->r_info);
            if (number == 0 || !IS_POINTER_RELOCATION(type) || relocation->r_addend != 0 ||
                tables->symbols[number].st_shndx != SHN_UNDEF) {
                continue;
            }
            const char *name = tables->strings + tables->symbols[number].st_name;
            gm_redirect *redirect = redirect_for(name, walk->redirects, walk->count, python);
            if (redirect != NULL) {
                struct place place = {object, tables, (void **)(object->dlpi_addr + relocation->r_offset),
                                      IS_CALL_RELOCATION(type), IS_DATA_RELOCATION(type)};
                walk->visit(&place, redirect);
            }
        }
    }
}

static bool
holds(const struct tables *tables, const void *address)
{
    return (uintptr_t)address >= tables->start && (uintptr_t)address < tables->limit;
}

static bool
leads_past_us(const struct place *place, const gm_redirect *redirect)
{
    uintptr_t now = (uintptr_t)*place->pointer;
    bool is_stub = place->is_call && now >= place->tables->code_start && now < place->tables->code_limit;
    return now == (uintptr_t)redirect->real || (redirect->stub != NULL && now == (uintptr_t)redirect->stub) || is_stub;
}

/* A pointer in data that leads elsewhere was set by the library, perhaps to a function of its own (_decimal sets libmpdec's
 * to CPython's): nobody took it from us. */
static bool
is_not_taken(const struct place *place, const gm_redirect *redirect)
{
    return *place->pointer == redirect->hook || (place->is_data && !leads_past_us(place, redirect));
}

/* Only what leads to the real function, or is not resolved yet. */
static void
redirect_pointer(const struct place *place, gm_redirect *redirect)
{
    ours_before += is_not_taken(place, redirect);
    if (leads_past_us(place, redirect)) {
        set_pointer(place, redirect->hook);
        redirected += *place->pointer == redirect->hook;
    }
    ours_after += is_not_taken(place, redirect);
}

static void
restore_pointer(const struct place *place, gm_redirect *redirect)
{
    if (*place->pointer == redirect->hook) {
        set_pointer(place, redirect->stub != NULL && !place->is_call ? redirect->stub : redirect->real);
    }
}

/* The name resolved to a stub of the program: where that leads is the real function. */
static void
follow_stub(const struct place *place, gm_redirect *redirect)
{
    if (redirect->stub == NULL && holds(place->tables, redirect->real) && !holds(place->tables, *place->pointer)) {
        redirect->stub = redirect->real;
        redirect->real = *place->pointer;
    }
}

static bool
is_python(const struct dl_phdr_info *object, const struct tables *tables)
{
    return holds(tables, (const void *)PyObject_Malloc) || object->dlpi_name == NULL || object->dlpi_name[0] == '\0';
}

/* Not ours, nor the one whose functions are redirected, nor the dynamic linker. */
static bool
is_off_limits(const struct dl_phdr_info *object, const struct tables *tables, const gm_redirect *redirects, int count)
{
    for (int i = 0; i < count; i++) {
        if (redirects[i].real != NULL && holds(tables, redirects[i].real)) {
            return true;
        }
    }
    return holds(tables, (const void *)gm_got_redirect) ||
           (object->dlpi_name != NULL &&
            (strstr(object->dlpi_name, "/ld-linux") != NULL || strstr(object->dlpi_name, "linux-vdso") != NULL));
}

/* The entry of an object, made if it is new; NULL when there is no room for more. An object that lies where an unloaded
 * one was takes the addresses from its entry, which keeps the name for the samples that have it. One that returns
 * finds its entry again, so that loading and unloading in a loop fills no table. */
static gm_object *
entry_of(const struct dl_phdr_info *object, const struct tables *tables)
{
    size_t length = strlen(object->dlpi_name), room = sizeof(objects[0].path) - 1;
    const char *path = object->dlpi_name + (length <= room ? 0 : length - room);
    gm_object *entry = NULL;
    for (int i = 0; i < object_count; i++) {
        bool overlaps = objects[i].start < tables->code_limit && tables->code_start < objects[i].limit;
        if (strcmp(objects[i].path, path) == 0 && (entry == NULL || overlaps)) {
            entry = &objects[i];
        } else if (overlaps) {
            objects[i].limit = objects[i].start = 0;
        }
    }
    if (entry != NULL) {
        if (entry->start != tables->code_start || entry->limit != tables->code_limit) {
            entry->start = tables->code_start;
            entry->limit = tables->code_limit;
            entry->done = 0;
        }
        return entry;
    }
    if (object_count == GM_OBJECTS_MAX) {
        return NULL;
    }
    entry = &objects[object_count];
    strcpy(entry->path, path);
    entry->start = tables->code_start;
    entry->limit = tables->code_limit;
    __atomic_store_n(&object_count, object_count + 1, __ATOMIC_RELEASE);
    return entry;
}

static int
walk_object(struct dl_phdr_info *object, size_t size, void *data)
{
    const struct walk *walk = data;
    struct tables tables;
    (void)size;
    if (!read_tables(object, &tables)) {
        return 0;
    }
    bool python = is_python(object, &tables);
    if (!python && is_off_limits(object, &tables, walk->redirects, walk->count)) {
        return 0;
    }
    gm_object *entry = entry_of(object, &tables);
    if (walk->only_new && entry != NULL && entry->done == round_number) {
        return 0;
    }
    ours_before = ours_after = 0;
    visit_pointers(object, &tables, walk, python);
    if (walk->visit == redirect_pointer && entry != NULL) {
        found_lost |= entry->done == round_number && ours_before < entry->ours;
        entry->done = round_number;
        entry->ours = ours_after;
    }
    return 0;
}

static int
first_object(struct dl_phdr_info *object, size_t size, void *data)
{
    (void)size;
    *(struct dl_phdr_info *)data = *object;
    return 1;
}

/* Of the program itself, which is the first object. */
static int
follow_stubs(struct dl_phdr_info *program, size_t size, void *data)
{
    struct tables tables;
    (void)size;
    if (read_tables(program, &tables)) {
        visit_pointers(program, &tables, data, false);
    }
    return 1;
}

/* A program that is linked at a fixed address and takes the address of malloc (Debian's python3) holds a stub that
 * is "the" malloc for every pointer in the process, while the calls of libraries lead past it. */
void
gm_got_resolve(gm_redirect *redirects, int count)
{
    for (int i = 0; i < count; i++) {
        if (redirects[i].real == NULL) {
            redirects[i].real = dlsym(RTLD_DEFAULT, redirects[i].name);
        }
    }
    struct walk walk = {redirects, count, follow_stub, false};
    dl_iterate_phdr(follow_stubs, &walk);
}

void
gm_got_redirect(gm_redirect *redirects, int count)
{
    struct dl_phdr_info first = {0};
    dl_iterate_phdr(first_object, &first);
    if (first.dlpi_adds == loads_seen) {
        return;
    }
    round_number += first.dlpi_subs != unloads_seen;
    loads_seen = first.dlpi_adds;
    unloads_seen = first.dlpi_subs;
    struct walk walk = {redirects, count, redirect_pointer, true};
    dl_iterate_phdr(walk_object, &walk);
}

bool
gm_got_mend(gm_redirect *redirects, int count)
{
    gm_got_redirect(redirects, count); /* what was unloaded and loaded again lost nothing */
    found_lost = false;
    struct walk walk = {redirects, count, redirect_pointer, false};
    dl_iterate_phdr(walk_object, &walk);
    return found_lost;
}

void
gm_got_restore(gm_redirect *redirects, int count)
{
    struct walk walk = {redirects, count, restore_pointer, false};
    dl_iterate_phdr(walk_object, &walk);
    loads_seen = 0;
    round_number++;
}

uint16_t
gm_object_of_no_python(const void *address)
{
    int count = __atomic_load_n(&object_count, __ATOMIC_ACQUIRE);
    for (int i = 0; i < count; i++) {
        if ((uintptr_t)address >= objects[i].start && (uintptr_t)address < objects[i].limit) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

const gm_object *
gm_object_at(uint16_t index_plus_1)
{
    return index_plus_1 > 0 && index_plus_1 <= object_count ? &objects[index_plus_1 - 1] : NULL;
}

int
gm_got_count(void)
{
    return redirected;
}
