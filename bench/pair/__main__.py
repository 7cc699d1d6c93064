"""Nanoseconds that a profiler adds to one allocation and its free: ``python -m bench.pair``.

Every mode runs in a fresh process, in turns, many rounds; a figure is the least over all rounds, because noise only adds.
Prints one JSON line per process and the table: the first row is the pair itself, the others what the mode adds to it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import runs
from bench.modes import MODES
from bench.pair.once import KINDS

SLOW = ("tracemalloc", "memray-pymalloc", "scalene")  # far off the scale of the others: on demand


def build(folder: str) -> str:
    source, library = Path(__file__).parent / "pair.c", f"{folder}/pair.so"
    subprocess.run(["cc", "-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-o", library, source], check=True)
    return library


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pair", description=__doc__.split("\n\n")[0])
    parser.add_argument("--modes", default=",".join(name for name in MODES if name not in SLOW))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--samples", type=int, default=40, help="slices of about a millisecond in each process")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    args = parser.parse_args()
    modes = runs.available(args.modes.split(","), args.python)
    least: dict[str, dict[str, float]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        library = build(folder)
        for number, mode in runs.turns(modes, args.rounds):
            try:
                result = runs.child(mode, "pair/once.py", [mode.name, library, str(args.samples)], args.python)
            except runs.ChildFailed as error:
                print(f"bench: {error}", file=sys.stderr)
                continue
            runs.emit(result | {"mode": mode.name, "round": number})
            for kind in KINDS:
                least[mode.name][kind] = min(result[kind], least[mode.name].get(kind, result[kind]))
    off = least.pop("off")
    rows = [["off", *(f"{off[kind]:.2f}" for kind in KINDS)]]
    rows += [[mode, *(f"{row[kind] - off[kind]:+.2f}" for kind in KINDS)] for mode, row in least.items()]
    print("\nns per pair: off itself, then what each mode adds\n\n" + runs.table(["mode", *KINDS], rows), file=sys.stderr)


if __name__ == "__main__":
    main()
