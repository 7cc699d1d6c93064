/* Protobuf's wire format: varints, fields, and what can be wrong with them.
 *
 * Every length is checked against what is left before it is used, and nothing recurses.
 *
 * Source: protobuf.dev's description of the encoding. */
#include "wire.h"

static const char *const fault_texts[] = {
    [GM_FINE] = "",
    [GM_BAD_VARINT] = "bad varint",
    [GM_SHORT_DATA] = "not enough data",
    [GM_LONG_DATA] = "too much data",
    [GM_BAD_TYPE] = "unknown wire type",
    [GM_MISMATCH] = "type mismatch",
    [GM_BAD_STRING_0] = "string_table[0] must be ''",
    [GM_CONCATENATED] = "concatenated profiles detected",
    [GM_NO_STRING] = "malformed profile format",
    [GM_NO_IDS] = "malformed profile: table entries without ids of their own",
    [GM_MANY_TYPES] = "malformed profile: more than 10000 sample types",
    [GM_NO_MEMORY] = "out of memory",
};

PyObject *
gm_raise_fault(gm_fault bad)
{
    if (bad == GM_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    PyErr_SetString(PyExc_ValueError, fault_texts[bad]);
    return NULL;
}

static gm_fault
read_fixed_no_python(gm_span *in, size_t bytes, uint64_t *out)
{
    if ((size_t)(in->end - in->at) < bytes) {
        return GM_SHORT_DATA;
    }
    *out = 0;
    memcpy(out, in->at, bytes); /* little-endian hosts only, which is what CPython on Linux runs on here */
    in->at += bytes;
    return GM_FINE;
}

static gm_fault
read_body_no_python(gm_span *in, gm_span *out)
{
    uint64_t length;
    gm_fault bad = gm_read_varint_no_python(in, &length);
    if (bad) {
        return bad;
    }
    if (length > (uint64_t)(in->end - in->at)) {
        return GM_LONG_DATA;
    }
    out->at = in->at;
    in->at += length;
    out->end = in->at;
    return GM_FINE;
}

gm_fault
gm_read_any_field_no_python(gm_span *in, gm_field *out)
{
    uint64_t tag;
    gm_fault bad = gm_read_varint_no_python(in, &tag);
    if (bad) {
        return bad;
    }
    out->field = tag >> 3 > 1000 ? 1000 : (unsigned)(tag >> 3);
    out->type = tag & 7;
    out->number = 0;
    out->body.at = out->body.end = in->at;
    switch (out->type) {
    case 0:
        return gm_read_varint_no_python(in, &out->number);
    case 1:
        return read_fixed_no_python(in, 8, &out->number);
    case 2:
        return read_body_no_python(in, &out->body);
    case 5:
        return read_fixed_no_python(in, 4, &out->number);
    default:
        return GM_BAD_TYPE;
    }
}

gm_fault
gm_read_numbers_no_python(gm_span in, unsigned fields, uint64_t *wants)
{
    memset(wants, 0, fields * sizeof *wants);
    while (in.at < in.end) {
        gm_field f;
        gm_fault bad = gm_read_field_no_python(&in, &f);
        if (bad) {
            return bad;
        }
        if (f.field >= 1 && f.field <= fields) {
            if (f.type != 0) {
                return GM_MISMATCH;
            }
            wants[f.field - 1] = f.number;
        }
    }
    return GM_FINE;
}

gm_fault
gm_read_number_list_no_python(const gm_field *f, gm_vec *out)
{
    if (f->type == 0) {
        return gm_vec_u64_no_python(out, f->number) < 0 ? GM_NO_MEMORY : GM_FINE;
    }
    if (f->type != 2) {
        return GM_MISMATCH;
    }
    gm_span in = f->body;
    if (gm_vec_reserve_no_python(out, (size_t)(in.end - in.at) * sizeof(uint64_t)) < 0) {
        return GM_NO_MEMORY;
    }
    while (in.at < in.end) {
        uint64_t number;
        gm_fault bad = gm_read_small_no_python(&in, &number);
        if (bad) {
            return bad;
        }
        memcpy(out->data + out->used, &number, sizeof number);
        out->used += sizeof number;
    }
    return GM_FINE;
}
