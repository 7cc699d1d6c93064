"""Verdicts beside a heap profile: what the sites of a line allocated, so that effort goes where memory is."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gomem.escape.analysis import Analysis, Verdict
from gomem.escape.report.text import sentence
from gomem.units import format_bytes


@dataclass(frozen=True)
class Weighed:
    """A line with its sites: bytes allocated by the line itself, and the verdicts of its sites."""

    path: str
    line: int
    value: int
    verdicts: list[Verdict]


def weigh(analysis: Analysis, amounts: Mapping[tuple[str, int], int]) -> list[Weighed]:
    """Lines of the analysed files that have sites, by what they allocated, the most first."""
    by_line: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    for verdict in analysis.verdicts:
        path = os.path.realpath(verdict.site.path)
        end = verdict.site.line if verdict.site.kind in ("def", "class") else verdict.site.end_line  # the body has its own sites
        for line in range(verdict.site.line, end + 1):
            by_line[path, line].append(verdict)
    summed: dict[tuple[str, int], int] = defaultdict(int)
    for (path, line), value in amounts.items():
        summed[os.path.realpath(path), line] += value
    found = [Weighed(path, line, value, by_line[path, line]) for (path, line), value in summed.items() if (path, line) in by_line]
    return sorted(found, key=lambda item: (-item.value, item.path, item.line))


def lines(weighed: list[Weighed], total: int, most: int) -> Iterator[str]:
    """A table of the heaviest lines, each with the verdicts of its sites below it."""
    for item in weighed[:most]:
        share = item.value / total if total else 0
        yield f"{format_bytes(item.value):>10} {share:>6.1%}  {item.path}:{item.line}"
        for verdict in item.verdicts:
            yield f"{'':>20}{sentence(verdict)}"
