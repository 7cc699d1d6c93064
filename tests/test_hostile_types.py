"""Faults that an attack on LRUCache, cached, Pool and the builders found: each of these crashed, lied or hung once."""

from __future__ import annotations

import sys

import pytest

from gomem import Builder, BytesBuilder, LRUCache, Pool, cached

HUGE = 1 << 62


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


def test_sizes_that_sum_beyond_64_bits():
    cache = LRUCache(10, lambda value: value, maxbytes=sys.maxsize)
    for i in range(5):
        cache[i] = HUGE
    assert dict(cache) == {4: HUGE} and cache.currsize == HUGE and cache.stats().evictions == 4


@pytest.mark.parametrize("bound", ["ttl", "idle"])
def test_a_deadline_beyond_the_clock_is_never(bound):
    cache = LRUCache(10, clock=lambda: 1.8e9, **{bound: 8e9})
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
