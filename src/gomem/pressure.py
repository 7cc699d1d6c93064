"""Memory pressure: whoever can give memory back registers, whoever sees memory run short calls `shrink`.

Registered objects are held weakly and have a method ``shrink(fraction) -> int`` (how many things they let go).
`gomem.LRUCache` and `gomem.Pool` register themselves. `gomem.gc` calls `shrink` when its memory limit nears. Without
it, `check` compares the process with its limit and shrinks; call it from a timer, a request hook or a gc callback of
your own. Nothing here runs by itself.
"""

from __future__ import annotations

import os
import sys
import weakref
from typing import NamedTuple, Protocol

_members: dict[int, weakref.ref] = {}


class Shrinkable(Protocol):
    def shrink(self, fraction: float) -> int: ...


class Reading(NamedTuple):
    """Memory of this process, in bytes."""

    used: int  # resident set
    limit: int | None  # of the cgroup or the address space, whichever is less; None: unlimited

    @property
    def share(self) -> float:
        """used / limit, 0.0 without a limit."""
        return self.used / self.limit if self.limit else 0.0


def register(member: Shrinkable) -> None:
    """Lets `shrink` call the member's ``shrink`` as long as it lives; a second time changes nothing."""
    key = id(member)

    def forget(ref: weakref.ref) -> None:
        if _members.get(key) is ref:
            _members.pop(key, None)

    _members[key] = weakref.ref(member, forget)


def unregister(member: Shrinkable) -> None:
    """Takes a member out; one that is not in is no error."""
    _members.pop(id(member), None)


def members() -> list[Shrinkable]:
    """The registered objects that are alive."""
    return [member for ref in list(_members.values()) if (member := ref()) is not None]


def shrink(fraction: float) -> int:
    """Asks every member to let go of that fraction (0 to 1) of what it holds; returns how many things they let go.

    A member that raises is reported through ``sys.unraisablehook`` and the others are still asked. Raises ValueError
    for a fraction out of range.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction: got {fraction}, want 0 to 1")
    dropped = 0
    for member in members():
        try:
            dropped += member.shrink(fraction)
        except Exception as error:
            sys.unraisablehook(_Unraisable(type(error), error, error.__traceback__, "gomem.pressure.shrink", member))
    return dropped


class _Unraisable(NamedTuple):
    exc_type: type[BaseException]
    exc_value: BaseException
    exc_traceback: object
    err_msg: str
    object: object


def read(root: str = "/sys/fs/cgroup", proc: str = "/proc/self") -> Reading:
    """Resident bytes of this process and the least limit of its cgroup (v2 or v1) and its parents.

    Costs a few file reads, about 50 us. Where the files are missing (not Linux) it reads 0 and no limit.
    """
    try:
        with open(f"{proc}/statm", encoding="ascii") as file:
            used = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        used = 0
    limits = [limit for path in _limit_files(root, proc) if (limit := _read_limit(path)) is not None]
    return Reading(used, min(limits, default=None))


def _limit_files(root: str, proc: str) -> list[str]:
    """The limit files that apply, from the process's own cgroup up to the root."""
    try:
        with open(f"{proc}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    files = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            base, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = f"{root}/memory", "memory.limit_in_bytes"
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        files += [os.path.join(base, *parts[:depth], name) for depth in range(len(parts), -1, -1)]
    return files


def _read_limit(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
        return int(text) if text != "max" and int(text) < 1 << 60 else None
    except (OSError, ValueError):
        return None


def check(limit: int | None = None, *, start: float = 0.8, reading: Reading | None = None) -> int:
    """Shrinks the members if the process uses more than ``start`` of its limit; returns how many things they let go.

    ``limit``: bytes; default: the cgroup's. Between ``start`` (0 to 1) and the whole limit the fraction grows from 10 % to all.
    ``reading``: what `read` would return, for tests. Without a limit it does nothing. Cost: see `read`.
    """
    if not 0 <= start < 1:
        raise ValueError(f"start: got {start}, want 0 to below 1")
    now = reading or read()
    limit = limit or now.limit
    if not limit or now.used < start * limit:
        return 0
    return shrink(min(1.0, max(0.1, (now.used / limit - start) / (1 - start))))
