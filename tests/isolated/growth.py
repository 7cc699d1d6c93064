"""A run of weeks in small: tens of thousands of functions that are made, run once and dropped, and thousands of threads,
each with a name of its own. The profiler's memory stays bounded, and so does the process's: no code object is kept."""

import gc
import threading

import gomem

FUNCTIONS, THREADS = 20_000, 2000


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def functions(n, begin):
    for i in range(begin, begin + n):
        space = {}
        exec(compile(f"def made_{i}(n):\n    a = [n] * 600\n    return bytes(n), a\n", f"<made {i % 5000}>", "exec"), space)
        space[f"made_{i}"](5000)
    gc.collect()


def threads(n, begin):
    for i in range(begin, begin + n):
        thread = threading.Thread(target=bytes, args=(5000,), name=f"short lived {i}")
        thread.start()
        thread.join()


functions(FUNCTIONS, 0)  # the interpreter itself keeps each name that it has met
gomem.start(rate=4096, seed=1)
functions(FUNCTIONS // 4, 0)
threads(THREADS // 4, 0)
early = resident()
functions(FUNCTIONS, 0)
threads(THREADS, 0)
late, stats = resident(), gomem.stats()
gomem.stop()
assert stats.samples > 50_000 and stats.stacks_folded > 10_000, stats
assert stats.own_bytes < 3 << 20, stats
assert late < early + (3 << 20), (early, late)
assert len(gomem.heap_profile().functions) < 15_000
print("fine")
