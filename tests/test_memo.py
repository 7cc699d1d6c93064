"""cached: what functools.lru_cache promises, and what it does not: methods, coroutines, bounds by time and size."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import threading
import unittest
import weakref

import pytest

import gomem.memo
from gomem import LRUCache, cached


def double(x, y=0, *rest, **named):
    return [x, y, rest, named]


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize("maxsize", [0, 1, 3, 50, None])
def test_agrees_with_functools(maxsize, typed):
    ours, theirs = cached(maxsize, typed)(double), functools.lru_cache(maxsize, typed)(double)
    calls = [
        ((1,), {}), ((2,), {}), ((1, 2), {}), (((1, 2),), {}), ((1,), {"y": 2}), ((1,), {"y": 2.0}), (("1",), {}),
        ((), {"x": 1}), ((), {"x": 1, "y": 2}), ((), {"y": 2, "x": 1}), ((1, 2, 3), {}), ((1, 2, 3), {"z": 3}),
        ((None,), {}), (((),), {}), ((1, "z", 3), {}), ((1, "y", 2), {}), ((True, 2), {}), (tuple(range(40)), {}),
    ]  # fmt: skip
    for args, named in calls * 2 + calls[::-1] * 2 + calls[:3] * 3:
        assert ours(*args, **named) == theirs(*args, **named)
        assert tuple(ours.cache_info()) == tuple(theirs.cache_info())
    assert ours.cache_parameters() == theirs.cache_parameters()
    ours.cache_clear()
    assert tuple(ours.cache_info()) == (0, 0, maxsize, 0)


def test_looks_like_the_function():
    @cached
    def documented(x: int) -> int:
        """Says so."""
        return x

    assert documented.__wrapped__(3) == 3 and documented.__doc__ == "Says so." and documented.__name__ == "documented"
    assert str(inspect.signature(documented)) == "(x: 'int') -> 'int'" and "documented" in repr(documented)
    assert copy.copy(documented) is copy.deepcopy(documented) is documented
    assert weakref.ref(documented)() is documented
    documented.extra = 1
    assert documented.extra == 1 and cached(100)(double).cache_info().maxsize == 100


@cached
def picklable(x):
    return x


def test_pickles_by_name():
    assert pickle.loads(pickle.dumps(picklable)) is picklable


def test_exceptions_and_unhashable_arguments():
    calls = []

    @cached
    def failing(x):
        calls.append(x)
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            failing(1)
    assert calls == [1, 1] and failing.cache_info().currsize == 0
    for args in (([],), (1, []), (([],),)):
        with pytest.raises(TypeError, match="unhashable"):
            failing(*args)


def test_recursion_and_reentrancy():
    @cached(None)
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(300) == 222232244629420445529739893505090668137774600 or fib(90) == 2880067194370816120
    assert fib.cache_info().misses == 301

    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, other):
            same.cache_clear()
            same(3)
            gc.collect(0)
            return True

    @cached(2)
    def same(*args):
        return args

    for _ in range(50):
        same(Key())
        same(Key(), 1)
    assert same.cache_info().currsize <= 2


def test_no_reference_is_leaked():
    key, value = object(), object()
    before = sys.getrefcount(key), sys.getrefcount(value)
    for typed in (False, True):

        @cached(5, typed)
        def function(*args, **named):
            return value

        for i in range(500):
            function(key)
            function(key, i)
            function(key, i, x=key)
            function((key,) * 30)
            function(*(key,) * 30)
        function.cache_clear()
        del function
    gc.collect()
    assert (sys.getrefcount(key), sys.getrefcount(value)) == before


def test_s3fifo():
    @cached(50, policy="s3fifo")
    def function(x):
        return x

    for i in range(3000):
        assert function(i % 5) == i % 5 and function(1000 + i) == 1000 + i
    assert function.cache_info().hits >= 2990 and function.cache_info().currsize == 50
    with pytest.raises(ValueError, match="policy"):
        cached(5, policy="x")


def test_threads():
    @cached(100)
    def function(x, y=0):
        return (x, y)

    def work():
        for i in range(3000):
            assert function(i % 150) == (i % 150, 0) and function(i % 150, 1) == (i % 150, 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = function.cache_info()
    assert info.hits + info.misses == 24000 and info.currsize == 100


# --- methods ---


class Reader:
    def __init__(self, text):
        self.text = text
        self.calls = 0

    @cached
    def word(self, n):
        self.calls += 1
        return self.text.split()[n]

    @cached(ttl=1000)
    def timed(self, n):
        self.calls += 1
        return self.text.split()[n]

    @staticmethod
    @cached
    def static(x):
        return [x]

    @classmethod
    @cached
    def of_class(cls, x):
        return [cls, x]


@pytest.mark.parametrize("name", ["word", "timed"])
def test_methods_keep_results_per_instance_and_instances_free(name):
    method = getattr(Reader, name)
    method.cache_clear()
    one, two = Reader("a b c"), Reader("d e f")
    for _ in range(3):
        assert [getattr(one, name)(1), getattr(two, name)(1), getattr(two, name)(n=0), method(one, 2)] == ["b", "e", "d", "c"]
    assert (one.calls, two.calls) == (2, 2) and tuple(method.cache_info()) == (8, 4, 128, 4)
    alive = weakref.ref(one)
    del one
    assert alive() is None and method.cache_info().currsize == 2
    bound = two.word
    assert bound(1) == "e" and bound.__self__ is two
    with pytest.raises(TypeError):
        method()


def test_many_instances_come_and_go():
    Reader.word.cache_clear()
    for i in range(3000):
        assert Reader(f"x{i}").word(0) == f"x{i}"
    assert Reader.word.cache_info().currsize == 0
    readers = [Reader(f"x{i}") for i in range(500)]
    assert [reader.word(0) for reader in readers] == [f"x{i}" for i in range(500)]
    assert Reader.word.cache_info().currsize == 500
    del readers
    assert Reader.word.cache_info().currsize == 0


def test_static_and_class_methods():
    assert Reader.static(1) is Reader("").static(1) and Reader.of_class(1) is Reader("").of_class(1)


def test_a_method_may_clear_and_kill_while_it_runs():
    class Wild:
        @cached
        def run(self, n):
            Wild.run.cache_clear()
            if n:
                self.run(n - 1)
            return [n]

    assert [Wild().run(n) for n in range(5)] == [[n] for n in range(5)]


def test_instances_without_weak_references():
    class Slots:
        __slots__ = ()

        @cached
        def one(self):
            return 1

        @cached(method=False)
        def two(self):
            return 2

    with pytest.raises(TypeError, match="want '__weakref__' in its __slots__"):
        Slots().one()
    assert Slots().two() == 2


def test_method_classes_are_collected():
    def make():
        class Local:
            @cached
            def value(self):
                return [self]

            @cached(ttl=5)
            def timed(self):
                return [self]

        one = Local()
        one.value(), one.timed()
        return weakref.ref(Local)

    alive = make()
    gc.collect()
    assert alive() is None


def test_property_needs_a_word():
    class Thing:
        @property
        @cached(method=True)
        def value(self):
            return []

    thing = Thing()
    assert thing.value is thing.value and Thing().value is not thing.value


# --- bounds, own caches, single flight, coroutines ---


def test_ttl_bytes_and_own_key():
    now = [0.0]

    @cached(ttl=5, clock=lambda: now[0])
    def function(x):
        return [x]

    first = function(1)
    assert function(1) is first
    now[0] = 5
    assert function(1) is not first and tuple(function.cache_info()) == (1, 2, 128, 1)

    @cached(None, maxbytes=10, getsizeof=len)
    def text(n):
        return "x" * n

    assert [len(text(n)) for n in (4, 5, 6, 20, 6)] == [4, 5, 6, 20, 6] and text.cache_info().hits == 1

    @cached(key=lambda x, log: x)
    def keyed(x, log):
        return [x]

    assert keyed(1, print) is keyed(1, log=[])


def test_documented_examples_of_cachetools():
    @cached(cache={})
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(42) == 267914296 and len(fib.cache) == 43

    calls = []

    @cached(cache=LRUCache(maxsize=32))
    def get_pep(num):
        calls.append(num)
        return f"pep {num}"

    assert [get_pep(num) for num in (8, 290, 308, 320, 8, 218, 320, 279, 289, 320, 9991)][-1] == "pep 9991"
    assert len(calls) == 8 and get_pep.cache_info().currsize == 8

    now = [0]

    @cached(cache=LRUCache(maxsize=1024, ttl=600, timer=lambda: now[0]))
    def get_weather(place):
        return [place]

    assert get_weather("x") is get_weather("x")

    from gomem.memo import hashkey, typedkey

    def envkey(*args, env={}, **kwargs):
        return hashkey(*args, **kwargs) + tuple(sorted(env.items()))

    @cached(LRUCache(maxsize=128), key=envkey)
    def foo(x, y, z, env={}):
        return [x, y, z]

    assert foo(1, 2, z=3, env={"A": "1"}) is foo(1, 2, z=3, env={"A": "1"}) is not foo(1, 2, z=3)
    assert hashkey(1) == hashkey(1.0) and typedkey(1) != typedkey(1.0) and hashkey(a=1, b=2) == hashkey(b=2, a=1)

    with pytest.raises(ValueError, match="bounds on the cache itself"):
        cached(cache={}, ttl=5)


def test_single_flight():
    entered, finish, calls = threading.Event(), threading.Event(), []

    @cached(single_flight=True)
    def slow(x):
        calls.append(x)
        entered.set()
        finish.wait()
        return [x]

    results = []
    threads = [threading.Thread(target=lambda: results.append(slow(1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    entered.wait()
    finish.set()
    for thread in threads:
        thread.join()
    assert calls == [1] and all(result is results[0] for result in results)


def test_coroutines():
    calls = []

    @cached
    async def fetch(x):
        calls.append(x)
        await asyncio.sleep(0)
        return [x]

    class Client:
        @cached
        async def fetch(self, x):
            calls.append(x)
            return [x]

    async def main():
        first, second = await asyncio.gather(fetch(1), fetch(1))
        assert first is second is await fetch(1) and calls == [1]
        client = Client()
        assert await client.fetch(2) is await client.fetch(2) and calls == [1, 2]
        assert tuple(fetch.cache_info()) == (1, 2, 128, 1)
        if hasattr(inspect, "markcoroutinefunction"):
            assert inspect.iscoroutinefunction(fetch)

    asyncio.run(main())


def test_uncached_coroutine_and_zero_size():
    @cached(0)
    async def fetch(x):
        return [x]

    assert asyncio.run(fetch(1)) == [1] and fetch.cache_info().misses == 1
    assert cached(-5)(double).cache_info().maxsize == 0
    with pytest.raises(TypeError, match="maxsize: got 'x'"):
        cached("x")


# --- CPython's own tests of functools.lru_cache ---


def cpython_tests() -> type[unittest.TestCase] | None:
    """The interpreter's TestLRU with our decorator in the place of its own; None where it has no test package."""
    try:
        from test import test_functools
    except ImportError:
        return None

    class Module:
        """functools, but for lru_cache, which in these tests treats methods as it does."""

        def __getattr__(self, name):
            return getattr(functools, name)

        @staticmethod
        def lru_cache(maxsize=128, typed=False):
            return cached(maxsize, typed, method=False)

        @staticmethod
        def cache(function):
            return cached(None, method=False)(function)

    class TestAsFunctools(test_functools.TestLRU, unittest.TestCase):
        module = Module()

        @cached(method=False)
        def cached_meth(self, x, y):
            return 3 * x + y

        @staticmethod
        @cached
        def cached_staticmeth(x, y):
            return 3 * x + y

    return TestAsFunctools


TestAsFunctools = cpython_tests()
if TestAsFunctools is None:
    del TestAsFunctools
else:
    TestAsFunctools.cached_func = (cached(maxsize=128)(lambda x, y: 3 * x + y),)
    # these four use objects that the original module made with its own decorator
    for name in ("test_pickle", "test_lru_cache_weakrefable", "test_copy", "test_deepcopy"):
        setattr(TestAsFunctools, name, None)


def test_the_module_says_what_it_exports():
    assert gomem.memo.cached is gomem.cached is cached
