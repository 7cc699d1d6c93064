"""The few lines that ``gomem run`` prints when the program has ended: where the memory went."""

from __future__ import annotations

import resource
import sys

from gomem.heap import HeapStats
from gomem.pprof.model import Profile
from gomem.units import format_bytes

_SITES = 8


def _sites(profile: Profile, sample_type: str) -> list[tuple[int, str]]:
    """(bytes, place) of each allocation site, a line of code, largest first."""
    samples = profile.samples
    column = [t.type for t in profile.sample_types].index(sample_type)
    totals: dict[int, int] = {}
    for i in range(len(samples)):
        leaf = samples.stacks[samples.starts[i]]
        totals[leaf] = totals.get(leaf, 0) + samples.values[i * samples.width + column]
    sites = [(size, _place(profile, leaf)) for leaf, size in totals.items() if size > 0]
    return sorted(sites, key=lambda site: (-site[0], site[1]))


def _place(profile: Profile, location: int) -> str:
    line = profile.locations[location].lines[0]
    function = profile.functions[line.function]
    return f"{function.name}  {_short(function.filename)}:{line.line}" if function.filename else function.name


def _short(path: str) -> str:
    """The last two parts of a file's path: enough to know it by."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _table(title: str, sites: list[tuple[int, str]]) -> list[str]:
    total = sum(size for size, _ in sites)
    lines = [f"{title}: {format_bytes(total)}"]
    lines += [f"{format_bytes(size):>10} {100 * size / total:5.1f}%  {place}" for size, place in sites[:_SITES]]
    if len(sites) > _SITES:
        rest = sum(size for size, _ in sites[_SITES:])
        lines.append(f"{format_bytes(rest):>10} {100 * rest / total:5.1f}%  ({len(sites) - _SITES} other lines)")
    return lines


def text(profile: Profile, stats: HeapStats, path: str) -> str:
    """The summary of a finished run: sites by peak and by all that was allocated, against resident memory."""
    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    other = max(0, peak_rss - stats.peak_bytes - stats.own_bytes)
    lines = ["", *_table("gomem: in use at the peak", _sites(profile, "peak_space"))]
    lines += _table("gomem: allocated over the whole run", _sites(profile, "alloc_space"))
    lines.append(
        f"gomem: peak resident memory {format_bytes(peak_rss)} = {format_bytes(stats.peak_bytes)} sampled heap"
        f" + {format_bytes(stats.own_bytes)} profiler + {format_bytes(other)} other (interpreter and libraries,"
        " memory from before the start, free lists and arenas, native memory not seen)"
    )
    lines.append(f"gomem: {stats.samples} samples taken, {stats.samples_lost} lost{_remarks(stats)}")
    lines.append(f"gomem: wrote {path}; look at it with: gomem top {path}")
    return "\n".join(lines)


def _remarks(stats: HeapStats) -> str:
    remarks = ""
    if stats.hooks_lost:
        remarks += f"; another tool took the hooks off {stats.hooks_lost} times, so some allocations were not seen"
    if stats.frees_missed:
        remarks += f"; {stats.frees_missed} frees not seen"
    if sys.version_info >= (3, 14):
        remarks += "; untested on this Python"
    return remarks
