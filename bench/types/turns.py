"""Runs candidates in turns (A B C A B C, the order turning too) and compares them with a reference."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

LOOPS = """
def read(cache, keys):
    for key in keys: cache[key]
def get(cache, keys):
    for key in keys: cache.get(key)
def put(cache, keys):
    for key in keys: cache[key] = key
def call(function, keys):
    for key in keys: function(key)
def cycle(cache, keys):
    for key in keys:
        if cache.get(key) is None: cache[key] = key
def nothing(cache, keys):
    for key in keys: cache
"""


def loops() -> dict[str, Callable]:
    """Fresh functions: the interpreter specialises each for the one type that it meets."""
    made: dict[str, Callable] = {}
    exec(LOOPS, made)
    return made


def cpu_ns(function: Callable, *args: object) -> int:
    """CPU time of the process for one call."""
    start = time.process_time_ns()
    function(*args)
    return time.process_time_ns() - start


def in_turns(candidates: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Calls each candidate once a round; what they return, by name."""
    names = list(candidates)
    results: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            results[name].append(candidates[name]())
    return results


def report(claim: str, unit: str, results: dict[str, list[float]], ours: str, reference: str, bar: float) -> None:
    """Prints one JSON line: medians and best runs of all, and the ratio of ours to the reference beside its bar."""
    medians = {name: round(statistics.median(values), 2) for name, values in results.items()}
    best = max if unit.endswith("/s") else min  # the least disturbed run
    bests = {name: round(best(values), 2) for name, values in results.items()}
    line = {
        "claim": claim,
        "unit": unit,
        "median": medians,
        "best": bests,
        "ours": ours,
        "reference": reference,
        "ratio_of_medians": round(medians[ours] / medians[reference], 3) if medians[reference] else None,
        "ratio_of_bests": round(bests[ours] / bests[reference], 3) if bests[reference] else None,
        "bar": bar,
    }
    print(json.dumps(line), flush=True)
