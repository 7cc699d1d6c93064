"""One case under gomem: ``once.py CASE RATE NATIVE(0|1)``; prints one JSON line.

``seen_bytes`` is what the profile has in use under the allocating function, ``total_bytes`` in use anywhere.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

from gomem import heap

from bench.coverage.cases import CASES
from bench.profiles import total, under_function


def rss_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def version(package: str) -> str:
    names = importlib.metadata.packages_distributions().get(package, [])
    return importlib.metadata.version(names[0]) if names else ""


def main() -> None:
    name, rate, native = sys.argv[1:]
    case = CASES[name]
    given = case.prepare()
    heap.start(rate if rate == "auto" else int(rate), native=native == "1", seed=1)
    before = rss_bytes()
    made = case.allocate(given)
    grown = rss_bytes() - before
    profile = heap.heap_profile()
    heap.stop()
    result = {
        "true_bytes": case.true_bytes(made) or grown,
        "rss_bytes": grown,
        "seen_bytes": under_function(profile, "inuse_space", case.allocate.__name__),
        "total_bytes": total(profile, "inuse_space"),
        "version": version(case.package),
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
