"""LRUCache and cached: time of hits, of puts that evict and of mixtures; threads; bytes an entry."""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from bench.types.turns import cpu_ns, in_turns, loops, report

OPERATIONS = 100_000
ONLY: list[str] = []  # names of caches; empty: all
SIZES = [1000, 100_000, 1_000_000]
KEYS = ["str", "int"]


class Textbook:
    """The LRU of the textbooks: an OrderedDict and a lock."""

    def __init__(self, size: int) -> None:
        self.size, self.held, self.lock = size, OrderedDict(), threading.Lock()

    def get(self, key):
        with self.lock:
            if key not in self.held:
                return None
            self.held.move_to_end(key)
            return self.held[key]

    __getitem__ = get

    def __setitem__(self, key, value):
        with self.lock:
            self.held[key] = value
            self.held.move_to_end(key)
            if len(self.held) > self.size:
                self.held.popitem(last=False)


def caches(size: int) -> dict[str, object]:
    """A cache of each kind that is installed."""
    import gomem

    made: dict[str, object] = {}
    for name, make in {
        "gomem": lambda: gomem.LRUCache(size),
        "gomem s3fifo": lambda: gomem.LRUCache(size, policy="s3fifo"),
        "OrderedDict+Lock": lambda: Textbook(size),
        "cachebox": lambda: __import__("cachebox").LRUCache(size),
        "cachetools": lambda: __import__("cachetools").LRUCache(size),
        "lru-dict": lambda: __import__("lru").LRU(size),
        "moka-py": lambda: Moka(size),
        "theine": lambda: Theine(size),
    }.items():
        if ONLY and name not in ONLY:
            continue
        try:
            made[name] = make()
        except ImportError:
            print(f"{name}: not installed, left out", file=sys.stderr)
    return made


class Moka:
    def __init__(self, size: int) -> None:
        import moka_py

        self.cache = moka_py.Moka(size, policy="lru")
        self.get, self.__class__.__setitem__ = self.cache.get, lambda self, key, value: self.cache.set(key, value)

    def __getitem__(self, key):
        return self.cache.get(key)


class Theine:
    def __init__(self, size: int) -> None:
        import theine

        self.cache = theine.Cache(size)
        self.get = lambda key: self.cache.get(key)[0]

    def __getitem__(self, key):
        return self.cache.get(key)[0]

    def __setitem__(self, key, value):
        self.cache.set(key, value)


def keys_of(kind: str, numbers) -> list:
    """New key objects; the hash of a str is known, as that of any str that was a key before."""
    keys = [f"key:{number}" for number in numbers] if kind == "str" else [number + 1000 for number in numbers]
    for key in keys:
        hash(key)
    return keys


def one_thread(kind: str, size: int, rounds: int) -> None:
    """Hits by subscript and by get, and puts that all evict."""
    pick = random.Random(1)
    resident = keys_of(kind, range(size))
    hot = keys_of(kind, (pick.randrange(size) for _ in range(OPERATIONS)))
    made = caches(size)
    work = {name: loops() for name in made}
    for what, bar in (("read", 0.8), ("get", 0.8)):
        for name, cache in made.items():
            work[name]["put"](cache, resident)

        def turn(name: str, what: str = what) -> Callable[[], float]:
            def run() -> float:
                empty = cpu_ns(work[name]["nothing"], made[name], hot)
                return (cpu_ns(work[name][what], made[name], hot) - empty) / len(hot)

            return run

        results = in_turns({name: turn(name) for name in made}, rounds)
        report(f"{what} hit, {kind} keys, {size} entries, 1 thread", "ns", results, "gomem", "cachebox", bar)
    base = [size]

    def put(name: str) -> Callable[[], float]:
        def run() -> float:
            base[0] += OPERATIONS
            fresh = keys_of(kind, range(base[0], base[0] + OPERATIONS))
            empty = cpu_ns(work[name]["nothing"], made[name], fresh)
            return (cpu_ns(work[name]["put"], made[name], fresh) - empty) / len(fresh)

        return run

    results = in_turns({name: put(name) for name in made}, rounds)
    report(f"put and evict, {kind} keys, {size} entries, 1 thread", "ns", results, "gomem", "cachebox", 0.6)


def decorator(kind: str, size: int, rounds: int) -> None:
    """Hits of a decorated function."""
    import gomem

    pick = random.Random(2)
    hot = keys_of(kind, (pick.randrange(size) for _ in range(OPERATIONS)))
    made = {"gomem.cached": gomem.cached(size)(lambda x: x), "functools": functools.lru_cache(size)(lambda x: x)}
    work = {name: loops() for name in made}
    for name, function in made.items():
        work[name]["call"](function, keys_of(kind, range(size)))

    def turn(name: str) -> Callable[[], float]:
        def run() -> float:
            empty = cpu_ns(work[name]["nothing"], made[name], hot)
            return (cpu_ns(work[name]["call"], made[name], hot) - empty) / len(hot)

        return run

    results = in_turns({name: turn(name) for name in made}, rounds)
    report(f"decorated call hit, {kind} keys, {size} entries", "ns", results, "gomem.cached", "functools", 0.8)


def mixture(kind: str, size: int, ratio: float, threads: int, rounds: int) -> None:
    """Get, and put on a miss: million operations a second of all threads together, at about this hit ratio."""
    pick = random.Random(3)
    made = caches(size)
    traces = [
        keys_of(kind, (pick.randrange(size) if pick.random() < ratio else pick.randrange(1 << 40) for _ in range(OPERATIONS)))
        for _ in range(threads)
    ]

    busy: dict[str, list[float]] = {name: [] for name in made}

    def turn(name: str) -> Callable[[], float]:
        work = loops()["cycle"]

        def run() -> float:
            workers = [threading.Thread(target=work, args=(made[name], trace)) for trace in traces]
            start, cpu_start = time.perf_counter(), time.process_time()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            busy[name].append(OPERATIONS * threads / (time.process_time() - cpu_start) / 1e6)
            return OPERATIONS * threads / (time.perf_counter() - start) / 1e6

        return run

    skipped = {"cachetools"} if threads > 1 else set()  # not thread-safe
    results = in_turns({name: turn(name) for name in made if name not in skipped}, rounds)
    best = max((name for name in results if not name.startswith("gomem")), key=lambda name: max(results[name]))
    claim = f"throughput, {kind} keys, {size} entries, {ratio:.0%} of gets for the keys of the cache, {threads} threads"
    report(claim, "M/s", results, "gomem", best, 1.0)
    # a neighbour on the machine takes turns from whoever runs; CPU time does not count them
    report(f"{claim}, by CPU time", "M/s", {name: busy[name] for name in results}, "gomem", best, 1.0)


MEMORY = """
import gc, json, sys
from bench.types.lru import caches, keys_of
name, size = sys.argv[1], int(sys.argv[2])
keys = keys_of("str", range(size))
cache = caches(size)[name] if name != "functools" else __import__("functools").lru_cache(size)(lambda x: None)
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
gc.collect(); before = rss()
for key in keys:
    if name == "functools": cache(key)
    else: cache[key] = None
gc.collect()
print(json.dumps((rss() - before) / size))
"""


def memory(size: int) -> None:
    """Resident bytes an entry beyond key and value, each kind in a fresh process."""
    results = {}
    for name in [*caches(1), "functools"]:
        run = subprocess.run([sys.executable, "-c", MEMORY, name, str(size)], capture_output=True, text=True, check=True)
        results[name] = [json.loads(run.stdout)]
    report(f"resident bytes an entry, {size} entries", "bytes", results, "gomem", "cachebox", 48 / results["cachebox"][0])


def main(quick: bool) -> None:
    sizes, rounds = (SIZES[:1], 3) if quick else (SIZES, 7)
    for kind in KEYS:
        for size in sizes:
            one_thread(kind, size, rounds)
            decorator(kind, size, rounds)
            for ratio in (0.9,) if quick else (0.5, 0.9, 0.99):
                for threads in (1, 4):
                    mixture(kind, size, ratio, threads, 3 if threads == 1 else rounds)
    for size in (100_000,) if quick else (100_000, 1_000_000):
        if size in SIZES or quick:
            memory(size)
    print(f"load: {os.getloadavg()}", file=sys.stderr)
