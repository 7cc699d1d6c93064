/* The CPython internals that the core reads. See compat.h for the table of what moved when. */
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "compat.h"

#include <string.h>

/* Frames of 3.14 and later hold tagged references; nobody has tried that here. The parts that read no frames work. */
#if PY_VERSION_HEX >= 0x030E0000
#define GM_UNKNOWN_FRAMES 1
#endif

#ifndef GM_UNKNOWN_FRAMES
#include "internal/pycore_frame.h"

#if PY_VERSION_HEX >= 0x030D0000
#define GM_UNCHECKED_TSTATE PyThreadState_GetUnchecked
#define GM_NEWEST_FRAME(ts) ((ts)->current_frame)
#define GM_CODE(f) ((PyObject *)(f)->f_executable)
#define GM_INSTRUCTION(f) ((f)->instr_ptr)
#else
#define GM_UNCHECKED_TSTATE _PyThreadState_UncheckedGet
#define GM_NEWEST_FRAME(ts) ((ts)->cframe->current_frame)
#define GM_CODE(f) ((PyObject *)(f)->f_code)
#define GM_INSTRUCTION(f) ((f)->prev_instr)
#endif

#if PY_VERSION_HEX >= 0x030C0000
#define GM_IS_SHIM(f) ((f)->owner == FRAME_OWNED_BY_CSTACK)
#else
#define GM_IS_SHIM(f) false
#endif

bool
gm_holds_gil_no_python(void)
{
    PyThreadState *current = GM_UNCHECKED_TSTATE();
    return current != NULL && current == PyGILState_GetThisThreadState();
}

PyThreadState *
gm_thread_state_no_python(bool have_gil)
{
    return have_gil ? GM_UNCHECKED_TSTATE() : PyGILState_GetThisThreadState();
}

int
gm_walk_no_python(PyThreadState *ts, gm_frame *out, int max, bool *cut)
{
    *cut = false;
    if (ts == NULL) {
        return 0;
    }
    int count = 0;
    for (_PyInterpreterFrame *f = GM_NEWEST_FRAME(ts); f != NULL; f = f->previous) {
        PyObject *code = GM_CODE(f);
        if (GM_IS_SHIM(f) || code == NULL || !PyCode_Check(code) || _PyFrame_IsIncomplete(f)) {
            continue;
        }
        if (count == max) {
            *cut = true;
            break;
        }
        out[count].code = (PyCodeObject *)code;
        out[count].lasti = (int)((char *)GM_INSTRUCTION(f) - (char *)_PyCode_CODE((PyCodeObject *)code));
        count++;
    }
    return count;
}

#else

bool
gm_holds_gil_no_python(void)
{
    return false;
}

PyThreadState *
gm_thread_state_no_python(bool Py_UNUSED(have_gil))
{
    return NULL;
}

int
gm_walk_no_python(PyThreadState *Py_UNUSED(ts), gm_frame *Py_UNUSED(out), int Py_UNUSED(max), bool *cut)
{
    *cut = false;
    return 0;
}

#endif

/* FNV-1a over the string's own storage; used only where the object has no hash yet and may not be given one. */
static uint64_t
content_hash(PyObject *string)
{
    const unsigned char *bytes = PyUnicode_DATA(string);
    size_t size = (size_t)PyUnicode_GET_LENGTH(string) * PyUnicode_KIND(string);
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

/* With the GIL, hashing an exact str computes and stores a number and allocates nothing. */
uint64_t
gm_string_hash_no_python(PyObject *string, bool have_gil)
{
    Py_hash_t known = have_gil && PyUnicode_CheckExact(string) ? PyObject_Hash(string) : -1;
    return known != -1 ? (uint64_t)known : content_hash(string);
}

/* A signed number of the location table: six bits a byte, the lowest first, bit 6 set where more follow; the sign is the
 * lowest bit of all. */
static int
signed_number(const uint8_t *at, const uint8_t *limit)
{
    unsigned value = 0, shift = 0;
    while (at < limit) {
        value |= (*at & 63u) << shift;
        if (!(*at++ & 64) || (shift += 6) > 24) {
            break;
        }
    }
    return value & 1 ? -(int)(value >> 1) : (int)(value >> 1);
}

/* How an entry of kind 10 or more changes the line, and where the next entry begins. */
static int
line_step(unsigned kind, const uint8_t **operands, const uint8_t *limit)
{
    const uint8_t *at = *operands;
    int step = kind == 13 || kind == 14 ? signed_number(at, limit) : kind < 13 ? (int)kind - 10 : 0;
    while (at < limit && !(*at & 128)) {
        at++;
    }
    *operands = at;
    return step;
}

/* Reads the location table (Objects/locations.md, the same from 3.11 on) itself: PyCode_Addr2Line takes some four times
 * the instructions, and they were most of what a frame costs that was not seen before. Entries begin with a byte whose
 * highest bit is set: then four bits of kind and three of length less one, in units of two bytes of code. Kinds below 10,
 * nine entries in ten, stay on their line and have one byte more. 15 says that the instructions have no line. */
int
gm_code_line_no_python(PyCodeObject *code, int lasti)
{
    const uint8_t *at = (const uint8_t *)PyBytes_AS_STRING(code->co_linetable);
    const uint8_t *limit = at + PyBytes_GET_SIZE(code->co_linetable);
    int line = code->co_firstlineno, end = 0;
    while (at < limit) {
        unsigned head = *at, kind = head >> 3 & 15;
        end += (int)((head & 7) + 1) * 2;
        at++;
        if (GM_LIKELY(kind < 10)) {
            at++;
        } else {
            line += line_step(kind, &at, limit);
        }
        if (lasti < end) {
            return kind != 15 && line > 0 ? line : code->co_firstlineno;
        }
    }
    return code->co_firstlineno;
}

static size_t
put_utf8(uint32_t c, char *out, size_t room)
{
    if (c >= 0xD800 && c <= 0xDFFF) {
        c = 0xFFFD;
    }
    size_t need = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (need > room) {
        return 0;
    }
    if (need == 1) {
        out[0] = (char)c;
        return 1;
    }
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = need - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)(lead[need] | c);
    return need;
}

size_t
gm_utf8_no_python(PyObject *string, char *out, size_t max)
{
    size_t used = 0;
    int kind = PyUnicode_KIND(string);
    const void *data = PyUnicode_DATA(string);
    Py_ssize_t length = PyUnicode_GET_LENGTH(string);
    if (PyUnicode_IS_ASCII(string)) {
        used = (size_t)length < max ? (size_t)length : max;
        memcpy(out, data, used);
        return used;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        size_t wrote = put_utf8(PyUnicode_READ(kind, data, i), out + used, max - used);
        if (wrote == 0) {
            break;
        }
        used += wrote;
    }
    return used;
}

const char *
gm_unsupported_version(const char *part, unsigned long version)
{
    static char reason[200];
    unsigned long running = version >> 16, built = PY_VERSION_HEX >> 16;
    if (running >= 0x030B && running <= 0x030D && running == built) {
        return NULL;
    }
    if (running >= 0x030B && running <= 0x030D) {
        PyOS_snprintf(reason, sizeof(reason),
                      "%s: got CPython %lu.%lu, want %lu.%lu that gomem was built for; install it again", part,
                      running >> 8, running & 0xFF, built >> 8, built & 0xFF);
    }
    else {
        PyOS_snprintf(reason, sizeof(reason), "%s: got CPython %lu.%lu, want 3.11, 3.12 or 3.13", part, running >> 8,
                      running & 0xFF);
    }
    return reason;
}
