"""A heap whose allocation sites and sizes are known exactly.

Thirty functions allocate ``bytes`` objects, each function one size; the sizes run from 40 B to 256 KiB and the shares of the
heap fall as 1, 1/2, 1/3, ... A ``bytes`` object is one allocation of ``sys.getsizeof`` bytes, so the truth is arithmetic.
Each site also makes and drops twice what it keeps. Sites take turns in small steps, as the parts of a program do.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SITES = 30
SIZES = (40, 80, 200, 500, 1500, 6000, 30_000, 256_000)
STEPS = 50
HEADER = sys.getsizeof(b"")
DROPPED = 2  # bytes made and dropped for one byte kept

SOURCE = """
def site_{number:02d}(heap, kept, dropped):
    for place in kept:
        heap[place] = bytes({length})
    for _ in dropped:
        bytes({length})
"""


@dataclass(frozen=True)
class Site:
    name: str
    size_bytes: int
    kept: int  # objects
    allocate: Callable[[list[bytes | None], Iterable[int], Iterable[None]], None]

    @property
    def inuse_bytes(self) -> int:
        return self.kept * self.size_bytes

    @property
    def alloc_bytes(self) -> int:
        return self.inuse_bytes * (1 + DROPPED)


def plan(total_bytes: int) -> list[Site]:
    """The sites of a heap of about that many bytes in use."""
    names: dict[str, Callable[..., None]] = {}
    for number in range(SITES):
        source = SOURCE.format(number=number, length=SIZES[number * 5 % len(SIZES)] - HEADER)
        exec(compile(source, "known_heap.py", "exec"), names)  # noqa: S102 - functions that differ in a constant
    share = total_bytes / sum(1 / (number + 1) for number in range(SITES))
    sites = []
    for number in range(SITES):
        size = SIZES[number * 5 % len(SIZES)]
        name = f"site_{number:02d}"
        sites.append(Site(name, size, max(1, round(share / (number + 1) / size)), names[name]))
    return sites


class Room:
    """The empty list to build in and its indexes, made before profiling so that a site allocates nothing but its bytes."""

    def __init__(self, sites: list[Site]) -> None:
        count = sum(site.kept for site in sites)
        self.heap: list[bytes | None] = [None] * count
        self.places = list(range(count))


def build(sites: list[Site], room: Room) -> None:
    """Allocates everything, in ``STEPS`` turns of all sites, and keeps the heap in ``room``."""
    places = iter(room.places)
    for step in range(STEPS):
        for site in sites:
            count = site.kept * (step + 1) // STEPS - site.kept * step // STEPS
            dropped = count * DROPPED
            site.allocate(room.heap, itertools.islice(places, count), itertools.repeat(None, dropped))
