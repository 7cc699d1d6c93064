"""How long other threads stand still while a profile is made and encoded: ``python -m bench.pause [--stacks 10000]``.

A program with that many distinct stacks, 30 deep, in 2,000 functions; another thread that wakes each 0.2 ms notes the
longest time between two turns: idle, during ``heap_profile()``, and during its encoding. Prints one JSON line a round.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import threading
import time

import gomem

FUNCTIONS, DEPTH, BLOCK_BYTES = 2000, 30, 600


def allocate_from(stacks: int) -> list[bytearray]:
    """A block from each of so many stacks, all of them sampled."""
    source = "\n".join(
        f"def f{i}(path, depth):\n    if depth == {DEPTH}: return bytearray({BLOCK_BYTES})\n"
        f"    return functions[path[depth]](path, depth + 1)"
        for i in range(FUNCTIONS)
    )
    space: dict = {}
    exec(compile(source, "generated.py", "exec"), space)
    functions = space["functions"] = [space[f"f{i}"] for i in range(FUNCTIONS)]
    numbers = random.Random(1)
    paths = [[numbers.randrange(FUNCTIONS) for _ in range(DEPTH + 1)] for _ in range(stacks)]
    gomem.start(rate=1, native=False)
    kept = [functions[path[DEPTH]](path, 0) for path in paths]
    gomem.stop()
    return kept


class Waker:
    """A thread that wakes often and remembers the longest it was away."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last = time.perf_counter()
        while not self._stop:
            now = time.perf_counter()
            self._worst, last = max(self._worst, now - last), now
            time.sleep(0.0002)

    def worst_ms(self) -> float:
        worst, self._worst = self._worst, 0.0
        return round(worst * 1e3, 1)

    def stop(self) -> None:
        self._stop = True
        self._thread.join()


def measure() -> dict[str, float]:
    waker = Waker()
    time.sleep(0.5)
    figures = {"idle_ms": waker.worst_ms()}
    began = time.process_time()
    profile = gomem.heap_profile()
    figures |= {"make_cpu_ms": round((time.process_time() - began) * 1e3), "make_pause_ms": waker.worst_ms()}
    began = time.process_time()
    profile.write(io.BytesIO())
    figures |= {"encode_cpu_ms": round((time.process_time() - began) * 1e3), "encode_pause_ms": waker.worst_ms()}
    waker.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pause", description=__doc__.split("\n\n")[0])
    parser.add_argument("--stacks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    kept = allocate_from(args.stacks)
    for _ in range(args.rounds):
        print(json.dumps({"stacks": gomem.stats().stacks, "blocks": len(kept), **measure()}), flush=True)


if __name__ == "__main__":
    main()
