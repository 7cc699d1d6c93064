"""Profiles to and from the bytes of profile.proto.

Samples, which are many, are packed by runs of ready-made varints; the tables, which are few, field by field.
"""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Iterable
from os import PathLike
from typing import BinaryIO

from gomem.pprof.model import Line, Location, Profile, ValueType

# Go's runtime compresses its profiles with BestSpeed too: gzip's better levels cost five times the time for 10% less.
_GZIP_LEVEL = 1


def varint(number: int) -> bytes:
    """A number of at most 64 bits, signed or not, as a protobuf varint."""
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SMALL = [varint(number) for number in range(1 << 14)]


def _varint(number: int) -> bytes:
    return _SMALL[number] if 0 <= number < len(_SMALL) else varint(number)


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
    strings = _Strings()
    parts: list[bytes] = [_message(1, _value_type(kind, strings)) for kind in profile.sample_types]
    parts += _samples(profile, strings)
    for index, mapping in enumerate(profile.mappings, 1):
        body = _number(1, index) + _number(2, mapping.start) + _number(3, mapping.limit) + _number(4, mapping.offset)
        body += _number(5, strings(mapping.file)) + _number(6, strings(mapping.build_id))
        body += b"".join(_number(field, flag) for field, flag in enumerate(mapping[5:], 7))
        parts.append(_message(3, body))
    parts += [_message(4, _location(index, location)) for index, location in enumerate(profile.locations, 1)]
    for index, function in enumerate(profile.functions, 1):
        body = _number(1, index) + _number(2, strings(function.name)) + _number(3, strings(function.system_name))
        parts.append(_message(5, body + _number(4, strings(function.filename)) + _number(5, function.start_line)))
    header = [
        _number(7, strings(profile.drop_frames)),
        _number(8, strings(profile.keep_frames)),
        _number(9, profile.time_nanos),
        _number(10, profile.duration_nanos),
        _message(11, _value_type(profile.period_type, strings)) if profile.period_type else b"",
        _number(12, profile.period),
        *(_varint(13 << 3) + _varint(strings(comment)) for comment in profile.comments),
        _number(14, strings(profile.default_sample_type)),
        _number(15, strings(profile.doc_url)),
    ]
    parts += [_message(6, text.encode("utf-8", "surrogateescape")) for text in strings.indexes]
    return b"".join(parts + header)


def _value_type(kind: ValueType, strings: _Strings) -> bytes:
    return _number(1, strings(kind.type)) + _number(2, strings(kind.unit))


def _location(index: int, location: Location) -> bytes:
    lines = b"".join(_message(4, _line(line)) for line in location.lines)
    head = _number(1, index) + _number(2, location.mapping + 1) + _number(3, location.address)
    return head + lines + _number(5, location.is_folded)


def _line(line: Line) -> bytes:
    return _number(1, line.function + 1) + _number(2, line.line) + _number(3, line.column)


def _samples(profile: Profile, strings: _Strings) -> Iterable[bytes]:
    samples, width = profile.samples, profile.samples.width
    ids = [_varint(index) for index in range(1, len(profile.locations) + 1)]
    labels = [_labels(profile, index, strings) for index in range(len(profile.label_sets))]
    starts, stacks, values = samples.starts, samples.stacks, samples.values
    out = []
    for index in range(len(samples)):
        stack = b"".join([ids[i] for i in stacks[starts[index] : starts[index + 1]]])
        row = b"".join([_varint(value) for value in values[index * width : (index + 1) * width]])
        body = b"\x0a" + _varint(len(stack)) + stack if stack else b""
        body += b"\x12" + _varint(len(row)) + row + labels[samples.label_sets[index]]
        out.append(b"\x12" + _varint(len(body)) + body)
    return out


def _labels(profile: Profile, index: int, strings: _Strings) -> bytes:
    texts, numbers, units = profile.label_sets[index]
    out = b""
    for key in sorted(texts):
        for text in texts[key]:
            out += _message(3, _number(1, strings(key)) + _number(2, strings(text)))
    for key in sorted(numbers):
        names = units.get(key) or [""] * len(numbers[key])
        for number, unit in zip(numbers[key], names, strict=True):
            out += _message(3, _number(1, strings(key)) + _number(3, number) + _number(4, strings(unit)))
    return out


def write_profile(profile: Profile, target: str | PathLike[str] | BinaryIO, *, compress: bool = True) -> None:
    """See ``Profile.write``."""
    data = encode(profile)
    if compress:
        data = gzip.compress(data, _GZIP_LEVEL, mtime=0)
    if isinstance(target, (str, PathLike)):
        replace_file(os.fspath(target), data)
    else:
        target.write(data)


def replace_file(path: str, data: bytes) -> None:
    """Writes a file by way of a temporary name beside it; pipes and devices are written directly.

    An old file gives its permissions to the new one, a new file gets what the process's umask leaves of 0666; a
    symbolic link stays, what it points at is replaced.
    """
    path = os.path.realpath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as file:
            file.write(data)
        return
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(mode))
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
