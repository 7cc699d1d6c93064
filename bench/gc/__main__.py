"""``python -m bench.gc CLAIM [--json]``: the concurrent collector against CPython's own.

A table on stdout, or with --json one JSON line a measured process and nothing else. bench/README.md tells how to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import sys

CLAIMS = {
    "pauses": "longest slice, CPU of a cycle and its memory on heaps of 1, 5 and 10 million objects",
    "services": "CPU, latency and memory of two services over 2 million old objects",
    "killers": "peak memory of the programs that the incremental collector was withdrawn for",
    "prefork": "memory that one full collection makes private in a forked worker",
    "limit": "by how much a memory limit is exceeded",
    "growth": "resident memory over a hundred cycles",
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gc", description=__doc__.split("\n\n")[0])
    claims = parser.add_subparsers(dest="claim", required=True, metavar="CLAIM")
    for name, what in CLAIMS.items():
        claim = claims.add_parser(name, help=what, description=what)
        claim.add_argument("--json", action="store_true", help="one JSON line a measured process")
        importlib.import_module(f"bench.gc.{name}").add_arguments(claim)
    options = parser.parse_args(argv)
    module = importlib.import_module(f"bench.gc.{options.claim}")
    if options.json:
        module.measure(options)
        return 0
    with contextlib.redirect_stdout(io.StringIO()):
        results = module.measure(options)
    print(module.show(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
