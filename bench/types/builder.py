"""Builder against ''.join of a list, io.StringIO and += on a local: time and peak memory, pieces made one by one."""

from __future__ import annotations

import io
import sys
import tracemalloc
from collections.abc import Callable, Iterable

from bench.types.turns import cpu_ns, in_turns, report


def pieces(kind: str, count: int) -> Iterable[str]:
    """Pieces of 8 to 13 characters, each made when it is asked for."""
    if kind == "ascii":
        return (f"piece {i}," for i in range(count))
    if kind == "mixed":
        return (f"piece {i}," if i % 10 else f"piéce 中{i}" for i in range(count))
    return (f"piece {i}," if i < count - 1 else "\U0001f40d" for i in range(count))


def join(kind: str, count: int) -> str:
    out = []
    for piece in pieces(kind, count):
        out.append(piece)
    return "".join(out)


def string_io(kind: str, count: int) -> str:
    out = io.StringIO()
    for piece in pieces(kind, count):
        out.write(piece)
    return out.getvalue()


def plus(kind: str, count: int) -> str:
    out = ""
    for piece in pieces(kind, count):
        out += piece
    return out


FLOOR = "making the pieces"


class Holder:
    def __init__(self) -> None:
        self.text = ""


def attribute_plus(kind: str, count: int) -> str:
    out = Holder()
    for piece in pieces(kind, count):
        out.text += piece
    return out.text


def builder_plus(kind: str, count: int) -> str:
    from gomem import Builder

    out = Builder()
    for piece in pieces(kind, count):
        out += piece
    return out.build()


def builder_write(kind: str, count: int) -> str:
    from gomem import Builder

    out = Builder()
    for piece in pieces(kind, count):
        out.write(piece)
    return out.build()


def builder_writelines(kind: str, count: int) -> str:
    from gomem import Builder

    out = Builder()
    out.writelines(pieces(kind, count))
    return out.build()


def nothing(kind: str, count: int) -> None:
    """Makes the pieces and drops them: what a builder that costs nothing would take."""
    for _ in pieces(kind, count):
        pass


RIVALS = {"''.join(list)": join, "io.StringIO": string_io, "local +=": plus}
OURS = {"Builder +=": builder_plus, "Builder.write": builder_write, "Builder.writelines": builder_writelines}


def peak(function: Callable[[str, int], str], kind: str, count: int) -> float:
    """Peak bytes while building over the bytes of the text."""
    tracemalloc.start()
    try:
        text = function(kind, count)
        return tracemalloc.get_traced_memory()[1] / sys.getsizeof(text)
    finally:
        tracemalloc.stop()


def main(quick: bool) -> None:
    rounds = 3 if quick else 9
    for kind in ("ascii", "mixed", "astral at the end"):
        for count in (10, 1000) if quick else (10, 1000, 10_000, 100_000, 1_000_000):
            repeats = max(1, 10_000 // count)

            def turn(function: Callable, kind: str = kind, count: int = count, repeats: int = repeats) -> Callable[[], float]:
                def run() -> float:
                    return sum(cpu_ns(function, kind, count) for _ in range(repeats)) / repeats / count

                return run

            results = in_turns(
                {name: turn(f) for name, f in {**RIVALS, **OURS, FLOOR: nothing}.items()},
                min(rounds, 3) if count > 1e5 else rounds,
            )
            best = min(RIVALS, key=lambda name: sorted(results[name])[len(results[name]) // 2])
            least = {name: results[name] for name in (best, FLOOR)}
            report(f"{count} pieces, {kind}: a builder that costs nothing", "ns", least, FLOOR, best, 0.8)
            del results[FLOOR]
            for ours in ("Builder +=", "Builder.writelines"):
                report(f"{count} pieces, {kind}: time a piece", "ns", results, ours, best, 0.8)
        count = 1000 if quick else 100_000
        peaks = {name: [peak(f, kind, count)] for name, f in {**RIVALS, **OURS}.items()}
        report(f"{count} pieces, {kind}: peak over the text", "ratio", peaks, "Builder +=", "''.join(list)", 1.1)
    attribute = {"self.text +=": lambda: cpu_ns(attribute_plus, "ascii", 20_000) / 20_000}
    attribute["Builder +="] = lambda: cpu_ns(builder_plus, "ascii", 20_000) / 20_000
    report("20000 pieces onto an attribute: time a piece", "ns", in_turns(attribute, 3), "Builder +=", "self.text +=", 0.8)
