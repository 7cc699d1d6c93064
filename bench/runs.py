"""Fresh processes, one a measurement, and what is made of many of them.

``child`` runs one script of the bench under one mode and returns the JSON object that it prints last. Modes take turns
inside a round (A B A B) and the order turns too, so that a slow minute of the machine hits all of them alike.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.modes import MODES, Mode

ROOT = Path(__file__).parents[1]
Result = dict[str, object]
# Hash order is the same everywhere, and libraries with worker threads that spin while they wait (OpenBLAS) have none.
SETTINGS = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ChildFailed(Exception):
    """A measured process ended badly; the text says which and how."""


def child(mode: Mode, script: str, args: Sequence[str], python: str = sys.executable, wrapper: Sequence[str] = ()) -> Result:
    """Run ``bench/SCRIPT ARGS`` in a fresh interpreter and return its result. Raises ChildFailed."""
    command = [*wrapper, python, *mode.launcher, str(ROOT / "bench" / script), *args]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | SETTINGS
    done = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=3600)
    results = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not results:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing on stderr"]
        raise ChildFailed(f"{mode.name}: {' '.join(args)}: exit {done.returncode}: {said[0]}")
    return json.loads(results[-1]) | {"stderr": done.stderr}


def available(names: Iterable[str], python: str = sys.executable) -> list[Mode]:
    """The modes of these names that this interpreter can run; the others are named on stderr."""
    modes = []
    for name in names:
        code = f"from bench.modes import MODES; print(MODES[{name!r}].missing())"
        why = subprocess.run([python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        if why:
            print(f"bench: left out: {why}", file=sys.stderr)
        else:
            modes.append(MODES[name])
    return modes


def turns(modes: Sequence[Mode], rounds: int) -> Iterator[tuple[int, Mode]]:
    """Every mode once a round, each round starting with another one."""
    for number in range(rounds):
        first = number % len(modes)
        for mode in [*modes[first:], *modes[:first]]:
            yield number, mode


def geomean(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logs)) if logs else math.nan


def emit(result: Result) -> None:
    """One JSON line for one cell, on stdout."""
    print(json.dumps({key: value for key, value in result.items() if key != "stderr"}), flush=True)


def read(path: Path) -> list[Result]:
    """The lines that ``emit`` wrote into this file."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats with three decimals."""
    cells = [list(head), *([f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
