"""Single flight: of all that want an absent key at once, one loads it and the others wait for its result.

- Threads: the first becomes the flight's leader and runs the loader without any lock held; the others wait on its event.
- A thread that would wait for a flight whose leader waits, directly or not, for it would wait for ever: it loads for
  itself instead. The same for a loader that asks for its own key.
- A forked child has none of its parent's other threads, so it does not wait for the flights they led.
- Tasks: one task per key runs the loader, shielded from the cancellation of its waiters; flights belong to a loop.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "<absent>", "__slots__": ()})()


class _Flight:
    __slots__ = ("leader", "pid", "landed", "value", "error")

    def __init__(self) -> None:
        self.leader = threading.get_ident()
        self.pid = os.getpid()
        self.landed = threading.Event()
        self.value: Any = ABSENT
        self.error: BaseException | None = None


_lock = threading.RLock()  # re-entrant: a key's __eq__ may run under it
_waits: dict[int, _Flight] = {}  # waiting thread -> the flight it waits for; guarded by _lock


def _reset_lock() -> None:
    global _lock
    _lock = threading.RLock()
    _waits.clear()


def _leads_back(flight: _Flight, me: int) -> bool:
    """Whether the flight's leader waits, through however many flights, for a flight that this thread leads."""
    seen = set()
    while flight is not None and id(flight) not in seen:
        if flight.leader == me:
            return True
        seen.add(id(flight))
        flight = _waits.get(flight.leader)
    return False


class Flights:
    """The loads under way for one cache."""

    __slots__ = ("_threads", "_tasks", "_pid")

    def __init__(self) -> None:
        self._threads: dict[Any, _Flight] = {}  # guarded by _lock
        self._tasks: dict[Any, asyncio.Task] = {}  # keyed by loop and key, touched by that loop's thread only
        self._pid = os.getpid()

    def load(self, cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        """loader(key), stored in the cache; what a leader raised is raised here too."""
        if self._pid != os.getpid():
            _reset_lock()
            self._threads, self._tasks, self._pid = {}, {}, os.getpid()
        me = threading.get_ident()
        with _lock:
            flight = self._threads.get(key)
            leading = flight is None
            if leading:
                flight = self._threads[key] = _Flight()
            elif _leads_back(flight, me):
                flight = None
            else:
                _waits[me] = flight
        if flight is None:
            return self._fetch(cache, key, loader)
        if leading:
            return self._lead(flight, cache, key, loader)
        try:
            flight.landed.wait()
        finally:
            with _lock:
                _waits.pop(me, None)
        if flight.error is not None:
            raise flight.error
        return flight.value

    def _lead(self, flight: _Flight, cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        try:
            value = cache.peek(key, ABSENT)  # it may have landed between the miss and now
            flight.value = self._fetch(cache, key, loader) if value is ABSENT else value
            return flight.value
        except BaseException as error:
            flight.error = error
            raise
        finally:
            with _lock:
                self._threads.pop(key, None)
            flight.landed.set()

    @staticmethod
    def _fetch(cache: MutableMapping, key: Any, loader: Callable[[Any], Any]) -> Any:
        value = loader(key)
        store(cache, key, value)
        return value

    async def load_async(self, cache: MutableMapping, key: Any, loader: Callable[[Any], Awaitable[Any]]) -> Any:
        """await loader(key), stored in the cache, run by one task for all that wait in this event loop."""
        where = asyncio.get_running_loop(), key
        task = self._tasks.get(where)
        if task is None:
            task = asyncio.ensure_future(self._fetch_async(cache, key, loader))
            self._tasks[where] = task
            task.add_done_callback(lambda done: self._land(where, done))
        return await asyncio.shield(task)

    def _land(self, where: Any, task: asyncio.Task) -> None:
        self._tasks.pop(where, None)
        if not task.cancelled():
            task.exception()  # marks it as seen: the waiters, if any are left, raise it

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
