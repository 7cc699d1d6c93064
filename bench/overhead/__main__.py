"""CPU time and resident memory of the workloads under each profiler: ``python -m bench.overhead``.

Prints one JSON line per process as it goes and the tables at the end (``--table`` reads them again from a file of such
lines). A ratio is to "off" in the same run: of minima (the least disturbed run of each) and of medians (the usual run).
A wrong checksum ends the run: a profiler that changes what a program computes has no overhead worth knowing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import runs
from bench.modes import MODES
from bench.overhead import workloads

Cells = dict[tuple[str, str], list[runs.Result]]


def measure(names: Sequence[str], modes: Sequence[str], rounds: int, scale: float, python: str) -> Cells:
    cells: Cells = defaultdict(list)
    chosen = runs.available(modes, python)
    for name in names:
        count = str(max(1, round(workloads.count(name) * scale)))
        for number, mode in runs.turns(chosen, rounds):
            try:
                result = runs.child(mode, "overhead/once.py", [name, mode.name, count], python)
            except runs.ChildFailed as error:
                print(f"bench: {error}", file=sys.stderr)
                continue
            result |= {"workload": name, "mode": mode.name, "round": number, "count": int(count)}
            cells[name, mode.name].append(result)
            runs.emit(result)
    return cells


def check(cells: Cells) -> None:
    """Every process of a workload computed the same."""
    for name in {name for name, _ in cells}:
        sums = {mode: {r["checksum"] for r in results} for (found, mode), results in cells.items() if found == name}
        if len(set().union(*sums.values())) > 1:
            print(f"bench: {name}: checksums differ between modes: {sums}", file=sys.stderr)


def ratios(cells: Cells, pick: Callable[[list[float]], float], key: str = "cpu_s") -> dict[str, dict[str, float]]:
    """mode -> workload -> ratio to off of ``pick`` (min or median) of ``key``."""
    out: dict[str, dict[str, float]] = defaultdict(dict)
    for (name, mode), results in cells.items():
        off = cells.get((name, "off"))
        if off:
            out[mode][name] = pick([r[key] for r in results]) / pick([r[key] for r in off])
    return out


def rss_added(cells: Cells) -> dict[str, dict[str, float]]:
    """mode -> workload -> MiB that the peak of resident memory lies above off's (medians)."""
    def peak(results: list[runs.Result]) -> float:
        return statistics.median(r["peak_kib"] for r in results) / 1024

    return {
        mode: {name: peak(results) - peak(cells[name, "off"]) for (name, found), results in cells.items() if found == mode}
        for mode in dict.fromkeys(mode for _, mode in cells)
    }


def show(title: str, values: dict[str, dict[str, float]], last: str) -> None:
    names = [name for name in workloads.NAMES if any(name in row for row in values.values())]
    total = {"geomean": runs.geomean, "median": statistics.median}[last]
    rows = [[mode, *(row.get(n, "-") for n in names), total(row.values())] for mode, row in values.items() if mode != "off"]
    print(f"\n{title}\n\n{runs.table(['mode', *names, last], rows)}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__.split("\n\n")[0])
    parser.add_argument("--workloads", default=",".join(workloads.NAMES), help="comma-separated; default all")
    parser.add_argument("--modes", default=",".join(MODES), help="comma-separated; default all; off is needed for ratios")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scale", type=float, default=0.5, help="1 is one to three CPU seconds a run")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    parser.add_argument("--table", type=Path, help="print the tables of an earlier run's lines and measure nothing")
    args = parser.parse_args()
    if args.table:
        cells = defaultdict(list)
        for result in runs.read(args.table):
            cells[result["workload"], result["mode"]].append(result)
    else:
        cells = measure(args.workloads.split(","), args.modes.split(","), args.rounds, args.scale, args.python)
    check(cells)
    show("CPU time, ratio of minima to off", ratios(cells, min), "geomean")
    show("CPU time, ratio of medians to off", ratios(cells, statistics.median), "geomean")
    show("Resident memory added at the peak, MiB", rss_added(cells), "median")


if __name__ == "__main__":
    main()
