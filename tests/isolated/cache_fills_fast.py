"""gomem.gc's memory limit: a cache that is filled at full speed does not go over it, whatever it is bounded by; one that is
not shrinkable does."""

import sys

import gomem.gc
from gomem import LRUCache, pressure
from gomem.heap import memory_status

MIB = 1 << 20
KINDS = {
    "count": lambda told: LRUCache(1_000_000, on_evict=told),
    "bytes": lambda told: LRUCache(maxbytes=4096 * MIB, getsizeof=len, on_evict=told),
    "s3fifo": lambda told: LRUCache(1_000_000, policy="s3fifo", on_evict=told),
    "plain": lambda told: LRUCache(1_000_000),
    "kept": lambda told: LRUCache(1_000_000, on_evict=told, shrinkable=False),
}


def main(kind):
    driven_out = set()
    cache = KINDS[kind](lambda key, value, reason: driven_out.add(reason))
    limit = pressure.read().used + 300 * MIB
    gomem.gc.enable(memory_limit=limit)
    for number in range(12_800):  # 800 MiB if nobody minds
        cache[number] = bytes([number & 255]) * (64 << 10)
    gomem.gc.disable()
    peak = memory_status()["VmHWM"]  # ru_maxrss may be that of the process that started this one
    if kind == "kept":
        assert not driven_out and len(cache) == 12_800, (driven_out, len(cache))
        return
    assert driven_out == ({"pressure"} if kind != "plain" else set()), driven_out
    assert peak <= limit + 60 * MIB, (peak / MIB, limit / MIB)
    before = len(cache)
    for number in range(100):  # without a limit it grows again
        cache[-1 - number] = b"x"
    assert len(cache) == before + 100


main(sys.argv[1])
