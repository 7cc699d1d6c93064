"""Single flight: of all that want an absent key at once, one loads it and the others wait for its result.

- Threads: the first becomes the flight's leader and runs the loader without any lock held; the others wait on its event.
- A thread that would wait for a flight whose leader waits, directly or not, for it would wait for ever: it loads for
  itself instead. The same for a loader that asks for its own key.
- A leader that is interrupted (KeyboardInterrupt, SystemExit) leaves alone: its waiters start over.
- A forked child has none of its parent's other threads, so it does not wait for the flights they led.
- Tasks: one task per key runs the loader, shielded from the cancellation of its waiters; flights belong to a loop. A
  loader that would wait for itself, directly or through other loads, loads for itself as a thread does.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "<absent>", "__slots__": ()})()


class _Flight:
    __slots__ = ("leader", "landed", "value", "error")

    def __init__(self) -> None:
        self.leader = threading.get_ident()
        self.landed = threading.Event()
        self.value: Any = ABSENT
        self.error: BaseException | None = None


_lock = threading.RLock()  # re-entrant: a finaliser may run under it; no key is hashed or compared under it
_waits: dict[int, _Flight] = {}  # waiting thread -> the flight it waits for; guarded by _lock
_fork_watched = False


def _reset_lock() -> None:
    global _lock
    _lock = threading.RLock()
    _waits.clear()


def _watch_forks() -> None:
    """Before the first flight, not on import: a child may fork off while another thread holds the lock."""
    global _fork_watched
    if not _fork_watched:
        _fork_watched = True
        os.register_at_fork(after_in_child=_reset_lock)


def _leads_back(flight: _Flight | None, me: int) -> bool:
    """Whether the flight's leader waits, through however many flights, for a flight that this thread leads."""
    seen = set()
    while flight is not None and id(flight) not in seen:
        if flight.leader == me:
            return True
        seen.add(id(flight))
        flight = _waits.get(flight.leader)
    return False


_task: ContextVar[asyncio.Task | None] = ContextVar("gomem load", default=None)  # whose load this code is part of
_task_waits: dict[asyncio.Task, list[asyncio.Task]] = {}  # a load's task -> the loads it waits for now


def _task_leads_back(task: asyncio.Task, me: asyncio.Task) -> bool:
    """Whether a load waits, through however many loads, for the load that this code is part of."""
    seen, todo = set(), [task]
    while todo:
        other = todo.pop()
        if other is me:
            return True
        if other not in seen:
            seen.add(other)
            todo += _task_waits.get(other, ())
    return False


class Flights:
    """The loads under way for one cache."""

    __slots__ = ("_threads", "_tasks", "_pid")

    def __init__(self) -> None:
        self._threads: dict[Any, _Flight] = {}  # each operation on it is atomic under the GIL
        self._tasks: dict[Any, asyncio.Task] = {}  # keyed by loop and key, touched by that loop's thread only
        self._pid = os.getpid()
        _watch_forks()

    def load(self, cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        """loader(key), stored in the cache; what a leader raised is raised here too."""
        if self._pid != os.getpid():
            self._threads, self._tasks, self._pid = {}, {}, os.getpid()
        while True:
            mine = _Flight()
            flight = self._threads.setdefault(key, mine)
            if flight is not mine and flight.landed.is_set():  # its key failed when it was to be taken out
                flight = self._threads[key] = mine
            if flight is mine:
                try:
                    return self._lead(mine, cache, key, loader)
                finally:
                    del flight, mine  # an error's traceback holds this frame: no cycle through it
            if not self._wait(flight):
                return self._fetch(cache, key, loader)
            if flight.error is None:
                return flight.value
            if isinstance(flight.error, Exception):
                try:
                    raise flight.error
                finally:
                    del flight

    @staticmethod
    def _wait(flight: _Flight) -> bool:
        """Waits until it has landed; False at once if it never would, as its leader waits for this thread."""
        me = threading.get_ident()
        with _lock:
            if _leads_back(flight, me):
                return False
            _waits[me] = flight
        try:
            flight.landed.wait()
        finally:
            with _lock:
                _waits.pop(me, None)
        return True

    def _lead(self, flight: _Flight, cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        try:
            value = getattr(cache, "peek", cache.get)(key, ABSENT)  # it may have landed between the miss and now
            flight.value = self._fetch(cache, key, loader) if value is ABSENT else value
            return flight.value
        except BaseException as error:
            flight.error = error
            raise
        finally:
            try:
                self._threads.pop(key, None)
            finally:
                flight.landed.set()
                del flight

    @staticmethod
    def _fetch(cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        value = loader(key)
        store(cache, key, value)
        return value

    async def load_async(self, cache: MutableMapping, key: Any, loader: Callable[[Any], Awaitable[Any]]) -> Any:
        """await loader(key), stored in the cache, run by one task for all that wait in this event loop."""
        where = asyncio.get_running_loop(), key
        task, me = self._tasks.get(where), _task.get()
        if task is None or task.done():
            task = asyncio.ensure_future(self._lead_async(cache, key, loader))
            self._tasks[where] = task
            task.add_done_callback(lambda done: self._land(where, done))
        elif me is not None and not me.done() and _task_leads_back(task, me):
            return await self._fetch_async(cache, key, loader)
        if me is None:
            return await asyncio.shield(task)
        waits = _task_waits.setdefault(me, [])
        waits.append(task)
        try:
            return await asyncio.shield(task)
        finally:
            waits.remove(task)
            if not waits:
                _task_waits.pop(me, None)

    def _land(self, where: Any, task: asyncio.Task) -> None:
        if not task.cancelled():
            task.exception()  # marks it as seen: the waiters, if any are left, raise it
        if self._tasks.get(where) is task:
            del self._tasks[where]

    async def _lead_async(self, cache: MutableMapping, key: Any, loader: Callable[[Any], Awaitable[Any]]) -> Any:
        _task.set(asyncio.current_task())
        return await self._fetch_async(cache, key, loader)

    @staticmethod
    async def _fetch_async(cache: MutableMapping, key: Any, loader: Callable[[Any], Awaitable[Any]]) -> Any:
        value = await loader(key)
        store(cache, key, value)
        return value


def store(cache: MutableMapping, key: Any, value: Any) -> None:
    """Puts a loaded value; one that is too large for the cache is returned to the caller all the same."""
    try:
        cache[key] = value
    except ValueError:
        if key in cache:  # never leave an older value where a newer one was refused
            del cache[key]
