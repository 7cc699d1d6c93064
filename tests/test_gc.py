"""gomem.gc in this process: switching it on and off, its settings, one cycle; programs of their own are in isolated/."""

import gc
import sys
import time

import pytest

import gomem.gc as concurrent
from gomem.errors import UsageError

pytestmark = pytest.mark.skipif(concurrent.unsupported() is not None, reason=str(concurrent.unsupported()))


class Node:
    def __init__(self):
        self.me = self


@pytest.fixture
def collector():
    concurrent.enable()
    yield concurrent
    concurrent.disable()


def old_garbage(count):
    """Cycles that lie in the oldest generation and that nothing refers to any more."""
    nodes = [Node() for _ in range(count)]
    gc.collect(1)
    nodes.clear()


def test_a_cycle_frees_what_a_full_collection_would(collector):
    old_garbage(1000)
    assert collector.collect() >= 1000
    assert gc.collect() == 0


def test_disable_puts_everything_back():
    before = gc.get_threshold(), list(gc.callbacks)
    concurrent.enable()
    assert concurrent.is_enabled()
    concurrent.disable()
    concurrent.disable()
    assert not concurrent.is_enabled()
    assert (gc.get_threshold(), gc.callbacks) == before
    with pytest.raises(RuntimeError, match="got a disabled collector"):
        concurrent.collect()


def test_large_rounds_are_looked_at_as_seldom_as_the_program_asks(collector):
    """The middle generation is collected more often where that makes stops shorter: not where each round is a long stop itself."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, 10, before[2])
    gc.collect(1)
    counted = [generation["collections"] for generation in gc.get_stats()]
    try:
        kept = [[i] for i in range(900_000)]
    finally:
        gc.set_threshold(*before)
    young, middle, full = (now["collections"] - then for now, then in zip(gc.get_stats(), counted, strict=True))
    assert len(kept) == 900_000 and young > 40
    assert middle <= young // 10 and full == 0


@pytest.mark.parametrize(("thresholds", "stops"), [((700, 10, 10), 1), ((20_000, 10, 30), 0), ((20_000, 0, 300), 0), ((0, 10, 10), 0)])
def test_a_program_that_outruns_a_cycle_is_stopped_only_where_cpython_would_collect(thresholds, stops):
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(*thresholds)
    concurrent.enable(pause_ms=0.05)  # too little to keep up
    stock, kept = concurrent.stats().stock, []
    try:
        for _ in range(2):
            gc.disable()
            kept += [[i] for i in range(600_000)]
            gc.enable()
            gc.collect(1)  # makes them old at once
        assert concurrent.stats().stock - stock == stops
    finally:
        gc.set_threshold(*before)
        gc.enable()
        concurrent.disable()


def test_a_cycle_that_costs_little_comes_to_its_end_without_the_worker():
    """What it owes as a whole is less than a slice is worth, and the program keeps the GIL."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    concurrent.enable(pause_ms=1000)
    cycles, end = concurrent.stats().cycles, time.monotonic() + 20
    kept = [[number] for number in range(200_000)]
    try:
        gc.collect(1)  # makes them old at once
        while concurrent.stats().cycles == cycles and time.monotonic() < end:
            gc.collect(0)
        assert len(kept) == 200_000 and concurrent.stats().cycles > cycles
    finally:
        sys.setswitchinterval(interval)
        concurrent.disable()


def test_a_full_collection_starts_the_count_of_young_ones_anew():
    before = gc.get_threshold()
    gc.set_threshold(before[0], 4, before[2])
    concurrent.enable()  # so that the middle generation is due after 4, where CPython would wait for 10
    gc.set_threshold(before[0], 10, before[2])
    try:
        for _ in range(3):
            gc.collect(0)
        gc.collect()
        gc.collect(0)
        assert gc.get_count()[1:] == (1, 0)
    finally:
        concurrent.disable()
        gc.set_threshold(*before)


def test_a_collection_that_was_asked_for_leaves_cpythons_counters():
    """Also where the middle generation is to be collected after each young collection."""
    before = gc.get_threshold()
    gc.set_threshold(before[0], 1, before[2])
    concurrent.enable()
    gc.set_threshold(*before)
    try:
        gc.collect()
        gc.collect(0)
        assert gc.get_count()[1:] == (1, 0)
    finally:
        concurrent.disable()


def test_what_a_finaliser_makes_is_not_counted(collector):
    """It is young garbage of its own, and not what the cycle has found."""

    class Makes:
        def __del__(self):
            for _ in range(5):
                Node()

    made = [Node() for _ in range(1000)]
    for node in made:
        node.tail = Makes()  # in a later batch: finalised by its count, before CPython looks at that batch
    gc.collect(1)
    del made, node
    collector.collect()
    assert 2000 <= collector.stats().last.freed <= collector.stats().last.candidates


def test_hooks_hear_of_a_cycle(collector):
    heard = []
    collector.callbacks.append(lambda phase, info: heard.append((phase, info["cycle"])))
    try:
        old_garbage(10)
        collector.collect()
        gc.collect(0)
    finally:
        collector.callbacks.clear()
    assert [phase for phase, _ in heard] == ["start", "stop"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"percent": 0}, "percent: got 0, want"),
        ({"pause_ms": 0}, "pause_ms: got 0, want"),
        ({"memory_limit": 0}, "memory_limit: got 0, want"),
        ({"memory_limit": "much"}, "size: got 'much'"),
        ({"memory_limit": "120%"}, "memory_limit: got '120%'"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        concurrent.enable(**arguments)
    assert not concurrent.is_enabled()


def test_the_environment_variable():
    assert concurrent.parse("1") == {}
    assert concurrent.parse("percent=50,limit=1.5GiB,pause=2,trace=1") == {
        "percent": 50.0,
        "memory_limit": "1.5GiB",
        "pause_ms": 2.0,
        "trace": True,
    }
    with pytest.raises(UsageError, match="got 'speed=9'"):
        concurrent.parse("speed=9")


def test_a_program_that_starts_up_is_not_stopped_for_it(collector):
    """Growth alone, however fast, calls for no stop-the-world collection below half a million objects."""
    kept = [[number] for number in range(400_000)]
    assert collector.stats().stock == 0
    assert len(kept) == 400_000
