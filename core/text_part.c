/* Making, growing and widening the parts of a text. See text_part.h. */
#include "text_part.h"

#define JOIN_IN_QUARTERS 65536 /* characters from which the peak of a rewrite matters */

static const Py_UCS4 max_of_rank[] = {0x7f, 0xff, 0xffff, 0x10ffff};

Py_ssize_t
gm_next_room(Py_ssize_t needed)
{
    Py_ssize_t spare = needed < 32768 ? needed : needed / 4;
    return needed > PY_SSIZE_T_MAX / 8 - spare ? needed : Py_MAX(needed + spare, GM_PART_FIRST_ROOM);
}

int
gm_part_make(gm_part *self, int rank, Py_ssize_t room)
{
    self->text = PyUnicode_New(room, max_of_rank[rank]);
    self->length = 0;
    self->room = self->text == NULL ? 0 : room;
    self->rank = rank;
    return self->text == NULL ? -1 : 0;
}

int
gm_part_resize(gm_part *self, Py_ssize_t room)
{
    if (PyUnicode_Resize(&self->text, room) < 0) {
        return -1;
    }
    self->room = room;
    return 0;
}

int
gm_part_reserve(gm_part *self, Py_ssize_t more)
{
    if (more <= self->room - self->length) {
        return 0;
    }
    if (more > PY_SSIZE_T_MAX / 8 - self->length) {
        PyErr_NoMemory();
        return -1;
    }
    return gm_part_resize(self, gm_next_room(self->length + more));
}

void
gm_part_free(gm_part *self)
{
    Py_CLEAR(self->text);
    self->length = self->room = 0;
    self->rank = 0;
}

/* --- widening --- */

/* Makes `from`, which was `total` characters of `rank`, whole again after an error: from what is left of it, or is in
 * `into` already, and from what was set aside. -1 if memory is short even for that. */
static int
put_back(gm_part *from, int rank, Py_ssize_t total, const gm_part *into, PyObject *const *aside)
{
    if (from->text != NULL) {
        if (gm_part_resize(from, total) < 0) {
            return -1;
        }
    }
    else {
        if (gm_part_make(from, rank, total) < 0 ||
            PyUnicode_CopyCharacters(from->text, 0, into->text, 0, into->length) < 0) {
            return -1;
        }
        from->length = into->length;
    }
    for (int i = 0; i < 3; i++) {
        if (aside[i] != NULL && from->length == total / 4 * (i + 1)) { /* else it is still in from too */
            gm_part_copy(from, aside[i], 0, PyUnicode_GET_LENGTH(aside[i]));
        }
    }
    return 0;
}

/* Rewrites `from` in the rank of `into`, an empty part without text, with `spare` characters of room behind. A large
 * text goes in quarters: its later ones are first set aside, so that each can be freed once it is rewritten. On error
 * `from` is whole again or, short of memory even for that, the text is lost and -1 is returned all the same. */
static int
widen_in_quarters(gm_part *from, gm_part *into, Py_ssize_t spare)
{
    Py_ssize_t total = from->length, quarter = total / 4;
    int rank = from->rank;
    PyObject *aside[3] = {NULL, NULL, NULL};
    for (int i = 2; i >= 0; i--) {
        Py_ssize_t start = quarter * (i + 1);
        aside[i] = PyUnicode_New(from->length - start, max_of_rank[from->rank]);
        if (aside[i] == NULL || PyUnicode_CopyCharacters(aside[i], 0, from->text, start, from->length - start) < 0 ||
            gm_part_resize(from, start) < 0) {
            goto error;
        }
        from->length = start;
    }
    if (gm_part_make(into, into->rank, quarter) < 0) {
        goto error;
    }
    gm_part_copy(into, from->text, 0, from->length);
    gm_part_free(from);
    for (int i = 0; i < 3; i++) {
        Py_ssize_t count = PyUnicode_GET_LENGTH(aside[i]);
        if (gm_part_resize(into, into->length + count + (i == 2 ? spare : 0)) < 0) {
            goto error;
        }
        gm_part_copy(into, aside[i], 0, count);
        Py_CLEAR(aside[i]);
    }
    return 0;
error:
    PyErr_Clear();
    if (put_back(from, rank, total, into, aside) < 0) {
        gm_part_free(from);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(aside[i]);
    }
    gm_part_free(into);
    PyErr_NoMemory();
    return -1;
}

int
gm_part_widen(gm_part *from, gm_part *into, Py_ssize_t spare)
{
    if (from->length >= JOIN_IN_QUARTERS && gm_width_of(into->rank) > gm_width_of(from->rank)) {
        return widen_in_quarters(from, into, spare);
    }
    if (gm_part_make(into, into->rank, from->length + spare) < 0) {
        return -1;
    }
    if (from->length > 0) {
        gm_part_copy(into, from->text, 0, from->length);
    }
    gm_part_free(from);
    return 0;
}
