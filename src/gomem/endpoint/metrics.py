"""The concurrent collector's state as metrics in Prometheus's text format: the page ``/debug/pprof/gc``.

Pauses are a histogram of CPU time whose bounds are powers of two of microseconds, counted in C: nothing runs in
a collection for it. Without the collector its metrics read 0; those of CPython's own collections are always there.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_US = tuple(1 << bucket for bucket in range(4, 24))  # 16 us to 8.4 s

_Sample = tuple[str, dict[str, str], float]


def text() -> str:
    """All of them, as a scraper reads them. Costs some 0.2 ms."""
    lines: list[str] = []
    for name, kind, what, samples in _families():
        lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{suffix}{_labels(labels)} {_number(value)}" for suffix, labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _one(value: float) -> list[_Sample]:
    return [("", {}, value)]


def _histogram(counts: dict[int, int], total_seconds: float) -> list[_Sample]:
    samples: list[_Sample] = []
    for bound in _BOUNDS_US:
        below = sum(count for upper, count in counts.items() if upper <= bound)
        samples.append(("_bucket", {"le": repr(bound / 1e6)}, below))
    everything = sum(counts.values())
    return [*samples, ("_bucket", {"le": "+Inf"}, everything), ("_sum", {}, total_seconds), ("_count", {}, everything)]


def _families() -> Iterable[tuple[str, str, str, list[_Sample]]]:
    yield from _stock()
    from gomem import gc as concurrent

    if concurrent.unsupported() is None:
        yield from _concurrent(concurrent.stats())


def _stock() -> Iterable[tuple[str, str, str, list[_Sample]]]:
    generations = [({"generation": str(number)}, found) for number, found in enumerate(gc.get_stats())]
    for key, what in (
        ("collections", "Collections of this generation by CPython"),
        ("collected", "Objects freed by them"),
        ("uncollectable", "Objects found that could not be freed"),
    ):
        yield f"gomem_stock_gc_{key}_total", "counter", what, [("", labels, found[key]) for labels, found in generations]


def _concurrent(stats) -> Iterable[tuple[str, str, str, list[_Sample]]]:
    yield "gomem_gc_enabled", "gauge", "Whether the concurrent collector has the oldest generation", _one(stats.enabled)
    yield "gomem_gc_pause_seconds", "histogram", "CPU time of slices and batches", _histogram(stats.pauses, stats.pause_sum_ns / 1e9)
    yield "gomem_gc_pause_max_seconds", "gauge", "CPU time of the longest since it was enabled", _one(stats.pause_max_ns / 1e9)
    cpu = [("", {"driver": who}, ns / 1e9) for who, ns in stats.cpu_ns.items()]
    yield "gomem_gc_cpu_seconds_total", "counter", "CPU time by who spent it; sorting without the GIL is in worker", cpu
    yield "gomem_gc_cycles_total", "counter", "Cycles completed", _one(stats.cycles)
    yield "gomem_gc_cycles_aborted_total", "counter", "Cycles ended early", _one(stats.aborted)
    yield "gomem_gc_stock_collections_total", "counter", "Stop-the-world collections because cycles fell behind", _one(stats.stock)
    yield "gomem_gc_freed_objects_total", "counter", "Objects freed by cycles", _one(stats.freed)
    yield "gomem_gc_survived_objects_total", "counter", "Objects proposed to CPython that were alive", _one(stats.survived)
    yield "gomem_gc_reliefs_total", "counter", "Times that caches were asked to shrink", _one(stats.reliefs)
    yield "gomem_gc_old_objects", "gauge", "Old objects that survived the last cycle", _one(stats.live)
    yield "gomem_gc_grown_objects", "gauge", "Old objects that came in since it began", _one(stats.grown)
    yield "gomem_gc_goal_objects", "gauge", "Growth by which the next cycle should have found its garbage", _one(stats.goal)
    yield "gomem_gc_resident_bytes", "gauge", "Resident memory when the collector last read it", _one(stats.rss_bytes)
