"""Programs for test_collector_programs.py, one a run: ``python programs.py NAME``. Each fails with an AssertionError."""

import gc
import random
import sys

import gomem.gc
from gomem import _core

MB = 1 << 20


class Session:
    def __init__(self, size=0):
        self.me = self
        self.items = [[i] for i in range(5)]
        self.body = bytes(range(1, 65)) * (size // 64)


def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def fair():
    """A thread that waits for the GIL gets it between two of the worker's slices, not after hundreds of them."""
    gc.disable()
    old = [{"key": [i], "name": (i, [i])} for i in range(500_000)]
    gc.collect()
    gc.enable()
    gomem.gc.enable()
    most, before, slices = 0, 0, 0
    while _core.gc_stats()["cycles"] == 0:
        old.append(Session())
        [{"row": j, "values": [j]} for j in range(20)]
        slices = sum(_core.gc_stats()["pauses"])
        most, before = max(most, slices - before), slices
    assert slices > 50, slices
    assert most < slices / 4, (most, slices)


def large_and_young():
    """CPython collects the young after 700 objects; here that is after a gigabyte. The limit is heard of before."""
    slots, numbers = [Session() for _ in range(4)], random.Random(1)
    gomem.gc.enable(memory_limit="400MiB")
    for _ in range(300):
        slots[numbers.randrange(4)] = Session(16 * MB)
    assert peak() < 500 * MB, peak() / MB


def as_young_as_before():
    """What survives when the limit has young garbage looked for does not grow old by it."""
    gomem.gc.enable(memory_limit="300MiB")
    kept = []
    gc.freeze()  # nothing old but what follows
    for i in range(150):
        kept.append([i])
        kept[-1].append(bytes(range(1, 65)) * (1 << 14))  # 1 MiB
    assert not gc.get_objects(2), len(gc.get_objects(2))
    assert kept[0][0] == 0


def old_and_large():
    """Garbage in the oldest generation that is few objects and much memory: the limit starts cycles for it."""
    slots, numbers = [Session() for _ in range(400)], random.Random(1)
    gomem.gc.enable(memory_limit="200MiB")
    for _ in range(12_000):
        slots[numbers.randrange(400)] = Session(128 << 10)
    assert peak() < 240 * MB, peak() / MB
    assert gomem.gc.stats().cycles > 0


globals()[sys.argv[1]]()
