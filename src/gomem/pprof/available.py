"""How much memory there is, and a bound that turns running out of it into an error instead of a kill.

A profile that does not fit would otherwise make the machine swap, or end in SIGKILL without a word, by the kernel or
by a container's limit. Linux keeps the figures in /proc and in the control group's files.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from gomem import pressure


def available_bytes(meminfo: str = "/proc/meminfo") -> int | None:
    """What this process may still take: the machine's available memory and free swap, or what its control group
    leaves, whichever is less. None where neither is known. Costs a few file reads."""
    found = []
    try:
        with open(meminfo) as file:
            kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in file)}
        found.append((kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0)) * 1024)
    except (OSError, ValueError, KeyError, IndexError):
        pass
    reading = pressure.read()
    if reading.limit is not None:
        found.append(max(0, reading.limit - reading.used))
    return min(found, default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Lets the process take what is available and no more: beyond that, allocating raises MemoryError.

    Bounds the address space, which is always a little more than what is used. Child processes inherit it: start none
    inside. A limit that somebody set before stays when it is lower.
    """
    room = available_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm") as file:
            bound = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + (room or 0)
    except (OSError, ValueError, IndexError):
        room = None
    if room is None or (soft != resource.RLIM_INFINITY and soft <= bound):
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
