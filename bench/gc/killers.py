"""Peak memory of the programs that CPython's incremental collector was withdrawn for, stock against concurrent. See killer.py."""

from __future__ import annotations

import argparse
import importlib.util

from bench.gc import packages
from bench.gc.children import CONCURRENT, STOCK, Result, median_of, note, rounds, run
from bench.runs import emit, table

PROGRAMS = ("clients", "httpx", "lists", "short-lists", "linked", "django", "mypy", "ast")
NEEDS = {"httpx": "httpx", "django": "django", "mypy": "mypy", **packages.NEEDS}
BAR = 1.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--programs", default=",".join(PROGRAMS), help=f"default {','.join(PROGRAMS)}; packages: all of packages.py; {', '.join(NEEDS)} need theirs")
    parser.add_argument("--rounds", type=int, default=2, help="default 2")
    parser.add_argument("--scale", type=float, default=1.0, help="of the programs' turns (default 1)")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for program in packages.PROGRAMS if options.programs == "packages" else options.programs.split(","):
        if program in NEEDS and importlib.util.find_spec(NEEDS[program]) is None:
            note(f"killers: left out: {program}, for {NEEDS[program]} is not installed")
            continue
        for number, mode in rounds(options.rounds):
            note(f"killers: {program}, round {number + 1}, {mode}")
            results.append(run("bench.gc.killer", program, mode, options.scale))
            emit({"claim": "killers", "round": number, **results[-1]})
    return results


def show(results: list[Result]) -> str:
    rows = []
    for program in dict.fromkeys(str(result["program"]) for result in results):
        mine = [result for result in results if result["program"] == program]
        stock, ours = ([result for result in mine if result["mode"] == mode] for mode in (STOCK, CONCURRENT))
        peaks, cpus = [[median_of(of, key) for of in (stock, ours)] for key in ("rss_peak_mb", "cpu_s")]
        longest = [max(result["generation_max_cpu_ms"][2] for result in stock), max(float(r["slice_max_cpu_ms"]) for r in ours)]
        counts = [median_of(stock, "full_collections"), median_of(ours, "cycles")]
        rows.append([program, *peaks, peaks[1] / peaks[0], cpus[1] / cpus[0], *longest, *counts])
    head = ["program", "stock peak MB", "concurrent peak MB", "ratio", "CPU ratio", "longest full ms", "longest slice ms", "fulls", "cycles"]
    return f"CPython {results[0]['python']}\n{table(head, rows)}\nbar: peak memory at most {BAR} of stock's"
