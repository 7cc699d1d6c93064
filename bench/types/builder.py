"""Builder against ''.join of a list, io.StringIO and += on a local: time and peak memory, pieces made one by one.

Each way is written out as one would write it, a loop in a function of its own for each kind of piece. Time is given
twice: in all, and less what a loop takes that makes the pieces and drops them.
"""

from __future__ import annotations

import io
import sys
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

from bench.types.turns import cpu_ns, in_turns, report
from gomem import Builder


class Kind(NamedTuple):
    piece: str  # expression of the i-th piece
    append: str  # what to do with `out` to append its parts


KINDS = {
    "ascii": Kind('f"piece {i},"', 'out.append("piece ", i, ",")'),
    "markup": Kind(
        """f'<a href="/{WORDS[i & 255]}">{i}</a>'""",
        """out.append('<a href="/', WORDS[i & 255], '">', i, '</a>')""",
    ),
    "mixed": Kind(
        '(f"piece {i}," if i % 10 else f"piéce 中{i}")',
        'out.append("piece ", i, ",") if i % 10 else out.append("piéce 中", i)',
    ),
    "astral at the end": Kind(
        '(f"piece {i}," if i < last else "\U0001f40d")',
        'out.append("piece ", i, ",") if i < last else out.append("\U0001f40d")',
    ),
    "made before": Kind("WORDS[i & 255]", "out.append(WORDS[i & 255])"),
}
FLOOR = "making the pieces"
RIVALS = ["''.join(list)", "io.StringIO", "local +="]
OURS = ["Builder.append", "Builder +=", "Builder.write", "Builder.writelines"]
LOOPS = {
    FLOOR: ("", "{piece}", ""),
    "''.join(list)": ("out = []", "out.append({piece})", '"".join(out)'),
    "io.StringIO": ("out = io.StringIO()", "out.write({piece})", "out.getvalue()"),
    "local +=": ('out = ""', "out += {piece}", "out"),
    "self.text +=": ("out = Holder()", "out.text += {piece}", "out.text"),
    "Builder.append": ("out = Builder()", "{append}", "out.build()"),
    "Builder +=": ("out = Builder()", "out += {piece}", "out.build()"),
    "Builder.write": ("out = Builder()", "out.write({piece})", "out.build()"),
    "list.append alone": ("out = []", "out.append({piece})", ""),
    'Builder.write("")': ("out = Builder()", 'out.write(""); {piece}', ""),
}
WRITELINES = "def way(count):\n last, out = count - 1, Builder()\n out.writelines({piece} for i in range(count))\n return out.build()"


class Holder:
    def __init__(self) -> None:
        self.text = ""


def way(name: str, kind: str) -> Callable[[int], str]:
    """The function that builds from so many pieces."""
    if name == "Builder.writelines":
        source = WRITELINES
    else:
        before, each, after = LOOPS[name]
        source = f"def way(count):\n last = count - 1\n {before}\n for i in range(count): {each}\n return {after}"
    made = {"io": io, "Builder": Builder, "Holder": Holder, "WORDS": [f"word-{i}" for i in range(256)]}
    exec(source.replace("{piece}", KINDS[kind].piece).replace("{append}", KINDS[kind].append), made)
    return made["way"]


def peak(name: str, kind: str, count: int) -> float:
    """Peak bytes while building over the bytes of the text."""
    build = way(name, kind)
    tracemalloc.start()
    try:
        text = build(count)
        return tracemalloc.get_traced_memory()[1] / sys.getsizeof(text)
    finally:
        tracemalloc.stop()


def time_of(kind: str, count: int, rounds: int) -> None:
    """Reports the time a piece of every way, and of building alone."""
    repeats = max(1, 10_000 // count)
    assert len({way(name, kind)(count) for name in (*RIVALS, *OURS)}) == 1

    def turn(name: str) -> Callable[[], float]:
        build = way(name, kind)
        return lambda: sum(cpu_ns(build, count) for _ in range(repeats)) / repeats / count

    results = in_turns({name: turn(name) for name in (*RIVALS, *OURS, FLOOR)}, rounds)
    best = min(RIVALS, key=lambda name: sorted(results[name])[len(results[name]) // 2])
    least = {name: results[name] for name in (best, FLOOR)}
    report(f"{count} pieces, {kind}: a builder of ready pieces that costs nothing", "ns", least, FLOOR, best, 0.8)
    making = results.pop(FLOOR)
    building = {name: [a - b for a, b in zip(times, making, strict=True)] for name, times in results.items()}
    report(f"{count} pieces, {kind}: time a piece", "ns", results, "Builder.append", best, 0.8)
    for ours in OURS[1:]:
        report(f"{count} pieces, {kind}: time a piece", "ns", results, ours, best, 0.8)
        report(f"{count} pieces, {kind}: time a piece without making it", "ns", building, ours, best, 0.8)


def main(quick: bool) -> None:
    for kind in KINDS:
        for count in (10, 1000) if quick else (10, 1000, 10_000, 100_000, 1_000_000):
            time_of(kind, count, 3 if quick or count > 1e5 else 9)
        count = 1000 if quick else 100_000
        peaks = {name: [peak(name, kind, count)] for name in (*RIVALS, *OURS)}
        report(f"{count} pieces, {kind}: peak over the text", "ratio", peaks, "Builder.append", "''.join(list)", 1.1)
    ways = {name: way(name, "ascii") for name in ("self.text +=", "Builder +=")}
    attribute = {name: lambda build=build: cpu_ns(build, 20_000) / 20_000 for name, build in ways.items()}
    report("20000 pieces onto an attribute: time a piece", "ns", in_turns(attribute, 3), "Builder +=", "self.text +=", 0.8)
