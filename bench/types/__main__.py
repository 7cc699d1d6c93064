"""``python -m bench.types [--quick] [lru] [pool] [builder] [habits]``: one JSON line a claim."""

from __future__ import annotations

import argparse
import importlib

PARTS = ("lru", "pool", "builder", "habits")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.types", description=__doc__)
    options.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)} (default: all)")
    options.add_argument("--quick", action="store_true", help="a minute instead of twenty")
    options.add_argument("--only", metavar="NAMES", help="lru: measure these caches, gomem,cachebox among them (default: all)")
    args = options.parse_args()
    if args.only:
        importlib.import_module("bench.types.lru").ONLY += args.only.split(",")
    for part in args.parts or PARTS:
        if part not in PARTS:
            options.error(f"part: got {part!r}, want one of {', '.join(PARTS)}")
        importlib.import_module(f"bench.types.{part}").main(args.quick)


if __name__ == "__main__":
    main()
