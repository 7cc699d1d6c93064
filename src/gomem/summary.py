"""The few lines that ``gomem run`` prints when the program has ended: where the memory went."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence

from gomem.heap import HeapStats, memory_status
from gomem.pprof.model import Profile
from gomem.units import format_bytes

_SITES = 8
_SHARE_MIN = 0.005


def _sites(profile: Profile, sample_type: str) -> list[tuple[int, str]]:
    """(bytes, place) of each allocation site, largest first. A site is a line of code; where that is a library's, the
    line of the program that called the library belongs to it."""
    samples = profile.samples
    column = [t.type for t in profile.sample_types].index(sample_type)
    totals: dict[tuple[int, int], int] = {}
    for i in range(len(samples)):
        size = samples.values[i * samples.width + column]
        if size:
            site = _site(profile, samples.stacks[samples.starts[i] : samples.starts[i + 1]])
            totals[site] = totals.get(site, 0) + size
    sites = [(size, _place(profile, *site)) for site, size in totals.items() if size > 0]
    return sorted(sites, key=lambda site: (-site[0], site[1]))


def _site(profile: Profile, stack: Sequence[int]) -> tuple[int, int]:
    """The leaf of a stack, and its nearest line of the program's own code (the leaf again if there is none)."""
    for location in stack:
        if _is_own(_file(profile, location)):
            return stack[0], location
    return stack[0], stack[0]


def _file(profile: Profile, location: int) -> str:
    return profile.functions[profile.locations[location].lines[0].function].filename


_LIBRARIES = tuple({os.path.join(prefix, "lib") + os.sep for prefix in (sys.prefix, sys.base_prefix)})


def _is_own(file: str) -> bool:
    """Whether a file is the program's own and not of an installed package, the standard library or the interpreter."""
    return bool(file) and file[0] not in "<[" and not file.startswith(_LIBRARIES)


def _place(profile: Profile, leaf: int, caller: int) -> str:
    return _line(profile, leaf) + ("" if caller == leaf else f" <- {_line(profile, caller)}")


def _line(profile: Profile, location: int) -> str:
    line = profile.locations[location].lines[0]
    function = profile.functions[line.function]
    return f"{function.name} {_short(function.filename)}:{line.line}" if function.filename else function.name


def _short(path: str) -> str:
    """The last two parts of a file's path, or one for the program's own: enough to know it by."""
    return path.rpartition("/")[2] if _is_own(path) else "/".join(path.rsplit("/", 2)[-2:])


def _table(title: str, sites: list[tuple[int, str]]) -> list[str]:
    """A heading and a line for each site worth one; the rest as one line."""
    total = sum(size for size, _ in sites)
    shown = [site for site in sites[:_SITES] if site[0] >= total * _SHARE_MIN]
    lines = [f"{title}: {format_bytes(total)}"]
    lines += [f"{format_bytes(size):>10} {100 * size / total:5.1f}%  {place}" for size, place in shown]
    if len(sites) > len(shown):
        rest = sum(size for size, _ in sites[len(shown) :])
        lines.append(f"{format_bytes(rest):>10} {100 * rest / total:5.1f}%  ({len(sites) - len(shown)} other lines)")
    return lines


def text(profile: Profile, stats: HeapStats, path: str) -> str:
    """The summary of a finished run: sites by peak and by all that was allocated, against resident memory."""
    lines = ["", *_table("gomem: in use at the peak", _sites(profile, "peak_space"))]
    lines += _table("gomem: allocated over the whole run", _sites(profile, "alloc_space"))
    lines += _resident(stats)
    lines += _unseen_pools()
    lines.append(f"gomem: {stats.samples} samples taken, {stats.samples_lost} lost{_remarks(stats)}")
    lines.append(f"gomem: wrote {path}; look at it with: gomem top {path}")
    return "\n".join(lines)


def _resident(stats: HeapStats) -> list[str]:
    """Peak resident memory as a sum whose parts are named; the last is what nobody accounts for."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    parts = [
        (stats.peak_bytes, "sampled heap"),
        (stats.own_bytes, "profiler"),
        (memory_status().get("RssFile", 0), "program and library files"),
        (stats.before_bytes, "from before the start"),
    ]
    rest = peak - sum(size for size, _ in parts)
    if rest > 0:
        parts.append((rest, "rest: free lists and arenas, fragmentation, native memory not seen"))
    named = " + ".join(f"{format_bytes(size)} {name}" for size, name in parts)
    remark = "" if rest > 0 else " (more than the whole: part of it was never touched, or not at once)"
    return [f"gomem: peak resident memory {format_bytes(peak)} = {named}{remark}"]


def _unseen_pools() -> list[str]:
    """What libraries with allocators of their own say that they hold, where the profile cannot see it."""
    arrow = sys.modules.get("pyarrow")
    try:
        pool = arrow.default_memory_pool()
        if pool.backend_name == "system" or not pool.max_memory():
            return []
        peak = format_bytes(pool.max_memory())
    except AttributeError:
        return []
    return [
        f"gomem: pyarrow held up to {peak} in its own pool ({pool.backend_name}), not seen here;"
        " ARROW_DEFAULT_MEMORY_POOL=system makes it visible"
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
