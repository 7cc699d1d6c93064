"""Java's heap, contention and CPU profiles of old: addresses in samples, and below them what each address is.

Heap and contention profiles are text; the CPU profile starts with binary words, which ``legacy.py`` reads. A location
is ``0xaddress function (file:line)``, ``function (library path)``, or a state such as ``GC``; its address is dropped.
"""

from __future__ import annotations

import re
from array import array

from gomem.errors import ProfileError
from gomem.pprof.graph import base_name
from gomem.pprof.memory_map import assign
from gomem.pprof.model import Function, LabelSet, Line, Location, Profile, Samples, ValueType

_ATTRIBUTE = re.compile(r"([\w ]+)=([\w ]+)", re.ASCII)
_SAMPLE = re.compile(r" *(\d+) +(\d+) +@ +([ x0-9a-f]*)", re.ASCII)
_LOCATION = re.compile(r"\s*0x([0-9A-Fa-f]+)\s+(.*)\s*$")
_FILE_LINE = re.compile(r"^(.*)\s+\((.+):(-?[0-9]+)\)$")
_LIBRARY = re.compile(r"^(.*)\s+\((.*)\)$")

_HEAP_RATE_BYTES = 524288  # the Java agent's fixed mean between samples


class NotJava(Exception):
    """Another format."""


class _State:
    """What has been read of a profile."""

    def __init__(self) -> None:
        self.types: list[ValueType] = []
        self.period_type, self.period, self.duration_nanos = ValueType(), 0, 0
        self.rows: list[tuple[list[int], list[int], int | None]] = []


def parse_java(text: str) -> Profile:
    """The profile in a heap or contention text. Raises NotJava, or ProfileError for one that is broken."""
    kinds = {"--- heapz 1 ---": "heap", "--- contentionz 1 ---": "contention"}
    lines = text.split("\n")
    kind = kinds.get(lines[0].strip())
    if kind is None or len(lines) < 2:
        raise NotJava
    state = _State()
    at = _read_header(state, kind, lines)
    while at < len(lines) - 1:
        line = lines[at].strip()
        match = _SAMPLE.search(line)
        if line and match is None:
            break
        if match is not None:
            _add_sample(state, kind, line, match)
        at += 1
    return build_profile(
        state.rows, lines[at:], state.types, state.period_type, state.period, duration_nanos=state.duration_nanos
    )


def _read_header(state: _State, kind: str, lines: list[str]) -> int:
    """Reads the attributes; returns the number of the first line behind them."""
    for at in range(1, len(lines) - 1):
        line = lines[at].strip()
        match = _ATTRIBUTE.search(line)
        if line and match is None:
            return at
        if match is not None:
            _set_attribute(state, kind, match[1].strip(), match[2].strip(), line)
    return len(lines) - 1


def _set_attribute(state: _State, kind: str, name: str, value: str, line: str) -> None:
    if name == "format" and value == "java":
        return
    if name == "resolution":
        names = ("inuse_objects", "inuse_space") if kind == "heap" else ("contentions", "delay")
        state.types = [ValueType(names[0], "count"), ValueType(names[1], value)]
    elif kind == "contention" and name == "sampling period":
        state.period_type, state.period = ValueType("contentions", "count"), _integer(value, line)
    elif kind == "contention" and name == "ms since reset":
        state.duration_nanos = _integer(value, line) * 1_000_000
    else:
        raise NotJava


def _integer(text: str, line: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise ProfileError(f'failed to parse attribute {line}: strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _add_sample(state: _State, kind: str, line: str, match: re.Match[str]) -> None:
    from gomem.pprof.legacy import parse_addresses, unsample

    if len(match[1]) > 18 or len(match[2]) > 18:
        raise ProfileError(f"parsing sample {line}: value out of range")
    size, count = int(match[1]), int(match[2])
    block_bytes = None
    if kind == "heap":
        if count == 0:
            raise ProfileError(f"parsing sample {line}: second value must be non-zero")
        block_bytes = size // count
        count, size = unsample(count, size, _HEAP_RATE_BYTES)
    elif state.period:
        count, size = count * state.period, size * state.period
    state.rows.append((parse_addresses(match[3], less=0), [count, size], block_bytes))


def build_profile(
    rows: list[tuple[list[int], list[int], int | None]],
    lines: list[str],
    types: list[ValueType],
    period_type: ValueType,
    period: int,
    *,
    duration_nanos: int = 0,
) -> Profile:
    """The profile of samples (addresses, values, block size) and the lines that name their addresses."""
    indexes: dict[int, int] = {}
    label_sets: dict[int | None, int] = {None: 0}
    starts, stacks, values, sets = array("Q", [0]), array("I"), array("q"), array("I")
    for addresses, row, block_bytes in rows:
        if len(row) != len(types):
            raise ProfileError(f"malformed profile: mismatch: sample has {len(row)} values vs. {len(types)} types")
        stacks.extend(indexes.setdefault(address, len(indexes)) for address in addresses)
        starts.append(len(stacks))
        values.extend((value + (1 << 63)) % (1 << 64) - (1 << 63) for value in row)
        sets.append(label_sets.setdefault(block_bytes, len(label_sets)))
    named = _named_addresses(lines, indexes)
    functions: dict[str, int] = {}
    table: list[Function] = []
    locations = []
    unnamed = [0 if address in named else address for address in indexes]
    placed, mappings = assign(unnamed, [])
    for address, mapping in zip(indexes, placed, strict=True):
        found = named.get(address)
        if found is None:
            locations.append(Location(mapping))
            continue
        function, line = found
        if functions.setdefault(function.name, len(functions)) == len(table):
            table.append(function)
        locations.append(Location(mapping, 0, (Line(functions[function.name], line),)))
    return Profile(
        sample_types=types,
        samples=Samples(len(types), starts, stacks, values, sets),
        locations=locations,
        functions=table,
        mappings=mappings,
        label_sets=[LabelSet({}, {} if size is None else {"bytes": [size]}, {}) for size in label_sets],
        period_type=period_type,
        period=period,
        duration_nanos=duration_nanos,
    )


def _named_addresses(lines: list[str], wanted: dict[int, int]) -> dict[int, tuple[Function, int]]:
    """What the lines say about the addresses wanted: a function, the first of its name, and a line number."""
    by_name: dict[str, Function] = {}
    found = {}
    for line in lines:
        match = _LOCATION.match(line.strip())
        if match is None:
            continue
        address = int(match[1], 16)
        if address >= 1 << 64:
            raise ProfileError(f"parsing sample {line.strip()}: value out of range")
        if address in wanted:
            function, number = _function(match[2])
            found[address] = by_name.setdefault(function.name, function), number
    return found


def _function(text: str) -> tuple[Function, int]:
    match = _FILE_LINE.match(text)
    if match is not None:
        number = int(match[3]) if len(match[3]) < 19 else 0
        return Function(match[1], match[1], match[2]), max(number, 0)
    match = _LIBRARY.match(text)
    if match is not None:
        return Function(match[1], match[1], base_name(match[2])), 0
    name = "STUB" if "generated stub/JIT" in text else text
    return Function(name, name), 0
