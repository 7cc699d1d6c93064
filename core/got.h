/* Redirecting the calls that loaded shared objects make to functions of other objects, by their relocation tables.
 *
 * A call to malloc goes through a pointer that the dynamic linker keeps for each object (its global offset table).
 * Exchanging the pointers exchanges the function for every caller in that object, undoes as easily, touches no code,
 * and leaves calls inside libc alone. docs/design/native.md says what this sees and what it cannot. */
#ifndef GOMEM_GOT_H
#define GOMEM_GOT_H

#include "types.h"

/* One redirected function. `real` is what the global scope resolves the name to, looked up once. */
typedef struct {
    const char *name;
    void *hook;
    void *real;        /* NULL: the process has no such function, nothing is redirected */
    void *stub;        /* NULL, or the program's stub that pointers in data lead to, which jumps to real */
    bool in_python;    /* redirect calls made by the interpreter itself instead of calls made by libraries */
} gm_redirect;

/* A loaded object whose calls were redirected; the code range tells who called. */
typedef struct {
    uintptr_t start, limit; /* of its executable segments */
    unsigned done;          /* the round of redirecting in which its pointers were set */
    int ours;               /* pointers in it that led to hooks then */
    char path[192];         /* its end, if longer */
} gm_object;

#define GM_OBJECTS_MAX 1024 /* objects that are told apart; calls of further ones are redirected without a name */

/* Looks up the real functions. */
void gm_got_resolve(gm_redirect *redirects, int count);

/* Redirects in every object that is loaded now. Objects already done are left alone, so that it may be called after
 * every load; costs a look at a counter when nothing was loaded since. */
void gm_got_redirect(gm_redirect *redirects, int count);

/* The same for every object, also those that are done: another tool may have set its pointers anew. True if some no
 * longer led to the hooks. They do again, unless they lead to that tool's own. */
bool gm_got_mend(gm_redirect *redirects, int count);

/* Puts the real functions back wherever a pointer still leads to a hook. */
void gm_got_restore(gm_redirect *redirects, int count);

/* Index + 1 of the object whose code holds address, or 0. _no_python, takes no lock. */
uint16_t gm_object_of_no_python(const void *address);
const gm_object *gm_object_at(uint16_t index_plus_1); /* NULL past the last */

/* Pointers redirected since the start. */
int gm_got_count(void);

#endif
