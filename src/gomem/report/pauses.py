"""Two runs of a program side by side as text: pauses of the stock and of the concurrent collector, and resident memory.

`Run` holds what ``gomem gc`` measured of one run. `text` and `as_json` shape two of them; `pauses_page` draws them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gomem.units import format_bytes

BAR = 24  # characters of the longest bar
COLUMNS = 60  # of the memory plot
LEVELS = " .:-=+*#%@"


class Pause(NamedTuple):
    """One stop of the program; seconds. A slice's CPU time is an upper bound, a power of two of microseconds."""

    at: float  # since the program began
    kind: str  # "young", "full" or "slice"
    cpu: float
    wall: float | None = None
    count: int = 1


class Run(NamedTuple):
    """One run: seconds, bytes."""

    name: str  # stock or concurrent
    status: int
    wall: float
    cpu: float
    pauses: list[Pause]
    memory: list[tuple[float, int]]  # (seconds since the program began, resident bytes)
    cycles: int = 0  # completed by the concurrent collector
    slice_max: float | None = None  # exact, where the program lived to tell

    @property
    def peak(self) -> int:
        return max((size for _, size in self.memory), default=0)

    def longest(self, *kinds: str) -> float:
        """CPU seconds of the longest pause of these kinds, of any if none is named."""
        found = [pause.cpu for pause in self.pauses if not kinds or pause.kind in kinds]
        if self.slice_max is not None and (not kinds or "slice" in kinds):
            found = [self.slice_max, *(p.cpu for p in self.pauses if p.kind != "slice" and (not kinds or p.kind in kinds))]
        return max(found, default=0.0)

    def count(self, kind: str) -> int:
        return sum(pause.count for pause in self.pauses if pause.kind == kind)


def buckets(pauses: Iterable[Pause]) -> dict[int, int]:
    """Pauses by CPU time: power of two of microseconds that they stay below -> how many."""
    found: dict[int, int] = {}
    for pause in pauses:
        bound = 1 << max(0, math.ceil(math.log2(max(pause.cpu * 1e6, 1.0)) - 1e-9))
        found[bound] = found.get(bound, 0) + pause.count
    return dict(sorted(found.items()))


def duration(seconds: float) -> str:
    """Text with a unit that leaves few digits: ``730us``, ``1.5ms``, ``2.4s``."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= factor:
            return f"{seconds / factor:.3g}{unit}" if seconds < 1000 * factor else f"{seconds / factor:.0f}{unit}"
    return f"{seconds * 1e6:.3g}us"


def _figures(run: Run) -> list[tuple[str, str]]:
    return [
        ("longest pause, CPU", duration(run.longest())),
        ("  full collection", duration(run.longest("full")) if run.count("full") else "none"),
        ("  young collection", duration(run.longest("young"))),
        ("  slice", duration(run.longest("slice")) if run.count("slice") else "none"),
        ("full collections", str(run.count("full"))),
        ("cycles", str(run.cycles)),
        ("slices", str(run.count("slice"))),
        ("peak memory", format_bytes(run.peak)),
        ("CPU time", duration(run.cpu)),
        ("wall time", duration(run.wall)),
        ("exit status", str(run.status)),
    ]


def _side_by_side(runs: Sequence[Run]) -> list[str]:
    columns = [_figures(run) for run in runs]
    lines = [f"{'':<22}" + "".join(f"{run.name:>16}" for run in runs)]
    for rows in zip(*columns, strict=True):
        lines.append(f"{rows[0][0]:<22}" + "".join(f"{value:>16}" for _, value in rows))
    return lines


def _histogram(runs: Sequence[Run]) -> list[str]:
    counts = [buckets(run.pauses) for run in runs]
    bounds = sorted(set().union(*counts))
    if not bounds:
        return ["no collection ran"]
    highest = max(max(found.values(), default=1) for found in counts)
    lines = ["pauses by CPU time"]
    bound = bounds[0]
    while bound <= bounds[-1]:
        cells = []
        for found in counts:
            count = found.get(bound, 0)
            bar = "#" * (math.ceil(BAR * math.log1p(count) / math.log1p(highest)) if count else 0)
            cells.append(f"{count or '':>7} {bar:<{BAR}}")
        lines.append(f"{'< ' + duration(bound / 1e6):>10}" + "  ".join(cells).rstrip())
        bound *= 2
    return lines


def _memory(runs: Sequence[Run]) -> list[str]:
    top = max((run.peak for run in runs), default=0)
    end = max((run.memory[-1][0] for run in runs if run.memory), default=0.0)
    if not top or not end:
        return []
    lines = [f"resident memory over {duration(end)}, {LEVELS[-1]} is {format_bytes(top)}"]
    for run in runs:
        cells = [0] * COLUMNS
        for at, size in run.memory:
            column = min(COLUMNS - 1, int(at / end * COLUMNS))
            cells[column] = max(cells[column], size)
        levels = (LEVELS[math.ceil(size / top * (len(LEVELS) - 1))] for size in cells)
        lines.append(f"{run.name:>11} |{''.join(levels)}|")
    return lines


def text(runs: Sequence[Run]) -> str:
    """The report for a terminal or a file."""
    return "\n".join([*_side_by_side(runs), "", *_histogram(runs), "", *_memory(runs)]).rstrip()


def as_json(run: Run) -> dict[str, Any]:
    """One run as plain data, times in seconds and memory in bytes."""
    return {
        "name": run.name, "status": run.status, "wall_s": run.wall, "cpu_s": run.cpu, "peak_bytes": run.peak, "cycles": run.cycles,
        "longest_cpu_s": {"any": run.longest(), **{kind: run.longest(kind) for kind in ("full", "young", "slice")}},
        "pauses_us": {str(bound): count for bound, count in buckets(run.pauses).items()},
        "pauses": [pause._asdict() for pause in run.pauses],
        "memory": [{"at": at, "rss_bytes": size} for at, size in run.memory],
    }  # fmt: skip
