"""Slow, obvious models of the caches: the oracles of test_lru_model.py and test_lru_policy.py."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any


class LRUModel:
    """An OrderedDict, oldest first, with a bound by count and one by size."""

    def __init__(self, maxsize: int | None, maxbytes: int | None = None, size=lambda value: 1) -> None:
        self.maxsize, self.maxbytes, self.size = maxsize, maxbytes, size
        self.entries: OrderedDict[Any, Any] = OrderedDict()
        self.log: list[tuple[Any, Any, str]] = []
        self.hits = self.misses = 0

    def total(self) -> int:
        return sum(map(self.size, self.entries.values()))

    def get(self, key: Any, default: Any = None) -> Any:
        if key not in self.entries:
            self.misses += 1
            return default
        self.hits += 1
        self.entries.move_to_end(key)
        return self.entries[key]

    def put(self, key: Any, value: Any) -> None:
        if self.maxbytes is not None and self.size(value) > self.maxbytes:
            raise ValueError
        if key in self.entries:
            self.log.append((key, self.entries[key], "replaced"))
        self.entries[key] = value
        self.entries.move_to_end(key)
        self.enforce("size")

    def enforce(self, reason: str) -> None:
        while (self.maxsize is not None and len(self.entries) > self.maxsize) or (
            self.maxbytes is not None and self.total() > self.maxbytes
        ):
            self.log.append((*self.entries.popitem(last=False), reason))

    def pop(self, key: Any) -> Any:
        value = self.entries.pop(key)
        self.log.append((key, value, "removed"))
        return value


class S3FIFOModel:
    """S3-FIFO over keys only, from the description of libCacheSim's version: access(key) -> hit."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.small_target = max(size // 10, 1)
        self.main_target = size - self.small_target
        self.ghost_size = max(size * 9 // 10, 1)
        self.small: deque[int] = deque()  # left is oldest
        self.main: deque[int] = deque()
        self.ghost: OrderedDict[int, None] = OrderedDict()
        self.freq: dict[int, int] = {}
        self.evicted_once = False

    def access(self, key: int) -> bool:
        if key in self.freq:
            self.freq[key] = min(self.freq[key] + 1, 3)
            return True
        known = key in self.ghost
        if known:
            del self.ghost[key]
        filling = not self.evicted_once and len(self.small) >= self.small_target
        if len(self.freq) >= self.size:
            self.evicted_once = True
            self.evict()
        (self.main if known or filling else self.small).append(key)
        self.freq[key] = 0
        return False

    def evict(self) -> None:
        if len(self.main) <= self.main_target:
            while self.small:
                key = self.small.popleft()
                if self.freq[key] < 2:
                    del self.freq[key]
                    self.ghost[key] = None
                    if len(self.ghost) > self.ghost_size:
                        self.ghost.popitem(last=False)
                    return
                self.freq[key] = 0
                self.main.append(key)
        while True:
            key = self.main.popleft()
            if self.freq[key] == 0:
                del self.freq[key]
                return
            self.freq[key] -= 1
            self.main.append(key)
