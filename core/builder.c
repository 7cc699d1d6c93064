/* gomem._core.Builder: text built piece by piece in one growing string, after Go's strings.Builder.
 *
 * - `head` is a str object longer than its text; pieces are copied into it, it grows by realloc, and build() cuts it to
 *   size and hands it over: the text is never copied as a whole.
 * - A piece wider than the head (the first "é", "中" or "🐍") would force all that is there to be rewritten. If that is
 *   little, it is; else a second string, the `tail`, takes the wide pieces, and head and tail are joined when the tail
 *   has grown to an eighth of the head or the text is built, whichever is first: a lone wide character at the end of a
 *   long text widens it once.
 * - Joining a large text frees the narrow original in quarters while the wide one grows, so both never exist whole.
 * - After build() the builder and its caller share the string. Writing on makes PyUnicode_Resize take a copy if the
 *   caller still has it.
 *
 * Nothing here runs Python code, so each call is atomic under the GIL. The buffers are str objects that nobody else
 * has seen; only documented functions change them. */
#include "compat_object.h"
#include "types.h"
#include <structmember.h>

#define FIRST_ROOM 56          /* characters: with the object's header two cache lines */
#define WIDEN_AT_ONCE 4096     /* characters that are cheaper to rewrite than to keep apart */
#define JOIN_IN_QUARTERS 65536 /* characters from which the peak of a join matters */

/* Width classes of str: ASCII, Latin-1, UCS-2, UCS-4. */
static const Py_UCS4 max_of_rank[] = {0x7f, 0xff, 0xffff, 0x10ffff};

/* Invariant: text is NULL (then room == length == 0) or an owned str of `room` characters, the first `length` of which
 * are set, in the width of `rank`; nobody else has it unless the builder is shared. */
typedef struct {
    PyObject *text;
    Py_ssize_t length, room;
    int rank;
} part;

/* Invariant: tail.text is NULL, or its rank is above head's. While shared, head.room == head.length and there is no
 * tail. quick_room is not -1 only if head is one byte wide, there is no tail, and the builder is neither shared nor
 * closed; whoever changes one of these calls set_quick. */
typedef struct {
    PyObject_HEAD
    part head, tail;
    char *bytes;           /* of head.text, while quick_room is not -1 */
    Py_ssize_t quick_room; /* head.room while ASCII text may just be copied behind head's; else -1 */
    bool shared;  /* build() handed head.text out */
    bool trimmed; /* wide characters may have been cut off: build() looks for the width the text needs */
    bool closed;
    PyObject *weakrefs;
} builder;

static inline int
rank_of(PyObject *text)
{
    return PyUnicode_IS_ASCII(text) ? 0 : PyUnicode_KIND(text) == 1 ? 1 : PyUnicode_KIND(text) == 2 ? 2 : 3;
}

static inline Py_ssize_t
width_of(int rank)
{
    return rank < 2 ? 1 : (Py_ssize_t)1 << (rank - 1);
}

/* --- parts --- */

/* Room for a text of `needed` characters: double while small, a quarter more when large. */
static Py_ssize_t
next_room(Py_ssize_t needed)
{
    Py_ssize_t spare = needed < 32768 ? needed : needed / 4;
    return needed > PY_SSIZE_T_MAX / 8 - spare ? needed : Py_MAX(needed + spare, FIRST_ROOM);
}

static int
part_make(part *self, int rank, Py_ssize_t room)
{
    self->text = PyUnicode_New(room, max_of_rank[rank]);
    self->length = 0;
    self->room = self->text == NULL ? 0 : room;
    self->rank = rank;
    return self->text == NULL ? -1 : 0;
}

/* Changes the room; the text stays. If a caller has the string too, this takes a copy. */
static int
part_resize(part *self, Py_ssize_t room)
{
    if (PyUnicode_Resize(&self->text, room) < 0) {
        return -1;
    }
    self->room = room;
    return 0;
}

static int
part_reserve(part *self, Py_ssize_t more)
{
    if (more <= self->room - self->length) {
        return 0;
    }
    if (more > PY_SSIZE_T_MAX / 8 - self->length) {
        PyErr_NoMemory();
        return -1;
    }
    return part_resize(self, next_room(self->length + more));
}

/* Copies characters of a string that is no wider than this part; there is room. */
static inline void
part_copy(part *self, PyObject *text, Py_ssize_t from, Py_ssize_t count)
{
    Py_ssize_t width = width_of(self->rank);
    if ((Py_ssize_t)PyUnicode_KIND(text) == width) {
        memcpy((char *)PyUnicode_DATA(self->text) + self->length * width,
               (const char *)PyUnicode_DATA(text) + from * width, (size_t)(count * width));
    }
    else {
        PyUnicode_CopyCharacters(self->text, self->length, text, from, count);
    }
    self->length += count;
}

static void
part_free(part *self)
{
    Py_CLEAR(self->text);
    self->length = self->room = 0;
    self->rank = 0;
}

/* --- widening --- */

/* Makes `from`, which was `total` characters of `rank`, whole again after an error: from what is left of it, or is in
 * `into` already, and from what was set aside. -1 if memory is short even for that. */
static int
put_back(part *from, int rank, Py_ssize_t total, const part *into, PyObject *const *aside)
{
    if (from->text != NULL) {
        if (part_resize(from, total) < 0) {
            return -1;
        }
    }
    else {
        if (part_make(from, rank, total) < 0 ||
            PyUnicode_CopyCharacters(from->text, 0, into->text, 0, into->length) < 0) {
            return -1;
        }
        from->length = into->length;
    }
    for (int i = 0; i < 3; i++) {
        if (aside[i] != NULL && from->length == total / 4 * (i + 1)) { /* else it is still in from too */
            part_copy(from, aside[i], 0, PyUnicode_GET_LENGTH(aside[i]));
        }
    }
    return 0;
}

/* Rewrites `from` in the rank of `into`, an empty part without text, with `spare` characters of room behind. A large
 * text goes in quarters: its later ones are first set aside, so that each can be freed once it is rewritten. On error
 * `from` is whole again or, short of memory even for that, the text is lost and -1 is returned all the same. */
static int
widen_in_quarters(part *from, part *into, Py_ssize_t spare)
{
    Py_ssize_t total = from->length, quarter = total / 4;
    int rank = from->rank;
    PyObject *aside[3] = {NULL, NULL, NULL};
    for (int i = 2; i >= 0; i--) {
        Py_ssize_t start = quarter * (i + 1);
        aside[i] = PyUnicode_New(from->length - start, max_of_rank[from->rank]);
        if (aside[i] == NULL || PyUnicode_CopyCharacters(aside[i], 0, from->text, start, from->length - start) < 0 ||
            part_resize(from, start) < 0) {
            goto error;
        }
        from->length = start;
    }
    if (part_make(into, into->rank, quarter) < 0) {
        goto error;
    }
    part_copy(into, from->text, 0, from->length);
    part_free(from);
    for (int i = 0; i < 3; i++) {
        Py_ssize_t count = PyUnicode_GET_LENGTH(aside[i]);
        if (part_resize(into, into->length + count + (i == 2 ? spare : 0)) < 0) {
            goto error;
        }
        part_copy(into, aside[i], 0, count);
        Py_CLEAR(aside[i]);
    }
    return 0;
error:
    PyErr_Clear();
    if (put_back(from, rank, total, into, aside) < 0) {
        part_free(from);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(aside[i]);
    }
    part_free(into);
    PyErr_NoMemory();
    return -1;
}

static int
widen(part *from, part *into, Py_ssize_t spare)
{
    if (from->length >= JOIN_IN_QUARTERS && width_of(into->rank) > width_of(from->rank)) {
        return widen_in_quarters(from, into, spare);
    }
    if (part_make(into, into->rank, from->length + spare) < 0) {
        return -1;
    }
    if (from->length > 0) {
        part_copy(into, from->text, 0, from->length);
    }
    part_free(from);
    return 0;
}

/* Makes head and tail one, with room for `more` characters. */
static int
join(builder *self, Py_ssize_t more)
{
    part tail = self->tail, whole = {NULL, 0, 0, tail.rank};
    if (widen(&self->head, &whole, tail.length + more) < 0) {
        if (self->head.text == NULL) { /* lost: better no text than its end alone */
            part_free(&self->tail);
        }
        return -1;
    }
    part_copy(&whole, tail.text, 0, tail.length);
    self->head = whole;
    memset(&self->tail, 0, sizeof(self->tail));
    part_free(&tail);
    return 0;
}

/* Ends sharing: what head holds may be written behind, with room for `more` characters. */
static int
end_sharing(builder *self, Py_ssize_t more)
{
    if (part_resize(&self->head, next_room(self->head.length + Py_MAX(more, 1))) < 0) {
        return -1;
    }
    self->shared = false;
    return 0;
}

/* The part that takes `count` characters of this rank, with room for them; NULL on error. */
static part *
part_for(builder *self, int rank, Py_ssize_t count)
{
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "builder: write after close");
        return NULL;
    }
    part *head = &self->head, *tail = &self->tail;
    if (head->text == NULL) {
        return part_make(head, rank, Py_MAX(count, FIRST_ROOM)) < 0 ? NULL : head;
    }
    if (self->shared && end_sharing(self, count) < 0) {
        return NULL;
    }
    if (tail->text == NULL) {
        if (rank <= head->rank) {
            return part_reserve(head, count) < 0 ? NULL : head;
        }
        part wide = {NULL, 0, 0, rank};
        if (head->length <= WIDEN_AT_ONCE) {
            if (widen(head, &wide, next_room(head->length + count) - head->length) < 0) {
                return NULL;
            }
            *head = wide;
            return head;
        }
        return part_make(tail, rank, next_room(count)) < 0 ? NULL : tail;
    }
    if (rank > tail->rank) { /* the tail is small beside the head */
        part wide = {NULL, 0, 0, rank};
        if (widen(tail, &wide, next_room(tail->length + count) - tail->length) < 0) {
            return NULL;
        }
        *tail = wide;
    }
    if (tail->length + count > head->length / 8) {
        Py_ssize_t length = head->length + tail->length;
        return join(self, next_room(length + count) - length) < 0 ? NULL : head;
    }
    return part_reserve(tail, count) < 0 ? NULL : tail;
}

/* --- writing --- */

static void
set_quick(builder *self)
{
    bool quick = self->head.text != NULL && self->head.rank < 2 && self->tail.text == NULL && !self->shared &&
                 !self->closed;
    self->quick_room = quick ? self->head.room : -1;
    self->bytes = quick ? PyUnicode_DATA(self->head.text) : NULL;
}

/* memcpy without the call for the sizes that most pieces have: two words that may overlap. */
static inline void
copy_bytes(char *to, const char *from, size_t count)
{
#define COPY_ENDS(word)                                                                                                \
    do {                                                                                                               \
        word first, last;                                                                                              \
        memcpy(&first, from, sizeof(word));                                                                            \
        memcpy(&last, from + count - sizeof(word), sizeof(word));                                                      \
        memcpy(to, &first, sizeof(word));                                                                              \
        memcpy(to + count - sizeof(word), &last, sizeof(word));                                                        \
    } while (0)
    if (GM_LIKELY(count - 8 <= 8)) {
        COPY_ENDS(uint64_t);
    }
    else if (count - 17 <= 15) {
        COPY_ENDS(__uint128_t);
    }
    else if (count - 4 <= 3) {
        COPY_ENDS(uint32_t);
    }
    else if (count == 1) {
        *to = *from;
    }
    else {
        memcpy(to, from, count);
    }
#undef COPY_ENDS
}

static int
write_slowly(builder *self, PyObject *text)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "write: got %.100s, want str", Py_TYPE(text)->tp_name);
        return -1;
    }
    if (gm_str_make_ready(text) < 0) {
        return -1;
    }
    Py_ssize_t count = PyUnicode_GET_LENGTH(text);
    if (count == 0 && !self->closed) {
        return 0;
    }
    int rank = rank_of(text);
    part *head = &self->head;
    if (head->text != NULL && rank <= head->rank && self->tail.text == NULL && count <= head->room - head->length &&
        !self->closed && !self->shared) {
        part_copy(head, text, 0, count);
        return 0;
    }
    part *into = part_for(self, rank, count);
    if (into != NULL) {
        part_copy(into, text, 0, count);
    }
    set_quick(self);
    return into == NULL ? -1 : 0;
}

static inline int
write_text(builder *self, PyObject *text)
{
    if (GM_LIKELY(PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text))) {
        Py_ssize_t count = PyUnicode_GET_LENGTH(text);
        if (GM_LIKELY(count <= self->quick_room - self->head.length)) {
            copy_bytes(self->bytes + self->head.length, (const char *)((PyASCIIObject *)text + 1), (size_t)count);
            self->head.length += count;
            return 0;
        }
    }
    return write_slowly(self, text);
}

static PyObject *
builder_write(PyObject *op, PyObject *text)
{
    return write_text((builder *)op, text) < 0 ? NULL : PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *
builder_iadd(PyObject *op, PyObject *text)
{
    return write_text((builder *)op, text) < 0 ? NULL : Py_NewRef(op);
}

/* write_char(c): a code point, or a str of one character */
static PyObject *
builder_write_char(PyObject *op, PyObject *arg)
{
    if (PyUnicode_Check(arg)) {
        if (PyUnicode_GetLength(arg) != 1) {
            PyErr_Format(PyExc_ValueError, "write_char: got %zd characters, want 1", PyUnicode_GetLength(arg));
            return NULL;
        }
        return builder_write(op, arg);
    }
    long code = PyLong_AsLong(arg);
    if (code == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (code < 0 || code > 0x10ffff) {
        PyErr_Format(PyExc_ValueError, "write_char: got %ld, want a code point 0 to 0x10ffff", code);
        return NULL;
    }
    Py_UCS4 character = (Py_UCS4)code;
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, &character, 1);
    PyObject *result = text ? builder_write(op, text) : NULL;
    Py_XDECREF(text);
    return result;
}

/* writelines(pieces): all of an iterable */
static PyObject *
builder_writelines(PyObject *op, PyObject *pieces)
{
    PyObject *iterator = PyObject_GetIter(pieces), *piece;
    if (iterator == NULL) {
        return NULL;
    }
    iternextfunc next = Py_TYPE(iterator)->tp_iternext;
    int status = 0;
    while (status == 0 && (piece = next(iterator)) != NULL) {
        status = write_text((builder *)op, piece);
        Py_DECREF(piece);
    }
    Py_DECREF(iterator);
    if (status == 0 && PyErr_Occurred()) {
        status = PyErr_ExceptionMatches(PyExc_StopIteration) ? (PyErr_Clear(), 0) : -1;
    }
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static Py_ssize_t
builder_len(PyObject *op)
{
    return ((builder *)op)->head.length + ((builder *)op)->tail.length;
}

/* build(): the text */
static PyObject *
builder_build(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    part *head = &self->head;
    if (self->tail.text != NULL && join(self, 0) < 0) {
        set_quick(self);
        return NULL;
    }
    if (head->text == NULL) {
        return PyUnicode_New(0, 0);
    }
    if (!self->shared && (head->length <= 1 || (self->trimmed && head->rank > 0))) {
        PyObject *text = PyUnicode_FromKindAndData(PyUnicode_KIND(head->text), PyUnicode_DATA(head->text), head->length);
        if (text == NULL) {
            return NULL;
        }
        Py_SETREF(head->text, text);
        head->rank = rank_of(text);
        head->room = head->length;
    }
    else if (!self->shared && part_resize(head, head->length) < 0) {
        set_quick(self);
        return NULL;
    }
    self->shared = true;
    self->trimmed = false;
    set_quick(self);
    return Py_NewRef(head->text);
}

/* --- size --- */

static int
parse_size(const char *verb, PyObject *arg, Py_ssize_t *size)
{
    *size = PyLong_AsSsize_t(arg);
    if (*size == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (*size < 0) {
        PyErr_Format(PyExc_ValueError, "%s: got %zd, want at least 0", verb, *size);
        return -1;
    }
    return 0;
}

/* Makes the room of the last part at least what is asked for, exactly. */
static PyObject *
reserve_total(builder *self, Py_ssize_t total)
{
    part *last = self->tail.text != NULL ? &self->tail : &self->head;
    Py_ssize_t length = self->head.length + self->tail.length;
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "builder: grow after close");
        return NULL;
    }
    Py_ssize_t room = last->length + (total - length);
    int status = 0;
    if (last->text == NULL) {
        status = total > 0 ? part_make(last, 0, total) : 0;
    }
    else if (total > length && (room > last->room || self->shared)) {
        status = part_resize(last, room);
        self->shared = self->shared && status < 0;
    }
    set_quick(self);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* grow(n): room for n characters more */
static PyObject *
builder_grow(PyObject *op, PyObject *arg)
{
    Py_ssize_t more;
    if (parse_size("grow", arg, &more) < 0) {
        return NULL;
    }
    if (more > PY_SSIZE_T_MAX / 8 - builder_len(op)) {
        return PyErr_NoMemory();
    }
    return reserve_total((builder *)op, builder_len(op) + more);
}

/* reserve(n): room for n characters in all */
static PyObject *
builder_reserve(PyObject *op, PyObject *arg)
{
    Py_ssize_t total;
    if (parse_size("reserve", arg, &total) < 0) {
        return NULL;
    }
    return total > PY_SSIZE_T_MAX / 8 ? PyErr_NoMemory() : reserve_total((builder *)op, total);
}

static PyObject *
builder_cap(PyObject *op, void *Py_UNUSED(closure))
{
    builder *self = (builder *)op;
    return PyLong_FromSsize_t(self->tail.text ? self->head.length + self->tail.room : self->head.room);
}

/* truncate(n): keeps the first n characters */
static PyObject *
builder_truncate(PyObject *op, PyObject *arg)
{
    builder *self = (builder *)op;
    Py_ssize_t size;
    if (parse_size("truncate", arg, &size) < 0) {
        return NULL;
    }
    if (size > builder_len(op)) {
        PyErr_Format(PyExc_ValueError, "truncate: got %zd, want at most the length %zd", size, builder_len(op));
        return NULL;
    }
    if (size == builder_len(op)) {
        return PyLong_FromSsize_t(size);
    }
    if (self->shared && end_sharing(self, 0) < 0) {
        return NULL;
    }
    self->trimmed = true;
    if (size <= self->head.length) {
        part_free(&self->tail);
        self->head.length = size;
    }
    else {
        self->tail.length = size - self->head.length;
    }
    set_quick(self);
    return PyLong_FromSsize_t(size);
}

/* reset(): empty again; keeps the room if the text is ASCII and nobody else has it */
static PyObject *
builder_reset(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    part_free(&self->tail);
    if (self->shared || self->head.rank > 0) {
        part_free(&self->head);
    }
    self->head.length = 0;
    self->shared = self->trimmed = self->closed = false;
    set_quick(self);
    Py_RETURN_NONE;
}

static PyObject *
builder_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    ((builder *)op)->closed = true;
    set_quick((builder *)op);
    Py_RETURN_NONE;
}

static PyObject *
builder_closed(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((builder *)op)->closed);
}

static PyObject *
builder_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    Py_ssize_t size = Py_TYPE(op)->tp_basicsize;
    size += self->head.text && !self->shared ? self->head.room * width_of(self->head.rank) : 0;
    size += self->tail.text ? self->tail.room * width_of(self->tail.rank) : 0;
    return PyLong_FromSsize_t(size);
}

static PyObject *
builder_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    builder *self = (builder *)type->tp_alloc(type, 0);
    if (self != NULL) {
        set_quick(self);
    }
    return (PyObject *)self;
}

static void
builder_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (((builder *)op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    part_free(&((builder *)op)->head);
    part_free(&((builder *)op)->tail);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef builder_methods[] = {
    {"write", builder_write, METH_O, "write($self, text, /)\n--\n\nAppends text; returns its length."},
    {"write_char", builder_write_char, METH_O,
     "write_char($self, character, /)\n--\n\nAppends one character, given as a code point or a str."},
    {"writelines", builder_writelines, METH_O, "writelines($self, pieces, /)\n--\n\nAppends each of an iterable."},
    {"build", builder_build, METH_NOARGS,
     "build($self, /)\n--\n\nThe text so far, handed over without a copy; writing on after it costs one."},
    {"getvalue", builder_build, METH_NOARGS, "getvalue($self, /)\n--\n\nAs build(): the name io.StringIO has for it."},
    {"grow", builder_grow, METH_O, "grow($self, more, /)\n--\n\nMakes room for so many characters more."},
    {"reserve", builder_reserve, METH_O, "reserve($self, total, /)\n--\n\nMakes room for so many characters in all."},
    {"truncate", builder_truncate, METH_O, "truncate($self, size, /)\n--\n\nKeeps the first characters; returns size."},
    {"reset", builder_reset, METH_NOARGS, "reset($self, /)\n--\n\nEmpties the builder and opens it again."},
    {"close", builder_close, METH_NOARGS, "close($self, /)\n--\n\nRefuses further writes; build() still works."},
    {"__sizeof__", builder_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the builder and its room."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef builder_getset[] = {
    {"cap", builder_cap, NULL, "Characters it can hold before it grows.", NULL},
    {"closed", builder_closed, NULL, "Whether close() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef builder_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(builder, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyObject *
builder_str(PyObject *op)
{
    return builder_build(op, NULL);
}

static PyType_Slot builder_slots[] = {
    {Py_tp_new, builder_new},
    {Py_tp_dealloc, builder_dealloc},
    {Py_tp_methods, builder_methods},
    {Py_tp_getset, builder_getset},
    {Py_tp_members, builder_members},
    {Py_tp_str, builder_str},
    {Py_sq_length, builder_len},
    {Py_nb_inplace_add, builder_iadd},
    {Py_tp_doc, "The native half of gomem.Builder."},
    {0, NULL},
};

static PyType_Spec builder_spec = {
    .name = "gomem._core.Builder",
    .basicsize = sizeof(builder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = builder_slots,
};

int
gm_add_builder(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &builder_spec, NULL);
    int status = type ? PyModule_AddObjectRef(module, "Builder", type) : -1;
    Py_XDECREF(type);
    return status;
}
