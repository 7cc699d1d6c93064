"""Faults that an attack on LRUCache, cached, Pool and the builders found: each of these crashed, lied or hung once."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref

import pytest

from gomem import Builder, BytesBuilder, LRUCache, Pool, _flight, cached
from gomem.lru import sizeof

HUGE = 1 << 60


class Final:
    """Calls a function when it dies."""

    def __init__(self, call) -> None:
        self.call = call

    def __del__(self) -> None:
        self.call()


# --- LRUCache ---


def test_a_second_init_that_is_refused_changes_nothing():
    cache = LRUCache(10, lambda value: 4, maxbytes=10, ttl=5)
    cache["a"] = 1
    with pytest.raises(TypeError, match="on_evict"):
        cache.__init__(3, on_evict=5)
    assert (cache.maxsize, cache.maxbytes, cache.ttl, dict(cache)) == (10, 10, 5.0, {"a": 1})
    cache["b"], cache["c"] = 2, 3
    assert list(cache) == ["b", "c"]


def test_a_second_init_meets_finalisers_that_use_the_cache():
    seen = []

    def use() -> None:
        seen.append(len(cache))
        cache[len(seen)] = "new"
        with pytest.raises(RuntimeError, match="keys changed"):
            next(iterators.pop())

    cache = LRUCache(10, lambda value: 1, maxbytes=5)
    cache["a"], cache["b"] = Final(use), Final(use)
    iterators = [iter(cache), iter(cache)]
    cache.__init__(7)
    assert seen == [0, 1] and dict(cache) == {1: "new", 2: "new"} and cache.maxsize == 7 and not iterators


def test_an_iterator_made_by_the_last_eviction_of_a_resize_is_refused():
    iterators = []
    cache = LRUCache(1000, on_evict=lambda *event: iterators.append(iter(cache)))
    cache.update((i, i) for i in range(1000))
    assert cache.resize(3) == 997
    for iterator in iterators:
        with pytest.raises(RuntimeError, match="keys changed"):
            next(iterator)


def test_a_getsizeof_that_replaces_itself():
    class Size:
        def __call__(self, value: object) -> int:
            cache.__init__(5, lambda value: 2, maxbytes=9)
            return 3

    cache = LRUCache(5, Size(), maxbytes=10)
    cache["a"] = 1
    assert cache.currsize == 3 and cache.getsizeof("any") == 2


def test_the_largest_sizes_add_up():
    cache = LRUCache(10, lambda value: value, maxbytes=2 * HUGE - 1)
    for i in range(5):
        cache[i] = HUGE
    assert dict(cache) == {4: HUGE} and cache.currsize == HUGE and cache.stats().evictions == 4


@pytest.mark.parametrize("bound", ["ttl", "idle"])
def test_the_latest_deadline_of_the_latest_clock(bound):
    cache = LRUCache(10, clock=lambda: 4.4e9, **{bound: 4.4e9})
    cache["a"] = 1
    assert cache.get("a") == 1 and cache.get("a") == 1


def test_setdefault_is_atomic_with_keys_compared_in_python():
    class Key:
        """Stores itself behind setdefault's back when it is hashed the second time."""

        hashed = 0

        def __hash__(self) -> int:
            self.hashed += 1
            if self.hashed == 2:
                cache.put(self, "theirs")
            return 1

    cache, key = LRUCache(10), Key()
    assert cache.setdefault(key, "ours") == "theirs" and cache[key] == "theirs" and len(cache) == 1


def test_the_default_size_looks_at_no_more_than_it_counts():
    class Endless(list):
        def __iter__(self):
            for i in range(10**6):
                looked.append(i)
                yield i

    looked: list[int] = []
    assert sizeof(Endless()) > 0 and len(looked) <= 1000


# --- Pool ---


def test_finalisers_of_a_second_init_cannot_put():
    def put() -> None:
        pool.put(object())
        pool.put(object())

    pool = Pool(object)
    for _ in range(3):
        pool.put(Final(put))
    pool.__init__(bytearray, maxbytes=1000)
    assert len(pool) == 0
    pool.put(bytearray(10))
    assert len(pool) == 1 and pool.shrink(1.0) == 1 and len(pool) == 0


def test_sizes_of_pooled_objects_cannot_overflow():
    sizes = iter([50, sys.maxsize, 60, 50])
    pool = Pool(object, maxbytes=100, getsizeof=lambda item: next(sizes))
    for _ in range(4):
        pool.put(object())
    assert (len(pool), pool.stats().bytes, pool.stats().dropped) == (2, 100, 2)


def test_pools_made_by_one_thread_while_another_collects(monkeypatch):
    errors: list = []
    monkeypatch.setattr(sys, "unraisablehook", lambda problem: errors.append(repr(problem.exc_value)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    keep = [Pool(list, shrinkable=False) for _ in range(300)]
    makers = [threading.Thread(target=lambda: [Pool(list) for _ in range(1500)]) for _ in range(2)]
    try:
        for maker in makers:
            maker.start()
        while any(maker.is_alive() for maker in makers):
            gc.collect()
    finally:
        sys.setswitchinterval(interval)
    assert keep and not errors


def test_debug_does_not_take_a_new_object_for_an_aged_one():
    class Thing:
        pass

    known: list[Thing] = []

    def new() -> Thing:
        known.append(Thing())
        return known[-1]

    pool = Pool(new, debug=True)
    for _ in range(20):
        pool.put(Thing())
        pool.age()
        pool.age()
        assert pool.get() is known.pop()


# --- cached ---


def test_set_name_wants_a_class_and_a_name():
    @cached
    def double(x):
        return 2 * x

    for wrong in ((int, 5), (7, "name")):
        with pytest.raises(TypeError, match="want a class and a str"):
            double.__set_name__(*wrong)
    assert double(4) == 8


def test_a_tower_of_decorators_falls_without_overflowing_the_stack():
    function = cached(len)
    for _ in range(200_000):
        function = type(function)(function, 10, False, False, False, tuple)
    del function


# --- builders ---


def test_a_closed_empty_builder_refuses_even_nothing():
    builder = Builder()
    assert builder.write("") == 0 and builder.build() == ""
    builder = Builder()
    builder.close()
    with pytest.raises(ValueError, match="after close"):
        builder.write("")


@pytest.mark.parametrize("make, piece", [(Builder, "abc"), (BytesBuilder, b"abc")])
def test_room_that_cannot_be_had_costs_nothing(make, piece):
    for verb in ("grow", "reserve"):
        builder = make()
        with pytest.raises(MemoryError):
            getattr(builder, verb)(10**17)
        assert builder.cap == 0 and len(builder) == 0
        builder.write(piece)
        with pytest.raises(MemoryError):
            getattr(builder, verb)(10**17)
        assert builder.build() == piece
        with pytest.raises(MemoryError):
            getattr(builder, verb)(10**17)
        builder.write(piece)
        assert builder.build() == piece * 2


# --- single flight ---


def run_in_thread(call) -> list:
    """What the call returns in a thread of its own, in a list; empty if it did not return within a minute."""
    out: list = []
    thread = threading.Thread(target=lambda: out.append(call()), daemon=True)
    thread.start()
    thread.join(60)
    return out


def test_a_key_that_fails_after_the_load_does_not_hang_the_next_one():
    class Key:
        bad = False

        def __hash__(self) -> int:
            if Key.bad:
                raise ZeroDivisionError
            return 1

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Key)

    def load(key: Key) -> int:
        Key.bad = True
        return 5

    cache = LRUCache(10)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load(Key(), load)
    Key.bad = False
    assert run_in_thread(lambda: cache.get_or_load(Key(), lambda key: 6)) == [6]


def test_an_interrupted_leader_leaves_alone():
    cache, loads = LRUCache(10), []
    entered, leave = threading.Event(), threading.Event()

    def load(key: str) -> int:
        loads.append(threading.get_ident())
        if len(loads) == 1:
            entered.set()
            leave.wait(60)
            raise SystemExit
        return 7

    def lead() -> None:
        with pytest.raises(SystemExit):
            cache.get_or_load("a", load)

    leader = threading.Thread(target=lead)
    leader.start()
    assert entered.wait(60)
    waiter = threading.Thread(target=lambda: out.append(cache.get_or_load("a", load)))
    out: list[int] = []
    waiter.start()
    while not _flight._waits:  # until it waits; the thread switches by itself
        pass
    leave.set()
    leader.join(60)
    waiter.join(60)
    assert out == [7] and len(loads) == 2


def test_a_failed_load_leaves_no_cycle():
    class Resource:
        pass

    def load(key: str) -> None:
        resource = Resource()
        references.append(weakref.ref(resource))
        raise KeyError(key)

    references: list[weakref.ref] = []
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(KeyError) as caught:
            LRUCache(10).get_or_load("a", load)
        del caught
        assert references[0]() is None
    finally:
        gc.enable()


def test_a_child_forked_under_the_lock_can_load():
    LRUCache(10).get_or_load("a", str)
    locked, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with _flight._lock:
            locked.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(60)
    pid = os.fork()
    if pid == 0:
        flight = _flight._Flight()
        flight.landed.set()
        os._exit(0 if run_in_thread(lambda: _flight.Flights._wait(flight)) == [True] else 1)
    leave.set()
    thread.join(60)
    assert os.waitpid(pid, 0)[1] == 0


def test_coroutines_that_ask_for_their_own_key_or_each_others():
    cache = LRUCache(10)

    async def one(key: str) -> int:
        return 1

    async def own(key: str) -> int:
        return 10 + (await asyncio.gather(cache.get_or_load_async(key, one)))[0]

    async def left(key: str) -> int:
        await asyncio.sleep(0)
        return 100 + await cache.get_or_load_async("right", right)

    async def right(key: str) -> int:
        await asyncio.sleep(0)
        return 1000 + await cache.get_or_load_async("left", one)

    async def main() -> None:
        assert await asyncio.wait_for(cache.get_or_load_async("own", own), 60) == 11
        both = asyncio.gather(cache.get_or_load_async("left", left), cache.get_or_load_async("right", right))
        assert await asyncio.wait_for(both, 60) == [1101, 1001]
        assert not _flight._task_waits

    asyncio.run(main())


def test_single_flight_over_any_mapping():
    results: dict = {}

    @cached(cache=results, single_flight=True)
    def double(x: int) -> int:
        return 2 * x

    assert double(2) == double(2) == 4 and results == {(2,): 4}


def test_a_cached_function_cached_again_keeps_its_own_state():
    @cached(maxsize=5, key=lambda x: "same")
    @cached(maxsize=7, key=lambda x: x)
    def same(x: int) -> int:
        return x

    same.__wrapped__.note = "inner"
    assert [same(1), same(2)] == [1, 1]
    assert same.cache_parameters()["maxsize"] == 5 and same.__wrapped__.cache_parameters()["maxsize"] == 7


def test_an_instance_never_gets_the_results_of_a_dead_one():
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        @cached(ttl=60)
        def read(self) -> str:
            return self.name

    old, new = Named("old"), Named("new")
    assert old.read() == "old"
    parts = Named.read._parts
    parts[id(new)] = parts.pop(id(old))  # as if new lay where old died while weak references did not call
    del old
    assert new.read() == "new"


# --- out of memory ---


def test_a_builder_short_of_memory_keeps_what_was_written():
    hooks = pytest.importorskip("_testcapi")  # CPython's own, which not every distribution ships
    pieces = ["a" * 70_000, "é" * 9000, "b" * 70_000, "中" * 20_000, "c" * 300_000, "🐍" * 3]
    failures = 0
    for first in range(40):
        builder, written = Builder(), 0
        hooks.set_nomemory(first, first + 1)
        try:
            for piece in pieces:
                builder += piece
                written += 1
            builder.build()
        except MemoryError:
            failures += 1
        finally:
            hooks.remove_mem_hooks()
        assert builder.build() == "".join(pieces[:written])
    assert failures > 10
