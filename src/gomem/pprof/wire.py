"""Profiles to and from the bytes of profile.proto.

Samples and the larger tables are decoded and encoded by ``core/wire*.c``, straight into and out of flat columns and the
model's tuples; this module does the small tables and says what makes a profile malformed, in the real tool's words and
in its order.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gomem import _core
from gomem.errors import ProfileError
from gomem.pprof.model import NO_LABELS, Function, LabelSet, Line, Location, Mapping, Profile, Samples, ValueType

# How many rows are encoded at a time when a profile is written: a few MB of output.
_ROWS = 1 << 16


class WireError(ProfileError):
    """The bytes are no profile.proto message; they may still be of an older format."""


def decode(data: bytes | memoryview) -> Profile:
    """The profile in profile.proto's bytes, not compressed.

    Raises WireError when they are no such message, and ProfileError when they are one but contradict themselves. Costs
    about 0.03 s a million location references, and memory for 4 bytes each.
    """
    if not data:
        raise ProfileError("empty input file")
    try:
        parts = _core.profile_decode(data, Location, Line, Function)
    except ValueError as error:
        if str(error) == "concatenated profiles detected" or str(error).startswith("malformed profile:"):
            raise ProfileError(str(error)) from None
        raise WireError(str(error)) from None
    problem, numbers, label_rows, columns, tables = parts
    types, mappings, location_ids, locations, function_ids, functions, strings, period_types, comments, nil_line = (
        tables
    )
    text = _Texts(strings)
    profile = Profile(
        sample_types=[ValueType(text[kind], text[unit]) for kind, unit in types],
        samples=Samples(len(types)),
        mappings=[Mapping._make((*row[1:4], text[row[4]], text[row[5]], *row[6:])) for row in mappings],
        functions=functions,
        locations=locations,
        function_ids=array("Q", bytes(function_ids)),
        location_ids=array("Q", bytes(location_ids)),
        mapping_ids=[row[0] for row in mappings],
        label_sets=[_label_set(row, text) for row in label_rows],
        drop_frames=text[numbers[7]],
        keep_frames=text[numbers[8]],
        time_nanos=numbers[9],
        duration_nanos=numbers[10],
        period_type=ValueType(*(text[i] for i in period_types[-1])) if period_types else ValueType(),
        period=numbers[12],
        comments=comments,
        default_sample_type=text[numbers[14]],
        doc_url=text[numbers[15]],
    )
    _check_samples(problem, len(types), columns)
    _check_ids(profile.mapping_ids, "mapping", "ID")
    _check_ids(profile.function_ids, "function", "ID")
    _check_ids(profile.location_ids, "location", "id")
    if nil_line is not None:
        raise ProfileError(f"malformed profile: location id: {nil_line} has a line with nil function")
    profile.samples = Samples(len(types), *(memoryview(column) for column in columns))
    return profile


class _Texts:
    """The string table, refusing indexes outside it."""

    def __init__(self, strings: list[str]) -> None:
        self.strings = strings

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self.strings):
            raise WireError("malformed profile format")
        return self.strings[index]


def _label_set(row: tuple[tuple[int, int, int, int], ...], text: _Texts) -> LabelSet:
    if not row:
        return NO_LABELS
    labels = LabelSet({}, {}, {})
    for key_index, text_index, number, unit_index in row:
        key = text[key_index]
        if text_index:
            labels.texts.setdefault(key, []).append(text[text_index])
            continue
        numbers = labels.numbers.setdefault(key, [])
        if unit_index:
            units = labels.units.setdefault(key, [])
            units += [""] * (len(numbers) - len(units)) + [text[unit_index]]
        numbers.append(number)
    for key, units in labels.units.items():
        units += [""] * (len(labels.numbers[key]) - len(units))
    return labels


def _check_samples(problem: tuple[int, int | None] | None, width: int, columns: Any) -> None:
    if width == 0 and (problem is not None or (columns is not None and len(columns[0]) > 1)):
        raise ProfileError("malformed profile: missing sample type information")
    if problem is not None and problem[1] is None:
        raise ProfileError("malformed profile: sample has nil location")
    if problem is not None:
        raise ProfileError(f"malformed profile: mismatch: sample has {problem[1]} values vs. {width} types")


def _check_ids(ids: Sequence[int] | None, what: str, id_word: str) -> None:
    """Raises ProfileError for the first id that is 0 or was there before."""
    distinct = set(ids or ())
    if len(distinct) == len(ids or ()) and 0 not in distinct:
        return
    seen: set[int] = set()
    for id_ in ids or ():
        if id_ == 0:
            raise ProfileError(f"malformed profile: found {what} with reserved {id_word}=0")
        if id_ in seen:
            raise ProfileError(f"malformed profile: multiple {what}s with same id: {id_}")
        seen.add(id_)


def varint(number: int) -> bytes:
    """A number of at most 64 bits, signed or not, as a protobuf varint."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varint(number: int) -> bytes:
    return bytes((number,)) if 0 <= number < 0x80 else varint(number)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number) if number else b""


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


class _Strings:
    """The string table: the index of a string, in order of first use."""

    def __init__(self) -> None:
        self.indexes: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self.indexes.setdefault(text, len(self.indexes))


def encode(profile: Profile) -> bytes:
    """The profile as the bytes of profile.proto, not compressed."""
    return b"".join(encode_parts(profile))


def encode_parts(profile: Profile) -> Iterator[bytes]:
    """The pieces, in order, that make up the profile's bytes; a large profile is never held as a whole."""
    strings = _Strings()
    yield b"".join(_message(1, _value_type(kind, strings)) for kind in profile.sample_types)
    yield from _samples(profile, strings)
    yield from _tables(profile, strings)
    header = [
        _number(7, strings(profile.drop_frames)),
        _number(8, strings(profile.keep_frames)),
        _number(9, profile.time_nanos),
        _number(10, profile.duration_nanos),
        _message(11, _value_type(profile.period_type, strings)) if any(profile.period_type or ()) else b"",
        _number(12, profile.period),
        *(_varint(13 << 3) + _varint(strings(comment)) for comment in profile.comments),
        _varint(14 << 3) + _varint(strings(profile.default_sample_type)),
        _number(15, strings(profile.doc_url)),
    ]
    yield b"".join(_message(6, text.encode("utf-8", "surrogateescape")) for text in strings.indexes)
    yield b"".join(header)


def _value_type(kind: ValueType | None, strings: _Strings) -> bytes:
    return _number(1, strings(kind.type)) + _number(2, strings(kind.unit)) if kind else b""


def _tables(profile: Profile, strings: _Strings) -> Iterable[bytes]:
    mapping_ids = profile.mapping_ids or range(1, len(profile.mappings) + 1)
    function_ids = profile.function_ids or range(1, len(profile.functions) + 1)
    location_ids = profile.location_ids or range(1, len(profile.locations) + 1)
    mappings = [
        (id_, m.start, m.limit, m.offset, strings(m.file), strings(m.build_id), *m[5:])
        for id_, m in zip(mapping_ids, profile.mappings, strict=True)
    ]
    real_lines: dict[Line, tuple[int, int, int]] = {}
    locations = []
    for id_, (mapping, address, lines, folded) in zip(location_ids, profile.locations, strict=True):
        made = []
        for line in lines:
            if line not in real_lines:
                real_lines[line] = function_ids[line.function] if line.function >= 0 else 0, line.line, line.column
            made.append(real_lines[line])
        locations.append((id_, mapping_ids[mapping] if mapping >= 0 else 0, address, tuple(made), folded))
    functions = [
        (id_, strings(name), strings(system_name), strings(filename), start_line)
        for id_, (name, system_name, filename, start_line) in zip(function_ids, profile.functions, strict=True)
    ]
    for field, rows in ((3, mappings), (4, locations), (5, functions)):
        yield memoryview(_core.rows_encode(field, rows))  # type: ignore[misc]


def _samples(profile: Profile, strings: _Strings) -> Iterator[bytes]:
    labels = [_labels(label_set, strings) for label_set in profile.label_sets]
    offsets = array("Q", [0])
    for encoded in labels:
        offsets.append(offsets[-1] + len(encoded))
    ids = None if profile.location_ids is None else array("Q", profile.location_ids)
    columns, count, joined = profile.samples.columns(), len(profile.samples), b"".join(labels)
    for first in range(0, count, _ROWS):
        last = min(first + _ROWS, count)
        yield memoryview(_core.samples_encode(columns, first, last, ids, joined, offsets))  # type: ignore[misc]


def _labels(label_set: LabelSet, strings: _Strings) -> bytes:
    out = b""
    for key, texts in sorted(label_set.texts.items()):
        for text in texts:
            out += _message(3, _number(1, strings(key)) + _number(2, strings(text)))
    for key, numbers in sorted(label_set.numbers.items()):
        units: Sequence[str] = label_set.units.get(key) or [""] * len(numbers)
        for number, unit in zip(numbers, units, strict=True):
            out += _message(3, _number(1, strings(key)) + _number(3, number) + _number(4, strings(unit)))
    return out
