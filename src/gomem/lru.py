"""LRUCache: a bounded, thread-safe mapping with its entries in one slab; the decorator is in gomem.memo.

The native type (core/lru.c) does every operation on an entry; this face has the mapping's views, the default size,
statistics and single-flight loading. docs/lru.md is the guide, docs/design/lru.md the mechanism.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from itertools import islice
from types import GenericAlias
from typing import Any, NamedTuple, NoReturn

from gomem import _flight, pressure
from gomem._native import core

_POLICIES = {"lru": False, "s3fifo": True}
_SIZED_OBJECTS = 1000
_ENTRY_BYTES = 56  # an entry with its weight column and index slots


class CacheStats(NamedTuple):
    """What a cache has done since it was made, and what it holds now."""

    hits: int
    misses: int
    evictions: int  # entries that a bound or memory pressure drove out
    expirations: int
    size: int  # entries, expired ones that nobody has met yet included
    bytes: int  # sum of the entries' sizes; 0 without a byte bound
    overhead_bytes: int  # of the cache itself, without keys and values

    @property
    def hit_ratio(self) -> float:
        """Hits per read, 0.0 to 1.0; 0.0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0


def sizeof(value: object) -> int:
    """Bytes of an object with what it contains: the default measure of ``maxbytes``.

    Follows lists, tuples, sets, dicts and instance attributes, counts a shared object once, uses ``nbytes`` where a
    type has it (arrays), and stops after 1000 objects, so for huge structures it is a lower bound. Classes, modules
    and functions count as nothing: they are not the value's own. Costs 0.1 to 0.5 us an object.
    """
    total, seen, todo = 0, set(), [value]
    while todo and len(seen) < _SIZED_OBJECTS:
        item = todo.pop()
        if id(item) in seen or isinstance(item, (type, type(sys), type(sizeof))):
            continue
        seen.add(id(item))
        size = sys.getsizeof(item, 64)
        nbytes = getattr(item, "nbytes", 0)
        total += max(size, nbytes if isinstance(nbytes, int) else 0)
        if isinstance(item, dict):
            todo += islice(item.keys(), _SIZED_OBJECTS)
            todo += islice(item.values(), _SIZED_OBJECTS)
        elif isinstance(item, (list, tuple, set, frozenset)):
            todo += islice(item, _SIZED_OBJECTS)
        elif hasattr(item, "__dict__"):
            todo += islice(vars(item).values(), _SIZED_OBJECTS)
    return total


def _entry_sizeof(value: object) -> int:
    return sizeof(value) + _ENTRY_BYTES


class _Keys(KeysView):
    def __iter__(self) -> Iterator[Any]:
        return self._mapping._iterate(0, False)

    def __reversed__(self) -> Iterator[Any]:
        return self._mapping._iterate(0, True)


class _Values(ValuesView):
    def __iter__(self) -> Iterator[Any]:
        return self._mapping._iterate(1, False)

    def __reversed__(self) -> Iterator[Any]:
        return self._mapping._iterate(1, True)

    def __contains__(self, value: object) -> bool:
        return any(item is value or item == value for item in self)


class _Items(ItemsView):
    def __iter__(self) -> Iterator[Any]:
        return self._mapping._iterate(2, False)

    def __reversed__(self) -> Iterator[Any]:
        return self._mapping._iterate(2, True)

    def __contains__(self, item: object) -> bool:
        missing = object()
        if not isinstance(item, tuple) or len(item) != 2:
            return False
        value = self._mapping.peek(item[0], missing)
        return value is item[1] or (value is not missing and value == item[1])


@core().adopt
class LRUCache(core().LRUCache, MutableMapping):
    """A mapping of fixed size from which the least recently used entry goes first.

    ``maxsize``: most entries, 1 to 700 million, or None for no bound by count; then ``maxbytes`` is wanted.
    ``maxbytes``: most bytes in all, as ``getsizeof(value)`` counts them (default: `sizeof` plus the entry's own 56). A value
    above ``maxbytes`` raises ValueError. ``getsizeof`` without ``maxbytes`` makes ``maxsize`` the bound of the sum of
    sizes, as in cachetools.
    ``ttl``, ``idle``: seconds that an entry lives after it was stored, or last read; ``clock`` gives the time in seconds
    (default: the monotonic clock). Expired entries are never returned; they leave when met or within half a
    cache of further puts.
    ``policy``: ``"lru"``, or ``"s3fifo"``, which withstands scans and costs about 20 bytes an entry more.
    ``on_evict``: called as ``on_evict(key, value, reason)`` after an entry left; the reason is ``"size"``, ``"expired"``,
    ``"replaced"``, ``"removed"``, ``"cleared"`` or ``"pressure"``. What it raises goes to ``sys.unraisablehook``.
    ``shrinkable``: `gomem.pressure.shrink` may evict from it, and near the limit of `gomem.gc` it does not grow (default True).

    All operations are atomic under threads and may be called from a key's ``__eq__``, a finaliser or a callback. An
    entry costs 38 bytes beyond key and value (while an unbounded count grows up to twice that), with time or byte bounds 8 more each; a steady cache allocates
    nothing per put. Iteration goes from oldest to newest and does not count as reads; a key added or removed meanwhile
    raises RuntimeError. Caches compare by content, are not hashable, can be weakly referenced and subclassed
    (``__missing__`` and ``getsizeof`` are honoured, and ``popitem``, as in cachetools, is what makes room: storing is not
    atomic then; overriding another method changes that one only); they cannot be pickled or copied.
    Not for: a handful of constants (use a dict), results of one function (use `gomem.cached`).
    """

    __slots__ = ("_flights", "_options")
    __class_getitem__ = classmethod(GenericAlias)

    def __init__(
        self,
        maxsize: int | None = None,
        getsizeof: Callable[[Any], int] | None = None,
        *,
        maxbytes: int | None = None,
        ttl: float | None = None,
        idle: float | None = None,
        clock: Callable[[], float] | None = None,
        timer: Callable[[], float] | None = None,
        policy: str = "lru",
        on_evict: Callable[[Any, Any, str], object] | None = None,
        shrinkable: bool = True,
    ) -> None:
        if getsizeof is None and type(self).getsizeof is not LRUCache.getsizeof:
            getsizeof = self.getsizeof
        if policy not in _POLICIES:
            raise ValueError(f"policy: got {policy!r}, want one of {', '.join(_POLICIES)}")
        if maxsize is None and maxbytes is None:
            raise ValueError("LRUCache: got no bound, want maxsize or maxbytes")
        bound_is_weight = getsizeof is not None and maxbytes is None
        if bound_is_weight:
            maxsize, maxbytes = None, maxsize
        elif maxbytes is not None and getsizeof is None:
            getsizeof = _entry_sizeof
        super().__init__(
            maxsize, maxbytes, getsizeof, ttl, idle, clock or timer, _POLICIES[policy], on_evict, bound_is_weight, shrinkable
        )
        self._flights = None
        self._options = getsizeof
        if shrinkable:
            pressure.register(self)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.popitem is not LRUCache.popitem:
            for name, store in _STORES.items():
                if getattr(cls, name) is getattr(LRUCache, name):
                    setattr(cls, name, store)

    def __iter__(self) -> Iterator[Any]:
        return self._iterate(0, False)

    def __reversed__(self) -> Iterator[Any]:
        return self._iterate(0, True)

    def keys(self) -> KeysView:
        """Keys from oldest to newest: the first is the next to be evicted (`lru` policy)."""
        return _Keys(self)

    def values(self) -> ValuesView:
        """Values in the order of the keys."""
        return _Values(self)

    def items(self) -> ItemsView:
        """Pairs in the order of the keys."""
        return _Items(self)

    def popitem(self) -> tuple[Any, Any]:
        """Takes out the entry that would be evicted next; KeyError when empty."""
        pair = self.remove_oldest()
        if pair is None:
            raise KeyError(f"{type(self).__name__}: empty") from None
        return pair

    def getsizeof(self, value: Any) -> int:
        """The size of a value as this cache counts it; 1 without a byte bound."""
        return 1 if self._options is None else self._options(value)

    def stats(self) -> CacheStats:
        """Counts since the cache was made; see `CacheStats`."""
        return CacheStats(*self._stats())

    def shrink(self, fraction: float) -> int:
        """Evicts that fraction of the entries, rounded up, and gives their memory back; returns how many went."""
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction: got {fraction}, want 0 to 1")
        return self._evict(-int(-len(self) * fraction // 1))

    async def get_or_load_async(self, key: Any, loader: Callable[[Any], Awaitable[Any]]) -> Any:
        """The value of a key; if absent, ``await loader(key)`` is stored and returned, run once for all waiting tasks.

        The load runs in a task of its own, so a waiter that is cancelled does not cancel it for the others. What it
        raises is raised in every waiter and nothing is stored.
        """
        value = self.get(key, _flight.ABSENT)
        if value is not _flight.ABSENT:
            return value
        return await self._all_flights().load_async(self, key, loader)

    def _load(self, key: Any, loader: Callable[[Any], Any]) -> Any:
        return self._all_flights().load(self, key, loader)

    def _all_flights(self) -> _flight.Flights:
        if self._flights is None:
            flights = _flight.Flights()
            if self._flights is None:  # another thread may have been here
                self._flights = flights
        return self._flights

    def __repr__(self) -> str:
        bounds = [f"maxsize={self.maxsize}"]
        bounds += [f"{name}={value}" for name in ("maxbytes", "ttl", "idle") if (value := getattr(self, name)) is not None]
        return f"<{type(self).__name__} {len(self)} entries, {', '.join(bounds)}, policy={self.policy!r}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: cannot be pickled or copied, pickle dict(cache.items()) and its bounds")


# What stores in a subclass that has a popitem of its own, as in cachetools: it is called until the entry has room.


def _make_room(cache: LRUCache, key: Any, value: Any) -> None:
    while (held := len(cache)) and _is_in_the_way(cache, held, key, value):
        cache.popitem()
        if len(cache) >= held:  # it took nothing out: the native eviction has to
            return


def _is_in_the_way(cache: LRUCache, held: int, key: Any, value: Any) -> bool:
    """Whether storing would drive another entry out; not if the value is too large for any room."""
    absent = object()
    old = cache.peek(key, absent)
    if cache.maxbytes is None:
        return old is absent and held >= cache.maxsize
    size = cache.getsizeof(value)
    more = size - (0 if old is absent else cache.getsizeof(old))
    counted = cache.maxsize not in (None, cache.maxbytes) and old is absent and held >= cache.maxsize
    return size <= cache.maxbytes and (counted or cache.currsize + more > cache.maxbytes)


def _set(self: LRUCache, key: Any, value: Any) -> None:
    _make_room(self, key, value)
    LRUCache.__setitem__(self, key, value)


def _put(self: LRUCache, key: Any, value: Any, /, *, ttl: float | None = None) -> bool:
    before = len(self) + (key not in self)
    _make_room(self, key, value)
    return LRUCache.put(self, key, value, ttl=ttl) or len(self) < before


def _setdefault(self: LRUCache, key: Any, default: Any = None, /) -> Any:
    if key not in self:
        _make_room(self, key, default)
    return LRUCache.setdefault(self, key, default)


_STORES = {"__setitem__": _set, "put": _put, "setdefault": _setdefault}
