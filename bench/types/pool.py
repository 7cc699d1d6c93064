"""Pool: a hit against list.append/pop, against PyPI's pools under threads, buffers against allocating, and when it is a loss."""

from __future__ import annotations

import collections
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from bench.types import pool_peers
from bench.types.turns import cpu_ns, in_turns, report

PAIRS = 200_000
SLOW_PAIRS = 20_000  # of peers that take 5 to 20 us a pair

LOOPS = """
def pool(get, put, n):
    for _ in range(n):
        x = owner.get(); owner.put(x)
def stack(get, put, n):
    for _ in range(n):
        x = owner.pop(); owner.append(x)
def methods(get, put, n):
    for _ in range(n):
        x = owner.get(); owner.put(x)
def calls(get, put, n):
    for _ in range(n):
        x = get(); put(x)
def make(get, put, n):
    for _ in range(n):
        x = get()
def nothing(get, put, n):
    for _ in range(n):
        pass
"""


def loop(name: str, owner: object = None) -> Callable:
    made = {"owner": owner}
    exec(LOOPS, made)
    return made[name]


class Empty:
    __slots__ = ()

    def get(self):
        pass

    def put(self, x):
        pass


class Locked:
    """What one writes by hand: a list behind a lock."""

    def __init__(self, make):
        self.make, self.lock, self.items = make, threading.Lock(), []

    def get(self):
        with self.lock:
            return self.items.pop() if self.items else self.make()

    def put(self, item):
        with self.lock:
            self.items.append(item)


def hit(rounds: int) -> None:
    import gomem

    pool = gomem.Pool(object)
    pool.put(pool.get())
    cases = {
        "gomem.Pool": loop("pool", pool),
        "list append/pop": loop("stack", [object()]),
        "empty methods": loop("methods", Empty()),
    }
    empty = loop("nothing")

    def turn(run: Callable) -> Callable[[], float]:
        return lambda: (cpu_ns(run, None, None, PAIRS) - cpu_ns(empty, None, None, PAIRS)) / PAIRS

    results = in_turns({name: turn(run) for name, run in cases.items()}, rounds)
    report("get and put of a hit", "ns", results, "gomem.Pool", "list append/pop", 1.5)


class Item:
    """Ordinary, for some pools want attributes and weak references."""


def by_hand(make: Callable) -> dict[str, object]:
    import gomem

    made: dict[str, object] = {"gomem.Pool": gomem.Pool(make), "list+Lock": Locked(make)}
    fifo: queue.Queue = queue.Queue()
    ring = collections.deque(make() for _ in range(8))
    for _ in range(8):
        fifo.put(make())
    made["queue.Queue"] = fifo
    made["deque"] = type("Deque", (), {"get": staticmethod(ring.pop), "put": staticmethod(ring.append)})()
    return made


def threads(rounds: int, count: int = 4) -> None:
    """Million pairs a second of all threads together, against what one writes by hand and every pool of PyPI."""
    owners = by_hand(Item)
    peers = pool_peers.installed(Item)

    def turn(name: str, owner: object) -> Callable[[], float]:
        pairs = (SLOW_PAIRS if name in peers else PAIRS) // count

        def run() -> float:
            workers = [threading.Thread(target=loop("methods", owner), args=(None, None, pairs)) for _ in range(count)]
            start = time.perf_counter()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            return pairs * count / (time.perf_counter() - start) / 1e6

        return run

    results = in_turns({name: turn(name, owner) for name, owner in {**owners, **peers}.items()}, rounds)
    report(f"get and put, {count} threads", "M/s", results, "gomem.Pool", "queue.Queue", 5.0)
    if peers:
        best = max(peers, key=lambda name: max(results[name]))
        report(f"get and put, {count} threads, the best PyPI pool", "M/s", results, "gomem.Pool", best, 5.0)


class Slots:
    __slots__ = ("a", "b", "c")

    def __init__(self):
        self.a = self.b = self.c = 0


class Heavy:
    def __init__(self):
        self.buffer, self.table, self.items = bytearray(8192), dict.fromkeys(range(200)), list(range(200))


def against_making(rounds: int) -> None:
    """Whether a pool pays: the time of a pooled pair over that of making the object."""
    import gomem

    for name, make in {
        "object()": object,
        "slotted object": Slots,
        "dict(100)": lambda: dict.fromkeys(range(100)),
        "bytearray(16384)": lambda: bytearray(16384),
        "8 KiB buffer, dict and list": Heavy,
    }.items():
        pool = gomem.Pool(make)
        pool.put(pool.get())
        count = PAIRS // 20
        pooled, made = loop("calls"), loop("make")
        results = in_turns(
            {
                "gomem.Pool": lambda: cpu_ns(pooled, pool.get, pool.put, count) / count,
                "making": lambda: cpu_ns(made, make, None, count) / count,
            },
            rounds,
        )
        report(f"pooled or made: {name}", "ns", results, "gomem.Pool", "making", 1.0)


def buffer_times(rounds: int) -> None:
    import gomem

    for size in (1 << 16, 1 << 18, 1 << 20, 1 << 22):
        count = max(50, (1 << 26) // size)

        def pooled(size: int = size, count: int = count) -> None:
            for _ in range(count):
                buffer = gomem.buffers.get(size)
                buffer[0] = buffer[-1] = 1
                gomem.buffers.put(buffer)

        def made(size: int = size, count: int = count) -> None:
            buffer = None
            for _ in range(count):
                buffer = bytearray(size)
                buffer[0] = buffer[-1] = 1

        results = in_turns(
            {"gomem.buffers": lambda: cpu_ns(pooled) / count, "bytearray(n)": lambda: cpu_ns(made) / count}, rounds
        )
        report(f"buffers of {size >> 10} KiB", "ns", results, "gomem.buffers", "bytearray(n)", 1 / 1.5)
        filled_times(size, count, rounds)


def fill(take: Callable, give: Callable, source: memoryview, count: int) -> None:
    size = len(source)
    for _ in range(count):
        buffer = take(size)
        with memoryview(buffer) as view:
            view[:size] = source
        give(buffer)


def filled_times(size: int, count: int, rounds: int) -> None:
    """Taken, filled and given back. Processors of AMD copy ten times slower between some addresses (a target 16 bytes
    ahead of its source modulo 4096), so each way has its source at the distance that suits it best."""
    import gomem

    whole = memoryview(b"x" * (size + 4096))
    sources = [whole[start : start + size] for start in (0, 1000, 2000, 3000)]
    ways = {"gomem.buffers": (gomem.buffers.get, gomem.buffers.put), "bytearray(n)": (bytearray, id)}

    def turn(take: Callable, give: Callable) -> Callable[[], float]:
        best = min(sources, key=lambda source: min(cpu_ns(fill, take, give, source, count // 10) for _ in range(3)))
        return lambda: cpu_ns(fill, take, give, best, count) / count

    results = in_turns({name: turn(*way) for name, way in ways.items()}, rounds)
    report(f"buffers of {size >> 10} KiB, filled", "ns", results, "gomem.buffers", "bytearray(n)", 1 / 1.5)


PEAK = """
import sys, tracemalloc, gomem
size, pooled = int(sys.argv[1]), sys.argv[2] == "pooled"
gomem.buffers.put(gomem.buffers.get(size)) if pooled else None
tracemalloc.start()
buffer = None
for _ in range(5):
    if pooled:
        with gomem.buffers.borrow(size) as view:
            view[0] = 1
    else:
        buffer = bytearray(size)
print(tracemalloc.get_traced_memory()[1] + (size if pooled else 0))
"""


def buffer_peak(size: int = 1 << 20) -> None:
    """Bytes at the peak of a loop that takes a new buffer while the last is still bound to its name."""
    peaks = {}
    for name in ("pooled", "made"):
        run = subprocess.run([sys.executable, "-c", PEAK, str(size), name], capture_output=True, text=True, check=True)
        peaks[name] = [json.loads(run.stdout)]
    report(f"peak of a loop over {size >> 10} KiB buffers", "bytes", peaks, "pooled", "made", 0.5)


def main(quick: bool) -> None:
    rounds = 3 if quick else 11
    hit(rounds)
    threads(rounds)
    against_making(rounds)
    buffer_times(rounds)
    buffer_peak()
