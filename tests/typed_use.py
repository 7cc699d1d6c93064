"""What a type checker is to make of LRUCache, cached, Pool and Builder: test_typing.py checks it, nothing runs it."""

import asyncio
import csv
import json
from typing import assert_type
import pickle

from gomem import Builder, BytesBuilder, LRUCache, Pool, buffers, cached
from gomem.lru import CacheStats

cache: LRUCache[str, int] = LRUCache(10, ttl=5.0)
cache["a"] = 1
assert_type(cache["a"], int)
assert_type(cache.get("a"), int | None)
assert_type(cache.get("a", 0), int)
assert_type(cache.peek("a", ""), int | str)
assert_type(cache.pop("a", 0), int)
assert_type(cache.get_or_load("b", len), int)
assert_type(cache.stats(), CacheStats)
assert_type(list(cache.items()), list[tuple[str, int]])
cache.put("a", 2, ttl=1)
cache[1] = 2  # error
LRUCache(10, policy="mru")  # error


async def load(key: str) -> int:
    return len(key)


async def use() -> None:
    assert_type(await cache.get_or_load_async("a", load), int)


asyncio.run(use())
pool = Pool(list[int], reset=list[int].clear, maxsize=4)
assert_type(pool.get(), list[int])
with pool.borrow() as item:
    assert_type(item, list[int])
pool.put("x")  # error
with buffers.borrow(5) as view:
    assert_type(view, memoryview)

out = Builder(10)
out += "x"
out.append("x", 1, 2.5)
print("x", file=out)
json.dump([1], out)
csv.writer(out).writerow([1])
with out as same:
    assert_type(same.build(), str)
out.write(b"x")  # error
raw = BytesBuilder()
raw += bytearray(b"x")
pickle.dump(1, raw)
assert_type(raw.build(), bytes)


@cached
def one(n: int) -> str:
    return str(n)


@cached(100, ttl=60)
def two(n: int, *, deep: bool = False) -> list[int]:
    return [n]


@cached
async def three(n: int) -> str:
    return str(n)


class Report:
    @cached
    def totals(self, year: int) -> list[int]:
        return [year]


assert_type(one(1), str)
assert_type(two(1, deep=True), list[int])
assert_type(Report().totals(2026), list[int])
assert_type(Report.totals.cache_info().currsize, int)
one("x")  # error
two(1, 2)  # error
Report().totals("x")  # error


async def use_three() -> None:
    assert_type(await three(1), str)
