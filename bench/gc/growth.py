"""Resident memory over a hundred cycles of a steady service: it must not grow. Stock collections beside, for scale.

The service of service.py over a small heap, so that cycles come often; memory is read after each cycle (or full
collection). Growth is the median of the last fifth of the readings less that of the second fifth.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys

from bench.gc.children import CONCURRENT, MB, Memory, Result, begin, note, rounds, run
from bench.runs import emit, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cycles", type=int, default=100, help="default 100")
    parser.add_argument("--objects", type=int, default=200_000, help="default 200000")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for _, mode in rounds(1):
        note(f"growth: {mode}")
        results.append(run("bench.gc.growth", mode, options.objects, options.cycles))
        emit({"claim": "growth", **results[-1]})
    return results


def show(results: list[Result]) -> str:
    keys = ["mode", "cycles", "requests", "rss_before_mb", "rss_early_mb", "rss_late_mb", "growth_mb", "rss_peak_mb", "aborted", "stock"]
    return f"CPython {results[0]['python']}\n{table(keys, [[result.get(key, '') for key in keys] for result in results])}"


def collected(mode: str) -> int:
    if mode == CONCURRENT:
        import gomem.gc

        return gomem.gc.stats().cycles
    return gc.get_stats()[2]["collections"]


def main(mode: str, objects: int, cycles: int) -> Result:
    from bench.gc.service import SESSIONS, Session, make_old_objects

    old = make_old_objects(objects)
    sessions = [Session(i) for i in range(SESSIONS)]
    gc.collect()
    memory, numbers = Memory(), random.Random(2)
    memory.forget_peak()
    before, readings, requests = memory.rss(), [], 0
    begin(mode)
    seen = first = collected(mode)
    while seen - first < cycles:
        for _ in range(200):
            sessions[numbers.randrange(SESSIONS)] = Session(requests)
            requests += 1
        if collected(mode) > seen:
            seen = collected(mode)
            readings.append(memory.rss() / MB)
    fifth = max(1, len(readings) // 5)
    early, late = statistics.median(readings[fifth : 2 * fifth] or readings), statistics.median(readings[-fifth:])
    made: Result = {
        "mode": mode, "python": sys.version.split()[0], "cycles": seen - first, "requests": requests, "held": len(old),
        "rss_before_mb": round(before / MB, 1), "rss_early_mb": round(early, 1), "rss_late_mb": round(late, 1),
        "growth_mb": round(late - early, 2), "rss_peak_mb": round(memory.peak() / MB, 1),
    }  # fmt: skip
    if mode == CONCURRENT:
        import gomem.gc

        made |= {"aborted": gomem.gc.stats().aborted, "stock": gomem.gc.stats().stock}
    return made


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
