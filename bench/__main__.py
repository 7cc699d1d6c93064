"""The whole set, one after the other: ``python -m bench``; tables on stderr, JSON lines in a folder.

Takes about an hour and a half on two cores. ``--quick`` runs everything once at a small scale, to see that it works.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FULL: dict[str, list[str]] = {
    "coverage": ["bench.coverage"],
    "accuracy": ["bench.accuracy"],
    "pair": ["bench.pair"],
    "instructions": ["bench.overhead.instructions"],
    "overhead": ["bench.overhead"],
}
QUICK: dict[str, list[str]] = {
    "coverage": ["bench.coverage", "--cases", "list;bytes;sqlite"],
    "accuracy": ["bench.accuracy", "--megabytes", "10", "--seeds", "3"],
    "pair": ["bench.pair", "--modes", "off,off-again,gomem", "--rounds", "2"],
    "instructions": ["bench.overhead.instructions", "--workloads", "trees", "--modes", "off,gomem", "--scale", "0.02"],
    "overhead": ["bench.overhead", "--modes", "off,off-again,gomem", "--rounds", "2", "--scale", "0.05"],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few minutes: does everything run")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for NAME.jsonl; default build/bench")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, command in (QUICK if args.quick else FULL).items():
        print(f"\n== python -m {' '.join(command)}", file=sys.stderr, flush=True)
        with open(args.out / f"{name}.jsonl", "w") as lines:
            if subprocess.run([sys.executable, "-m", *command], stdout=lines, check=False).returncode:
                failed.append(name)
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
