"""Errors of the estimates on heaps of known content, over seeds: ``python -m bench.accuracy``.

For each heap size and rate: the error of the ten largest sites in use (median and 95th percentile over sites and
seeds), the same for bytes allocated, the live samples it took, and the bias: the mean of (estimate / truth - 1) of the
whole heap with its standard error, which must hold 0 within three of them. Prints one JSON line per process.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from bench import runs
from bench.modes import MODES

TRUE_INUSE, INUSE, TRUE_ALLOC, ALLOC = 2, 3, 4, 5
TOP = 10


def errors(results: list[runs.Result], truth: int, estimate: int) -> list[float]:
    """Relative errors of the largest sites, all seeds together."""
    out = []
    for result in results:
        largest = sorted(result["sites"], key=lambda site: site[truth], reverse=True)[:TOP]
        out += [abs(site[estimate] / site[truth] - 1) for site in largest]
    return out


def bias(results: list[runs.Result], truth: int, estimate: int) -> tuple[float, float]:
    """Mean relative error of the total with its sign, and the standard error of that mean."""
    signed = [
        sum(site[estimate] for site in result["sites"]) / sum(site[truth] for site in result["sites"]) - 1
        for result in results
    ]
    spread = statistics.stdev(signed) if len(signed) > 1 else float("nan")
    return statistics.fmean(signed), spread / len(signed) ** 0.5


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(megabytes: str, rate: str, results: list[runs.Result]) -> list[str]:
    inuse, alloc = errors(results, TRUE_INUSE, INUSE), errors(results, TRUE_ALLOC, ALLOC)
    off, spread = bias(results, TRUE_INUSE, INUSE)
    alloc_off, alloc_spread = bias(results, TRUE_ALLOC, ALLOC)
    live = statistics.median(result["samples_live"] for result in results)
    figures = [statistics.median(inuse), percentile(inuse, 0.95), statistics.median(alloc), percentile(alloc, 0.95)]
    return [
        f"{megabytes} MB", rate, f"{live:.0f}", *(f"{figure:.1%}" for figure in figures),
        f"{off:+.2%} ± {spread:.2%}", f"{alloc_off:+.2%} ± {alloc_spread:.2%}",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.split("\n\n")[0])
    parser.add_argument("--megabytes", default="10,50,200")
    parser.add_argument("--rates", default="auto,524288", help="bytes, or auto")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    args = parser.parse_args()
    rows = []
    for megabytes in args.megabytes.split(","):
        for rate in args.rates.split(","):
            results = []
            for seed in range(args.seeds):
                result = runs.child(MODES["off"], "accuracy/once.py", [megabytes, rate, str(seed)], args.python)
                runs.emit(result | {"megabytes": megabytes, "rate": rate, "seed": seed})
                results.append(result)
            rows.append(row(megabytes, rate, results))
    head = ["heap", "rate", "live samples", "in use median", "p95", "allocated median", "p95", "bias in use", "bias allocated"]
    print("\nError of the ten largest sites, and bias of the total\n\n" + runs.table(head, rows), file=sys.stderr)


if __name__ == "__main__":
    main()
