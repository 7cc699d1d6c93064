"""Programs for test_collector_programs.py, one a run: ``python programs.py NAME``. Each fails with an AssertionError."""

import gc
import os
import random
import sys
import time
import weakref

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


def old_ones():
    return [each for each in gc.get_objects(2) if type(each).__name__ != "marker"]


def is_in(one, generation):
    return any(each is one for each in gc.get_objects(generation))


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
    assert not old_ones(), old_ones()
    assert kept[0][0] == 0


def recent_is_young_again():
    """What came into the oldest generation since a cycle began is looked for with the young, and no cycle is needed."""
    old = Session()
    gc.freeze()
    gomem.gc.enable(percent=10_000)
    _core.gc_relieve_young()  # from now on it is known what came in
    garbage, live = [Session() for _ in range(50)], Session()
    gc.collect(1)
    assert len(old_ones()) > 50
    grown = gomem.gc.stats().grown
    dead = [weakref.ref(session) for session in garbage]
    del garbage
    _core.gc_relieve_young()
    assert not any(reference() for reference in dead)
    assert not old_ones() and is_in(live, 1), old_ones()
    assert gomem.gc.stats().grown < grown and gomem.gc.stats().cycles == 0
    assert gomem.gc.collect() == 0 and old.me is old and live.me is live
    gomem.gc.disable()
    assert not any(type(each).__name__ == "marker" for each in gc.get_objects())


def recent_and_old_garbage():
    """Garbage that is partly old and partly young again is of the next cycle."""
    gc.disable()
    old = Session()
    gc.collect(1)
    gomem.gc.enable(percent=10_000)
    _core.gc_before_fork()  # steps are ours
    _core.gc_relieve_young()
    old.other = recent = Session()
    recent.other = old
    gc.collect(1)
    dead = [weakref.ref(old), weakref.ref(recent)]
    del old, recent
    _core.gc_relieve_young()
    assert is_in(dead[0](), 2) and is_in(dead[1](), 1)
    while _core.gc_step(1000, 0) not in (0, -1):
        pass
    assert not any(reference() for reference in dead)


def too_many_are_old():
    """Of more than some ten thousand only those that come in from now on are young again."""
    gc.freeze()
    gc.disable()  # no cycle begins
    gomem.gc.enable(percent=10_000)
    _core.gc_relieve_young()
    many = [[i] for i in range(60_000)]
    gc.collect(1)
    _core.gc_relieve_young()
    assert is_in(many[0], 2) and len(old_ones()) >= 60_000, len(old_ones())
    few = [[i] for i in range(1000)]
    gc.collect(1)
    assert is_in(few[0], 2)
    _core.gc_relieve_young()
    assert not is_in(few[0], 2) and is_in(many[0], 2)


def old_and_large():
    """Garbage in the oldest generation that is few objects and much memory: the limit starts cycles for it."""
    slots, numbers = [Session() for _ in range(400)], random.Random(1)
    gomem.gc.enable(memory_limit="200MiB")
    for _ in range(12_000):
        slots[numbers.randrange(400)] = Session(128 << 10)
    assert peak() < 240 * MB, peak() / MB
    assert gomem.gc.stats().cycles > 0


def fail_a_cycle():
    _core.gc_before_fork()  # no worker
    while _core.gc_step(1000, 0) != 1:  # walk
        pass
    gc.freeze()


def fork_in_a_cycle():
    _core.gc_before_fork()
    while _core.gc_step(1000, 0) != 1:
        pass
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        os._exit(0)


def goes_on_after_a_failure():
    """A cycle that had to be given up is not the last one that begins by itself."""
    for fail in (fail_a_cycle, fork_in_a_cycle):
        gomem.gc.enable(percent=10)
        kept = [[i] for i in range(20_000)]
        gc.collect(1)
        fail()
        _core.gc_after_fork(False)
        for _ in range(400):
            kept.append([[i] for i in range(5_000)])
            if gomem.gc.stats().cycles > 0:
                break
            time.sleep(0.01)
        stats = gomem.gc.stats()
        assert stats.cycles > 0 and stats.aborted > 0, (fail, stats)
        gomem.gc.disable()


globals()[sys.argv[1]]()
