"""gomem.gc's memory limit: a cache that outgrows it is asked to shrink until the process is within it again."""

import time

import gomem.gc
from gomem import LRUCache, pressure

MIB = 1 << 20


def put(cache, numbers):
    """Stores values of 4 kB, and leaves some garbage in cycles, as programs do."""
    for number in numbers:
        cache[number] = bytes(4000)
        cycle = []
        cycle.append(cycle)


def main():
    driven_out = set()
    cache = LRUCache(1_000_000, on_evict=lambda key, value, reason: driven_out.add(reason))
    limit = pressure.read().used + 100 * MIB
    gomem.gc.enable(memory_limit=limit)
    put(cache, range(100_000))  # 390 MiB if nobody minds
    number, until = 100_000, time.monotonic() + 30
    while pressure.read().used > limit and time.monotonic() < until:  # the limit is looked at twice a second
        put(cache, range(number, number + 100))
        number += 100
    used = pressure.read().used
    gomem.gc.disable()
    assert driven_out == {"pressure"}, driven_out
    assert used <= limit, (used / MIB, limit / MIB)
    assert len(cache) < 30_000, len(cache)


main()
