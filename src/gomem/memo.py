"""cached: a decorator that keeps a function's results, a faster functools.lru_cache that knows methods and coroutines.

Plain functions and methods are the native type's business (core/memo.c). Time limits, byte bounds, a cache of your
own, single flight and coroutines go through `gomem.LRUCache` and a key made here.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Hashable, MutableMapping
from typing import Any, NamedTuple

from gomem import _flight
from gomem._native import core
from gomem.lru import LRUCache

_KEYWORDS = object()  # separates positional from keyword arguments in a key


class CacheInfo(NamedTuple):
    """What functools.lru_cache's cache_info() returns."""

    hits: int
    misses: int
    maxsize: int | None
    currsize: int


def hashkey(*args: Hashable, **kwargs: Hashable) -> tuple:
    """A key for a call: equal for calls with equal arguments, whatever the order of the keywords."""
    return (*args, _KEYWORDS, *sorted(kwargs.items())) if kwargs else args


def typedkey(*args: Hashable, **kwargs: Hashable) -> tuple:
    """As `hashkey`, but arguments of different types make different keys."""
    values = (*args, *(value for _, value in sorted(kwargs.items())))
    return (*hashkey(*args, **kwargs), *map(type, values))


def cached(
    maxsize: int | Callable[..., Any] | MutableMapping | None = 128,
    typed: bool = False,
    *,
    cache: MutableMapping | None = None,
    key: Callable[..., Hashable] | None = None,
    method: bool | None = None,
    policy: str = "lru",
    maxbytes: int | None = None,
    getsizeof: Callable[[Any], int] | None = None,
    ttl: float | None = None,
    idle: float | None = None,
    clock: Callable[[], float] | None = None,
    single_flight: bool = False,
) -> Any:
    """Keeps the results of the last calls of a function: ``@cached``, ``@cached(1000)``, ``@cached(ttl=60)``.

    ``maxsize``, ``typed``: as in functools.lru_cache, with which it shares ``cache_info()``, ``cache_clear()``,
    ``cache_parameters()`` and ``__wrapped__``; None keeps everything, 0 nothing.
    ``policy``, ``maxbytes``, ``getsizeof``, ``ttl``, ``idle``, ``clock``: as in `gomem.LRUCache`.
    ``cache``: a mapping of your own to keep results in (any, as in cachetools, also as the first argument); then the
    bounds are its own.
    ``key``: makes the key from the call's arguments; default `hashkey`, or `typedkey`.
    ``single_flight``: threads that miss the same key wait for one call instead of each making it. Coroutine functions
    always share: tasks that await the same key await one call; cancelling one of them does not cancel the call.
    ``method``: whether the first argument is an instance that gets a cache of its own, which goes with it and does not
    keep it alive (unless a result refers to it). Default: found out when the class is made. With ``method=False``
    instances are part of the key, as in functools; where another decorator hides the function from the
    class (``property``), give ``method=True``.

    Arguments must be hashable (TypeError). Exceptions are not kept. A hit of a plain function allocates nothing.
    Not for functions that change something, return something mutable, or are cheaper than about 100 ns.
    """
    if callable(maxsize):
        return cached(typed=typed)(maxsize)
    if isinstance(maxsize, MutableMapping):
        cache, maxsize = maxsize, getattr(maxsize, "maxsize", None)
    if maxsize is not None:
        if not isinstance(maxsize, int):
            raise TypeError(f"maxsize: got {maxsize!r}, want an int, None or the function to decorate")
        maxsize = max(maxsize, 0)
    bounds = {"maxbytes": maxbytes, "getsizeof": getsizeof, "ttl": ttl, "idle": idle, "clock": clock}
    bounds = {name: value for name, value in bounds.items() if value is not None}
    if cache is not None and bounds:
        raise ValueError(f"cached: got cache and {', '.join(bounds)}, want the bounds on the cache itself")
    if policy not in ("lru", "s3fifo"):
        raise ValueError(f"policy: got {policy!r}, want one of lru, s3fifo")

    def decorate(function: Callable[..., Any]) -> Any:
        native = cache is None and key is None and not bounds and not single_flight
        if native and not inspect.iscoroutinefunction(function):
            memo = core().Memo(function, maxsize, typed, policy == "s3fifo", method, CacheInfo)
            return functools.update_wrapper(memo, function)

        def make() -> MutableMapping | None:
            if cache is not None:
                return cache
            return None if maxsize == 0 else LRUCache(maxsize or 700_000_000, policy=policy, **bounds)

        make_key = key or (typedkey if typed else hashkey)
        kind = _AsyncMemo if inspect.iscoroutinefunction(function) else _Memo
        memo = kind(function, make, make_key, maxsize, typed, method, single_flight)
        functools.update_wrapper(memo, function, updated=())
        for name, value in getattr(function, "__dict__", {}).items():  # another memo's state is not to become this one's
            vars(memo).setdefault(name, value)
        return memo

    return decorate


class _Part:
    """One table of results: a function's, or one instance's of a method."""

    __slots__ = ("cache", "flights", "reference")

    def __init__(self, cache: MutableMapping | None, reference: weakref.ref | None = None) -> None:
        self.cache = cache
        self.flights = _flight.Flights()
        self.reference = reference


class _Memo:
    """A decorated function whose results are in a mapping."""

    def __init__(
        self,
        function: Callable[..., Any],
        make: Callable[[], MutableMapping | None],
        make_key: Callable[..., Hashable],
        maxsize: int | None,
        typed: bool,
        method: bool | None,
        single_flight: bool,
    ) -> None:
        self._function = function
        self._make = make
        self._make_key = make_key
        self._parameters = {"maxsize": maxsize, "typed": typed}
        self._method = method
        self._single_flight = single_flight
        self._hits = self._misses = 0
        self._part = _Part(make())
        self._parts: dict[int, _Part] = {}  # id of an instance -> its results

    def __set_name__(self, owner: type, name: str) -> None:
        if self._method is None:
            self._method = getattr(self._function, "__qualname__", None) == f"{owner.__qualname__}.{name}"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else _bind(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        part, key = self._find(args, kwargs)
        value = _flight.ABSENT if part.cache is None else _read(part.cache, key)
        if value is not _flight.ABSENT:
            self._hits += 1
            return value
        self._misses += 1
        if part.cache is None:
            return self._function(*args, **kwargs)
        if self._single_flight:
            return part.flights.load(part.cache, key, lambda _: self._function(*args, **kwargs))
        value = self._function(*args, **kwargs)
        _flight.store(part.cache, key, value)
        return value

    def _find(self, args: tuple, kwargs: dict[str, Any]) -> tuple[_Part, Hashable]:
        if not self._method or not args:
            return self._part, self._make_key(*args, **kwargs)
        return self._part_of(args[0]), self._make_key(*args[1:], **kwargs)

    def _part_of(self, instance: Any) -> _Part:
        where = id(instance)
        parts = self._parts
        part = parts.get(where)
        if part is not None and part.reference() is not instance:  # died without a word, as in a collection
            parts.pop(where, None)
            part = None
        if part is None:

            def forget(reference: weakref.ref) -> None:
                if (dead := parts.get(where)) is not None and dead.reference is reference:
                    del parts[where]

            part = parts.setdefault(where, _Part(self._make(), weakref.ref(instance, forget)))
        return part

    def _tables(self) -> list[_Part]:
        return [self._part, *self._parts.values()]

    def cache_info(self) -> CacheInfo:
        """Hits, misses, maxsize and entries; of a method, the entries of all instances."""
        size = sum(len(part.cache) for part in self._tables() if part.cache is not None)
        return CacheInfo(self._hits, self._misses, self._parameters["maxsize"], size)

    def cache_clear(self) -> None:
        """Forgets all results and counts."""
        self._hits = self._misses = 0
        self._parts.clear()
        if self._part.cache is not None:
            self._part.cache.clear()

    def cache_parameters(self) -> dict[str, Any]:
        """A new dict of maxsize and typed."""
        return dict(self._parameters)

    @property
    def cache(self) -> MutableMapping | None:
        """The mapping that holds the results; of a method, each instance has its own."""
        return self._part.cache

    def __copy__(self) -> _Memo:
        return self

    def __deepcopy__(self, memo: object) -> _Memo:
        return self

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<gomem.cached {self._function!r}>"


class _AsyncMemo(_Memo):
    """A decorated coroutine function; what is kept is the awaited result."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if hasattr(inspect, "markcoroutinefunction"):  # 3.12
            inspect.markcoroutinefunction(self)

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        part, key = self._find(args, kwargs)
        value = _flight.ABSENT if part.cache is None else _read(part.cache, key)
        if value is not _flight.ABSENT:
            self._hits += 1
            return value
        self._misses += 1
        if part.cache is None:
            return await self._function(*args, **kwargs)
        return await part.flights.load_async(part.cache, key, lambda _: self._function(*args, **kwargs))


def _bind(memo: _Memo, instance: object) -> Any:
    from types import MethodType

    return MethodType(memo, instance)


def _read(cache: MutableMapping, key: Hashable) -> Any:
    try:
        return cache[key]
    except KeyError:
        return _flight.ABSENT
