"""``gomem cache-sim``: hit ratios of the cache policies on a trace of your own."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from collections.abc import Iterable

from gomem import cachesim
from gomem.errors import UsageError
from gomem.report import curves

EXAMPLES = """examples:
  gomem cache-sim trace.txt                          one key a line, sizes 1 % to 50 % of the distinct keys
  gomem cache-sim trace.txt --sizes 100,1000,5%
  awk '{print $7}' access.log | gomem cache-sim -    the paths of a web server's log
  gomem cache-sim access.log --column 7 --json
  gomem cache-sim trace.txt -o hits.svg              a picture for a browser beside the table
"""
DEFAULT_SIZES = "1%,2%,5%,10%,20%,50%"
BAR = 50  # characters of a hit ratio of 100 %


def parser(verb: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"gomem {verb}",
        description="Replays a trace of cache keys against each eviction policy and prints the share of hits.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("trace", help="file with a key on each line, - for standard input; .gz is unpacked")
    made.add_argument("--sizes", default=DEFAULT_SIZES, help="entries, or per cent of the distinct keys (default: %(default)s)")
    made.add_argument("--policies", default=",".join(cachesim.POLICIES), help="default: %(default)s")
    made.add_argument("--column", type=int, help="take the key from this column, 1 is the first")
    made.add_argument("--separator", help="what separates columns (default: white space)")
    made.add_argument("-o", "--output", metavar="FILE", help="draw the curves as an SVG picture into this file")
    made.add_argument("--json", action="store_true", help="print one JSON object")
    return made


def read_trace(path: str, column: int | None, separator: str | None) -> list[str]:
    """The keys of the file; UsageError when it cannot be read."""
    try:
        if path == "-":
            return cachesim.read_trace(sys.stdin, column, separator)
        opened = gzip.open(path, "rt", errors="surrogateescape") if path.endswith(".gz") else open(path, errors="surrogateescape")
        with opened as lines:
            return cachesim.read_trace(lines, column, separator)
    except (OSError, EOFError) as error:
        raise UsageError(f"trace: got {path!r}, {error}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def parse_sizes(text: str, distinct: int) -> list[int]:
    """Sizes in entries, ascending and at least 1, from ``100,5%``."""
    sizes = set()
    for part in text.split(","):
        try:
            size = int(float(part.strip()[:-1]) * distinct / 100) if part.strip().endswith("%") else int(part)
        except (ValueError, OverflowError):
            raise UsageError(f"sizes: got {part!r}, want a number of entries or a percentage such as 5%") from None
        if size < 0 or (size == 0 and not part.strip().endswith("%")):
            raise UsageError(f"sizes: got {part!r}, want at least 1")
        sizes.add(max(size, 1))
    return sorted(sizes)


def table(ratios: dict[int, dict[str, float]]) -> Iterable[str]:
    """Lines with a row for each size; the best policy that does not read the future has a star."""
    policies = list(next(iter(ratios.values())))
    yield f"{'entries':>10}" + "".join(f"{name:>10}" for name in policies)
    for size, row in ratios.items():
        best = max((ratio for name, ratio in row.items() if name != "optimum"), default=None)
        cells = (f"{ratio:>8.1%}{'*' if ratio == best and name != 'optimum' else ' '} " for name, ratio in row.items())
        yield f"{size:>10}" + "".join(cells).rstrip()


def plot(ratios: dict[int, dict[str, float]]) -> Iterable[str]:
    """Lines with a bar for each size and policy."""
    for size, row in ratios.items():
        for i, (name, ratio) in enumerate(row.items()):
            yield f"{size if i == 0 else '':>10} {name:<8}|{'#' * round(ratio * BAR):<{BAR}}| {ratio:.1%}"


def simulate(trace: list[str], sizes: list[int], policies: list[str]) -> dict[int, dict[str, float]]:
    """`cachesim.hit_ratios`; on a terminal with a line that tells how far it is."""
    shown, ratios = sys.stderr.isatty(), {}
    for done, size in enumerate(sizes):
        if shown:
            print(f"\r{done} of {len(sizes)} sizes, {len(trace)} requests each ", end="", file=sys.stderr, flush=True)
        ratios.update(cachesim.hit_ratios(trace, [size], policies))
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return ratios


def write_picture(path: str, trace: str, requests: int, distinct: int, ratios: dict[int, dict[str, float]]) -> None:
    """The curves as an SVG file; UsageError when it cannot be written."""
    name = "standard input" if trace == "-" else os.path.basename(trace)
    text = curves.draw(ratios, f"Hit ratio by cache size: {name}", f"{requests} requests, {distinct} distinct keys")
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"output: got {path!r}, {error}") from error
    print(f"wrote {path}", file=sys.stderr)


def main(verb: str, args: list[str]) -> int:
    try:
        options = parser(verb).parse_args(args)
    except SystemExit as stop:
        return int(stop.code or 0)
    policies = options.policies.split(",")
    for name in policies:
        if name not in cachesim.POLICIES:
            raise UsageError(f"policies: got {name!r}, want some of {', '.join(cachesim.POLICIES)}")
    if options.column is not None and options.column < 1:
        raise UsageError(f"column: got {options.column}, want at least 1")
    trace = read_trace(options.trace, options.column, options.separator)
    if not trace:
        raise UsageError(f"trace: got no keys in {options.trace!r}, want one a line")
    distinct = len(set(trace))
    ratios = simulate(trace, parse_sizes(options.sizes, distinct), policies)
    if options.json:
        rows = [{"size": size, **row} for size, row in ratios.items()]
        print(json.dumps({"requests": len(trace), "distinct": distinct, "hit_ratios": rows}))
    else:
        print(f"{len(trace)} requests, {distinct} distinct keys; no cache can hit more than {1 - distinct / len(trace):.1%}")
        print("\n".join(["", *table(ratios), "", *plot(ratios)]))
    if options.output:
        write_picture(options.output, options.trace, len(trace), distinct, ratios)
    return 0
