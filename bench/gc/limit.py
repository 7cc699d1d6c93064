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
from typing import NamedTuple

from bench.gc.children import CONCURRENT, MB, Memory, Result, StockPauses, begin, facts, note, rounds, run
from bench.runs import emit, table

LIMIT_MB = 400
LIVE_OBJECTS = 1_600_000  # some 200 MB


class Program(NamedTuple):
    turns: int
    alive: int  # sessions
    piece: int = 0  # bytes that a session holds
    cached: int = 0  # most buffers in the cache
    cache_every: int = 1  # turns


PROGRAMS = {
    "small": Program(300_000, 2000),
    "buffers": Program(60_000, 800, piece=64 << 10),
    "frames": Program(2_000, 12, piece=4 << 20),
    "cache": Program(300_000, 2000, cached=2000, cache_every=10),
    "fill": Program(25_000, 0, cached=25_000),
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


def run_program(program: Program) -> None:
    from bench.gc.service import Session
    from gomem import LRUCache

    sessions = [Session(i) for i in range(program.alive)]
    numbers = random.Random(2)
    cache: LRUCache[int, bytes] = LRUCache(program.cached or 1)
    for i in range(program.turns):
        if program.cached and i % program.cache_every == 0:
            cache[i] = bytes([i & 255]) * (64 << 10)
        if not program.alive:
            continue
        session = Session(i)
        if program.piece:
            session.user["body"] = bytes([i & 255]) * program.piece
        sessions[numbers.randrange(program.alive)] = session


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
    run_program(PROGRAMS[program])
    made: Result = {
        "program": program, "mode": mode, "python": sys.version.split()[0], "held": len(old),
        "cpu_s": round(time.process_time() - begun, 2), "rss_before_mb": round(before / MB, 1),
        "rss_peak_mb": round(memory.peak() / MB, 1), "peak_to_limit": round(memory.peak() / MB / LIMIT_MB, 3),
    }  # fmt: skip
    return made | facts(kind, pauses)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2])))
