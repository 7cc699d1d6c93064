"""The few lines that ``gomem run`` prints when the program has ended: where the memory went."""

from __future__ import annotations

import sys

from gomem.heap import HeapStats, memory_status
from gomem.pools import unseen_pools
from gomem.pprof.model import Profile
from gomem.sites import size_table
from gomem.units import format_bytes


def text(profile: Profile, stats: HeapStats, path: str) -> str:
    """The summary of a finished run: sites by peak and by all that was allocated, against resident memory."""
    lines = ["", *size_table("gomem: in use at the peak", profile, "peak_space")]
    lines += size_table("gomem: allocated over the whole run", profile, "alloc_space")
    lines += _resident(stats)
    lines += _unseen_pools()
    lines.append(f"gomem: {stats.samples} samples taken, {stats.samples_lost} lost{_remarks(stats)}")
    lines.append(f"gomem: wrote {path}; look at it with: gomem top {path}")
    return "\n".join(lines)


def _resident(stats: HeapStats) -> list[str]:
    """Peak resident memory as a sum whose parts are named; the last is what nobody accounts for."""
    status = memory_status()
    peak = status.get("VmHWM", 0)  # ru_maxrss may be that of the process that started this one
    parts = [
        (stats.peak_bytes, "sampled heap"),
        (stats.own_bytes, "profiler"),
        (status.get("RssFile", 0), "program and library files"),
        (stats.before_bytes, "from before the start"),
    ]
    rest = peak - sum(size for size, _ in parts)
    if rest > 0:
        parts.append((rest, "rest: free lists and arenas, fragmentation, native memory not seen"))
    named = " + ".join(f"{format_bytes(size)} {name}" for size, name in parts)
    remark = "" if rest > 0 else " (more than the whole: part of it was never touched, or not at once)"
    return [f"gomem: peak resident memory {format_bytes(peak)} = {named}{remark}"]


def _unseen_pools() -> list[str]:
    """What libraries with allocators of their own say that they hold, where the hooks cannot see it."""
    return [
        f"gomem: of the rest, {pool.library} held up to {format_bytes(pool.peak_bytes)} in its own pool ({pool.allocator});"
        f" {pool.advice}"
        for pool in unseen_pools()
    ]


def _remarks(stats: HeapStats) -> str:
    remarks = ""
    if stats.hooks_lost:
        remarks += f"; another tool took the hooks off {stats.hooks_lost} times, so some allocations were not seen"
    if stats.frees_missed:
        remarks += f"; {stats.frees_missed} frees not seen"
    if sys.version_info >= (3, 14):
        remarks += "; untested on this Python"
    return remarks
