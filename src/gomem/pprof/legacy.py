"""Profiles in formats older than profile.proto, and jemalloc's.

Tried in turn, each by its first line or words: gperftools' CPU profile (binary), heap and growth profiles, Go's counts
of goroutines and threads, thread dumps, contention profiles, Java's, and jemalloc's ``heap_v2``, which the real tool does not
read. They hold addresses only; a memory map at the end says which object files those lie in.
"""

from __future__ import annotations

import math
import re
import struct
from array import array
from collections.abc import Iterable, Iterator

from gomem.errors import ProfileError
from gomem.pprof.legacy_java import NotJava, build_profile, parse_java
from gomem.pprof.measurement import truncate
from gomem.pprof.memory_map import assign, is_sentinel, parse_map
from gomem.pprof.model import LabelSet, Location, Profile, Samples, ValueType
from gomem.record import replace

_ADDRESS = re.compile(r"0x[0-9a-f]+")
_COUNT_START = re.compile(r"(\S+) profile: total \d+", re.ASCII)
_COUNT_SAMPLE = re.compile(r"(\d+) @((?: 0x[0-9a-f]+)+)", re.ASCII)
_HEAP_NUMBERS = r"heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\]"
_HEAP_START = re.compile(_HEAP_NUMBERS + r" *@ *(heap[_a-z0-9]*)/?(\d*)", re.ASCII)
_GROWTH_START = re.compile(_HEAP_NUMBERS + r" @ (?:growth|fragmentation)z?", re.ASCII)
_HEAP_SAMPLE = re.compile(r"(-?\d+): *(-?\d+) *\[ *(\d+): *(\d+) *] @([ x0-9a-f]*)", re.ASCII)
_CONTENTION_SAMPLE = re.compile(r"(\d+) *(\d+) @([ x0-9a-f]*)", re.ASCII)
_THREADS_START = re.compile(r"--- threadz \d+ ---", re.ASCII)
_THREAD_START = re.compile(r"--- Thread ([0-9A-Fa-f]+) \(name: (.*)/(\d+)\) stack: ---", re.ASCII)
_JEMALLOC_START = re.compile(r"heap_v2/(\d+)\s*\Z", re.ASCII)
_JEMALLOC_COUNTS = re.compile(r"t(\*|\d+): (\d+): (\d+) \[(\d+): (\d+)\]", re.ASCII)

# Frames of the allocators, lock functions and signal handlers, which say nothing about a program.
_DROP_ALLOCATORS = (
    r"(tc_|__libc_)?(malloc|calloc|realloc|free|cfree|memalign|posix_memalign|valloc|pvalloc)|tcmalloc::.*|"
    r"tc_(new|delete).*|operator new(\[\])?|runtime\..*|je_.*|prof_backtrace_impl|prof_alloc_prep"
)
_KEEP_RUNTIME = r"runtime\.(panic|reflectcall|call[0-9]*)"
_DROP_LOCKS = (
    r"(base::)?(RecordLockProfileData|Submit(Mutex|SpinLock)ProfileData).*|(base::)?(Mutex|SpinLock)(::|Lock).*"
)
_DROP_PROFILER = r"ProfileData::.*|CpuProfiler::prof_handler|__pthread_sighandler|__restore"

_CPU_TYPES = [ValueType("samples", "count"), ValueType("cpu", "nanoseconds")]
_HEAP_TYPES = [ValueType("objects", "count"), ValueType("space", "bytes")]
_ALLOC_TYPES = [
    ValueType("alloc_objects", "count"),
    ValueType("alloc_space", "bytes"),
    ValueType("inuse_objects", "count"),
    ValueType("inuse_space", "bytes"),
]


class _Unrecognized(Exception):
    """Not the format a parser is for."""


def parse_legacy(data: bytes) -> Profile:
    """The profile in one of the older formats. Raises ProfileError."""
    for parser in (
        _parse_cpu,
        _parse_heap,
        _parse_counts,
        _parse_threads,
        _parse_contention,
        _parse_java,
        _parse_jemalloc,
    ):
        try:
            return parser(data)
        except _Unrecognized:
            continue
        except ProfileError as error:
            raise ProfileError(f"parsing profile: {error}") from None
    raise ProfileError("parsing profile: unrecognized profile format")


class _Collector:
    """Samples of addresses as they come, made into a profile at the end."""

    def __init__(self, types: list[ValueType], period_type: ValueType, period: int) -> None:
        self.types, self.period_type, self.period = types, period_type, period
        self.duration_nanos = 0
        self.rows: list[tuple[list[int], list[int], int | None]] = []

    def add(self, addresses: Iterable[int], values: list[int], block_bytes: int | None = None) -> None:
        self.rows.append((list(addresses), values, block_bytes))

    def profile(self, map_lines: Iterable[str], drop: str, keep: str = "") -> Profile:
        """The profile, with the mappings that the rest of the file lists."""
        indexes: dict[int, int] = {}
        label_sets: dict[int | None, int] = {None: 0}
        starts, stacks, values, sets = array("Q", [0]), array("I"), array("q"), array("I")
        for addresses, row, block_bytes in self.rows:
            stacks.extend(indexes.setdefault(address, len(indexes)) for address in addresses)
            starts.append(len(stacks))
            values.extend(_int64(value) for value in row)
            sets.append(label_sets.setdefault(block_bytes, len(label_sets)))
        placed, mappings = assign(list(indexes), parse_map(map_lines))
        return Profile(
            sample_types=list(self.types),
            samples=Samples(len(self.types), starts, stacks, values, sets),
            locations=[Location(mapping, address) for address, mapping in zip(indexes, placed, strict=True)],
            mappings=mappings,
            label_sets=[LabelSet({}, {} if size is None else {"bytes": [size]}, {}) for size in label_sets],
            drop_frames=drop,
            keep_frames=keep,
            period_type=self.period_type,
            period=self.period,
            duration_nanos=self.duration_nanos,
        )


def _int64(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _number(text: str, line: str) -> int:
    if len(text) > 20 or not -(1 << 63) <= int(text) < 1 << 63:
        problem = f'strconv.ParseInt: parsing "{text}": value out of range'
        raise ProfileError(f"malformed sample: {line}: {problem}")
    return int(text)


def _lines(data: bytes) -> list[str]:
    return [line.removesuffix("\r") for line in data.decode("utf-8", "surrogateescape").split("\n")]


def _is_blank(line: str) -> bool:
    return line.strip()[:1] in ("", "#")


def parse_addresses(text: str, *, less: int = 1) -> list[int]:
    """The hexadecimal numbers in a text less one, for return addresses lie behind the call."""
    found = [int(number, 16) for number in _ADDRESS.findall(text)]
    for address in found:
        if address >= 1 << 64:
            raise ProfileError(f"malformed sample: failed to parse as hex 64-bit number: {address:#x}")
    return [(address - less) % (1 << 64) for address in found]


def _rest_of_map(lines: Iterator[str]) -> Iterator[str]:
    """The lines behind the memory map's sentinel."""
    for line in lines:
        if is_sentinel(line):
            return lines
    return iter(())


def _parse_cpu(data: bytes) -> Profile:
    """Words of 32 or 64 bits of either order: 0, 3, 0, period in µs, 0; then count, depth and addresses of each sample."""
    for word in ("<I", ">I", "<Q", ">Q"):
        size = struct.calcsize(word)
        head = [number for (number,) in struct.iter_unpack(word, data[: 5 * size])] if len(data) >= 5 * size else []
        if len(head) == 5 and head[:2] == [0, 3] and head[2] in (0, 1) and head[3] > 0 and head[4] == 0:
            return _cpu_profile(data, 5 * size, word, head[3] * 1000, java=head[2] == 1)
    raise _Unrecognized


def _cpu_profile(data: bytes, at: int, word: str, period: int, *, java: bool) -> Profile:
    collector = _Collector(_CPU_TYPES, _CPU_TYPES[1], period)
    at = _cpu_samples(data, at, word, collector, less=not java)
    if java:
        profile = build_profile(collector.rows, _lines(data[at:]), list(_CPU_TYPES), _CPU_TYPES[1], period)
        return replace(profile, drop_frames=_DROP_PROFILER)
    _drop_handler_frames(collector)
    for addresses, _, _ in collector.rows:
        if len(addresses) > 1 and addresses[0] == addresses[1] + 1:
            del addresses[1]  # the leaf, found twice
    return collector.profile(_lines(data[at:]), _DROP_PROFILER)


def _cpu_samples(data: bytes, at: int, word: str, collector: _Collector, *, less: bool) -> int:
    """Reads samples up to the end mark; returns where the text behind it starts."""
    size = struct.calcsize(word)
    while at < len(data):
        if at + 2 * size > len(data):
            raise _Unrecognized
        count, depth = struct.unpack_from(word[0] + word[1] * 2, data, at)
        at += 2 * size
        if depth > (len(data) - at) // 4 or at + depth * size > len(data):
            raise _Unrecognized
        stack = struct.unpack_from(f"{word[0]}{depth}{word[1]}", data, at)
        at += depth * size
        if count == 0 and stack == (0,):
            break
        addresses = [address - (less and index > 0) for index, address in enumerate(stack)]
        collector.add([address % (1 << 64) for address in addresses], [count, count * collector.period])
    return at


def _drop_handler_frames(collector: _Collector) -> None:
    """Takes out up to two frames above the leaf that nearly all samples share: the signal handler's."""
    rows = collector.rows
    for _ in range(2):
        counts: dict[int, int] = {}
        for addresses, _, _ in rows:
            if len(addresses) > 1:
                counts[addresses[1]] = counts.get(addresses[1], 0) + 1
        common = next((a for a, count in counts.items() if count >= len(rows) - len(rows) // 32), None)
        for addresses, _, _ in rows if common is not None else ():
            if len(addresses) > 1 and addresses[1] == common:
                del addresses[1]


def _parse_heap(data: bytes) -> Profile:
    lines = iter(_lines(data))
    first = next(lines)
    header, has_alloc, sampled, period = _HEAP_START.search(first), False, False, 1
    if header is not None:
        inuse, inuse_bytes, alloc, alloc_bytes, kind, rate = header.groups()
        has_alloc = alloc not in (inuse, "0") or alloc_bytes not in (inuse_bytes, "0")
        if kind not in ("heapz_v2", "heap_v2", "heapprofile", "heap"):
            raise _Unrecognized
        if kind != "heapprofile":
            if len(rate) > 20 or int(rate or 0) >= 1 << 63:
                raise _Unrecognized
            sampled, period = True, int(rate or 0) // (2 if kind == "heap" else 1)
    elif not _GROWTH_START.search(first):
        raise _Unrecognized
    collector = _Collector(_ALLOC_TYPES if has_alloc else _HEAP_TYPES, ValueType("space", "bytes"), period)
    found_map = False
    for line in lines:
        line = line.strip()
        if _is_blank(line):
            continue
        if is_sentinel(line):
            found_map = True
            break
        _heap_sample(collector, line, has_alloc, period if sampled else 0)
    return collector.profile(lines if found_map else (), _DROP_ALLOCATORS, _KEEP_RUNTIME)


def _heap_sample(collector: _Collector, line: str, has_alloc: bool, rate: int) -> None:
    match = _HEAP_SAMPLE.search(line)
    if match is None:
        raise ProfileError("unexpected number of sample values: got 0, want 6")
    inuse, inuse_bytes, alloc, alloc_bytes = (_number(text, line) for text in match.groups()[:4])
    pairs = [(alloc, alloc_bytes, "allocation")] if has_alloc else []
    values, block_bytes = [], 0
    for count, size, what in [*pairs, (inuse, inuse_bytes, "inuse")]:
        if count == 0 and size != 0:
            raise ProfileError(f"{what} count was 0 but {what} bytes was {size}")
        if count:
            block_bytes = abs(size) // abs(count) * (1 if (size < 0) == (count < 0) else -1)
            count, size = unsample(count, size, rate)
        values += [count, size]
    collector.add(parse_addresses(match[5]), values, block_bytes)


def unsample(count: int, size: int, rate: int) -> tuple[int, int]:
    """What a sampled count and size stand for: divided by the chance 1 - exp(-mean size / rate) of being sampled."""
    if count == 0 or size == 0:
        return (0, 0) if rate else (count, size)
    if rate <= 1:
        return count, size
    chance = 1 - math.exp(-(size / count) / rate)
    scale = 1 / chance if chance else math.inf
    return truncate(count * scale), truncate(size * scale)


def _parse_counts(data: bytes) -> Profile:
    lines = iter(_lines(data))
    match = _COUNT_START.fullmatch(next((line for line in lines if not _is_blank(line)), ""))
    if match is None:
        raise _Unrecognized
    kind = ValueType(match[1], "count")
    collector = _Collector([kind], kind, 1)
    for line in lines:
        if _is_blank(line):
            continue
        if line.startswith("---"):
            break
        match = _COUNT_SAMPLE.fullmatch(line)
        if match is None or len(match[1]) > 20 or int(match[1]) >= 1 << 63:
            raise ProfileError("malformed profile format")
        collector.add(parse_addresses(match[2]), [int(match[1])])
    else:
        line = ""
    map_lines = lines if is_sentinel(line) else _rest_of_map(lines)
    return collector.profile(map_lines, _DROP_PROFILER)


def _parse_threads(data: bytes) -> Profile:
    lines = iter(_lines(data))
    line = next((line for line in lines if not _is_blank(line)), "")
    if _THREADS_START.search(line):
        line = next((line for line in lines if is_sentinel(line) or line.startswith("-")), "")
    elif not _THREAD_START.search(line):
        raise _Unrecognized
    kind = ValueType("thread", "count")
    collector = _Collector([kind], kind, 1)
    while not is_sentinel(line) and not line.startswith("---- no stack trace for"):
        if not _THREAD_START.search(line):
            raise _Unrecognized
        line, addresses = _thread_stack(lines)
        if addresses:
            collector.add([addresses[0], *(a - 1 for a in addresses[1:])], [1])
        elif collector.rows:
            collector.rows[-1][1][0] += 1
    for addresses, _, _ in collector.rows:
        if len(addresses) > 1 and addresses[0] == addresses[1] + 1:
            del addresses[1]
    return collector.profile(lines if is_sentinel(line) else _rest_of_map(lines), _DROP_PROFILER)


def _thread_stack(lines: Iterator[str]) -> tuple[str, list[int]]:
    """The line behind a thread's stack, and its addresses; none when it is the same as the one before."""
    addresses: list[int] = []
    same = False
    line = ""
    for line in lines:
        line = line.strip()
        if line.startswith("---"):
            break
        if "same as previous thread" in line:
            same = True
            continue
        addresses += parse_addresses(line, less=0)
    return line, [] if same else addresses


def _parse_contention(data: bytes) -> Profile:
    lines = iter(_lines(data))
    if not next(lines).startswith(("--- contentionz ", "--- mutex:", "--- contention:")):
        raise _Unrecognized
    types = [ValueType("contentions", "count"), ValueType("delay", "nanoseconds")]
    collector = _Collector(types, types[0], 1)
    hertz = 0
    line = ""
    for line in lines:
        line = line.strip()
        if _is_blank(line):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if line.startswith("---") or not equals:
            break
        hertz = _contention_header(collector, key, value, hertz)
    while not line.startswith("---"):
        if not _is_blank(line):
            _contention_sample(collector, line, hertz)
        following = next(lines, None)
        if following is None:
            break
        line = following.strip()
    return collector.profile(lines if is_sentinel(line) else _rest_of_map(lines), _DROP_LOCKS)


def _contention_header(collector: _Collector, key: str, value: str, hertz: int) -> int:
    if key not in ("cycles/second", "sampling period", "ms since reset", "discarded samples"):
        raise _Unrecognized
    try:
        number = int(value, 0)
        if abs(number) >= 1 << 63:
            raise ValueError
    except ValueError:
        if key != "discarded samples":
            raise _Unrecognized from None
        return hertz
    if key == "sampling period":
        collector.period = number
    elif key == "ms since reset":
        collector.duration_nanos = number * 1_000_000
    return number if key == "cycles/second" else hertz


def _contention_sample(collector: _Collector, line: str, hertz: int) -> None:
    match = _CONTENTION_SAMPLE.search(line)
    if match is None:
        raise _Unrecognized
    delay, count = _number(match[1], line), _number(match[2], line)
    if collector.period > 0:
        if hertz > 0:
            delay = truncate(float(delay) * float(collector.period) / (float(hertz) / 1e9))
        count *= collector.period
    collector.add(parse_addresses(match[3]), [count, delay])


def _parse_java(data: bytes) -> Profile:
    try:
        profile = parse_java(data.decode("utf-8", "surrogateescape"))
    except NotJava:
        raise _Unrecognized from None
    is_heap = any(kind.type == "inuse_space" for kind in profile.sample_types)
    drop, keep = (_DROP_ALLOCATORS, _KEEP_RUNTIME) if is_heap else (_DROP_LOCKS, "")
    return replace(profile, drop_frames=drop, keep_frames=keep)


def _parse_jemalloc(data: bytes) -> Profile:
    lines = iter(_lines(data))
    start = _JEMALLOC_START.match(next(lines))
    if start is None:
        raise _Unrecognized
    rate = _number(start[1], start[0])
    collector = _Collector(_ALLOC_TYPES, ValueType("space", "bytes"), rate)
    addresses: list[int] | None = None
    found_map = False
    for line in lines:
        line = line.strip()
        if is_sentinel(line):
            found_map = True
            break
        if line.startswith("@"):
            addresses = parse_addresses(line)
            continue
        match = _JEMALLOC_COUNTS.fullmatch(line)
        # Lines before the first stack are totals, those of single threads parts of t*.
        if match is None or match[1] != "*" or addresses is None:
            continue
        inuse, inuse_bytes, alloc, alloc_bytes = (_number(text, line) for text in match.groups()[1:])
        values = [*unsample(alloc, alloc_bytes, rate), *unsample(inuse, inuse_bytes, rate)]
        collector.add(addresses, values, inuse_bytes // inuse if inuse else None)
    return _without_unused_types(collector.profile(lines if found_map else (), _DROP_ALLOCATORS))


def _without_unused_types(profile: Profile) -> Profile:
    """jemalloc counts allocations only when told to (prof_accum); without them the profile has in-use values only."""
    values = profile.samples.values
    if any(values[0::4]):
        return profile
    inuse = array("q", bytes(16 * len(profile.samples)))
    inuse[0::2], inuse[1::2] = array("q", values[2::4]), array("q", values[3::4])
    return replace(profile, sample_types=_ALLOC_TYPES[2:], samples=replace(profile.samples, width=2, values=inuse))
