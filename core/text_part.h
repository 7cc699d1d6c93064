/* Parts of a text under construction: str objects longer than their text, which builder.c writes behind and hands over.
 *
 * Nothing here runs Python code. The str of a part is one that nobody else has seen (or the builder knows that it is
 * shared); only documented functions change it. */
#ifndef GOMEM_TEXT_PART_H
#define GOMEM_TEXT_PART_H

#include "types.h"
#include <string.h>

#define GM_PART_FIRST_ROOM 56 /* characters: with the object's header two cache lines */

/* Invariant: text is NULL (then room == length == 0) or an owned str of `room` characters, the first `length` of which
 * are set, in the width of `rank`; nobody else has it unless the builder is shared. */
typedef struct {
    PyObject *text;
    Py_ssize_t length, room;
    int rank;
} gm_part;

/* Room for a text of `needed` characters: double while small, a quarter more when large. */
Py_ssize_t gm_next_room(Py_ssize_t needed);

/* Makes an empty part; -1 with MemoryError. */
int gm_part_make(gm_part *self, int rank, Py_ssize_t room);

/* Changes the room; the text stays. If a caller has the string too, this takes a copy. -1 with MemoryError. */
int gm_part_resize(gm_part *self, Py_ssize_t room);

/* Makes room for so many characters more, and some; -1 with MemoryError. */
int gm_part_reserve(gm_part *self, Py_ssize_t more);

void gm_part_free(gm_part *self);

/* Rewrites `from` in the rank of `into`, an empty part without text, with `spare` characters of room behind, and frees
 * it. On error, -1, `from` is whole again or, short of memory even for that, lost. */
int gm_part_widen(gm_part *from, gm_part *into, Py_ssize_t spare);

/* Width classes of str, the ranks: 0 ASCII, 1 Latin-1, 2 UCS-2, 3 UCS-4. */
static inline int
gm_rank_of(PyObject *text)
{
    return PyUnicode_IS_ASCII(text) ? 0 : PyUnicode_KIND(text) == 1 ? 1 : PyUnicode_KIND(text) == 2 ? 2 : 3;
}

static inline Py_ssize_t
gm_width_of(int rank)
{
    return rank < 2 ? 1 : (Py_ssize_t)1 << (rank - 1);
}

/* Copies characters into wider ones, eight at a time, the last eight overlapping: most pieces are short, and
 * PyUnicode_CopyCharacters takes a hundred instructions before its first character. */
#define GM_WIDENING(name, narrow, wide)                                                                                \
    static inline void name(wide *to, const narrow *from, Py_ssize_t count)                                            \
    {                                                                                                                  \
        typedef narrow eight_narrow __attribute__((vector_size(8 * sizeof(narrow))));                                  \
        typedef wide eight_wide __attribute__((vector_size(8 * sizeof(wide))));                                        \
        if (count < 8) {                                                                                               \
            for (Py_ssize_t i = 0; i < count; i++) {                                                                   \
                to[i] = from[i];                                                                                       \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (Py_ssize_t i = 0;; i = Py_MIN(i + 8, count - 8)) {                                                        \
            eight_narrow letters;                                                                                      \
            memcpy(&letters, from + i, sizeof(letters));                                                               \
            eight_wide widened = __builtin_convertvector(letters, eight_wide);                                         \
            memcpy(to + i, &widened, sizeof(widened));                                                                 \
            if (i == count - 8) {                                                                                      \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    }
GM_WIDENING(gm_widen_1_to_2, Py_UCS1, Py_UCS2)
GM_WIDENING(gm_widen_1_to_4, Py_UCS1, Py_UCS4)
GM_WIDENING(gm_widen_2_to_4, Py_UCS2, Py_UCS4)

/* Copies characters of a string that is no wider than this part; there is room. */
static inline void
gm_part_copy(gm_part *self, PyObject *text, Py_ssize_t from, Py_ssize_t count)
{
    Py_ssize_t width = gm_width_of(self->rank), kind = (Py_ssize_t)PyUnicode_KIND(text);
    char *to = (char *)PyUnicode_DATA(self->text) + self->length * width;
    const char *letters = (const char *)PyUnicode_DATA(text) + from * kind;
    if (kind == width) {
        memcpy(to, letters, (size_t)(count * width));
    }
    else if (width == 2) {
        gm_widen_1_to_2((Py_UCS2 *)(void *)to, (const Py_UCS1 *)letters, count);
    }
    else if (kind == 1) {
        gm_widen_1_to_4((Py_UCS4 *)(void *)to, (const Py_UCS1 *)letters, count);
    }
    else {
        gm_widen_2_to_4((Py_UCS4 *)(void *)to, (const Py_UCS2 *)(const void *)letters, count);
    }
    self->length += count;
}

#endif
