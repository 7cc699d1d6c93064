"""Two runs of ``gomem gc`` as one self-contained HTML page: pauses over time, resident memory over time, the figures.

Pauses lie on a logarithmic axis, for they differ by a factor of a thousand. Light or dark follows the reader's browser.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from gomem.report.curves import COLOURS
from gomem.report.pauses import Run, duration, text
from gomem.units import format_bytes

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 300, 74, 20, 16, 34
DOTS_MAX = 4000  # of one run: more are thinned to the longest of their neighbours
STYLE = """
:root { color-scheme: light dark; --ink: #222; --faint: #8884; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #1b1b1b } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2em; max-width: 60em }
svg { width: 100%; height: auto } text { fill: var(--ink); font: 12px system-ui, sans-serif }
.grid { stroke: var(--faint) } .line { fill: none; stroke-width: 2 } pre { overflow-x: auto }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .4em; margin: 0 .4em 0 1em }
"""


def _place(value: float, low: float, high: float, start: float, end: float) -> float:
    return start if high <= low else start + (value - low) / (high - low) * (end - start)


def _axes(seconds: float, ticks: Sequence[float], y: Callable[[float], float], label: Callable[[float], str]) -> list[str]:
    lines = []
    for tick in ticks:
        lines.append(f'<line class="grid" x1="{LEFT}" y1="{y(tick):.1f}" x2="{WIDTH - RIGHT}" y2="{y(tick):.1f}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    for part in range(5):
        x = LEFT + part / 4 * (WIDTH - LEFT - RIGHT)
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{duration(seconds * part / 4) if part else 0}</text>')
    return lines


def _picture(title: str, lines: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(title)}</title>{"".join(lines)}</svg>'


def _thinned(run: Run) -> list:
    step = math.ceil(len(run.pauses) / DOTS_MAX) or 1
    return [max(run.pauses[i : i + step], key=lambda pause: pause.cpu) for i in range(0, len(run.pauses), step)]


def _pauses(runs: Sequence[Run], seconds: float) -> str:
    longest = max((run.longest() for run in runs), default=0.0) or 1e-3
    low, high = -5, max(-2, math.ceil(math.log10(longest)))

    def y(value: float) -> float:
        return _place(math.log10(max(value, 1e-5)), low, high, HEIGHT - BOTTOM, TOP)

    lines = _axes(seconds, [10.0**power for power in range(low, high + 1)], y, duration)
    for run, colour in zip(runs, COLOURS, strict=False):
        for pause in _thinned(run):
            x = _place(pause.at, 0, seconds, LEFT, WIDTH - RIGHT)
            radius, tip = 5 if pause.kind == "full" else 2.2, f"{run.name}, {pause.kind}: {duration(pause.cpu)} of CPU"
            lines.append(
                f'<circle cx="{x:.1f}" cy="{y(pause.cpu):.1f}" r="{radius}" fill="{colour}" fill-opacity=".7">'
                f"<title>{tip} at {duration(pause.at)}</title></circle>"
            )
    return _picture("pauses over time", lines)


def _memory(runs: Sequence[Run], seconds: float) -> str:
    top = max((run.peak for run in runs), default=0) or 1

    def y(size: float) -> float:
        return _place(size, 0, top, HEIGHT - BOTTOM, TOP)

    lines = _axes(seconds, [top * part / 4 for part in range(5)], y, format_bytes)
    for run, colour in zip(runs, COLOURS, strict=False):
        points = " ".join(f"{_place(at, 0, seconds, LEFT, WIDTH - RIGHT):.1f},{y(size):.1f}" for at, size in run.memory)
        lines.append(f'<polyline class="line" stroke="{colour}" points="{points}"><title>{run.name}</title></polyline>')
    return _picture("resident memory over time", lines)


def draw(runs: Sequence[Run], command: str) -> str:
    """The page as text. ``command`` is what was run."""
    seconds = max([run.wall for run in runs if run.wall > 0] or [1.0])
    names = zip(runs, COLOURS, strict=False)
    keys = "".join(f'<span class="key" style="background:{colour}"></span>{escape(run.name)}' for run, colour in names)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>gomem gc: {escape(command)}</title><style>{STYLE}</style></head>
<body><h1>gomem gc</h1><p><code>{escape(command)}</code> {keys}</p>
<h2>Pauses, CPU time (large dots: full collections)</h2>{_pauses(runs, seconds)}
<h2>Resident memory</h2>{_memory(runs, seconds)}
<h2>Figures</h2><pre>{escape(text(runs))}</pre>
</body></html>
"""
