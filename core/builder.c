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
 * Nothing here runs Python code but the iterators of writelines and the values of append, so each piece is written
 * atomically under the GIL. The buffers are str objects that nobody else has seen; only documented functions change
 * them. */
#include "builder_size.h"
#include "compat_object.h"
#include "text_part.h"
#include <structmember.h>

#define WIDEN_AT_ONCE 4096 /* characters that are cheaper to rewrite than to keep apart */

/* Invariant: tail.text is NULL, or its rank is above head's. While shared, head.room == head.length and there is no
 * tail. quick_room is not -1 only if there is a head and no tail, and the builder is neither shared nor closed; whoever
 * changes one of these, or the head's string, calls set_quick. */
typedef struct {
    PyObject_HEAD
    gm_part head, tail;
    char *bytes;           /* of head.text, while quick_room is not -1 */
    Py_ssize_t quick_room; /* head.room while text that is no wider may just be copied behind head's; else -1 */
    Py_ssize_t width;      /* of head's characters, while quick_room is not -1 */
    bool shared;  /* build() handed head.text out */
    bool trimmed; /* wide characters may have been cut off: build() looks for the width the text needs */
    bool closed;
    PyObject *weakrefs;
} builder;

/* Makes head and tail one, with room for `more` characters. */
static int
join(builder *self, Py_ssize_t more)
{
    gm_part tail = self->tail, whole = {NULL, 0, 0, tail.rank};
    if (gm_part_widen(&self->head, &whole, tail.length + more) < 0) {
        if (self->head.text == NULL) { /* lost: better no text than its end alone */
            gm_part_free(&self->tail);
        }
        return -1;
    }
    gm_part_copy(&whole, tail.text, 0, tail.length);
    self->head = whole;
    memset(&self->tail, 0, sizeof(self->tail));
    gm_part_free(&tail);
    return 0;
}

/* Ends sharing: what head holds may be written behind, with room for `more` characters. */
static int
end_sharing(builder *self, Py_ssize_t more)
{
    if (gm_part_resize(&self->head, gm_next_room(self->head.length + Py_MAX(more, 1))) < 0) {
        return -1;
    }
    self->shared = false;
    return 0;
}

/* The part that takes `count` characters of this rank, with room for them; NULL on error. */
static gm_part *
part_for(builder *self, int rank, Py_ssize_t count)
{
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "builder: write after close");
        return NULL;
    }
    gm_part *head = &self->head, *tail = &self->tail;
    if (head->text == NULL) {
        return gm_part_make(head, rank, Py_MAX(count, GM_PART_FIRST_ROOM)) < 0 ? NULL : head;
    }
    if (self->shared && end_sharing(self, count) < 0) {
        return NULL;
    }
    if (tail->text == NULL) {
        if (rank <= head->rank) {
            return gm_part_reserve(head, count) < 0 ? NULL : head;
        }
        gm_part wide = {NULL, 0, 0, rank};
        if (head->length <= WIDEN_AT_ONCE) {
            if (gm_part_widen(head, &wide, gm_next_room(head->length + count) - head->length) < 0) {
                return NULL;
            }
            *head = wide;
            return head;
        }
        return gm_part_make(tail, rank, gm_next_room(count)) < 0 ? NULL : tail;
    }
    if (rank > tail->rank) { /* the tail is small beside the head */
        gm_part wide = {NULL, 0, 0, rank};
        if (gm_part_widen(tail, &wide, gm_next_room(tail->length + count) - tail->length) < 0) {
            return NULL;
        }
        *tail = wide;
    }
    if (tail->length + count > head->length / 8) {
        Py_ssize_t length = head->length + tail->length;
        return join(self, gm_next_room(length + count) - length) < 0 ? NULL : head;
    }
    return gm_part_reserve(tail, count) < 0 ? NULL : tail;
}

/* --- writing --- */

static void
set_quick(builder *self)
{
    bool quick = self->head.text != NULL && self->tail.text == NULL && !self->shared && !self->closed;
    self->quick_room = quick ? self->head.room : -1;
    self->width = gm_width_of(self->head.rank);
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
    int rank = gm_rank_of(text);
    if (rank <= self->head.rank && count <= self->quick_room - self->head.length) {
        gm_part_copy(&self->head, text, 0, count);
        return 0;
    }
    if (count == 0 && !self->closed) {
        return 0;
    }
    gm_part *into = part_for(self, rank, count);
    if (into != NULL) {
        gm_part_copy(into, text, 0, count);
    }
    set_quick(self);
    return into == NULL ? -1 : 0;
}

/* Appends ASCII characters if that takes no more than copying them. */
static inline bool
write_quickly(builder *self, const char *letters, Py_ssize_t count)
{
    if (GM_UNLIKELY(count > self->quick_room - self->head.length)) {
        return false;
    }
    if (GM_LIKELY(self->width == 1)) {
        copy_bytes(self->bytes + self->head.length, letters, (size_t)count);
    }
    else if (self->width == 2) {
        gm_widen_1_to_2((Py_UCS2 *)(void *)self->bytes + self->head.length, (const Py_UCS1 *)letters, count);
    }
    else {
        gm_widen_1_to_4((Py_UCS4 *)(void *)self->bytes + self->head.length, (const Py_UCS1 *)letters, count);
    }
    self->head.length += count;
    return true;
}

static inline int
write_text(builder *self, PyObject *text)
{
    if (GM_LIKELY(PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text)) &&
        write_quickly(self, (const char *)((PyASCIIObject *)text + 1), PyUnicode_GET_LENGTH(text))) {
        return 0;
    }
    return write_slowly(self, text);
}

static int
write_and_drop(builder *self, PyObject *text)
{
    int status = text ? write_slowly(self, text) : -1;
    Py_XDECREF(text);
    return status;
}

static int
write_number(builder *self, long long number)
{
    char digits[20], *first = digits + sizeof(digits); /* -9223372036854775808 has 20 */
    unsigned long long rest = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--first = '-';
    }
    Py_ssize_t count = digits + sizeof(digits) - first;
    return write_quickly(self, first, count) ? 0 : write_and_drop(self, PyUnicode_FromStringAndSize(first, count));
}

/* Appends str(value); of a str or an int that is not made first. Other types may run Python code. */
static int
write_value(builder *self, PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        return write_text(self, value);
    }
    if (PyLong_CheckExact(value)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
        if (!overflow) {
            return write_number(self, number);
        }
    }
    return write_and_drop(self, PyObject_Str(value));
}

/* append(*values): each as str(value) */
static PyObject *
builder_append(PyObject *op, PyObject *const *values, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (write_value((builder *)op, values[i]) < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
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
    return write_and_drop((builder *)op, text) < 0 ? NULL : PyLong_FromLong(1);
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
    gm_part *head = &self->head;
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
        head->rank = gm_rank_of(text);
        head->room = head->length;
    }
    else if (!self->shared && gm_part_resize(head, head->length) < 0) {
        set_quick(self);
        return NULL;
    }
    self->shared = true;
    self->trimmed = false;
    set_quick(self);
    return Py_NewRef(head->text);
}

/* --- size --- */

/* Makes the room of the last part at least what is asked for, exactly. */
static PyObject *
reserve_total(builder *self, Py_ssize_t total)
{
    gm_part *last = self->tail.text != NULL ? &self->tail : &self->head;
    Py_ssize_t length = self->head.length + self->tail.length;
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "builder: grow after close");
        return NULL;
    }
    Py_ssize_t room = last->length + (total - length);
    int status = 0;
    if (last->text == NULL) {
        status = total > 0 ? gm_part_make(last, 0, total) : 0;
    }
    else if (total > length && (room > last->room || self->shared)) {
        status = gm_part_resize(last, room);
        self->shared = self->shared && status < 0;
    }
    set_quick(self);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* grow(n): room for n characters more */
static PyObject *
builder_grow(PyObject *op, PyObject *arg)
{
    Py_ssize_t total = gm_total(builder_len(op), gm_size("grow", arg));
    return total < 0 ? NULL : reserve_total((builder *)op, total);
}

/* reserve(n): room for n characters in all */
static PyObject *
builder_reserve(PyObject *op, PyObject *arg)
{
    Py_ssize_t total = gm_total(0, gm_size("reserve", arg));
    return total < 0 ? NULL : reserve_total((builder *)op, total);
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
    Py_ssize_t size = gm_kept(arg, builder_len(op));
    if (size < 0) {
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
        gm_part_free(&self->tail);
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
    gm_part_free(&self->tail);
    if (self->shared || self->head.rank > 0) {
        gm_part_free(&self->head);
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
    size += self->head.text && !self->shared ? self->head.room * gm_width_of(self->head.rank) : 0;
    size += self->tail.text ? self->tail.room * gm_width_of(self->tail.rank) : 0;
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
    gm_part_free(&((builder *)op)->head);
    gm_part_free(&((builder *)op)->tail);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef builder_methods[] = {
    {"write", builder_write, METH_O, "write($self, text, /)\n--\n\nAppends text; returns its length."},
    {"append", (PyCFunction)(void (*)(void))builder_append, METH_FASTCALL,
     "append($self, /, *values)\n--\n\nAppends str(value) of each, ints without making one."},
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
    return gm_add_type(module, &builder_spec, "Builder");
}
