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
    options.add_argument("--sizes", metavar="NUMBERS", help="lru: entries (default: 1000,100000,1000000)")
    options.add_argument("--keys", metavar="KINDS", help="lru: kinds of keys (default: str,int)")
    args = options.parse_args()
    lru = importlib.import_module("bench.types.lru")
    lru.ONLY[:] = args.only.split(",") if args.only else lru.ONLY
    lru.SIZES[:] = map(int, args.sizes.split(",")) if args.sizes else lru.SIZES
    lru.KEYS[:] = args.keys.split(",") if args.keys else lru.KEYS
    for part in args.parts or PARTS:
        if part not in PARTS:
            options.error(f"part: got {part!r}, want one of {', '.join(PARTS)}")
        importlib.import_module(f"bench.types.{part}").main(args.quick)


if __name__ == "__main__":
    main()
