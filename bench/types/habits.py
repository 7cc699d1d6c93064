"""The optimisations of lesson 5, each against what one would write without it: time and peak or retained bytes."""

from __future__ import annotations

import array
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

from bench.types.turns import cpu_ns, in_turns, report

COUNT = 10_000


class Plain:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Row(NamedTuple):
    x: float
    y: float


def appended():
    out = []
    for i in range(COUNT):
        out.append(i * 0.5)
    return out


def preallocated():
    out = [0.0] * COUNT
    for i in range(COUNT):
        out[i] = i * 0.5
    return out


def comprehended():
    return [i * 0.5 for i in range(COUNT)]


def array_appended():
    out = array.array("d")
    for i in range(COUNT):
        out.append(i * 0.5)
    return out


def array_of_generator():
    return array.array("d", (i * 0.5 for i in range(COUNT)))


def numpy_vector():
    import numpy

    return numpy.arange(COUNT) * 0.5


def plain_objects():
    return [Plain(i * 0.5, i) for i in range(COUNT)]


def slotted_objects():
    return [Slots(i * 0.5, i) for i in range(COUNT)]


def named_tuples():
    return [Row(i * 0.5, i) for i in range(COUNT)]


def dicts():
    return [{"x": i * 0.5, "y": i} for i in range(COUNT)]


def columns():
    return array.array("d", (i * 0.5 for i in range(COUNT))), array.array("q", range(COUNT))


CHOICES: list[tuple[str, Callable, list[Callable]]] = [
    ("10000 floats", appended, [preallocated, comprehended, array_appended, array_of_generator, numpy_vector]),
    ("10000 pairs", plain_objects, [slotted_objects, named_tuples, dicts, columns]),
]


def retained(make: Callable) -> int:
    """Bytes that the result holds."""
    make()
    tracemalloc.start()
    kept = make()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return held


def main(quick: bool) -> None:
    for what, habit, others in CHOICES:
        for other in others:
            try:
                other()
            except ImportError:
                continue
            pair = {f.__name__: lambda f=f: cpu_ns(f) / COUNT for f in (habit, other)}
            report(f"{what}: time each", "ns", in_turns(pair, 3 if quick else 41), other.__name__, habit.__name__, 1.0)
            held = {f.__name__: [retained(f) / COUNT] for f in (habit, other)}
            report(f"{what}: retained each", "bytes", held, other.__name__, habit.__name__, 1.0)
