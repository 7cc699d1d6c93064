"""``python -m bench.types.builder_instructions``: instructions a piece that building adds to making it, under valgrind.

Free of noise, unlike time: what each way of building executes for 20,000 pieces made one by one, less what a loop
executes that makes the same pieces and drops them. ``append alone`` never joins, ``write("")`` copies nothing: they
show what the interpreter's call itself takes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

from bench.types import builder

COUNT, WARM = 20_000, 1_000


def append_alone(kind: str, count: int) -> None:
    out: list[str] = []
    for piece in builder.pieces(kind, count):
        out.append(piece)


def write_nothing(kind: str, count: int) -> None:
    from gomem import Builder

    out, nothing = Builder(), ""
    for _ in builder.pieces(kind, count):
        out.write(nothing)


WAYS: dict[str, Callable[[str, int], object]] = {
    builder.FLOOR: builder.nothing,
    "append alone": append_alone,
    'Builder.write("")': write_nothing,
    **builder.RIVALS,
    **builder.OURS,
}


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
        WAYS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
        return
    for kind in ("ascii", "mixed"):
        each = {way: (instructions(way, kind, COUNT + WARM) - instructions(way, kind, WARM)) / COUNT for way in WAYS}
        making = each.pop(builder.FLOOR)
        added = {way: round(value - making) for way, value in each.items()}
        rivals = {way: added[way] for way in builder.RIVALS}
        best = min(rivals, key=lambda way: rivals[way])
        ratios = {way: round(added[way] / added[best], 2) for way in added}
        print(json.dumps({"pieces": kind, "making a piece": round(making), "added": added, "reference": best, "ratio": ratios}), flush=True)


if __name__ == "__main__":
    main()
