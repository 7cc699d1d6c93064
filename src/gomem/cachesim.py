"""Hit ratios of a cache on a trace of keys: gomem's policies, FIFO to compare with, and the optimum nobody can reach.

The policies run in `gomem.LRUCache` itself, so what is simulated is what is shipped. The optimum (Belady 1966) evicts the key
whose next use is farthest away, or never; it reads the future, so it bounds what any policy could do.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence

from gomem.lru import LRUCache

NEVER = 1 << 62


def read_trace(lines: Iterable[str], column: int | None = None, separator: str | None = None) -> list[str]:
    """Keys of a trace, one a line; or the given column (1 is the first) of lines split at the separator (default:
    white space). Blank lines are skipped. Raises ValueError with the line's number where the column is missing."""
    keys = []
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\r\n")
        if not line.strip():
            continue
        if column is None:
            keys.append(line)
            continue
        fields = line.split(separator)
        if len(fields) < column:
            raise ValueError(f"trace: line {number} has {len(fields)} columns, want at least {column}")
        keys.append(fields[column - 1])
    return keys


def _run(policy: str, trace: Sequence[Hashable], size: int) -> int:
    cache = LRUCache(size, policy=policy, shrinkable=False)
    for key in trace:
        if cache.get(key) is None:
            cache[key] = True
    return cache.stats().hits


def lru(trace: Sequence[Hashable], size: int) -> int:
    """Hits of LRUCache(size)."""
    return _run("lru", trace, size)


def s3fifo(trace: Sequence[Hashable], size: int) -> int:
    """Hits of LRUCache(size, policy="s3fifo")."""
    return _run("s3fifo", trace, size)


def fifo(trace: Sequence[Hashable], size: int) -> int:
    """Hits of a cache that evicts in order of arrival: what a dict with a size check does."""
    held: OrderedDict[Hashable, None] = OrderedDict()
    hits = 0
    for key in trace:
        if key in held:
            hits += 1
            continue
        if len(held) >= size:
            held.popitem(last=False)
        held[key] = None
    return hits


def belady(trace: Sequence[Hashable], size: int) -> int:
    """Hits of the optimum. Costs O(n log size) time."""
    following = next_uses(trace)
    held: dict[Hashable, int] = {}  # key -> its next use
    farthest: list[tuple[int, int]] = []  # (-next use, where the key was seen); stale ones are skipped
    hits = 0
    for position, key in enumerate(trace):
        if key in held:
            hits += 1
        elif len(held) >= size:
            while True:
                use, seen = heapq.heappop(farthest)
                victim = trace[seen]
                if held.get(victim) == -use and following[seen] == -use:
                    break
            del held[victim]
        held[key] = following[position]
        heapq.heappush(farthest, (-following[position], position))
    return hits


def next_uses(trace: Sequence[Hashable]) -> list[int]:
    """For each position where its key is used next; positions past the end, all different, where it never is."""
    following, coming = [0] * len(trace), {}
    for position in range(len(trace) - 1, -1, -1):
        key = trace[position]
        following[position] = coming.get(key, NEVER + position)
        coming[key] = position
    return following


POLICIES: dict[str, Callable[[Sequence[Hashable], int], int]] = {
    "fifo": fifo,
    "lru": lru,
    "s3fifo": s3fifo,
    "optimum": belady,
}


def hit_ratios(
    trace: Sequence[Hashable], sizes: Iterable[int], policies: Iterable[str] = tuple(POLICIES)
) -> dict[int, dict[str, float]]:
    """Hits per request, 0.0 to 1.0, by cache size (entries) and policy. Costs about a microsecond a request each."""
    policies = list(policies)
    return {size: {name: POLICIES[name](trace, size) / max(len(trace), 1) for name in policies} for size in sizes}
