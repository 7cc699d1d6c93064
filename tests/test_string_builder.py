"""Builder and BytesBuilder against str and bytes concatenation, as files, and what memory they take."""

from __future__ import annotations

import array
import contextlib
import copy
import csv
import gc
import io
import json
import pickle
import string
import sys
import threading
import tracemalloc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gomem import Builder, BytesBuilder

ALPHABETS = ["abc", "aé", "aé中", "a🐍é中", "🐍"]
texts = st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(letters, max_size=30))
big = st.tuples(st.sampled_from(["a", "é", "中", "🐍", "ab"]), st.integers(0, 9000)).map(lambda pair: pair[0] * pair[1])
steps = st.lists(
    st.one_of(
        texts.map(lambda text: ("write", text)),
        big.map(lambda text: ("add", text)),
        st.integers(0, 0x10FFFF).filter(lambda code: not 0xD800 <= code < 0xE000).map(lambda code: ("char", code)),
        st.floats(0, 1).map(lambda share: ("truncate", share)),
        st.integers(0, 5000).map(lambda room: ("grow", room)),
        st.sampled_from([("build", None), ("keep", None), ("reset", None), ("reserve", 5000)]),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_agrees_with_concatenation(steps):
    builder, text, kept = Builder(), "", []
    for verb, what in steps:
        if verb == "write":
            assert builder.write(what) == len(what)
            text += what
        elif verb == "add":
            builder += what
            text += what
        elif verb == "char":
            assert builder.write_char(what) == 1
            text += chr(what)
        elif verb == "truncate":
            text = text[: int(len(text) * what)]
            assert builder.truncate(len(text)) == len(text)
        elif verb in ("grow", "reserve"):
            getattr(builder, verb)(what)
            assert builder.cap >= (what if verb == "reserve" else what + len(text))
        elif verb == "build":
            assert builder.build() == text
        elif verb == "keep":
            kept.append((builder.build(), text))
            assert builder.build() is kept[-1][0] or len(text) <= 1
        else:
            builder.reset()
            text = ""
        assert len(builder) == len(text) and builder.cap >= len(text)
    built = builder.build()
    assert built == text and hash(built) == hash(text) and {text: 1}[built] == 1
    assert built.isascii() == text.isascii() and sys.getsizeof(built) <= sys.getsizeof(str(text.encode(), "utf-8")) + 8
    assert all(first == second for first, second in kept)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=50), st.integers(0, 255), st.floats(0, 1), st.none()), max_size=30))
def test_bytes_agree_with_concatenation(steps):
    builder, data, kept = BytesBuilder(), b"", []
    for step in steps:
        if isinstance(step, bytes):
            builder += step
            data += step
        elif isinstance(step, int):
            builder.write_byte(step)
            data += bytes([step])
        elif isinstance(step, float):
            data = data[: int(len(data) * step)]
            builder.truncate(len(data))
        else:
            kept.append((builder.build(), data))
        assert len(builder) == len(data)
    assert bytes(builder) == builder.getvalue() == data and all(first == second for first, second in kept)


def test_a_built_text_is_never_changed():
    builder = Builder()
    builder += "x" * 100
    first = builder.build()
    assert builder.build() is first
    builder += "y"
    assert first == "x" * 100 and builder.build() == "x" * 100 + "y"
    second = builder.build()
    builder.truncate(5)
    builder += "zzz"
    assert second == "x" * 100 + "y" and str(builder) == "xxxxxzzz"
    third = builder.build()
    builder.reserve(1000)
    builder.reset()
    builder += "other"
    assert third == "xxxxxzzz" and builder.build() == "other"


def test_a_text_narrows_when_its_wide_characters_are_cut_off():
    for wide in "é中🐍":
        builder = Builder()
        builder += "plain " * 1000
        builder += wide
        builder.truncate(5000)
        assert builder.build().isascii() and sys.getsizeof(builder.build()) == sys.getsizeof("p" * 5000)


def test_as_a_text_file():
    with Builder() as builder:
        print("a", 1, file=builder, end=";\n", flush=True)
        json.dump({"k": [1, "é"]}, builder)
        csv.writer(builder).writerow(["x", 'y"z'])
        builder.writelines(["l1", "l2"])
        with contextlib.redirect_stdout(builder):
            print("captured")
        builder.write(string.Template("$who").substitute(who="template"))
    expected = 'a 1;\n{"k": [1, "\\u00e9"]}x,"y""z"\r\nl1l2captured\ntemplate'
    assert f"{builder}" == str(builder) == builder.getvalue() == expected and f"{builder:>99}" == f"{expected:>99}"
    assert isinstance(builder, io.TextIOBase) and builder.writable() and not builder.readable() and not builder.isatty()
    assert builder.closed and not builder.seekable()
    for write in (lambda: builder.write("x"), lambda: builder.write(""), lambda: builder.grow(5)):
        with pytest.raises(ValueError, match="after close"):
            write()
    builder.reset()
    assert builder.write("again") == 5 and bool(Builder()) and len(Builder()) == 0


def test_as_a_binary_file():
    with BytesBuilder(100) as builder:
        pickle.dump({"a": 1}, builder)
        assert builder.write(bytearray(b"ab")) == 2 and builder.write(memoryview(b"cd")) == 2
        builder.write(array.array("H", [1]))
        builder.writelines([b"e", b"f"])
    assert pickle.loads(bytes(builder)) == {"a": 1} and builder.build().endswith(b"abcd\x01\x00ef")
    with pytest.raises(ValueError, match="after close"):
        builder.write(b"x")
    builder.reset()
    assert builder.build() == b"" and isinstance(builder, io.BufferedIOBase)


def test_bad_arguments():
    text, data = Builder(), BytesBuilder()
    for call in (
        lambda: text.write(b"x"), lambda: text.write(None), lambda: text.write_char(1.5), lambda: text.writelines([1]),
        lambda: data.write("x"), lambda: data.write(5), lambda: data.writelines(5), lambda: text.grow("x"), lambda: text + "x",
    ):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    for call in (
        lambda: text.write_char("ab"), lambda: text.write_char(-1), lambda: text.write_char(0x110000),
        lambda: data.write_byte(256), lambda: text.grow(-1), lambda: text.truncate(1), lambda: data.truncate(1),
        lambda: text.truncate(-1), lambda: data.reserve(-1),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            call()
    for builder in (text, data):
        with pytest.raises((MemoryError, OverflowError)):
            builder.grow(sys.maxsize)
        with pytest.raises((MemoryError, OverflowError)):
            builder.reserve(sys.maxsize // 4)
    with pytest.raises(TypeError, match="want str"):
        text += b"x"
    with pytest.raises(BufferError):
        data.write(memoryview(b"abcd")[::2])
    assert text.build() == "" and data.build() == b""
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(text)


def test_str_subclasses_and_builder_subclasses():
    class Text(str):
        pass

    class Lines(Builder):
        def line(self, text):
            self.write(text + "\n")
            return self

    lines = Lines().line(Text("a")).line("b")
    lines += Text("")
    assert lines.build() == "a\nb\n" and weakref.ref(lines)() is lines and repr(lines).startswith("<Lines length 4, cap ")
    assert type(lines.build()) is str


def test_a_buffer_that_writes_to_its_builder():
    builder = BytesBuilder()

    class Liar(bytearray):
        def __buffer__(self, flags):
            builder.write(b"inner" * 1000)
            builder.truncate(3)
            return memoryview(b"outer")

    builder += Liar(b"outer")
    assert builder.build().endswith(b"outer")


def test_threads():
    builder = Builder()

    def work(letter):
        for _ in range(5000):
            builder.write(letter * 3)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "aé中🐍"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = builder.build()
    assert len(text) == 60_000 and all(text[i] == text[i + 2] for i in range(0, 60_000, 3))


def peak_ratio(pieces) -> float:
    """Peak bytes while building, over the bytes of the text."""
    gc.collect()
    tracemalloc.start()
    try:
        builder = Builder()
        for piece in pieces:
            builder += piece
        text = builder.build()
        return tracemalloc.get_traced_memory()[1] / sys.getsizeof(text)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "pieces, most",
    [
        (lambda: (f"piece {i}," for i in range(50_000)), 1.0 + 0.25 + 0.02),
        (lambda: (f"中{i}," for i in range(50_000)), 1.0 + 0.25 + 0.02),
        (lambda: (f"piece {i}," if i < 49_999 else "🐍" for i in range(50_000)), 1.1),
        (lambda: (f"piece {i}," if i < 49_999 else "中" for i in range(50_000)), 1.2),
    ],
    ids=["ascii", "wide", "astral at the end", "wide at the end"],
)
def test_peak_memory_is_the_text_and_its_growth_step(pieces, most):
    assert peak_ratio(pieces()) <= most


def test_reserving_avoids_the_growth_step():
    tracemalloc.start()
    builder = Builder(1_000_000)
    for _ in range(10_000):
        builder += "x" * 100
    assert len(builder.build()) == 1_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000 * 1.01


def test_no_reference_is_leaked():
    piece, data = "piece" * 10, b"piece" * 10
    before = sys.getrefcount(piece), sys.getrefcount(data)
    for _ in range(200):
        text, raw = Builder(), BytesBuilder()
        for _ in range(20):
            text += piece
            raw += data
            text.build(), raw.build()
        text.write("🐍" * 5000)
        text.build()
    blocks = sys.getallocatedblocks()
    for _ in range(200):
        text = Builder()
        for letter in "aé中🐍":
            text += letter * 5000
            text.truncate(len(text) - 1)
        text.build()
    assert (sys.getrefcount(piece), sys.getrefcount(data)) == before and abs(sys.getallocatedblocks() - blocks) < 50


def test_writelines_of_any_iterable_and_of_one_that_fails():
    class Counts:  # an iterator in Python, which may write to the builder itself
        left = 3

        def __iter__(self):
            return self

        def __next__(self):
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            out.write("<")
            return str(self.left)

    def failing():
        yield "last"
        raise LookupError("gone")

    out = Builder()
    for pieces in (Counts(), ["é", "", "x" * 40], ("t", "u"), iter("abc"), {"k": 1}, map(str, range(2))):
        out.writelines(pieces)
    with pytest.raises(LookupError, match="gone"):
        out.writelines(failing())
    with pytest.raises(TypeError):
        out.writelines(5)
    with pytest.raises(TypeError, match="write: got int"):
        out.writelines(["kept", 5, "never"])
    assert out.build() == "<2<1<0é" + "x" * 40 + "tuabck01lastkept"


@pytest.mark.parametrize("length", range(70))
def test_copies_of_every_length_touch_nothing_else(length):
    piece = "".join(chr(33 + (length * 7 + i) % 90) for i in range(length))
    out = Builder(1 + 3 * length)
    out += "["
    for _ in range(3):
        out += piece
    assert out.build() == "[" + piece * 3
    assert "".join(piece for _ in range(3)) == out.build()[1:]


class Told:
    """A value whose str() is what a function returns."""

    def __init__(self, tell):
        self.tell = tell

    def __str__(self):
        return self.tell()


values = st.one_of(texts, st.integers(), st.integers(-(2**63) - 2, -(2**63) + 2), st.floats(), st.booleans(), st.none(), st.binary())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(values, max_size=5), max_size=10))
def test_append_agrees_with_str(rows):
    out, text = Builder(), ""
    for row in rows:
        assert out.append(*row) is None
        text += "".join(map(str, row))
        assert len(out) == len(text)
    assert out.build() == text


def test_append_of_numbers_at_the_edges_and_of_values_that_write():
    out = Builder()
    numbers = [0, 9, 10, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**400, True]
    out.append(*numbers)
    assert out.build() == "".join(map(str, numbers))
    out.reset()
    out.append("<", Told(lambda: f"{out.write('inner')}"), ">", Told(lambda: out.build()), Told(lambda: out.reset() or "x"))
    assert out.build() == "x"
    with pytest.raises(ZeroDivisionError):
        out.append("kept", Told(lambda: 1 / 0), "never")
    assert out.build() == "xkept"
    for wide in "é中🐍":  # digits onto wider texts, and once more where they do not fit
        out.reset()
        out.append(wide, *range(100))
        assert out.build() == wide + "".join(map(str, range(100)))
    out.close()
    for value in ("x", 1, 1.5, ""):
        with pytest.raises(ValueError, match="after close"):
            out.append(value)
