"""The memory limit, on programs that make garbage in cycles over a live heap that fits: by how much is it exceeded?

Each program runs without a limit under the stock collector, and with one under ours. The live heap is 60 % of the
limit; a program's garbage comes at full speed, in pieces of its size:

- ``small``: sessions of eleven small objects;
- ``buffers``: a cycle holds 64 KiB of bytes, so that memory grows much faster than the count of objects; 800 live;
- ``frames``: a cycle holds 4 MiB; 12 live, so most die before they are old;
- ``cache``: small garbage, and a gomem.LRUCache of buffers that the limit must ask to shrink;
- ``fill``: nothing but such a cache, filled at full speed, that would be four times the limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import time

from bench.gc.children import CONCURRENT, MB, Memory, Result, StockPauses, begin, facts, note, rounds, run
from bench.runs import emit, table

LIMIT_MB = 400
LIVE_OBJECTS = 1_600_000  # some 200 MB
PROGRAMS = {  # bytes of a piece, pieces alive, turns
    "small": (0, 2000, 300_000),
    "buffers": (64 << 10, 800, 60_000),
    "frames": (4 << 20, 12, 2_000),
    "cache": (0, 2000, 300_000),
    "fill": (0, 0, 25_000),
}
BAR = 1.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--programs", default=",".join(PROGRAMS), help=f"default {','.join(PROGRAMS)}")
    parser.add_argument("--percents", default="25,100", help="percent settings of the concurrent collector (default 25,100)")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for program in options.programs.split(","):
        modes = ["stock", *(f"percent={percent},limit={LIMIT_MB}MiB" for percent in options.percents.split(","))]
        for _, mode in rounds(1, modes):
            note(f"limit: {program}, {mode}")
            results.append(run("bench.gc.limit", program, mode))
            emit({"claim": "limit", **results[-1]})
    return results


def show(results: list[Result]) -> str:
    keys = ["program", "mode", "cpu_s", "rss_before_mb", "rss_peak_mb", "peak_to_limit", "cycles", "stock", "full_collections"]
    worst = max((float(str(r["peak_to_limit"])) for r in results if r["mode"] != "stock"), default=0.0)
    return (
        f"CPython {results[0]['python']}, limit {LIMIT_MB} MB\n{table(keys, [[r.get(key, '') for key in keys] for r in results])}\n"
        f"bar: at most {BAR} of the limit; worst {worst}"
    )


def fill() -> None:
    from gomem import LRUCache

    cache = LRUCache(PROGRAMS["fill"][2])
    for i in range(PROGRAMS["fill"][2]):
        cache[i] = bytes([i & 255]) * (64 << 10)


def make_garbage(program: str) -> None:
    from bench.gc.service import Session

    size, slots, turns = PROGRAMS[program]
    sessions = [Session(i) for i in range(slots)]
    numbers = random.Random(2)
    cache = None
    if program == "cache":
        from gomem import LRUCache

        cache = LRUCache(2000)
    for i in range(turns):
        session = Session(i)
        if size:
            session.user["body"] = bytes([i & 255]) * size
        if cache is not None and i % 10 == 0:
            cache[i] = bytes([i & 255]) * (64 << 10)
        sessions[numbers.randrange(slots)] = session


def main(program: str, mode: str) -> Result:
    from bench.gc.service import make_old_objects

    gc.disable()
    old = make_old_objects(LIVE_OBJECTS)
    gc.enable()
    gc.collect()
    memory, pauses = Memory(), StockPauses()
    memory.forget_peak()
    before = memory.rss()
    kind = "stock" if mode == "stock" else CONCURRENT
    begin(kind, mode)
    begun = time.process_time()
    fill() if program == "fill" else make_garbage(program)
    made: Result = {
        "program": program, "mode": mode, "python": sys.version.split()[0], "held": len(old),
        "cpu_s": round(time.process_time() - begun, 2), "rss_before_mb": round(before / MB, 1),
        "rss_peak_mb": round(memory.peak() / MB, 1), "peak_to_limit": round(memory.peak() / MB / LIMIT_MB, 3),
    }  # fmt: skip
    return made | facts(kind, pauses)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2])))
