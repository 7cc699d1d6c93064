"""One service in this process: ``python -m bench.gc.service MODE KIND OBJECTS REQUESTS [SETTINGS]``; one JSON line.

Over OBJECTS old objects in a web of references (records of a dict, lists and tuples) the service holds 2,000 sessions.
A request makes some 40 short-lived objects; each one (kind ``heavy``), or each tenth (``gentle``), replaces a session: a
cycle of 11 objects that lies in the oldest generation by then. Latency is taken with the thread's CPU clock and the wall
clock round each request; memory is the kernel's own peak from the first request on.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from array import array

from bench.gc.children import MB, Memory, StockPauses, begin, facts

SESSIONS = 2000
EVERY = {"heavy": 1, "gentle": 10}


class Session:
    """Eleven objects that all die together, and only by a collector's hand."""

    def __init__(self, number: int) -> None:
        self.user = {"id": [number]}
        self.items = [[number, 1], [number, 2], [number, 3]]
        self.me = self
        self.back = [self]
        child = Session.__new__(Session)
        child.parent = self
        self.child = child
        self.pair = (self, child)


def make_old_objects(count: int) -> list[dict]:
    """So many tracked objects: records that refer to each other at random."""
    numbers = random.Random(1)
    records: list[dict] = [{"key": [i], "name": (i, [i])} for i in range(count // 4)]
    for record in records:
        record["link"] = records[numbers.randrange(len(records))]
    return records


def serve(requests: int, every: int, sessions: list[Session], cpu: array, wall: array) -> None:
    numbers, thread_time, perf_counter = random.Random(2), time.thread_time, time.perf_counter
    for i in range(requests):
        begun, begun_wall = thread_time(), perf_counter()
        rows = [{"row": j, "values": [j]} for j in range(20)]
        sum(row["row"] for row in rows)
        if i % every == 0:
            sessions[numbers.randrange(SESSIONS)] = Session(i)
        cpu[i] = thread_time() - begun
        wall[i] = perf_counter() - begun_wall


def percentile(values: array, share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def slowest(values: array, count: int = 5) -> list[tuple[int, float]]:
    """The requests that took longest: their numbers and milliseconds."""
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    return [(i, round(values[i] * 1e3, 2)) for i in order[:count]]


def measure(mode: str, kind: str, objects: int, requests: int, settings: str) -> dict[str, object]:
    gc.disable()
    old = make_old_objects(objects)
    sessions = [Session(i) for i in range(SESSIONS)]
    cpu, wall = array("d", bytes(8 * requests)), array("d", bytes(8 * requests))
    gc.collect()
    gc.enable()
    memory, pauses = Memory(), StockPauses()
    memory.forget_peak()
    before = memory.rss()
    begin(mode, settings)
    begun, begun_wall = time.process_time(), time.perf_counter()
    serve(requests, EVERY[kind], sessions, cpu, wall)
    used, passed = time.process_time() - begun, time.perf_counter() - begun_wall
    result: dict[str, object] = {
        "mode": mode, "kind": kind, "objects": objects, "requests": requests, "settings": settings,
        "python": sys.version.split()[0],
        "cpu_us_request": round(used / requests * 1e6, 2),
        "requests_s": round(requests / passed),
        "request_max_cpu_ms": round(max(cpu) * 1e3, 2),
        "request_max_wall_ms": round(max(wall) * 1e3, 2),
        "request_p99_cpu_us": round(percentile(cpu, 0.99) * 1e6, 1),
        "request_p999_cpu_us": round(percentile(cpu, 0.999) * 1e6, 1),
        "slowest": slowest(cpu),
        "rss_before_mb": round(before / MB, 1),
        "rss_peak_mb": round(memory.peak() / MB, 1),
        "records": len(old),
    }  # fmt: skip
    return result | facts(mode, pauses)


if __name__ == "__main__":
    mode, kind, objects, requests, *settings = sys.argv[1:]
    print(json.dumps(measure(mode, kind, int(objects), int(requests), *(settings or [""]))))
