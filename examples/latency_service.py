"""A service with a large heap: how long its requests take under CPython's collector and under gomem's.

It keeps a catalogue of many records, and sessions that refer to themselves, as sessions do; each request replaces one.

    python examples/latency_service.py                     both, each in a process of its own, and a plot
    python examples/latency_service.py --records 20000 --requests 20000

The plot has a column for each part of the run, whose height is its longest request on a logarithmic scale.
"""

import argparse
import gc
import json
import math
import random
import subprocess
import sys
import time

COLUMNS = 64
ROWS = [(10**power * factor) for power in range(1, -2, -1) for factor in (100, 30)]  # ms: 1000 down to 3
SESSIONS = 500


class Session:
    def __init__(self, number):
        self.user = {"id": [number]}
        self.basket = [[number, count] for count in range(3)]
        self.history = [self]


def serve(records, requests):
    """Milliseconds of CPU that each request took."""
    catalogue = [{"name": [i], "price": {"net": [i], "tax": [19]}} for i in range(records)]
    sessions = [Session(i) for i in range(SESSIONS)]
    gc.collect()
    numbers, taken = random.Random(1), []
    for i in range(requests):
        begun = time.thread_time()
        rows = [{"row": catalogue[numbers.randrange(records)]} for _ in range(10)]
        sessions[numbers.randrange(SESSIONS)] = Session(len(rows) + i)
        taken.append((time.thread_time() - begun) * 1e3)
    return taken


def part_maxima(taken):
    size = math.ceil(len(taken) / COLUMNS)
    return [max(taken[i : i + size]) for i in range(0, len(taken), size)]


def plot(name, maxima):
    print(f"{name}: longest request of each part, ms")
    for row in ROWS:
        print(f"{row:>7g} |" + "".join("#" if value >= row else " " for value in maxima).rstrip())
    print(f"{'':>7} +{'-' * len(maxima)}")


def measure(collector, arguments):
    """Runs this file in another process with that collector; its result."""
    words = [sys.executable, __file__, "--collector", collector, "--records", str(arguments.records), "--requests", str(arguments.requests)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=400_000, help="of five tracked objects each (default 400000)")
    parser.add_argument("--requests", type=int, default=150_000, help="default 150000")
    parser.add_argument("--collector", choices=("stock", "concurrent"), help="run here with this one, print JSON")
    arguments = parser.parse_args()
    if arguments.collector is None:
        for collector in ("stock", "concurrent"):
            result = measure(collector, arguments)
            plot(collector, result["maxima"])
            print(f"longest {max(result['maxima']):.1f} ms; full collections {result['full']}, cycles {result['cycles']}\n")
        return
    if arguments.collector == "concurrent":
        import gomem.gc

        gomem.gc.enable()
    taken = serve(arguments.records, arguments.requests)
    cycles = gomem.gc.stats().cycles if arguments.collector == "concurrent" else 0
    full = gc.get_stats()[2]["collections"]
    print(json.dumps({"maxima": part_maxima(taken), "full": full, "cycles": cycles}))


if __name__ == "__main__":
    main()
