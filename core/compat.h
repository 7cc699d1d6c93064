/* What differs between CPython versions, as plain functions on opaque types.
 *
 * This file and compat.c are the only ones that see CPython's internal headers or compare versions; a test greps
 * for it. Everything here is _no_python: it reads structs of the running interpreter, creates no object, takes no
 * reference and calls nothing that does.
 *
 * | fact              | 3.11, 3.12                     | 3.13                  | 3.14+                          |
 * |-------------------|--------------------------------|-----------------------|--------------------------------|
 * | newest frame      | tstate->cframe->current_frame  | tstate->current_frame | tstate->current_frame          |
 * | code of a frame   | f_code                         | f_executable          | f_executable, tagged reference |
 * | instruction       | prev_instr                     | instr_ptr             | instr_ptr                      |
 * | entry shim frames | none (3.11); owner CSTACK      | owner CSTACK          | owner INTERPRETER              |
 */
#ifndef GOMEM_COMPAT_H
#define GOMEM_COMPAT_H

#include "types.h"

/* One frame of a stack: a borrowed code object, alive as long as its frame, and the byte offset of the instruction. */
typedef struct {
    PyCodeObject *code;
    int lasti;
} gm_frame;

/* The thread state whose frames the calling thread is running. With the GIL held it is the current one; without it,
 * the one that this thread last ran with, or NULL for a thread that Python does not know. */
PyThreadState *gm_thread_state_no_python(bool have_gil);

/* True when the calling thread holds the GIL of the interpreter that its thread state belongs to. */
bool gm_holds_gil_no_python(void);

/* Writes the newest `max` complete frames of ts into out, leaf first; returns how many, and sets *cut when older ones
 * were left out. Shim frames and frames that have not yet begun their first instruction are skipped. */
int gm_walk_no_python(PyThreadState *ts, gm_frame *out, int max, bool *cut);

/* What tells two code objects apart that lived at the same address: the content hashes of file and qualified name, and
 * where the code begins and its line table lies. */
typedef struct {
    uint64_t file, name;
    const void *lines;
    int32_t first_line, size;
} gm_code_identity;

/* The hash of a string's content: the object's own where it has one. */
uint64_t gm_string_hash_no_python(PyObject *string, bool have_gil);

static inline uint64_t
gm_known_hash(PyObject *string, bool have_gil)
{
    Py_hash_t known = ((PyASCIIObject *)string)->hash;
    return GM_LIKELY(known != -1) ? (uint64_t)known : gm_string_hash_no_python(string, have_gil);
}

static inline gm_code_identity
gm_identify_code_no_python(PyCodeObject *code, bool have_gil)
{
    return (gm_code_identity){gm_known_hash(code->co_filename, have_gil), gm_known_hash(code->co_qualname, have_gil),
                              code->co_linetable, code->co_firstlineno, (int32_t)Py_SIZE(code)};
}

/* Line number of the instruction at byte offset lasti; the first line of the code if it has none. */
int gm_code_line_no_python(PyCodeObject *code, int lasti);

/* UTF-8 of a string object, without the object's own cache (which would allocate): writes at most `max` bytes, never
 * half a character, and returns how many. Lone surrogates become U+FFFD. */
size_t gm_utf8_no_python(PyObject *string, char *out, size_t max);

/* NULL, or one sentence that says why this part of gomem cannot look into an interpreter of that version (as Py_Version
 * has it). The sentence is the function's own until the next call. */
const char *gm_unsupported_version(const char *part, unsigned long version);

#endif
