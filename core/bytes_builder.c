/* gomem._core.BytesBuilder: bytes built piece by piece in one growing bytes object, after Go's bytes.Buffer.
 *
 * As builder.c without widths: `data` is a bytes object longer than its content, grown by realloc, cut to size and handed
 * over by build(). A piece may be any object with a buffer; asking for that may run Python code, so it is done before
 * the builder is looked at. */
#include "builder_size.h"
#include <structmember.h>

#define FIRST_ROOM 95 /* bytes: with the object's header two cache lines */

/* Invariant: data is NULL (then room == length == 0) or an owned bytes object of `room` bytes, the first `length` of
 * which are set; nobody else has it unless shared, and then room == length. */
typedef struct {
    PyObject_HEAD
    PyObject *data;
    Py_ssize_t length, room;
    bool shared; /* build() handed data out */
    bool closed;
    PyObject *weakrefs;
} builder;

static Py_ssize_t
next_room(Py_ssize_t needed)
{
    Py_ssize_t spare = needed < 32768 ? needed : needed / 4;
    return needed > PY_SSIZE_T_MAX - 64 - spare ? needed : Py_MAX(needed + spare, FIRST_ROOM);
}

/* Copies the data into an object of its own with that room; on error nothing changes. */
static int
move(builder *self, Py_ssize_t room)
{
    PyObject *fresh = PyBytes_FromStringAndSize(NULL, room);
    if (fresh == NULL) {
        return -1;
    }
    if (self->length > 0) {
        memcpy(PyBytes_AS_STRING(fresh), PyBytes_AS_STRING(self->data), (size_t)self->length);
    }
    Py_XSETREF(self->data, fresh);
    self->shared = false;
    self->room = room;
    return 0;
}

/* Changes the room to at least the length; takes a copy if the data is shared. */
static int
resize(builder *self, Py_ssize_t room)
{
    if (self->data == NULL || self->shared) {
        return move(self, room);
    }
    if (_PyBytes_Resize(&self->data, room) < 0) { /* public, whatever its name; on error data is gone */
        self->length = self->room = 0;
        return -1;
    }
    self->room = room;
    return 0;
}

static int
append(builder *self, const char *bytes, Py_ssize_t count)
{
    if (GM_UNLIKELY(count > self->room - self->length || self->closed || self->shared)) {
        if (self->closed) {
            PyErr_SetString(PyExc_ValueError, "builder: write after close");
            return -1;
        }
        if (count > PY_SSIZE_T_MAX / 2 - self->length) {
            PyErr_NoMemory();
            return -1;
        }
        if (count == 0) {
            return 0;
        }
        if (resize(self, next_room(self->length + count)) < 0) {
            return -1;
        }
    }
    if (count > 0) {
        memcpy(PyBytes_AS_STRING(self->data) + self->length, bytes, (size_t)count);
        self->length += count;
    }
    return 0;
}

/* Appends what a piece holds; returns how many bytes, -1 on error. */
static Py_ssize_t
write_piece(builder *self, PyObject *piece)
{
    if (GM_LIKELY(PyBytes_CheckExact(piece))) {
        Py_ssize_t count = PyBytes_GET_SIZE(piece);
        return append(self, PyBytes_AS_STRING(piece), count) < 0 ? -1 : count;
    }
    Py_buffer view;
    if (PyUnicode_Check(piece) || PyObject_GetBuffer(piece, &view, PyBUF_CONTIG_RO) < 0) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError, "write: got %.100s, want bytes, bytearray or another contiguous buffer",
                         Py_TYPE(piece)->tp_name);
        }
        return -1;
    }
    Py_ssize_t count = view.len;
    int status = append(self, view.buf, count);
    PyBuffer_Release(&view);
    return status < 0 ? -1 : count;
}

static PyObject *
builder_write(PyObject *op, PyObject *piece)
{
    Py_ssize_t count = write_piece((builder *)op, piece);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *
builder_iadd(PyObject *op, PyObject *piece)
{
    return write_piece((builder *)op, piece) < 0 ? NULL : Py_NewRef(op);
}

static PyObject *
builder_write_byte(PyObject *op, PyObject *arg)
{
    long value = PyLong_AsLong(arg);
    if (value == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (value < 0 || value > 255) {
        PyErr_Format(PyExc_ValueError, "write_byte: got %ld, want 0 to 255", value);
        return NULL;
    }
    char byte = (char)value;
    return append((builder *)op, &byte, 1) < 0 ? NULL : PyLong_FromLong(1);
}

static PyObject *
builder_writelines(PyObject *op, PyObject *pieces)
{
    PyObject *iterator = PyObject_GetIter(pieces), *piece;
    if (iterator == NULL) {
        return NULL;
    }
    while ((piece = PyIter_Next(iterator)) != NULL) {
        Py_ssize_t count = write_piece((builder *)op, piece);
        Py_DECREF(piece);
        if (count < 0) {
            break;
        }
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
builder_build(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    if (self->data == NULL || self->length == 0) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    if (!self->shared && resize(self, self->length) < 0) {
        return NULL;
    }
    self->shared = true;
    return Py_NewRef(self->data);
}

static Py_ssize_t
builder_len(PyObject *op)
{
    return ((builder *)op)->length;
}

/* By a copy, for _PyBytes_Resize loses the data when there is no memory for the size that a caller thought of. */
static PyObject *
reserve_total(builder *self, Py_ssize_t total)
{
    if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "builder: grow after close");
        return NULL;
    }
    if (total > self->room && move(self, total) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
builder_grow(PyObject *op, PyObject *arg)
{
    Py_ssize_t total = gm_total(builder_len(op), gm_size("grow", arg));
    return total < 0 ? NULL : reserve_total((builder *)op, total);
}

static PyObject *
builder_reserve(PyObject *op, PyObject *arg)
{
    Py_ssize_t total = gm_total(0, gm_size("reserve", arg));
    return total < 0 ? NULL : reserve_total((builder *)op, total);
}

static PyObject *
builder_truncate(PyObject *op, PyObject *arg)
{
    builder *self = (builder *)op;
    Py_ssize_t size = gm_kept(arg, self->length);
    if (size < 0) {
        return NULL;
    }
    if (size < self->length && self->shared && resize(self, self->length) < 0) {
        return NULL;
    }
    self->length = size;
    return PyLong_FromSsize_t(size);
}

static PyObject *
builder_reset(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    if (self->shared) {
        Py_CLEAR(self->data);
        self->room = 0;
    }
    self->length = 0;
    self->shared = self->closed = false;
    Py_RETURN_NONE;
}

static PyObject *
builder_close(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    ((builder *)op)->closed = true;
    Py_RETURN_NONE;
}

static PyObject *
builder_closed(PyObject *op, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((builder *)op)->closed);
}

static PyObject *
builder_cap(PyObject *op, void *Py_UNUSED(closure))
{
    return PyLong_FromSsize_t(((builder *)op)->room);
}

static PyObject *
builder_sizeof(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    builder *self = (builder *)op;
    return PyLong_FromSsize_t(Py_TYPE(op)->tp_basicsize + (self->shared ? 0 : self->room));
}

static void
builder_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (((builder *)op)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_CLEAR(((builder *)op)->data);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMethodDef builder_methods[] = {
    {"write", builder_write, METH_O, "write($self, piece, /)\n--\n\nAppends a buffer's bytes; returns how many."},
    {"write_byte", builder_write_byte, METH_O, "write_byte($self, value, /)\n--\n\nAppends one byte, 0 to 255."},
    {"writelines", builder_writelines, METH_O, "writelines($self, pieces, /)\n--\n\nAppends each of an iterable."},
    {"build", builder_build, METH_NOARGS,
     "build($self, /)\n--\n\nThe bytes so far, handed over without a copy; writing on after it costs one."},
    {"getvalue", builder_build, METH_NOARGS, "getvalue($self, /)\n--\n\nAs build(): the name io.BytesIO has for it."},
    {"__bytes__", builder_build, METH_NOARGS, "__bytes__($self, /)\n--\n\nAs build()."},
    {"grow", builder_grow, METH_O, "grow($self, more, /)\n--\n\nMakes room for so many bytes more."},
    {"reserve", builder_reserve, METH_O, "reserve($self, total, /)\n--\n\nMakes room for so many bytes in all."},
    {"truncate", builder_truncate, METH_O, "truncate($self, size, /)\n--\n\nKeeps the first bytes; returns size."},
    {"reset", builder_reset, METH_NOARGS, "reset($self, /)\n--\n\nEmpties the builder and opens it again."},
    {"close", builder_close, METH_NOARGS, "close($self, /)\n--\n\nRefuses further writes; build() still works."},
    {"__sizeof__", builder_sizeof, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the builder and its room."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef builder_getset[] = {
    {"cap", builder_cap, NULL, "Bytes it can hold before it grows.", NULL},
    {"closed", builder_closed, NULL, "Whether close() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef builder_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(builder, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot builder_slots[] = {
    {Py_tp_dealloc, builder_dealloc},
    {Py_tp_methods, builder_methods},
    {Py_tp_getset, builder_getset},
    {Py_tp_members, builder_members},
    {Py_sq_length, builder_len},
    {Py_nb_inplace_add, builder_iadd},
    {Py_tp_doc, "The native half of gomem.BytesBuilder."},
    {0, NULL},
};

static PyType_Spec builder_spec = {
    .name = "gomem._core.BytesBuilder",
    .basicsize = sizeof(builder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = builder_slots,
};

int
gm_add_bytes_builder(PyObject *module)
{
    return gm_add_type(module, &builder_spec, "BytesBuilder");
}
