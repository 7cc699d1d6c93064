"""gomem.gc's memory limit: what else the program holds grows beside a full cache, which makes way for it with each put."""

import sys

import gomem.gc
from gomem import LRUCache, pressure
from gomem.heap import memory_status

MIB = 1 << 20
KINDS = {
    "count": lambda: LRUCache(3200),
    "bytes": lambda: LRUCache(maxbytes=200 * MIB, getsizeof=len),
    "weighed": lambda: LRUCache(3200, maxbytes=4096 * MIB, getsizeof=len, ttl=3600),
}


def main(kind):
    cache, other = KINDS[kind](), []
    limit = pressure.read().used + 300 * MIB
    for number in range(3200):  # 200 MiB
        cache[number] = bytes([number & 255]) * (64 << 10)
    gomem.gc.enable(memory_limit=limit)
    for number in range(3200, 9_200):  # 190 MiB more
        cache[number] = bytes([number & 255]) * (64 << 10)
        other.append(bytes([number & 255]) * (32 << 10))
    gomem.gc.disable()
    peak = memory_status()["VmHWM"]  # ru_maxrss may be that of the process that started this one
    assert 1 <= len(cache) < 1600, len(cache)
    assert peak <= limit + 30 * MIB, (peak / MIB, limit / MIB)


main(sys.argv[1])
