"""LRUCache against its models: random operations must agree in results, order, statistics and callbacks."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gomem import LRUCache
from lru_model import LRUModel, S3FIFOModel

keys = st.one_of(
    st.integers(0, 12),
    st.integers(0, 12).map(float),  # equal to the ints
    st.integers(0, 6).map(lambda i: i << 40),
    st.integers(0, 12).map("k{}".format),
    st.tuples(st.integers(0, 3), st.text("ab", max_size=2)),
    st.sampled_from([None, True, b"x", "é", "🐍", frozenset([1])]),
)
sizes = st.integers(0, 40)


class Machine(RuleBasedStateMachine):
    @initialize(maxsize=st.integers(1, 20), maxbytes=st.one_of(st.none(), st.integers(1, 100)))
    def start(self, maxsize, maxbytes):
        self.log = []
        size = (lambda value: value) if maxbytes else None
        self.cache = LRUCache(maxsize, size, maxbytes=maxbytes, on_evict=lambda *event: self.log.append(event))
        self.model = LRUModel(maxsize, maxbytes, size or (lambda value: 1))

    @rule(key=keys, value=sizes)
    def put(self, key, value):
        try:
            self.model.put(key, value)
        except ValueError:
            with pytest.raises(ValueError):
                self.cache.put(key, value)
        else:
            self.cache.put(key, value)

    @rule(key=keys)
    def get(self, key):
        assert self.cache.get(key, "none") == self.model.get(key, "none")

    @rule(key=keys)
    def peek(self, key):
        assert self.cache.peek(key, "none") == self.model.entries.get(key, "none")
        assert (key in self.cache) == (key in self.model.entries) == self.cache.contains(key)

    @rule(key=keys)
    def pop(self, key):
        if key in self.model.entries:
            assert self.cache.pop(key) == self.model.pop(key)
        else:
            assert self.cache.pop(key, "none") == "none"
            with pytest.raises(KeyError):
                del self.cache[key]

    @rule()
    def remove_oldest(self):
        oldest = next(iter(self.model.entries), "none")
        assert self.cache.remove_oldest() == (None if oldest == "none" else (oldest, self.model.pop(oldest)))

    @rule(maxsize=st.integers(1, 20))
    def resize(self, maxsize):
        self.model.maxsize = maxsize
        self.model.enforce("size")
        self.cache.resize(maxsize)

    @rule()
    def clear(self):
        for key in list(self.model.entries):
            self.model.log.append((key, self.model.entries.pop(key), "cleared"))
        self.cache.clear()

    @invariant()
    def agrees(self):
        if not hasattr(self, "cache"):
            return
        assert list(self.cache.items()) == list(self.model.entries.items())
        assert list(reversed(self.cache)) == list(reversed(self.model.entries))
        assert len(self.cache) == len(self.model.entries)
        assert self.log == self.model.log
        stats = self.cache.stats()
        assert (stats.hits, stats.misses) == (self.model.hits, self.model.misses)
        if self.cache.maxbytes is not None:
            assert stats.bytes == self.model.total() == self.cache.currsize


TestModel = Machine.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def zipf(seed: int, keys: int, reads: int) -> list[int]:
    pick = random.Random(seed)
    return pick.choices(range(keys), [1 / (rank + 1) for rank in range(keys)], k=reads)


TRACES = {
    "zipf": zipf(1, 2000, 20000),
    "scans": [key for i, hot in enumerate(zipf(2, 300, 8000)) for key in (hot, 10_000 + i % 3000)],
    "loop": [i % 700 for i in range(15000)],
    "shifting": [key + i // 4000 * 500 for i, key in enumerate(zipf(3, 1000, 16000))],
}


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("size", [1, 2, 7, 10, 64, 500])
def test_s3fifo_hits_equal_the_reference(trace, size):
    cache, model = LRUCache(size, policy="s3fifo"), S3FIFOModel(size)
    for key in TRACES[trace]:
        hit = cache.get(key) is not None
        if not hit:
            cache.put(key, key)
        assert hit == model.access(key)
    assert set(cache) == set(model.freq)


@pytest.mark.parametrize("size", [100, 500])
def test_s3fifo_withstands_a_scan_that_empties_lru(size):
    def hit_ratio(policy: str) -> float:
        cache = LRUCache(size, policy=policy)
        for key in TRACES["scans"]:
            if cache.get(key) is None:
                cache.put(key, key)
        return cache.stats().hit_ratio

    assert hit_ratio("s3fifo") > hit_ratio("lru")


@pytest.mark.parametrize("policy", ["lru", "s3fifo"])
def test_long_churn_keeps_index_and_slab_together(policy):
    pick = random.Random(4)
    cache, live = LRUCache(300, policy=policy, on_evict=lambda key, value, reason: live.pop(key)), {}
    for step in range(60_000):
        key = pick.randrange(900) << pick.choice([0, 20, 45])
        if step % 7 == 0:
            cache.pop(key, None)
        elif key not in live:
            live[key] = step
            cache.put(key, step)
    assert dict(cache.items()) == live
    assert all(cache[key] == value for key, value in live.items())


class Crowd:
    """A key of one of few hashes, so that its home bucket overflows into the next ones and round the end."""

    def __init__(self, number, hashes):
        self.number, self.hash = number, number % hashes

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        return self.number == other.number


@pytest.mark.parametrize("hashes", [1, 3, 20])
def test_keys_that_crowd_in_few_buckets(hashes):
    pick, model, cache = random.Random(hashes), LRUModel(120), LRUCache(120)
    for _ in range(5000):
        key = Crowd(pick.randrange(200), hashes)
        if cache.get(key) is None:
            cache[key] = key.number
        if model.get(key) is None:
            model.put(key, key.number)
    assert cache.stats().hits == model.hits and 0 < model.hits < 5000
    assert [key.number for key in cache] == [key.number for key in model.entries]
    for key in pick.sample(list(model.entries), 100):  # taking out in any order leaves the others to be found
        assert cache.pop(key) == model.pop(key)
        assert all(key in cache for key in model.entries)


def test_a_key_that_makes_the_cache_another_while_it_is_stored():
    class Key:
        def __hash__(self):
            cache.__init__(10, len, maxbytes=100)
            return 1

    cache = LRUCache(2)
    for _ in range(3):
        cache.__init__(2)
        cache[Key()] = "value"
        assert cache.stats().bytes == cache.currsize == 5 and cache.maxbytes == 100
        cache.clear()
        assert cache.stats().bytes == 0
