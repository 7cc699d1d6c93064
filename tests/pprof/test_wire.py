"""Decoding: what was encoded comes back, and what is no profile ends in one line."""

import contextlib
import gzip
import random
import tracemalloc
from array import array

import pytest

from gomem import _core
from gomem.errors import ProfileError
from gomem.pprof import ProfileBuilder
from gomem.pprof import files as profile_files
from gomem.pprof.wire import WireError, decode, varint


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


STRINGS = message(6, b"") + message(6, b"space") + message(6, b"bytes") + message(6, b"f")
TYPE = message(1, number(1, 1) + number(2, 2))
FUNCTION = message(5, number(1, 7) + number(2, 3))
LOCATION = message(4, number(1, 1 << 60) + message(4, number(1, 7) + number(2, 42)))
SAMPLE = message(2, number(1, 1 << 60) + number(2, (1 << 64) - 5))


def test_ids_may_be_any_numbers_and_samples_come_first():
    profile = decode(TYPE + SAMPLE + LOCATION + FUNCTION + STRINGS)
    assert list(profile.samples.values) == [-5]
    assert list(profile.samples.stacks) == [0]
    assert list(profile.location_ids) == [1 << 60]
    assert profile.functions[profile.locations[0].lines[0].function].name == "f"
    assert decode(profile.to_bytes()) == profile


def test_packed_and_single_numbers_mean_the_same():
    ids = varint(1 << 60) * 3
    packed = message(2, message(1, ids) + message(2, varint(9)))
    single = message(2, number(1, 1 << 60) * 3 + number(2, 9))
    tail = LOCATION + FUNCTION + STRINGS
    assert decode(TYPE + packed + tail) == decode(TYPE + single + tail)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "empty input file"),
        (TYPE + message(2, number(2, 1) * 2) + STRINGS, "mismatch: sample has 2 values vs. 1 types"),
        (message(2, number(2, 1)) + STRINGS, "missing sample type information"),
        (TYPE + SAMPLE + STRINGS, "sample has nil location"),
        (TYPE + LOCATION + STRINGS, "has a line with nil function"),
        (TYPE + LOCATION * 2 + FUNCTION + STRINGS, "multiple locations with same id"),
        (TYPE + message(5, b"") + STRINGS, "found function with reserved ID=0"),
        (TYPE + message(3, number(1, 4)) * 2 + message(3, b"") + STRINGS, "multiple mappings with same id: 4"),
        (b"".join(message(5, number(1, i)) for i in range(100_000, -1, -1)) + STRINGS, "function with reserved ID=0"),
        (TYPE + message(4, b"") * 100_000 + STRINGS, "table entries without ids"),
        (TYPE + message(4, number(1, 5)) * 100_000 + STRINGS, "table entries without ids"),
        (message(1, b"") * 20_000 + STRINGS, "more than 10000 sample types"),
        (number(9, 5) + number(9, 6) + STRINGS, "concatenated profiles detected"),
    ],
)
def test_malformed_profiles(data, error):
    with pytest.raises(ProfileError, match=error):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",
        b"\x12\x05abc",
        b"\x0f",
        b"\xff" * 20,
        message(6, b"not empty"),
        TYPE,
        number(1, 3),
        message(2, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        TYPE + message(2, message(3, b"\x0a\x00")) + STRINGS,
    ],
)
def test_other_bytes_are_no_message(data):
    with pytest.raises(WireError):
        decode(data)


def test_every_truncation_and_many_flips_end_in_an_error_or_a_profile():
    builder = ProfileBuilder([("space", "bytes")])
    leaf = builder.location(builder.mapping(0, 10, 0, "bin"), 5, [(builder.function("f", "f", "f.py", 1), 2)])
    builder.sample([leaf] * 5, [7], {"thread": "t", "size": (48, "bytes")})
    data = builder.build().to_bytes()
    rng = random.Random(1)
    broken = [data[:i] for i in range(len(data))]
    broken += [bytes(b ^ (rng.random() < 0.05) * rng.randrange(256) for b in data) for _ in range(2000)]
    for bad in broken:
        try:
            assert decode(bad) is not None
        except ProfileError as error:
            assert "\n" not in str(error)


def test_gzip_members_join_and_bombs_are_refused(monkeypatch):
    assert profile_files.inflate(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"
    with pytest.raises(ProfileError, match="decompressing profile: unexpected EOF"):
        profile_files.inflate(gzip.compress(b"one" * 1000)[:-20])
    with pytest.raises(ProfileError, match="decompressing profile"):
        profile_files.inflate(b"\x1f\x8b" + b"x" * 40)
    monkeypatch.setattr(profile_files, "MAX_INFLATED_BYTES", 1 << 16)
    with pytest.raises(ProfileError, match="refused"):
        profile_files.inflate(gzip.compress(bytes(1 << 24)))


def test_zstd():
    zstandard = pytest.importorskip("zstandard")
    assert profile_files.inflate(zstandard.compress(b"hello" * 1000)) == b"hello" * 1000


def test_zstd_that_is_cut_or_followed_by_more():
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.compress(bytes(range(256)) * 5000)
    assert profile_files.inflate(packed * 2) == bytes(range(256)) * 10000
    for cut in (1, 5, len(packed) // 2):
        with pytest.raises(ProfileError, match="decompressing profile: unexpected EOF"):
            profile_files.inflate(packed[:-cut])
    with pytest.raises(ProfileError, match="decompressing profile: zstd"):
        profile_files.inflate(packed + b"garbage")


BOMBS = {
    "lines": TYPE + STRINGS + message(4, number(1, 1) + message(4, b"") * 1_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded_when_a_profile_is_refused(name):
    """At 30 bytes and more an item, which is what each of these took, a file of 200 kB would fill 10 GB."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ProfileError):
            decode(BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_counts_that_cannot_be_are_refused():
    empty = (array("Q", [0]), array("I"), array("q"), array("I"), 1)
    one = (array("Q", [0, 0]), array("I"), array("q", [5]), array("I", [9]), 1)
    with pytest.raises(ValueError, match="offsets"):
        _core.samples_encode(empty, 0, 0, None, b"", array("Q"))
    for sets in (1 << 60, 1 << 62):
        with pytest.raises(MemoryError):
            _core.samples_totals(one, sets)
    for call in (lambda: _core.samples_totals(one, -1), lambda: _core.samples_first_use(empty, -1, -1)):
        with pytest.raises(ValueError, match="below 0"):
            call()
