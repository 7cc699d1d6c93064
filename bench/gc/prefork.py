"""Private dirty memory of a forked worker after one full collection: stock, stock after gc.freeze(), concurrent.

The parent makes the objects and collects; each worker forks from it, so all of them see the same heap.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys

from bench.gc.children import CONCURRENT, MB, STOCK, Result, note, run
from bench.gc.heaps import SHAPES
from bench.runs import emit, table

FROZEN = "stock, frozen"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--objects", type=int, default=2_000_000, help="default 2000000")
    parser.add_argument("--shapes", default="links,rows,json", help=f"of {', '.join(SHAPES)}; default links,rows,json")
    parser.add_argument("--rounds", type=int, default=2, help="workers of each kind (default 2)")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for shape in options.shapes.split(","):
        note(f"prefork: {shape}, {options.objects} objects")
        results.append(run("bench.gc.prefork", shape, options.objects, options.rounds))
        emit({"claim": "prefork", **results[-1]})
    return results


def show(results: list[Result]) -> str:
    rows = [[r["shape"], r["objects"], r["rss_mb"], *(r[mode] for mode in (STOCK, FROZEN, CONCURRENT))] for r in results]
    head = ["shape", "objects", "parent RSS MB", *(f"{mode}: MB made private" for mode in (STOCK, FROZEN, CONCURRENT))]
    return f"CPython {results[0]['python']}\n{table(head, rows)}"


def private_dirty() -> int:
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Private_Dirty"))


def worker_collects(mode: str) -> float:
    """MB that a collection in a fresh child turns from shared to private."""
    read, write = os.pipe()
    if os.fork() == 0:
        if mode == CONCURRENT:
            import gomem.gc

            gomem.gc.enable()
        elif mode == FROZEN:
            gc.freeze()
        before = private_dirty()
        gomem.gc.collect() if mode == CONCURRENT else gc.collect()
        os.write(write, json.dumps((private_dirty() - before) / MB).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        changed = json.load(answer)
    os.wait()
    return changed


def main(shape: str, objects: int, rounds: int) -> Result:
    import gomem.gc  # noqa: F401  what the parent has loaded the workers share

    root = SHAPES[shape](objects)
    gc.collect()
    with open("/proc/self/statm") as file:
        rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    made: Result = {"shape": shape, "objects": objects, "rss_mb": round(rss / MB), "python": sys.version.split()[0], "held": len(root)}
    for mode in (STOCK, FROZEN, CONCURRENT):
        made[mode] = round(sum(worker_collects(mode) for _ in range(rounds)) / rounds, 1)
    return made


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
