"""Pool: sync.Pool's rules one by one, its bounds, statistics and debug mode, and the buffers."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
import threading
import weakref

import pytest

from gomem import Pool, buffers, pressure
from gomem.pool import Buffers, PoolError


class Thing:
    pass


# --- the five rules ---


def test_get_reuses_or_makes_and_never_waits():
    pool = Pool(Thing)
    first, second = pool.get(), pool.get()
    assert first is not second and len(pool) == 0 and pool
    pool.put(first)
    pool.put(second)
    assert len(pool) == 2 and {id(pool.get()), id(pool.get())} == {id(first), id(second)}
    stats = pool.stats()
    assert (stats.reused, stats.made, stats.puts, stats.hit_ratio) == (2, 2, 2, 0.5)


def test_reset_runs_before_an_object_is_stored():
    pool = Pool(list, reset=list.clear)
    item = pool.get()
    item.append(1)
    pool.put(item)
    assert item == [] and pool.get() is item

    pool = Pool(list, reset=lambda item: len(item) < 3)
    pool.put([1])
    pool.put([1, 2, 3])
    assert len(pool) == 1 and pool.stats().dropped == 1

    failing = Pool(list, reset=lambda item: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failing.put([])
    assert len(failing) == 0


def test_objects_vanish_at_the_second_full_collection():
    pool = Pool(Thing)
    item = Thing()
    alive = weakref.ref(item)
    pool.put(item)
    del item
    gc.collect(0)
    gc.collect(1)
    gc.collect()
    assert alive() is not None and len(pool) == 1
    gc.collect()
    assert alive() is None and len(pool) == 0 and pool.stats().aged == 1


def test_a_victim_that_is_used_lives_on():
    pool = Pool(Thing)
    item = Thing()
    pool.put(item)
    for _ in range(5):
        pool.age()
        assert pool.get() is item
        pool.put(item)


def test_threads_reuse_each_others_objects_before_making_new_ones():
    pool = Pool(Thing)
    items = [Thing() for _ in range(20)]

    def put_one(item):
        pool.put(item)

    for item in items:
        thread = threading.Thread(target=put_one, args=(item,))
        thread.start()
        thread.join()
    assert {id(pool.get()) for _ in range(20)} == set(map(id, items)) and pool.stats().made == 0


def test_an_object_is_handed_to_one_thread_at_a_time():
    pool, errors = Pool(lambda: [0]), []

    def work():
        for _ in range(5000):
            item = pool.get()
            item[0] += 1
            if item[0] != 1:
                errors.append(item)
            item[0] -= 1
            pool.put(item)

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors and pool.stats().made <= 8


# --- bounds, borrowing, statistics ---


def test_bounds():
    pool = Pool(bytearray, maxsize=2)
    for _ in range(4):
        pool.put(bytearray(5))
    assert len(pool) == 2 and pool.stats().dropped == 2
    pool.age()
    pool.put(fresh := bytearray(7))
    assert len(pool) == 2 and pool.get() is fresh

    sized = Pool(bytearray, maxbytes=100, getsizeof=len)
    for size in (60, 60, 30, 101):
        sized.put(bytearray(size))
    assert [len(sized.get()) for _ in range(2)] == [30, 60] and sized.stats().bytes == 0
    sized.put(bytearray(90))
    sized.age()
    sized.put(bytearray(95))
    assert len(sized) == 1 and sized.stats().bytes == 95
    assert Pool(bytearray, maxbytes=10_000).put(bytearray(50)) is None
    none = Pool(Thing, maxsize=0)
    none.put(Thing())
    assert len(none) == 0


@pytest.mark.parametrize("options", [{"maxsize": -1}, {"maxbytes": -5}])
def test_bad_bounds(options):
    with pytest.raises(ValueError, match="want at least 0"):
        Pool(Thing, **options)


def test_bad_arguments():
    for attempt in (lambda: Pool(5), lambda: Pool(Thing, reset=5), lambda: Pool(Thing, getsizeof=5), lambda: Pool()):
        with pytest.raises(TypeError):
            attempt()
    with pytest.raises(ValueError):
        Pool(Thing).shrink(-1)
    for bad in (-1, "x"):
        pool = Pool(Thing, maxbytes=5, getsizeof=lambda item, bad=bad: bad)
        with pytest.raises((ValueError, TypeError)):
            pool.put(Thing())
        assert len(pool) == 0
    for attempt in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(Pool(Thing))
    assert repr(Pool(Thing)) == "<Pool 0 objects>" and Pool[int].__origin__ is Pool


def test_borrow():
    pool = Pool(Thing)
    with pool.borrow() as item:
        assert len(pool) == 0
    assert pool.get() is item
    with pytest.raises(LookupError), pool.borrow():
        raise LookupError
    assert len(pool) == 0


def test_statistics_tell_what_construction_costs():
    def new():
        return [object() for _ in range(2000)]

    pool = Pool(new, reset=lambda item: None)
    for _ in range(200):
        pool.put(pool.get())
    stats = pool.stats()
    assert stats.reused == 199 and stats.made == 1 and stats.new_ns > stats.reset_ns > 0
    assert stats.saved_ns == pytest.approx(199 * stats.new_ns - 200 * stats.reset_ns)


def test_a_new_that_fails():
    pool = Pool(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pool.get()
    assert pool.stats().made == 1 and len(pool) == 0


def test_shrink_and_pressure():
    pool = Pool(Thing)
    for _ in range(10):
        pool.put(Thing())
    assert pool.shrink(0.45) == 5 and len(pool) == 5
    assert pressure.shrink(1) >= 5 and len(pool) == 0


# --- hostile use ---


def test_hooks_and_finalisers_may_use_the_pool():
    class Value:
        def __del__(self):
            pool.put(Thing())
            pool.get()

    def reset(item):
        gc.collect(0)
        if len(pool) < 5:
            pool.put(pool.get())
        pool.age()

    pool = Pool(Value, maxsize=3)
    for _ in range(50):
        pool.put(pool.get())
        pool.put(Value())
        pool.age()
        pool.shrink(0.5)
    depth = [0]

    def nested(item):
        depth[0] += 1
        if depth[0] < 50:
            wild.put([])
            wild.get()

    wild = Pool(list, reset=nested)
    wild.put([])
    assert len(wild) >= 0 and reset


def test_cycles_through_a_pool_are_collected():
    pool = Pool(Thing)
    item = Thing()
    item.pool = pool
    pool.put(item)
    alive = weakref.ref(item), weakref.ref(pool)
    del pool, item
    gc.collect()
    assert [ref() for ref in alive] == [None, None]


def test_no_reference_is_leaked():
    item = object()
    before = sys.getrefcount(item)
    for options in ({}, {"maxsize": 1}, {"maxbytes": 1000}, {"reset": id}, {"reset": lambda item: False}):
        pool = Pool(lambda: item, **options)
        for _ in range(300):
            pool.put(item)
            pool.get()
            with pool.borrow():
                pass
            pool.age()
            pool.shrink(0.5)
    del pool
    gc.collect()
    assert sys.getrefcount(item) == before


def test_fork():
    pool = Pool(Thing)
    pool.put(Thing())
    pid = os.fork()
    if pid == 0:
        pool.get()
        pool.put(Thing())
        os._exit(len(pool) - 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 and len(pool) == 1


# --- debug mode ---


def test_debug_finds_double_put():
    pool = Pool(Thing, debug=True)
    item = pool.get()
    pool.put(item)
    with pytest.raises(PoolError, match=r"got the same Thing twice; first put at .*test_pool.py:\d+ in test_debug_finds"):
        pool.put(item)


def test_debug_finds_use_after_put():
    pool = Pool(Thing, debug=True)
    item = pool.get()
    pool.put(item)
    with pytest.raises(PoolError, match="pooled Thing still has 1 other references, want none; put at .*test_pool.py"):
        pool.get()
    del item
    with pool.borrow() as item:
        assert isinstance(item, Thing)


def test_debug_lists_what_was_never_returned():
    pool = Pool(list, debug=True)
    kept = pool.get()
    pool.put(pool.get())
    [(name, stack)] = pool.outstanding()
    assert name == "list" and "test_debug_lists" in stack
    pool.put(kept)
    assert pool.outstanding() == []
    with pytest.raises(PoolError, match="without debug mode"):
        Pool(list).outstanding()


def test_debug_by_environment(monkeypatch):
    monkeypatch.setenv("GOMEM_POOL_DEBUG", "1")
    assert Pool(list).outstanding() == [] and isinstance(Pool(list), Pool)


@pytest.mark.parametrize("bound", ["maxsize", "maxbytes"])
def test_a_bound_of_another_type_is_named(bound):
    with pytest.raises(TypeError, match=f"{bound}: got float, want an int or None"):
        Pool(list, **{bound: 1.5})


# --- buffers ---


def test_size_classes():
    assert [Buffers.class_of(size) for size in (0, 16383, 16384, 16385, 20481, 65536, 65537, 81921, 1 << 26, (1 << 26) + 1)] == [
        0, 0, 16384, 20480, 24576, 65536, 81920, 98304, 1 << 26, 0,
    ]  # fmt: skip
    for size in range(16384, 300_000, 777):
        assert size <= Buffers.class_of(size) <= size * 1.25 + 1
        assert Buffers.class_of(Buffers.class_of(size)) == Buffers.class_of(size)
    with pytest.raises(ValueError):
        buffers.get(-1)


def test_buffers_are_reused_by_class():
    mine = Buffers()
    first = mine.get(70_000)
    assert len(first) == 81920
    mine.put(first)
    assert mine.get(80_000) is first and mine.get(80_000) is not first
    assert len(mine.get(100)) == 100 and mine.stats()[81920].reused == 1
    mine.put(bytearray(100))
    assert repr(mine) == "<Buffers 0 buffers in 1 classes>"


def test_borrowed_views():
    mine = Buffers()
    with mine.borrow(70_000) as view:
        assert len(view) == 70_000 and not view.readonly
        view[:3] = b"abc"
        first = view.obj
    with pytest.raises(ValueError, match="released"):
        view[0]
    with mine.borrow(70_000) as view:
        assert view.obj is first
        kept = view[:10]
    assert mine.stats()[81920].dropped == 1 and kept.obj is first
    with mine.borrow(70_000) as view:
        assert view.obj is not first
    with pytest.raises(LookupError), mine.borrow(50):
        raise LookupError


def test_a_viewed_bytearray_is_not_pooled():
    pool = Pool(bytearray)
    item = bytearray(10)
    with memoryview(item):
        pool.put(item)
    assert len(pool) == 0 and pool.stats().dropped == 1


def test_greenlets_that_switch_inside_new_and_reset():
    greenlet = pytest.importorskip("greenlet")
    out: list[object] = []

    def switch(*_):
        parent = greenlet.getcurrent().parent
        if parent is not None:
            parent.switch()

    def new():
        switch()
        return {}

    pool = Pool(new, reset=switch)

    def work():
        for _ in range(50):
            item = pool.get()
            assert not any(item is other for other in out)  # nobody else has it
            out.append(item)
            switch()
            out[:] = [other for other in out if other is not item]
            pool.put(item)

    workers = [greenlet.greenlet(work) for _ in range(8)]
    while any(not worker.dead for worker in workers):
        for worker in workers:
            if not worker.dead:
                worker.switch()
    stats = pool.stats()
    assert out == [] and stats.puts == 400 and stats.made + stats.reused == 400 and stats.made <= 16 and len(pool) <= 8
