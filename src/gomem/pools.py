"""Memory that a library holds where no hook sees it, by what the library itself tells of it.

An allocator that reserves a gigabyte once and hands it out by itself passes none of the functions that are hooked
(docs/design/native.md). Where it keeps statistics and a popular library exposes them, this reads them. Nothing is
imported that the program has not imported.
"""

from __future__ import annotations

import sys
from typing import NamedTuple


class Pool(NamedTuple):
    """What one library's own allocator says, in bytes since the process began."""

    library: str
    allocator: str
    inuse_bytes: int
    peak_bytes: int
    alloc_bytes: int  # 0 where the library does not tell
    advice: str


def unseen_pools() -> list[Pool]:
    """The pools of loaded libraries that hold memory, or held it, and that the hooks do not see. Costs microseconds."""
    found = []
    for read in _READERS:
        try:
            pool = read()
        except Exception:  # whatever an older or newer library does: statistics are no reason to fail
            continue
        if pool is not None and pool.peak_bytes > 0:
            found.append(pool)
    return found


def _arrow() -> Pool | None:
    """Arrow's default pool. Of "system" each block is seen, of "jemalloc" what it maps."""
    arrow = sys.modules.get("pyarrow")
    pool = arrow.default_memory_pool() if arrow is not None else None
    if pool is None or pool.backend_name != "mimalloc":
        return None
    total = getattr(pool, "total_bytes_allocated", lambda: 0)()
    advice = "ARROW_DEFAULT_MEMORY_POOL=system makes it visible by line"
    return Pool("pyarrow", pool.backend_name, pool.bytes_allocated(), pool.max_memory(), total, advice)


_READERS = (_arrow,)
