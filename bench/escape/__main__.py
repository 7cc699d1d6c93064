"""``python -m bench.escape``: precision and recall of the verdict ``frame``, package by package.

A table goes to stderr, one JSON line a package to stdout. The packages are run instrumented once (minutes each); what was
seen is kept under ``--work``, and later analyses are compared with it without another run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from gomem.errors import GomemError
from gomem.escape import analyse
from gomem.escape.installed import search_path
from gomem.escape.verify import Truth
from gomem.escape.verify.comparison import Comparison, compare, format_imprecise, format_wrong

from bench.escape.packages import APPLICATIONS, HELD_OUT, TUNING, Package
from bench.escape.prepare import Prepared
from bench.runs import table

HEAD = ("package", "files", "seen", "stay", "leave", "both", "said", "wrong", "precision", "recall", "accuracy", "always leaves", "exit")


def main() -> int:
    options = _parser().parse_args()
    packages = _chosen(options)
    rows, total = [], Comparison()
    seen_total = [0, 0, 0, 0, 0]
    for package in packages:
        try:
            truth = Prepared(package, options.work).truth(options.again)
        except (GomemError, OSError, ValueError) as error:
            print(f"bench.escape: {package.name} left out: {error}", file=sys.stderr)
            continue
        needs = Prepared(package, options.work).needs
        comparison, seconds = _compared(truth, [str(needs), *search_path()] if options.installed else [])
        numbers = _numbers(truth)
        seen_total = [a + b for a, b in zip(seen_total, numbers, strict=True)]
        total.add(comparison)
        rows.append([package.name, *numbers, *_scores(comparison), truth.exit_code])
        record = dict(zip(HEAD, rows[-1], strict=True)) | {"analysis_s": round(seconds, 2)}
        print(json.dumps(record | {"disagreements": len(truth.disagreements), "checked": truth.checked}), flush=True)
        if options.report:
            _report(options.report, package, comparison)
    rows.append(["all", *seen_total, *_scores(total), ""])
    print(table(HEAD, rows), file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.escape", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", help="names; default: the held-out ones")
    parser.add_argument("--tuning", action="store_true", help="the packages that the analysis may be tuned on")
    parser.add_argument("--installed", action="store_true", help="read the packages that they import, too")
    parser.add_argument("--again", action="store_true", help="run the packages anew")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "gomem" / "bench-escape", metavar="DIR", help="sources and truth")
    parser.add_argument("--report", type=Path, metavar="FILE", help="append wrong verdicts here, and of tuning packages the imprecise ones")
    return parser


def _chosen(options: argparse.Namespace) -> list[Package]:
    known = {package.name: package for package in HELD_OUT + TUNING + APPLICATIONS}
    for name in options.packages:
        if name not in known:
            sys.exit(f"bench.escape: package: got {name!r}, want one of {', '.join(known)}")
    return [known[name] for name in options.packages] or list(TUNING if options.tuning else HELD_OUT)


def _compared(truth: Truth, search: list[str]) -> tuple[Comparison, float]:
    start = time.process_time()
    analysis = analyse(sorted(truth.files), search=search)
    return compare(truth, analysis.verdicts), time.process_time() - start


def _numbers(truth: Truth) -> list[int]:
    """Files, sites with known truth, and how many of them stay, leave, do both."""
    fates = [seen.fate for seen in truth.sites.values()]
    counts = [fates.count(fate) for fate in ("stays", "leaves", "mixed")]
    return [len(truth.files), sum(counts), *counts]


def _scores(comparison: Comparison) -> list[object]:
    """Sites said to stay, wrong ones, precision, recall, accuracy, and the accuracy of saying always "leaves"."""
    wrong, missed = len(comparison.wrong), len(comparison.imprecise)
    judged = comparison.right_stays + comparison.right_leaves + wrong + missed
    right = comparison.right_stays + comparison.right_leaves
    always = (comparison.right_leaves + wrong) / judged if judged else 0.0
    return [comparison.right_stays + wrong, wrong, comparison.precision, comparison.recall, right / judged if judged else 0.0, always]


def _report(path: Path, package: Package, comparison: Comparison) -> None:
    with path.open("a") as file:
        for verdict, seen in comparison.wrong:
            print(f"WRONG {package.name}: {format_wrong(verdict, seen)} [{verdict.site.kind} in {verdict.site.function}]", file=file)
        for verdict, seen in comparison.imprecise if package in TUNING else ():
            print(f"imprecise {package.name}: {format_imprecise(verdict, seen)} [{verdict.site.kind} in {verdict.site.function}]", file=file)


if __name__ == "__main__":
    sys.exit(main())
