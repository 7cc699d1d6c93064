"""Two services over millions of old objects, stock against concurrent, taking turns. See service.py for what they do."""

from __future__ import annotations

import argparse

from bench.gc.children import CONCURRENT, STOCK, Result, max_of, median_of, note, rounds, run
from bench.runs import emit, table

REQUESTS = {"heavy": 200_000, "gentle": 3_600_000}  # at which stock makes some collections
# What to aim at, as concurrent / stock.
BARS = {"cpu": 1.05, "requests_s": 1.0, "longest": 1 / 50, "rss": 1.15}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--objects", type=int, default=2_000_000, help="old objects (default 2000000)")
    parser.add_argument("--kinds", default="heavy,gentle", help="default heavy,gentle")
    parser.add_argument("--scale", type=float, default=1.0, help="of 200000 and 3600000 requests (default 1)")
    parser.add_argument("--rounds", type=int, default=2, help="default 2")
    parser.add_argument("--settings", default="", help="of the concurrent collector, as in GOMEM_GC")


def measure(options: argparse.Namespace) -> list[Result]:
    results = []
    for kind in options.kinds.split(","):
        for number, mode in rounds(options.rounds):
            note(f"services: {kind}, round {number + 1}, {mode}")
            requests = max(1, int(REQUESTS[kind] * options.scale))
            settings = options.settings if mode == CONCURRENT else ""
            results.append(run("bench.gc.service", mode, kind, options.objects, requests, settings))
            emit({"claim": "services", "round": number, **results[-1]})
    return results


def ratios(results: list[Result]) -> Result:
    """Concurrent to stock, of one kind of service; medians over rounds, the longest request of all rounds."""
    stock = [result for result in results if result["mode"] == STOCK]
    ours = [result for result in results if result["mode"] == CONCURRENT]

    def share(key: str, over=median_of) -> float:
        return round(over(ours, key) / over(stock, key), 4)

    return {
        "cpu": share("cpu_us_request"),
        "requests_s": share("requests_s"),
        "longest_cpu": share("request_max_cpu_ms", max_of),
        "longest_wall": share("request_max_wall_ms", max_of),
        "p99_cpu": share("request_p99_cpu_us"),
        "rss": share("rss_peak_mb"),
        "cycles": median_of(ours, "cycles"),
        "full_collections": median_of(stock, "full_collections"),
    }


_COLUMNS = {
    "mode": "mode", "cpu_us_request": "CPU us/request", "requests_s": "requests/s", "request_max_cpu_ms": "longest, CPU ms",
    "request_max_wall_ms": "longest, wall ms", "request_p99_cpu_us": "p99, CPU us", "rss_before_mb": "RSS before MB",
    "rss_peak_mb": "RSS peak MB", "full_collections": "full collections", "cycles": "cycles", "slice_max_cpu_ms": "longest slice, CPU ms",
}  # fmt: skip


def show(results: list[Result]) -> str:
    parts = []
    for kind in dict.fromkeys(str(result["kind"]) for result in results):
        mine = [result for result in results if result["kind"] == kind]
        rows = [[result.get(key, "") for key in _COLUMNS] for result in sorted(mine, key=lambda result: str(result["mode"]))]
        ratio = ratios(mine)
        parts += [
            f"{kind}, {mine[0]['objects']} old objects, {mine[0]['requests']} requests, CPython {mine[0]['python']}",
            table(list(_COLUMNS.values()), rows),
            f"concurrent / stock: {ratio}",
            f"bars: {BARS}",
            "",
        ]
    return "\n".join(parts)
