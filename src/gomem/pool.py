"""Pool: objects kept for reuse, with the contract of Go's sync.Pool; and ready pools of byte buffers.

The native type (core/pool.c) holds the objects; this face has statistics, the with-statement, the debug mode and the
hook that ages pools after every full collection. docs/pool.md says when a pool pays, and when it is a loss.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
import weakref
from collections.abc import Callable
from types import GenericAlias
from typing import Any, NamedTuple, NoReturn

from gomem import pressure
from gomem._native import core
from gomem.errors import GomemError

FULL_COLLECTION = 2
_pools: dict[int, weakref.ref] = {}  # by id; a WeakSet breaks if a thread makes a pool while another ages them


class PoolError(GomemError):
    """A pool in debug mode caught its user doing what corrupts data in production."""


class PoolStats(NamedTuple):
    """Whether a pool pays. Times are estimates from sampled calls of ``new`` and ``reset``."""

    reused: int  # constructions saved
    made: int  # calls of new
    puts: int
    dropped: int  # puts that were refused: by a bound, by reset, or for a bytearray somebody still views
    aged: int  # objects that a collection or memory pressure took
    held: int  # objects in the pool now
    bytes: int  # their size, if the pool has a byte bound
    new_ns: float  # mean time of a construction; 0.0 before the first
    reset_ns: float  # mean time of a reset; 0.0 without a hook
    saved_ns: float  # reused * new_ns - resets * reset_ns; below 0 the pool is a loss, and near 0 it is one too

    @property
    def hit_ratio(self) -> float:
        """Share of gets that reused an object, 0.0 to 1.0."""
        gets = self.reused + self.made
        return self.reused / gets if gets else 0.0


def _age_pools(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] >= FULL_COLLECTION:
        for reference in list(_pools.values()):
            if (pool := reference()) is not None:
                pool.age()


def _join_collector(pool: Pool) -> None:
    if _age_pools not in gc.callbacks:
        gc.callbacks.append(_age_pools)
    key = id(pool)

    def forget(reference: weakref.ref) -> None:
        if _pools.get(key) is reference:
            del _pools[key]

    _pools[key] = weakref.ref(pool, forget)


class _Borrow:
    """The context manager of `Pool.borrow`."""

    __slots__ = ("_pool", "_item")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __enter__(self) -> Any:
        self._item = self._pool.get()
        return self._item

    def __exit__(self, kind: object, error: object, where: object) -> None:
        item, self._item = self._item, None
        if kind is None:
            self._pool.put(item)


@core().adopt
class Pool(core().Pool):
    """Keeps objects that are costly to make, for reuse: ``get()`` returns one or calls ``new``, ``put(x)`` returns it.

    ``new``: makes an object, called without arguments. ``reset``: called with each object before it is stored; if it
    returns False or raises, the object is not stored. ``maxsize``: most objects held (default: no bound);
    ``maxbytes``: most bytes held, as ``getsizeof`` counts them (default: the object's own ``__sizeof__``). A put beyond a
    bound drops the object. ``debug``: see below (default: the environment variable GOMEM_POOL_DEBUG=1).
    ``shrinkable``: `gomem.pressure.shrink` may take objects (default True).

    The five rules of sync.Pool: get never waits and never fails but for ``new``; any object may vanish at any full
    collection, and those not used between two of them do; never count on getting back what you put; all methods are
    safe under threads, greenlets and after fork; reset before put, and never touch an object after putting it.

    ``debug=True`` makes get and put a hundred times slower and raises PoolError on a second put of the same object, and
    on handing out an object that something else still refers to; `outstanding` lists objects never returned with the
    stack that borrowed them.

    Not for small objects: a pair of get and put costs about what making a small object costs (docs/pool.md).
    """

    __slots__ = ("_debug",)
    __class_getitem__ = classmethod(GenericAlias)

    def __new__(cls, *args: Any, debug: bool | None = None, **kwargs: Any) -> Pool:
        if debug is None:
            debug = os.environ.get("GOMEM_POOL_DEBUG") == "1"
        return super().__new__(_DebugPool if debug and cls is Pool else cls)

    def __init__(
        self,
        new: Callable[[], Any],
        *,
        reset: Callable[[Any], object] | None = None,
        maxsize: int | None = None,
        maxbytes: int | None = None,
        getsizeof: Callable[[Any], int] | None = None,
        debug: bool | None = None,
        shrinkable: bool = True,
    ) -> None:
        super().__init__(new, reset, maxsize, maxbytes, getsizeof)
        _join_collector(self)
        if shrinkable:
            pressure.register(self)

    def borrow(self) -> _Borrow:
        """``with pool.borrow() as x``: put back at the end, unless an exception leaves the block: its traceback may
        still hold the object, so then it is dropped."""
        return _Borrow(self)

    def stats(self) -> PoolStats:
        """Counts since the pool was made; see `PoolStats`."""
        reused, made, puts, dropped, aged, held, size, timed, ns, resets, resets_timed, resets_ns = self._stats()
        new_ns = ns / timed if timed else 0.0
        reset_ns = resets_ns / resets_timed if resets_timed else 0.0
        saved_ns = reused * new_ns - resets * reset_ns
        return PoolStats(reused, made, puts, dropped, aged, held, size, new_ns, reset_ns, saved_ns)

    def shrink(self, fraction: float) -> int:
        """Drops that fraction (0 to 1) of the objects held, rounded up; returns how many."""
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction: got {fraction}, want 0 to 1")
        return self._drop(-int(-len(self) * fraction // 1))

    def outstanding(self) -> list[tuple[str, str]]:
        """Type name and borrowing stack of each object that was not put back; PoolError without debug mode."""
        raise PoolError("outstanding: got a pool without debug mode, want Pool(..., debug=True)")

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self)} objects>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: cannot be pickled or copied, make one in each process")


class _DebugPool(Pool):
    """A pool that remembers who borrowed and who put each object."""

    __slots__ = ("_lent", "_stored")

    def __init__(self, new: Callable[[], Any], **options: Any) -> None:
        self._lent: dict[int, tuple[Any, str]] = {}  # id -> the object, the stack that got it
        self._stored: dict[int, str] = {}  # id -> the stack that put it; an entry is stale once the object was aged
        super().__init__(new, **options)

    def get(self) -> Any:
        made = self.stats().made
        item = super().get()
        stack = self._stored.pop(id(item), None)
        if self.stats().made != made:
            stack = None  # of an object that was aged, whose id this new one has
        if stack is not None and sys.getrefcount(item) > 2:
            others = sys.getrefcount(item) - 2
            raise PoolError(f"get: pooled {_name(item)} still has {others} other references, want none; put at {stack}")
        self._lent[id(item)] = item, _stack()
        return item

    def put(self, item: Any) -> None:
        lent = self._lent.pop(id(item), None)
        if lent is None and id(item) in self._stored and self._holds(item):
            raise PoolError(f"put: got the same {_name(item)} twice; first put at {self._stored[id(item)]}")
        del lent
        super().put(item)
        if self._holds(item):
            self._stored[id(item)] = _stack()

    def _holds(self, item: Any) -> bool:
        return any(other is item for other in gc.get_referents(self))

    def outstanding(self) -> list[tuple[str, str]]:
        return [(_name(item), stack) for item, stack in self._lent.values()]


def _name(item: object) -> str:
    return type(item).__name__


def _stack() -> str:
    """The callers outside this file, newest first, as one line."""
    frames = [frame for frame in traceback.extract_stack(limit=12) if frame.filename != __file__]
    return " < ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames[-6:]))


class Buffers:
    """Bytearrays for reuse in size classes from 16 KiB to 64 MiB, four a doubling.

    ``maxbytes``: most bytes held in each class (default 64 MiB). Smaller and larger requests are simply allocated: below 16 KiB a
    pool gains nothing (docs/pool.md). Contents of a reused buffer are arbitrary. A buffer that a memoryview still looks
    at when it is put back is left to its viewers and not reused.
    """

    SMALLEST = 1 << 14
    LARGEST = 1 << 26

    def __init__(self, maxbytes: int = 1 << 26) -> None:
        self._maxbytes = maxbytes
        self._pools: dict[int, Pool] = {}
        self._known: dict[int, Pool] = {}  # size asked for before -> its class's pool

    def get(self, size: int) -> bytearray:
        """A bytearray of at least ``size`` bytes (its class's size), contents arbitrary."""
        try:
            pool = self._known[size]
        except KeyError:
            pool = self._find(size)
        return pool.get() if pool is not None else bytearray(size)

    def put(self, buffer: bytearray) -> None:
        """Keeps a buffer for a later get; one whose length is no class's size is dropped."""
        pool = self._pools.get(len(buffer))
        if pool is not None:
            pool.put(buffer)
        elif (length := self.class_of(len(buffer))) == len(buffer) and length:
            self._find(length).put(buffer)

    def borrow(self, size: int) -> _View:
        """``with buffers.borrow(n) as view``: a writable memoryview of exactly n bytes, released at the end."""
        return _View(self, size)

    @classmethod
    def class_of(cls, size: int) -> int:
        """Length of the buffers that serve ``size`` bytes; 0 when they are not pooled. Raises ValueError below 0."""
        if size < 0:
            raise ValueError(f"size: got {size}, want at least 0")
        if not cls.SMALLEST <= size <= cls.LARGEST:
            return 0
        step = max(1 << ((size - 1).bit_length() - 3), cls.SMALLEST // 4)
        return -(-size // step) * step

    def stats(self) -> dict[int, PoolStats]:
        """Statistics by buffer length, for the classes in use."""
        found = {length: pool.stats() for length, pool in sorted(self._pools.items())}
        return {length: stats._replace(bytes=stats.held * length) for length, stats in found.items()}

    def _find(self, size: int) -> Pool | None:
        """The pool for a size, made if need be; None for sizes that are not pooled."""
        length = self.class_of(size)
        if not length:
            return None
        pool = self._pools.get(length)
        if pool is None:
            fresh = Pool(lambda: bytearray(length), maxsize=max(self._maxbytes // length, 1))
            pool = self._pools.setdefault(length, fresh)
        if len(self._known) >= 4096:  # sizes of all kinds: start anew rather than grow
            self._known.clear()
        self._known[size] = pool
        return pool

    def __repr__(self) -> str:
        return f"<Buffers {sum(map(len, self._pools.values()))} buffers in {len(self._pools)} classes>"


class _View:
    """The context manager of `Buffers.borrow`."""

    __slots__ = ("_buffers", "_size", "_buffer", "_view")

    def __init__(self, buffers: Buffers, size: int) -> None:
        self._buffers, self._size = buffers, size

    def __enter__(self) -> memoryview:
        self._buffer = self._buffers.get(self._size)
        with memoryview(self._buffer) as whole:
            self._view = whole[: self._size]
        return self._view

    def __exit__(self, kind: object, error: object, where: object) -> None:
        view, buffer = self._view, self._buffer
        self._view = self._buffer = None
        try:
            view.release()
        except BufferError:  # a view of this view is alive: the pool will see it and let the buffer go
            pass
        if kind is None:
            self._buffers.put(buffer)


buffers = Buffers()
