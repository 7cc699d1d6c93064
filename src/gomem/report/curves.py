"""A chart of curves over sizes as one SVG file: `gomem cache-sim -o` draws its hit ratios with it.

- The x axis is logarithmic when the sizes span more than a decade; the y axis goes from 0 to the next round per cent.
- Curves are named at their right end, where names that would overlap are moved apart; every point tells its
  value in a tooltip. Colours are those of Okabe and Ito, which the colour-blind tell apart.
- Light or dark follows the reader's browser. Nothing is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 780, 460
LEFT, RIGHT, TOP, BOTTOM = 62, 130, 64, 56
NAME_GAP = 16  # px between names at the ends of curves
TICK_GAP = 46  # px between labels of the x axis
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE = """
:root { color-scheme: light dark; --ink: #222; --faint: #8884; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #1b1b1b } }
.paper { fill: var(--paper) } text { fill: var(--ink); font: 13px system-ui, sans-serif }
.title { font-size: 16px; font-weight: 600 } .note { font-size: 12px; opacity: .75 }
.grid { stroke: var(--faint); stroke-width: 1 } .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.optimum { stroke-dasharray: 6 5; stroke-width: 1.8 } circle { stroke: var(--paper) }
"""


def short(number: int) -> str:
    """1500 -> 1.5k, 2000000 -> 2M."""
    for unit, factor in (("M", 1_000_000), ("k", 1000)):
        if number >= factor:
            return f"{number / factor:.3g}{unit}"
    return str(number)


def y_ticks(highest: float) -> list[float]:
    """Round ratios from 0 to at least the highest, four to eight of them."""
    step = next(step for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if highest / step <= 6 or step == 0.2)
    return [step * i for i in range(math.ceil(highest / step - 1e-9) + 1 or 1)] if highest > 0 else [0.0, step]


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least ``gap`` from each other and between low and high."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    last = low - gap
    for i in order:
        last = placed[i] = max(wanted[i], last + gap)
    last = high + gap
    for i in reversed(order):
        last = placed[i] = min(placed[i], last - gap)
    return placed


class _Axes:
    """Where sizes and ratios lie on the picture, in px."""

    def __init__(self, sizes: Sequence[int], highest: float) -> None:
        self.ticks = y_ticks(highest)
        self._low, self._high = sizes[0], sizes[-1]
        self.logarithmic = self._high > 10 * self._low

    def x(self, size: int) -> float:
        if self._low == self._high:
            return (LEFT + WIDTH - RIGHT) / 2
        scale = math.log if self.logarithmic else float
        share = (scale(size) - scale(self._low)) / (scale(self._high) - scale(self._low))
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, ratio: float) -> float:
        return HEIGHT - BOTTOM - ratio / self.ticks[-1] * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'


def _frame(axes: _Axes, sizes: Sequence[int]) -> list[str]:
    lines, digits = [], 0 if axes.ticks[1] >= 0.01 else 1
    for tick in axes.ticks:
        y = axes.y(tick)
        lines.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        lines.append(_text(LEFT - 8, y + 4, f"{tick:.{digits}%}", ' text-anchor="end"'))
    last = -TICK_GAP * 1.0
    for size in sizes:
        x = axes.x(size)
        lines.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        if x - last >= TICK_GAP:
            lines.append(_text(x, HEIGHT - BOTTOM + 18, short(size), ' text-anchor="middle"'))
            last = x
    return lines


def _curve(axes: _Axes, name: str, colour: str, points: Sequence[tuple[int, float]]) -> list[str]:
    path = " ".join(f"{axes.x(size):.1f},{axes.y(ratio):.1f}" for size, ratio in points)
    kind = "curve optimum" if name == "optimum" else "curve"
    lines = [f'<polyline class="{kind}" stroke="{colour}" points="{path}"/>']
    for size, ratio in points:
        tip = f"<title>{escape(name)}, {size} entries: {ratio:.2%}</title>"
        lines.append(f'<circle cx="{axes.x(size):.1f}" cy="{axes.y(ratio):.1f}" r="4" fill="{colour}">{tip}</circle>')
    return lines


def draw(ratios: Mapping[int, Mapping[str, float]], title: str, note: str = "") -> str:
    """The chart of ratios (0.0 to 1.0) by size and name, as SVG text. ``optimum`` is drawn dashed. At least one size."""
    sizes = sorted(ratios)
    names = list(ratios[sizes[0]])
    axes = _Axes(sizes, max((ratio for row in ratios.values() for ratio in row.values()), default=0.0))
    ends = apart([axes.y(ratios[sizes[-1]][name]) for name in names], NAME_GAP, TOP, HEIGHT - BOTTOM)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(LEFT, 26, title, ' class="title"'),
        _text(LEFT, 46, note, ' class="note"'),
        *_frame(axes, sizes),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, f"cache size, entries{' (logarithmic)' * axes.logarithmic}", ' text-anchor="middle"'),
    ]
    for i, name in enumerate(names):
        colour = COLOURS[i % len(COLOURS)]
        lines += _curve(axes, name, colour, [(size, ratios[size][name]) for size in sizes])
        lines.append(_text(axes.x(sizes[-1]) + 12, ends[i] + 4, name, f' style="fill: {colour}"'))
    return "\n".join([*lines, "</svg>", ""])
