"""Both collectors on one heap in this process: ``python -m bench.gc.pause SHAPE OBJECTS PERCENT_GARBAGE ROUNDS``.

A round makes garbage that is old, lets one of the two find it, and measures: stock ``gc.collect()`` as one stop,
``gomem.gc.collect()`` by its slices. After ours a stock collection counts what was missed. Prints one JSON line.
"""

from __future__ import annotations

import gc
import json
import sys
import time

import gomem.gc
from bench.gc import heaps
from bench.gc.children import MB, Memory


def drop_garbage(count: int) -> None:
    garbage = heaps.cycles(count)
    heaps.age()
    garbage.clear()


def measure_stock(count: int, memory: Memory) -> dict[str, float]:
    drop_garbage(count)
    memory.forget_peak()
    before, begun = memory.rss(), time.thread_time()
    gc.collect()
    return {"stock_cpu_ms": (time.thread_time() - begun) * 1e3, "stock_added_mb": (memory.peak() - before) / MB}


def measure_concurrent(count: int, memory: Memory) -> dict[str, float]:
    gomem.gc.enable()
    drop_garbage(count)
    memory.forget_peak()
    before, begun = memory.rss(), time.process_time()
    freed = gomem.gc.collect()
    used = time.process_time() - begun
    added, stats = memory.peak() - before, gomem.gc.stats()
    gomem.gc.disable()
    return {
        "slice_max_cpu_ms": stats.last.pause_max_ns / 1e6,
        "slice_max_wall_ms": stats.wall_max_ns / 1e6,
        "slices": sum(stats.pauses.values()),
        "slices_above_3ms": sum(number for bound, number in stats.pauses.items() if bound > 4096),
        "cycle_cpu_ms": used * 1e3,
        "added_mb": added / MB,
        "freed": freed,
        "left": gc.collect(),
    }


def measure(shape: str, objects: int, percent: float, rounds: int) -> dict[str, object]:
    memory = Memory()
    gc.disable()
    root = heaps.SHAPES[shape](objects)
    gc.enable()
    gc.collect()
    gc.set_threshold(700, 10, 1_000_000)  # the two measured calls are the only full collections
    tracked, count = len(gc.get_objects()), int(objects * percent / 100)
    measured: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, value in {**measure_stock(count, memory), **measure_concurrent(count, memory)}.items():
            measured.setdefault(name, []).append(value)
    result: dict[str, object] = {
        "shape": shape, "tracked": tracked, "garbage_percent": percent, "python": sys.version.split()[0],
        "rss_mb": round(memory.rss() / MB), "held": len(root),
    }  # fmt: skip
    for name, values in measured.items():
        worst = name in ("slice_max_cpu_ms", "slice_max_wall_ms", "left", "slices_above_3ms")
        result[name] = round(max(values) if worst else sorted(values)[len(values) // 2], 2)
    return result


if __name__ == "__main__":
    shape, objects, percent, rounds = sys.argv[1:]
    print(json.dumps(measure(shape, int(objects), float(percent), int(rounds))))
