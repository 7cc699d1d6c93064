"""LRUCache: the mapping, its bounds and clocks, and everything hostile that keys, values and callbacks can do."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import random
import subprocess
import sys
import threading
import weakref
from collections.abc import MutableMapping

import pytest

from gomem import LRUCache
from gomem.lru import sizeof


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# --- the mapping ---


def test_the_lesson_exercise():
    cache = LRUCache(100)
    for i in range(150):
        cache.put(f"key{i}", i)
    assert "key0" not in cache
    assert cache.get("key100") == 100
    assert len(cache) == 100 and cache.stats().evictions == 50


def test_is_a_mutable_mapping():
    cache = LRUCache(10)
    assert isinstance(cache, MutableMapping)
    cache.update({"a": 1}, b=2)
    assert cache == {"a": 1, "b": 2} and cache != {"a": 1} and dict(cache) == {"a": 1, "b": 2}
    assert cache.setdefault("a", 9) == 1 and cache.setdefault("c") is None
    assert cache.pop("c", 5) is None and cache.pop("c", 5) == 5
    assert cache.popitem() in (("a", 1), ("b", 2))
    assert ("b", 2) in cache.items() or ("a", 1) in cache.items()
    cache.clear()
    assert not cache and list(cache) == []
    with pytest.raises(KeyError, match="empty"):
        cache.popitem()
    with pytest.raises(KeyError) as caught:
        cache[(1, 2)]
    assert caught.value.args == ((1, 2),)
    with pytest.raises(TypeError):
        hash(cache)


def test_reads_promote_and_peeks_do_not():
    cache = LRUCache(3)
    cache.update(a=1, b=2, c=3)
    assert cache["a"] == cache.peek("b") == 1 or cache.peek("b") == 2
    assert "b" in cache and list(cache) == ["b", "c", "a"] and list(reversed(cache)) == ["a", "c", "b"]
    assert list(cache.values()) == [2, 3, 1] and list(reversed(cache.items())) == [("a", 1), ("c", 3), ("b", 2)]
    assert cache.put("d", 4) is True and "b" not in cache and cache.put("d", 5) is False


def test_iteration_survives_reads_and_refuses_changes():
    cache = LRUCache(5)
    cache.update(zip("abcde", range(5)))
    assert [(key, cache[key]) for key in cache] == list(zip("abcde", range(5)))
    for change in (lambda: cache.put("new", 1), lambda: cache.pop("e"), cache.clear, lambda: cache.resize(2)):
        cache.update(zip("abcde", range(5)))
        keys = iter(cache.keys())
        next(keys)
        change()
        with pytest.raises(RuntimeError, match="changed during iteration"):
            next(keys)
        assert list(keys) == []
        cache.resize(5)


def test_iterating_while_replacing_a_value_is_fine():
    cache = LRUCache(3)
    cache.update(a=1, b=2)
    for key in cache:
        cache[key] = 0
    assert dict(cache.items()) == {"a": 0, "b": 0}


@pytest.mark.parametrize(
    "args, kwargs, message",
    [
        ((), {}, "got no bound"),
        ((0,), {}, "maxsize: got 0, want 1 to"),
        ((10**10,), {}, "maxsize"),
        ((5,), {"maxbytes": 0}, "maxbytes: got 0"),
        ((5,), {"maxbytes": 1 << 62}, "maxbytes: got 4611686018427387904"),
        ((5,), {"ttl": 5e9}, "seconds: got 5000000000.0, want less than 4.5e9"),
        ((5,), {"ttl": 0}, "ttl: got 0"),
        ((5,), {"idle": -1}, "idle: got -1"),
        ((5,), {"ttl": float("nan")}, "seconds: got nan"),
        ((5,), {"policy": "mru"}, "policy: got 'mru', want one of lru, s3fifo"),
    ],
)
def test_bad_bounds_are_refused(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        LRUCache(*args, **kwargs)


def test_bad_arguments_are_refused():
    cache = LRUCache(2)
    for call in (
        lambda: cache.get(),
        lambda: cache.get(1, 2, 3),
        lambda: cache.put(1),
        lambda: cache.put(1, 2, size=3),
        lambda: cache.get([]),
        lambda: cache.put({}, 1),
        lambda: LRUCache("5"),
        lambda: LRUCache(5, on_evict=7),
        lambda: cache.resize("x"),
    ):
        with pytest.raises(TypeError):
            call()
    for call in (lambda: cache.put(1, 2, ttl=3), lambda: cache.resize(0), lambda: cache.resize(None), lambda: cache.shrink(2)):
        with pytest.raises(ValueError):
            call()
    assert len(cache) == 0


def test_cannot_be_pickled_or_copied():
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(LRUCache(1))


def test_subclasses():
    class Doubling(LRUCache):
        def __missing__(self, key):
            return key * 2

    cache = Doubling(2)
    assert cache[4] == 8 and 4 not in cache and cache.get(4) is None
    cache.extra = weakref.ref(cache)
    assert cache.extra() is cache and "Doubling 0 entries" in repr(cache)
    assert LRUCache[str, int].__origin__ is LRUCache


def test_repr_of_a_cache_in_itself_ends():
    cache = LRUCache(2, maxbytes=10_000, ttl=5)
    cache["self"] = cache
    assert repr(cache) == "<LRUCache 1 entries, maxsize=2, maxbytes=10000, ttl=5.0, policy='lru'>"


# --- bounds ---


def test_maxbytes_counts_sizes():
    gone = []
    cache = LRUCache(maxbytes=10, getsizeof=len, on_evict=lambda *event: gone.append(event))
    cache.update(a="xxxx", b="yyyy")
    cache["c"] = "zzzzz"
    assert gone == [("a", "xxxx", "size")] and cache.currsize == 9 == cache.stats().bytes
    cache["b"] = "y" * 6
    assert list(cache) == ["b"] and cache.currsize == 6
    with pytest.raises(ValueError, match="value too large"):
        cache["d"] = "w" * 11
    assert cache["b"] == "y" * 6
    del cache["b"]
    assert cache.currsize == 0


def test_default_sizes_follow_the_value():
    assert sizeof("x" * 1000) >= 1000
    assert sizeof(["x" * 1000, "y" * 1000]) >= 2000
    shared = "x" * 1000
    assert sizeof([shared, shared]) < 2000
    loop: list = []
    loop.append(loop)
    assert sizeof(loop) == sys.getsizeof(loop)

    class Point:
        def __init__(self):
            self.data = b"x" * 5000

    assert sizeof(Point()) > 5000
    cache = LRUCache(maxbytes=100_000)
    for i in range(1000):
        cache[i] = b"x" * 1000
    assert 80 <= len(cache) <= 95 and cache.currsize <= 100_000


def test_getsizeof_alone_bounds_the_sum_as_in_cachetools():
    cache = LRUCache(10, getsizeof=len)
    cache.update(a="xxxx", b="yyyy", c="zzzz")
    assert list(cache) == ["b", "c"] and cache.maxsize == 10 and cache.currsize == 8
    assert cache.getsizeof("four") == 4 and LRUCache(5).getsizeof("four") == 1
    with pytest.raises(ValueError):
        cache.resize(3)


@pytest.mark.parametrize("answer", [-1, 11, "x", 10**30])
def test_bad_sizes_change_nothing(answer):
    cache = LRUCache(maxbytes=10, getsizeof=lambda value: answer if value == "bad" else 1)
    cache["a"] = "good"
    with pytest.raises((ValueError, TypeError, OverflowError)):
        cache["a"] = "bad"
    assert cache["a"] == "good" and len(cache) == 1


def test_resize_gives_memory_back():
    cache = LRUCache(10_000)
    cache.update((i, i) for i in range(10_000))
    before = sys.getsizeof(cache)
    assert cache.resize(100) == 9900 and list(cache) == list(range(9900, 10_000))
    assert sys.getsizeof(cache) < before / 50
    assert all(cache[i] == i for i in range(9900, 10_000))
    cache.resize(20_000)
    cache.update((i, i) for i in range(20_000))
    assert len(cache) == 20_000


def test_shrink_evicts_a_fraction():
    cache = LRUCache(1000)
    cache.update((i, i) for i in range(1000))
    assert cache.shrink(0.25) == 250 and list(cache) == list(range(250, 1000))
    assert cache.shrink(0) == 0 and cache.shrink(1) == 750 and not cache
    cache[1] = 2
    assert cache.shrink(0.01) == 1


@pytest.mark.parametrize("kind, limit", [("count", 44.5), ("s3fifo", 66)])
def test_bytes_per_entry(kind, limit):
    for size in (1000, 10_000, 100_000):
        cache = LRUCache(size, policy="s3fifo" if kind == "s3fifo" else "lru")
        for i in range(size * 2):
            cache[i] = None
        assert len(cache) == size and (sys.getsizeof(cache) - sys.getsizeof(LRUCache(1))) / size <= limit


def test_a_steady_cache_allocates_nothing():
    cache = LRUCache(1000)
    keys = list(range(3000))
    for key in keys:
        cache[key] = None
    blocks = sys.getallocatedblocks()
    for key in keys:
        cache[key] = None
    assert abs(sys.getallocatedblocks() - blocks) < 20 and cache.stats().evictions == 5000


# --- time ---


def test_ttl():
    clock, gone = Clock(), []
    cache = LRUCache(10, ttl=5, clock=clock, on_evict=lambda *event: gone.append(event))
    cache["a"] = 1
    cache.put("b", 2, ttl=20)
    clock.now += 4
    assert cache["a"] == 1 and "a" in cache
    clock.now += 1
    assert cache.get("a") is None and "a" not in cache and list(cache) == ["b"] and gone == [("a", 1, "expired")]
    cache["b"] = 3
    clock.now += 5
    assert len(cache) == 0 and cache.stats().expirations == 2
    with pytest.raises(ValueError, match="ttl"):
        cache.put("c", 1, ttl=-1)


def test_idle():
    clock = Clock()
    cache = LRUCache(10, idle=5, clock=clock)
    cache.update(a=1, b=2)
    for _ in range(4):
        clock.now += 4
        assert cache["a"] == 1 and cache.peek("a") == 1
    assert "b" not in cache and cache.ttl is None and cache.idle == 5
    clock.now += 4
    cache.peek("a")
    clock.now += 1
    assert cache.get("a") is None


def test_expired_entries_leave_without_being_asked_for():
    clock = Clock()
    cache = LRUCache(1000, ttl=5, clock=clock)
    cache.update((i, i) for i in range(900))
    clock.now += 10
    for i in range(450):
        cache["x"] = i
    assert cache.stats().size < 10 and cache.stats().expirations >= 890


def test_expire_now_and_while_iterating():
    clock = Clock()
    cache = LRUCache(10, ttl=5, clock=clock)
    cache.update(a=1, b=2)
    clock.now += 3
    cache["c"] = 3
    keys = iter(cache)
    clock.now += 3
    assert cache.expire() == 2 and list(keys) == ["c"]
    assert cache.remove_oldest() == ("c", 3)


def test_a_clock_that_fails_is_reported():
    cache = LRUCache(10, ttl=5, clock=lambda: 1 / 0)
    for call in (lambda: cache.get(1), lambda: cache.put(1, 1), lambda: len(cache), lambda: 1 in cache, lambda: list(cache)):
        with pytest.raises(ZeroDivisionError):
            call()


# --- hostile keys, values and callbacks ---


class Hostile:
    """A key whose __hash__ and __eq__ run what the test wants."""

    def __init__(self, name, act=lambda: None):
        self.name, self.act = name, act

    def __hash__(self):
        return 7

    def __eq__(self, other):
        self.act()
        return isinstance(other, Hostile) and self.name == other.name


@pytest.mark.parametrize("seed", range(30))
def test_keys_that_change_the_cache_while_compared(seed):
    pick = random.Random(seed)
    cache = LRUCache(pick.randrange(1, 8), policy=pick.choice(["lru", "s3fifo"]))
    depth = 0

    def act():
        nonlocal depth
        if depth > 2:
            return
        depth += 1
        try:
            step()
        finally:
            depth -= 1

    def step():
        key = Hostile(pick.randrange(6), act)
        verb = pick.randrange(9)
        if verb < 3:
            cache.put(key, [key])
        elif verb < 5:
            cache.get(key)
        elif verb == 5:
            cache.pop(key, None)
        elif verb == 6 and pick.random() < 0.2:
            cache.clear()
        elif verb == 7:
            cache.resize(pick.randrange(1, 8))
        elif pick.random() < 0.1:
            raise ArithmeticError
        else:
            gc.collect(0)

    for _ in range(150):
        try:
            step()
        except ArithmeticError:
            pass
        assert len(cache) <= cache.maxsize and len(list(cache.items())) == len(cache)


def test_a_key_that_never_stops_changing_the_cache_is_stopped():
    cache = LRUCache(100_000)
    toggle = [0]

    def act():
        toggle[0] += 1
        cache[f"x{toggle[0]}"] = 1

    cache[Hostile("a", act)] = 1
    with pytest.raises(RuntimeError, match="changes the cache every time"):
        cache.get(Hostile("b"))
    assert cache.get("x1") == 1


def test_errors_in_keys_pass_through():
    class Bad:
        def __hash__(self):
            raise ArithmeticError

    cache = LRUCache(2)
    for call in (lambda: cache.get(Bad()), lambda: cache.put(Bad(), 1), lambda: Bad() in cache, lambda: cache.pop(Bad())):
        with pytest.raises(ArithmeticError):
            call()


def test_finalisers_of_evicted_values_may_use_the_cache():
    cache = LRUCache(3)
    seen = []

    class Value:
        def __init__(self, n):
            self.n = n

        def __del__(self):
            seen.append(self.n)
            cache.get(self.n)
            if self.n < 100:
                cache.put(self.n + 100, Value(self.n + 100))
            if self.n % 3 == 0:
                cache.clear()

    for n in range(50):
        cache.put(n, Value(n))
        assert len(cache) <= 3
    cache.clear()
    assert set(range(50)) <= set(seen)


def test_callbacks_may_use_the_cache_and_raise(monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda info: raised.append(info.exc_type))

    def on_evict(key, value, reason):
        if key < 40:
            cache.put(key + 100, value)
        cache.get(key)
        gc.collect(0)
        raise LookupError

    cache = LRUCache(4, on_evict=on_evict)
    for n in range(60):
        assert cache.put(n, n) in (True, False)
        assert len(cache) <= 4
    cache.resize(1)
    cache.clear()
    assert raised and set(raised) == {LookupError} and len(cache) <= 1


def test_a_callback_that_recurses_for_ever_ends(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda info: None)
    cache = LRUCache(1, on_evict=lambda key, value, reason: cache.put(key + 1, 0))
    cache.put(0, 0)
    cache.put(1, 0)
    assert len(cache) == 1


def test_values_that_come_back_to_life():
    saved = []

    class Phoenix:
        def __del__(self):
            saved.append(self)

    cache = LRUCache(1)
    for n in range(5):
        cache[n] = Phoenix()
    assert len(saved) == 4 and len(cache) == 1


# --- memory ---


def test_cycles_through_a_cache_are_collected():
    class Value:
        pass

    for make in (lambda: LRUCache(5), lambda: LRUCache(5, on_evict=lambda *event: None, ttl=5, clock=Clock())):
        cache = make()
        value = Value()
        value.cache = cache
        cache[value] = value
        alive = weakref.ref(value), weakref.ref(cache)
        iterator = iter(cache)
        cache["iterator"] = iterator
        del cache, value, iterator
        gc.collect()
        assert [ref() for ref in alive] == [None, None]


def test_no_reference_is_leaked():
    key, value = object(), object()
    before = sys.getrefcount(key), sys.getrefcount(value)
    cache = LRUCache(3, on_evict=lambda *event: None)
    for i in range(1000):
        cache.put(key, value)
        cache.get(key)
        cache.peek(key)
        cache.setdefault(key, value)
        list(cache.items())
        cache.put(i, value)
        cache.put((i, key), value)
        cache.pop(key, None)
        cache.remove_oldest()
        cache.get_or_load(key, lambda _: value)
        cache.shrink(0.5)
    cache.clear()
    del cache
    gc.collect()
    assert (sys.getrefcount(key), sys.getrefcount(value)) == before


def test_a_chain_of_caches_dies_without_overflowing_the_stack():
    cache = None
    for _ in range(100_000):
        outer = LRUCache(1, shrinkable=False)
        outer[0] = cache
        cache = outer
    del outer
    cache = None


def test_referents_are_all_seen():
    cache = LRUCache(5)
    cache.update(a="value", b="other")
    assert {"a", "b", "value", "other"} <= {item for item in gc.get_referents(cache) if isinstance(item, str)}


# --- threads, processes, interpreters ---


def test_threads():
    cache = LRUCache(64, on_evict=lambda *event: None)
    errors = []

    class Key(Hostile):
        def __hash__(self):
            return hash(self.name)

    def work(seed):
        pick = random.Random(seed)
        try:
            for i in range(3000):
                key = Key(pick.randrange(200), lambda: None)
                value = cache.get(key)
                assert value is None or value == key.name
                cache.put(key, key.name)
                if i % 100 == 0:
                    cache.shrink(0.1)
                    cache.resize(pick.randrange(32, 64))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors and len(cache) <= 64


def test_fork():
    cache = LRUCache(10)
    cache.update(a=1)
    pid = os.fork()
    if pid == 0:
        cache["b"] = 2
        os._exit(0 if dict(cache.items()) == {"a": 1, "b": 2} and cache.get_or_load("c", str) == "c" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 and "b" not in cache


def test_subinterpreters():
    code = (
        "from gomem import LRUCache, cached\n"
        "cache = LRUCache(10)\n"
        "for i in range(50): cache[i] = [cache]\n"
        "f = cached(lambda x: [x]); f(1); f(1); f(1, ) ; assert f.cache_info().hits == 2\n"
        "class A:\n"
        "    @cached\n"
        "    def m(self): return 1\n"
        "A().m()\n"
    )
    run = (
        "import sys\n"
        "if sys.version_info >= (3, 13):\n"
        "    import _interpreters as xi\n    create = lambda: xi.create('legacy')\n"
        "else:\n"
        "    import _xxsubinterpreters as xi\n    create = lambda: xi.create(isolated=False)\n"
        f"for _ in range(3):\n    i = create()\n    failed = xi.run_string(i, {code!r})\n"
        "    assert not failed, failed\n    xi.destroy(i)\n"
    )
    subprocess.run([sys.executable, "-c", run], check=True)


# --- single flight ---


def test_threads_that_miss_the_same_key_load_it_once():
    cache, calls, started, finish = LRUCache(5), [], threading.Event(), threading.Event()

    def loader(key):
        calls.append(key)
        started.set()
        finish.wait()
        return key * 2

    results = []
    threads = [threading.Thread(target=lambda: results.append(cache.get_or_load("k", loader))) for _ in range(5)]
    for thread in threads:
        thread.start()
    started.wait()
    finish.set()
    for thread in threads:
        thread.join()
    assert calls == ["k"] and results == ["kk"] * 5 and cache["k"] == "kk"


def test_a_loader_that_fails_stores_nothing_and_the_next_one_tries_again():
    cache = LRUCache(5)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load("k", lambda key: 1 / 0)
    assert "k" not in cache and cache.get_or_load("k", len) == 1


def test_a_loader_that_asks_for_its_own_key_does_not_wait_for_itself():
    cache = LRUCache(5)
    assert cache.get_or_load(1, lambda key: cache.get_or_load(1, lambda key: "inner") + "!") == "inner!"


def test_loaders_that_need_each_other_do_not_deadlock():
    cache, barrier = LRUCache(5), threading.Barrier(2)

    def loader(other):
        def load(key):
            barrier.wait()
            return f"{key}<{cache.get_or_load(other, lambda key: key)}"

        return load

    results = {}
    threads = [
        threading.Thread(target=lambda mine=mine, other=other: results.update({mine: cache.get_or_load(mine, loader(other))}))
        for mine, other in ("ab", "ba")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(results) == {"a", "b"}


def test_a_value_too_large_to_keep_is_returned_all_the_same():
    cache = LRUCache(maxbytes=5, getsizeof=len)
    assert cache.get_or_load("k", lambda key: "x" * 10) == "x" * 10 and not cache


def test_tasks_share_a_load_and_survive_cancellation():
    async def main():
        cache, calls, finish = LRUCache(5), [], asyncio.Event()

        async def loader(key):
            calls.append(key)
            await finish.wait()
            return key * 2

        waiters = [asyncio.ensure_future(cache.get_or_load_async("k", loader)) for _ in range(4)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.sleep(0)
        finish.set()
        results = await asyncio.gather(*waiters, return_exceptions=True)
        assert calls == ["k"] and results[1:] == ["kk"] * 3 and isinstance(results[0], asyncio.CancelledError)
        assert await cache.get_or_load_async("k", loader) == "kk" and calls == ["k"]

        async def failing(key):
            raise LookupError(key)

        results = await asyncio.gather(*(cache.get_or_load_async("bad", failing) for _ in range(2)), return_exceptions=True)
        assert [type(result) for result in results] == [LookupError] * 2 and "bad" not in cache

    asyncio.run(main())


class Told(LRUCache):
    """The documented example of cachetools: a subclass that is told of evictions."""

    def __init__(self, *args, **options):
        self.told = []
        super().__init__(*args, **options)

    def popitem(self):
        self.told.append(super().popitem())
        return self.told[-1]


def test_an_overridden_popitem_makes_room_as_in_cachetools():
    cache = Told(maxsize=2)
    cache["a"] = 1
    cache["b"] = 2
    cache["b"] = 3
    assert cache.told == []
    cache["c"] = 3
    assert cache.told == [("a", 1)] and cache.put("d", 4) and cache.setdefault("e", 5) == 5 and cache.setdefault("e", 6) == 5
    assert cache.get_or_load("f", str.upper) == "F" and [key for key, _ in cache.told] == ["a", "b", "c", "d"]
    assert not cache.put("f", "F") and list(cache) == ["e", "f"]

    weighed = Told(10, getsizeof=len)
    weighed["x"], weighed["y"] = "1234", "12345"
    weighed["z"] = "123456"
    assert [key for key, _ in weighed.told] == ["x", "y"] and weighed.currsize == 6
    weighed["z"] = "1234567890"  # as large as all: its old self is no hindrance
    with pytest.raises(ValueError):
        weighed["x"] = "x" * 11
    assert list(weighed) == ["z"] and len(weighed.told) == 2

    both = Told(2, maxbytes=100, getsizeof=len)
    both.update(a="x", b="x", c="x")
    assert both.told == [("a", "x")]


def test_a_popitem_that_takes_nothing_out_does_not_hang():
    class Idle(LRUCache):
        def popitem(self):
            return None

    cache = Idle(2)
    cache.update(a=1, b=2, c=3)
    assert list(cache) == ["b", "c"]

    class Failing(LRUCache):
        def popitem(self):
            raise LookupError("no")

    cache = Failing(1)
    cache["a"] = 1
    with pytest.raises(LookupError):
        cache["b"] = 2
    assert list(cache) == ["a"]


def test_an_overridden_getsizeof_is_the_measure():
    class Sized(LRUCache):
        @staticmethod
        def getsizeof(value):
            return value

    cache = Sized(maxsize=3)
    cache.update({1: 1, 2: 2})
    assert cache.currsize == 3
    cache[3] = 3
    assert list(cache) == [3] and cache.maxsize == 3
    with pytest.raises(ValueError):
        cache[4] = 4


@pytest.mark.parametrize("bound", ["maxsize", "maxbytes"])
def test_a_bound_of_another_type_is_named(bound):
    with pytest.raises(TypeError, match=f"{bound}: got str, want an int or None"):
        LRUCache(**{bound: "100"})
