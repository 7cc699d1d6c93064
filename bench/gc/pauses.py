"""The longest slice, the CPU of a whole cycle and its memory, on heaps of 1, 5 and 10 million objects. See pause.py."""

from __future__ import annotations

import argparse

from bench.gc.children import Result, note, run
from bench.gc.heaps import SHAPES
from bench.runs import emit, table

BAR_MS = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--objects", default="1000000,5000000,10000000", help="tracked objects (default 1, 5, 10 million)")
    parser.add_argument("--shapes", default=",".join(SHAPES), help=f"default {','.join(SHAPES)}")
    parser.add_argument("--garbage", default="1", help="garbage in percent of the objects, such as 0,1,20 (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for objects in map(int, options.objects.split(",")):
        for shape in options.shapes.split(","):
            for percent in options.garbage.split(","):
                note(f"pauses: {shape}, {objects} objects, {percent} % garbage")
                results.append(run("bench.gc.pause", shape, objects, percent, options.rounds))
                emit({"claim": "pauses", **results[-1]})
    return results


_COLUMNS = {
    "shape": "shape", "tracked": "objects", "garbage_percent": "garbage %", "rss_mb": "RSS MB", "stock_cpu_ms": "stock, CPU ms",
    "slice_max_cpu_ms": "longest slice, CPU ms", "slice_max_wall_ms": "wall ms", "cycle_cpu_ms": "whole cycle, CPU ms",
    "stock_added_mb": "stock added MB", "added_mb": "added MB", "left": "missed",
}  # fmt: skip


def show(results: list[Result]) -> str:
    rows = [[result[key] for key in _COLUMNS] for result in results]
    over = [result for result in results if float(str(result["slice_max_cpu_ms"])) > BAR_MS]
    return (
        f"CPython {results[0]['python']}\n{table(list(_COLUMNS.values()), rows)}\n"
        f"bar: longest slice at most {BAR_MS} ms of CPU; {len(over)} of {len(results)} above"
    )
