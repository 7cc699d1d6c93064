"""Forty megabytes of each kind of memory, each allocated by one line.

A case is a function with one statement that allocates; it returns the object, so that the memory is in use when the
profile is taken, and the bytes that the library must have asked for, or 0 where only the growth of resident memory
tells. ``PREPARE`` makes a case's inputs before profiling starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

BYTES = 40_000_000
COUNT = BYTES // 8


@dataclass(frozen=True)
class Case:
    package: str  # what must be importable; nothing for the standard library
    prepare: Callable[[], object]
    allocate: Callable[[object], object]
    true_bytes: Callable[[object], int] = lambda made: BYTES


def no_input() -> None:
    return None


def no_truth(made: object) -> int:
    return 0


def module(name: str) -> Callable[[], object]:
    def prepare() -> object:
        __import__(name)
        return sys.modules[name]

    return prepare


class Point:
    __slots__ = ("x",)


def make_list(given):
    return [None] * COUNT


def make_grown_list(given):
    return [n & 127 for n in range(COUNT)]


def make_str(given):
    return ["x" * n for n in range(1000, 37_000, 18)]


def make_small_str(given):
    return [str(n) for n in range(10**9, 10**9 + 700_000)]


def make_bytes(given):
    return bytes(BYTES)


def make_bytearray(given):
    return bytearray(BYTES)


def make_dict(given):
    return dict.fromkeys(given)


def make_set(given):
    return set(given)


def make_objects(given):
    return [Point() for _ in range(COUNT // 5)]


def make_floats(given):
    return [n * 0.5 for n in given]


def make_array(given):
    return given.array("d", bytes(BYTES))


def make_numpy(given):
    return given.ones(COUNT)


def make_numpy_small(given):
    return [given.ones(100) for _ in range(BYTES // 800)]


def make_pandas(given):
    return given.DataFrame({"a": range(COUNT)})


def prepare_sqlite():
    import sqlite3

    return sqlite3.connect(":memory:")


def make_sqlite(given):
    return given.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 40000) SELECT i, randomblob(990) FROM n")


def prepare_lxml():
    from lxml import etree

    text = "<root>" + "".join(f"<item id='{n}'>text {n}</item>" for n in range(120_000)) + "</root>"
    return etree, text


def make_lxml(given):
    return given[0].fromstring(given[1])


def make_pillow(given):
    return given.new("RGBA", (3200, 3125))


def make_pyarrow(given):
    return given.nulls(COUNT, given.float64())


def prepare_arrow_system():
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # as ``gomem run`` does
    import pyarrow

    return pyarrow


def make_polars(given):
    return given.int_range(COUNT, eager=True)


def make_mmap(given):
    return given.mmap(-1, BYTES)


def make_ctypes_buffer(given):
    return given.create_string_buffer(BYTES)


def prepare_ctypes():
    import ctypes

    malloc = ctypes.CDLL(None).malloc
    malloc.argtypes, malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
    return malloc


def make_ctypes_malloc(given):
    return given(BYTES)


def make_torch(given):
    return given.ones(BYTES // 4)


def container(extra: int = 0) -> Callable[[object], int]:
    """The container itself and ``extra`` bytes for each element."""
    return lambda made: sys.getsizeof(made) + extra * len(made)


def elements(made: list[object]) -> int:
    return sys.getsizeof(made) + sum(map(sys.getsizeof, made))


GC_HEAD = 16

CASES = {
    "list": Case("", no_input, make_list, container()),
    "list, grown": Case("", no_input, make_grown_list, container()),
    "str of 1 to 37 kB": Case("", no_input, make_str, elements),
    "str of 10 characters": Case("", no_input, make_small_str, elements),
    "bytes": Case("", no_input, make_bytes),
    "bytearray": Case("", no_input, make_bytearray),
    "dict": Case("", lambda: range(700_000), make_dict, container(32)),
    "set": Case("", lambda: range(500_000), make_set, container(32)),
    "objects with slots": Case("", no_input, make_objects, container(16 + 24)),
    "float": Case("", lambda: range(1_250_000), make_floats, container(24)),
    "array.array": Case("", module("array"), make_array, sys.getsizeof),
    "ctypes buffer": Case("", module("ctypes"), make_ctypes_buffer),
    "malloc through ctypes": Case("", prepare_ctypes, make_ctypes_malloc),
    "mmap": Case("", module("mmap"), make_mmap),
    "sqlite": Case("", prepare_sqlite, make_sqlite, no_truth),
    "numpy": Case("numpy", module("numpy"), make_numpy),
    "numpy, small arrays": Case("numpy", module("numpy"), make_numpy_small, elements),
    "pandas": Case("pandas", module("pandas"), make_pandas),
    "lxml": Case("lxml", prepare_lxml, make_lxml, no_truth),
    "Pillow": Case("PIL", module("PIL.Image"), make_pillow),
    "pyarrow, its own pool": Case("pyarrow", module("pyarrow"), make_pyarrow),
    "pyarrow, system pool": Case("pyarrow", prepare_arrow_system, make_pyarrow),
    "polars": Case("polars", module("polars"), make_polars),
    "torch": Case("torch", module("torch"), make_torch),
}
