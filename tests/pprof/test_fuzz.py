"""Hostile input: whatever the bytes, the reader ends in a profile or in one line, and a profile survives every report.

The corpus of ``tests/pprof/corpus`` is replayed; hypothesis adds its own. For a long run:
``FUZZ_EXAMPLES=20000 pytest tests/pprof/test_fuzz.py``.
"""

from __future__ import annotations

import gzip
import io
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from generate import make_profile
from hypothesis import given, settings
from hypothesis import strategies as st

from gomem.cli import main
from gomem.errors import GomemError
from gomem.pprof.fetch import parse_profile
from gomem.pprof.wire import varint
from gomem.report.config import Config
from gomem.report.make import COMMANDS, make_report, report_lines

effort = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")), deadline=None)

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*"))
TEXT_REPORTS = [name for name, command in COMMANDS.items() if command.format not in ("proto", "topproto", "list")]


def check(data: bytes) -> None:
    """Reads the bytes and, if they are a profile, prints every report."""
    try:
        profile = parse_profile(data)
    except GomemError as error:
        assert str(error) and "\n" not in str(error)
        return
    for name in TEXT_REPORTS:
        argument = "." if COMMANDS[name].takes_symbol else None
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                for _ in report_lines(make_report(profile, name, argument, Config(), lambda text: None), name):
                    pass
        except GomemError:
            pass
    assert parse_profile(profile.to_bytes()).samples.width == profile.samples.width or not profile.to_bytes()


def test_corpus_is_there():
    assert len(CORPUS) >= 20


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path):
    check(path.read_bytes())


EMPTY_TYPES = b"problem fetching source profiles: profiles have empty common sample type list"


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus_by_the_command_line(path, capfdbinary):
    """A report and exit 0, or lines on stderr and exit 2; never a traceback."""
    code = main(["pprof", "-top", str(path)])
    out, err = capfdbinary.readouterr()
    assert (code, bool(out)) in ((0, True), (2, False))
    last = b"" if code == 0 else err.splitlines()[-1]
    assert last in (b"", b"failed to fetch any source profiles", EMPTY_TYPES)  # as go tool pprof says it
    assert b"Traceback" not in err


@effort
@given(st.binary(max_size=200))
def test_any_bytes(data):
    check(data)


numbers = st.sampled_from([0, 1, 2**31, 2**32, 2**63, 2**64 - 1]) | st.integers(0, 300)
leaves = st.tuples(st.integers(0, 16), numbers | st.binary(max_size=8))
nodes = st.tuples(st.integers(0, 16), st.lists(leaves, max_size=5))
fields = leaves | nodes | st.tuples(st.integers(0, 16), st.lists(nodes, max_size=3))


def encode(field) -> bytes:
    number, value = field
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    body = value if isinstance(value, bytes) else b"".join(map(encode, value))
    return varint(number << 3 | 2) + varint(len(body)) + body


@effort
@given(st.lists(fields, max_size=12))
def test_any_messages(found):
    check(b"".join(map(encode, found)) + b"\x32\x00")


@effort
@given(st.integers(0, 30), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6), st.integers(0, 40))
def test_damaged_profiles(seed, changes, cut):
    data = bytearray(make_profile(seed).to_bytes())
    for at, byte in changes:
        data[at % len(data)] = byte
    check(bytes(data[: len(data) - cut]))


@effort
@given(st.binary(max_size=60), st.integers(0, 60))
def test_damaged_gzip(tail, cut):
    data = gzip.compress(make_profile(1).to_bytes(), mtime=0)
    check(data[: len(data) - cut] + tail)


def test_edge_fraction_above_everything():
    """Above 2**63 once multiplied, with inlined calls, where the core has it compare edges."""
    line = Config(edgefraction=1e300)
    for seed in range(8):
        report = make_report(make_profile(seed), "text", None, line, lambda text: None)
        assert list(report_lines(report, "text"))
