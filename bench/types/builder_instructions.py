"""``python -m bench.types.builder_instructions``: instructions a piece that building adds to making it, under valgrind.

Free of noise, unlike time: what each way of building executes for 20,000 pieces made one by one, less what a loop
executes that makes the same pieces and drops them; below zero where the pieces need not be made. ``list.append alone``
never joins, ``write("")`` copies nothing: they show what the interpreter's call itself takes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

from bench.types import builder

COUNT, WARM = 20_000, 1_000
WAYS = [builder.FLOOR, "list.append alone", 'Builder.write("")', *builder.RIVALS, *builder.OURS]


def instructions(way: str, kind: str, count: int) -> int:
    """All instructions of a fresh process that builds from so many pieces."""
    command = [sys.executable, "-m", __spec__.name, way, kind, str(count)]
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    run = subprocess.run([*valgrind, *command], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "0"})
    found = re.search(r"I\s+refs:\s+([\d,]+)", run.stderr)
    if found is None:
        raise RuntimeError(f"valgrind: got {run.stderr[-200:]!r}, want a line with I refs")
    return int(found.group(1).replace(",", ""))


def main() -> None:
    if len(sys.argv) > 1:
        builder.way(sys.argv[1], sys.argv[2])(int(sys.argv[3]))
        return
    instructions(builder.FLOOR, "ascii", WARM)  # a first run would also compile the modules
    for kind in ("ascii", "mixed", "made before"):
        each = {way: (instructions(way, kind, COUNT + WARM) - instructions(way, kind, WARM)) / COUNT for way in WAYS}
        making = each.pop(builder.FLOOR)
        added = {way: round(value - making) for way, value in each.items()}
        best = min(builder.RIVALS, key=lambda way: added[way])
        ratios = {way: round((making + value) / (making + added[best]), 2) for way, value in added.items()}
        line = {"pieces": kind, "making a piece": round(making), "added": added, "reference": best, "ratio in all": ratios}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
