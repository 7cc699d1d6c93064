"""What part of 40 MB the profile attributes to the line that allocated it, by library: ``python -m bench.coverage``.

Each case runs twice in fresh processes, with native allocations watched and without. 100 % is the bytes that the
library must have asked for; for sqlite and lxml, whose own bookkeeping is not known, the growth of resident memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench import runs
from bench.coverage.cases import CASES
from bench.modes import MODES


def installed(package: str, python: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return not package or subprocess.run([python, "-c", code], check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description=__doc__.split("\n\n")[0])
    parser.add_argument("--cases", default=";".join(CASES), help="separated by semicolons; default all")
    parser.add_argument("--rate", default="16384", help="bytes, or auto; 16384 is some 2 %% of error on 40 MB")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    args = parser.parse_args()
    rows = []
    for name in args.cases.split(";"):
        if not installed(CASES[name].package, args.python):
            print(f"bench: left out: {name}: not installed", file=sys.stderr)
            continue
        shares = []
        for native in "10":
            try:
                result = runs.child(MODES["off"], "coverage/once.py", [name, args.rate, native], args.python)
            except runs.ChildFailed as error:
                print(f"bench: left out: {error}", file=sys.stderr)
                break
            runs.emit(result | {"case": name, "native": native == "1"})
            shares.append(f"{result['seen_bytes'] / result['true_bytes']:.0%}")
        if len(shares) < 2:
            continue
        rows.append([f"{name} {result['version']}".strip(), f"{result['true_bytes'] / 1e6:.1f}", *shares])
    print("\n" + runs.table(["what", "MB", "seen", "seen with native=False"], rows), file=sys.stderr)


if __name__ == "__main__":
    main()
