"""Instructions executed by the workloads under each profiler: ``python -m bench.overhead.instructions``.

Counts under ``valgrind --tool=cachegrind --cache-sim=no``: nearly the same from run to run (see the row "off-again"),
whatever else the machine does. Start-up is subtracted by running the workload with count 0 as well; the process leaves right after the
workload, so writing a profile is not in it. Prints one JSON line per cell and the table of ratios to "off".

Valgrind stretches time some fifty times, and a profiler that adapts its rate to time would adapt to valgrind. So the
modes with ``rate="auto"`` are given the mean bytes between samples that auto arrived at in a native run of the same
workload at scale 1, just before (one to three seconds of CPU after the imports).

What an instruction count does not see: cache misses, and that a predicted branch costs less than a missed one.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import runs
from bench.modes import Mode
from bench.overhead import workloads

DEFAULT = "off,off-again,gomem,gomem-python,ddtrace,pyroscope,heapwise"
TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")


def auto_rate(name: str, mode: Mode, python: str) -> str:
    """The mean bytes between samples that ``rate="auto"`` came to in a native run of this workload at scale 1."""
    result = runs.child(mode, "overhead/once.py", [name, mode.name, str(workloads.count(name))], python)
    return str(round(result["bytes_per_sample"]))


def instructions(name: str, mode: Mode, count: int, rate: str, python: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        wrapper = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={folder}/out"]
        args = [name, mode.name, str(count), "--no-stop", *([f"--rate={rate}"] if rate else [])]
        result = runs.child(mode, "overhead/once.py", args, python, wrapper)
    found = TOTAL.search(result["stderr"])
    if found is None:
        raise runs.ChildFailed(f"{mode.name}: {name}: valgrind printed no count")
    return int(found[1].replace(",", ""))


def measure(name: str, mode: Mode, count: int, python: str) -> runs.Result:
    rate = auto_rate(name, mode, python) if mode.auto else ""
    whole, start = (instructions(name, mode, n, rate, python) for n in (count, 0))
    return {"workload": name, "mode": mode.name, "count": count, "rate": rate, "instructions": whole - start, "start": start}


def cells(names: Sequence[str], modes: Sequence[str], scale: float, python: str) -> Iterator[runs.Result]:
    chosen = runs.available(modes, python)
    for name in names:
        count = max(1, round(workloads.count(name) * scale))
        for mode in chosen:
            try:
                yield measure(name, mode, count, python)
            except runs.ChildFailed as error:
                print(f"bench: {error}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead.instructions", description=__doc__.split("\n\n")[0])
    parser.add_argument("--workloads", default=",".join(workloads.NAMES), help="comma-separated; default all")
    parser.add_argument("--modes", default=DEFAULT, help=f"comma-separated; default {DEFAULT}")
    parser.add_argument("--scale", type=float, default=0.15, help="valgrind is some fifty times slower")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    parser.add_argument("--table", type=Path, help="print the table of an earlier run's lines and measure nothing")
    args = parser.parse_args()
    counted: dict[str, dict[str, int]] = defaultdict(dict)
    results = runs.read(args.table) if args.table else cells(args.workloads.split(","), args.modes.split(","), args.scale, args.python)
    for result in results:
        counted[result["mode"]][result["workload"]] = result["instructions"]
        if not args.table:
            runs.emit(result)
    names = [name for name in workloads.NAMES if name in counted["off"]]
    rows = []
    for mode, row in counted.items():
        values = {name: row[name] / counted["off"][name] for name in names if name in row}
        if mode != "off":
            rows.append([mode, *(values.get(name, "-") for name in names), runs.geomean(values.values())])
    print("\nInstructions, ratio to off\n\n" + runs.table(["mode", *names, "geomean"], rows), file=sys.stderr)


if __name__ == "__main__":
    main()
