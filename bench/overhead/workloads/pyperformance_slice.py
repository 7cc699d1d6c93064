"""Six benchmarks of pyperformance 1.14, their own code called directly: deepcopy, deltablue, raytrace, comprehensions,
generators and unpack_sequence (which allocates nothing: what is left is the cost of being there).

They return times, not results, so the checksum only counts them; deltablue checks its own results and prints if wrong.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

COUNT = 8


def benchmark(name: str) -> ModuleType:
    found = importlib.util.find_spec("pyperformance")
    path = Path(found.origin).parent / "data-files" / "benchmarks" / f"bm_{name}" / "run_benchmark.py"
    spec = importlib.util.spec_from_file_location(f"pyperformance_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = ("deepcopy", "deltablue", "raytrace", "comprehensions", "generators", "unpack_sequence")
DEEPCOPY, DELTABLUE, RAYTRACE, COMPREHENSIONS, GENERATORS, UNPACK = map(benchmark, NAMES)


def run(count: int) -> int:
    for _ in range(count):
        DEEPCOPY.benchmark(60)
        DELTABLUE.delta_blue(1500)
        RAYTRACE.bench_raytrace(1, 40, 40, None)
        COMPREHENSIONS.bench_comprehensions(1500)
        GENERATORS.bench_generators(1)
        UNPACK.bench_all(600)
    return count * len(NAMES)
