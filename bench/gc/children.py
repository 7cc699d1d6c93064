"""Fresh processes that take turns, and what each of them says about its collections and its memory.

In a measured process: ``begin(mode, settings)`` switches the collector on, ``Memory`` reads resident memory and its peak,
``facts(mode)`` tells what was collected. In the parent: ``run`` starts one and returns the JSON object it prints last,
``rounds`` makes stock and concurrent take turns, each round beginning with the other.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence

from bench.runs import ROOT, SETTINGS, ChildFailed

STOCK, CONCURRENT = "stock", "concurrent"
Result = dict[str, object]
MB = 1 << 20


class Memory:
    """Resident memory of a process, in bytes."""

    def __init__(self, pid: int | str = "self") -> None:
        self._folder = f"/proc/{pid}"

    def _field(self, name: str) -> int:
        with open(f"{self._folder}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(name))

    def rss(self) -> int:
        return self._field("VmRSS")

    def peak(self) -> int:
        """The highest since the process began, or since ``forget_peak``."""
        return self._field("VmHWM")

    def forget_peak(self) -> None:
        with open(f"{self._folder}/clear_refs", "w") as file:
            file.write("5")


def begin(mode: str, settings: str = "") -> None:
    """Switches the collector of this mode on; settings are those of GOMEM_GC."""
    if mode == CONCURRENT:
        import gomem.gc

        gomem.gc.enable(**gomem.gc.parse(settings))


class StockPauses:
    """CPython's own collections, timed with the thread's CPU clock through gc.callbacks: seconds by generation."""

    def __init__(self) -> None:
        import time

        self._clock, self._begun = time.thread_time, 0.0
        self.longest = [0.0, 0.0, 0.0]
        self.full = 0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = self._clock()
            return
        generation = info["generation"]
        self.longest[generation] = max(self.longest[generation], self._clock() - self._begun)
        self.full += generation == 2


def facts(mode: str, pauses: StockPauses) -> Result:
    """What was collected since ``begin``: full collections or cycles, and the longest stop of each kind."""
    found: Result = {
        "full_collections": pauses.full,
        "generation_max_cpu_ms": [round(seconds * 1e3, 2) for seconds in pauses.longest],
    }
    if mode == CONCURRENT:
        import gomem.gc

        stats = gomem.gc.stats()
        found |= {
            "cycles": stats.cycles,
            "aborted": stats.aborted,
            "stock": stats.stock,
            "freed": stats.freed,
            "survived": stats.survived,
            "slice_max_cpu_ms": round(stats.pause_max_ns / 1e6, 2),
            "slice_max_wall_ms": round(stats.wall_max_ns / 1e6, 2),
            "cpu_ms": {who: round(ns / 1e6) for who, ns in stats.cpu_ns.items()},
            "pauses_us": stats.pauses,
        }
    return found


def run(module: str, *args: object, python: str = sys.executable, env: dict[str, str] | None = None) -> Result:
    """Runs ``python -m MODULE ARGS`` in a fresh interpreter; the JSON object it printed last. Raises ChildFailed."""
    command = [python, "-m", module, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **SETTINGS, **(env or {})}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing on stderr"]
        raise ChildFailed(f"{' '.join(command)}: exit {done.returncode}: {said[0]}")
    return json.loads(lines[-1])


def rounds(count: int, modes: Sequence[str] = (STOCK, CONCURRENT)) -> Iterator[tuple[int, str]]:
    """Every mode once a round, each round beginning with another one."""
    for number in range(count):
        first = number % len(modes)
        for mode in [*modes[first:], *modes[:first]]:
            yield number, mode


def median_of(results: Iterable[Result], key: str) -> float:
    return statistics.median(float(result[key]) for result in results)  # type: ignore[arg-type]


def max_of(results: Iterable[Result], key: str) -> float:
    return max(float(result[key]) for result in results)  # type: ignore[arg-type]


def note(text: str) -> None:
    """A line on stderr for whoever waits."""
    print(text, file=sys.stderr, flush=True)
