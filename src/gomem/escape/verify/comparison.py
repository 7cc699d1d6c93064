"""Verdicts of the analysis beside what was seen at run time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from gomem.escape.sites import Site
from gomem.escape.verify.truth import LEAVES, Seen, Truth

STAYS_VERDICT = "frame"


class Judged(Protocol):
    """What is needed of a verdict: ``gomem.escape`` makes such."""

    site: Site
    verdict: str
    reason: str


@dataclass(slots=True)
class Comparison:
    """Sites of which the truth is known, by what the analysis said of them.

    ``wrong``: said to stay, and an object outlived its frame; ``imprecise``: said to leave, and none ever did; ``right_stays``
    and ``right_leaves``. A site with both fates counts as leaving. ``unseen`` counts sites that were not executed or whose
    objects were never fresh or could not be decided; ``unlisted`` those that the analysis had no verdict for.
    """

    wrong: list[tuple[Judged, Seen]] = field(default_factory=list)
    imprecise: list[tuple[Judged, Seen]] = field(default_factory=list)
    right_stays: int = 0
    right_leaves: int = 0
    unseen: int = 0
    unlisted: int = 0

    @property
    def precision(self) -> float:
        """Of the sites said to stay, the share that did; 1 if none was said to."""
        said = self.right_stays + len(self.wrong)
        return self.right_stays / said if said else 1.0

    @property
    def recall(self) -> float:
        """Of the sites that stayed, the share that was said to; 1 if none stayed."""
        stayed = self.right_stays + len(self.imprecise)
        return self.right_stays / stayed if stayed else 1.0

    def add(self, other: Comparison) -> None:
        self.wrong += other.wrong
        self.imprecise += other.imprecise
        self.right_stays += other.right_stays
        self.right_leaves += other.right_leaves
        self.unseen += other.unseen
        self.unlisted += other.unlisted


def compare(truth: Truth, verdicts: Iterable[Judged]) -> Comparison:
    """Hold the verdicts against the truth, site by site. Paths of both must be absolute and free of symbolic links."""
    result = Comparison()
    by_site = {verdict.site: verdict for verdict in verdicts}
    for site, seen in truth.sites.items():
        verdict = by_site.get(site)
        if seen.fate == "unknown":
            result.unseen += 1
        elif verdict is None:
            result.unlisted += 1
        else:
            _place(result, verdict, seen)
    return result


def _place(result: Comparison, verdict: Judged, seen: Seen) -> None:
    stays = verdict.verdict == STAYS_VERDICT
    if seen.fate == "stays":
        if stays:
            result.right_stays += 1
        else:
            result.imprecise.append((verdict, seen))
    elif stays:
        result.wrong.append((verdict, seen))
    else:
        result.right_leaves += 1


def format_wrong(verdict: Judged, seen: Seen) -> str:
    """``a.py:3:5: [x] was said to stay in its frame, but escaped (2 of 3 times), held by list of C.items``."""
    total = sum(seen.fates.values())
    how = max(LEAVES, key=lambda fate: seen.fates[fate])
    left = sum(seen.fates[fate] for fate in LEAVES)
    held = f", held by {seen.holder}" if seen.holder and seen.fates["escaped"] else ""
    words = {"returned": "was returned", "yielded": "was yielded", "raised": "went with an exception", "escaped": "escaped"}
    return f"{verdict.site}: {verdict.site.text} was said to stay in its frame, but {words[how]} ({left} of {total} times){held}"


def format_imprecise(verdict: Judged, seen: Seen) -> str:
    """``a.py:3:5: [x] was said to escape: stored in self.x, but never did in 64 looks``."""
    total = sum(seen.fates.values())
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.site}: {verdict.site.text} was said to leave ({verdict.verdict}{reason}), but never did in {total} runs"


def write_comparison(truth: Truth, comparison: Comparison, out: TextIO, *, imprecise: bool = True) -> int:
    """Print errors, imprecision and totals; returns the exit code: 1 if the analysis was wrong somewhere, else 0."""
    for verdict, seen in sorted(comparison.wrong, key=_place_of):
        print(f"error: {format_wrong(verdict, seen)}", file=out)
    for verdict, seen in sorted(comparison.imprecise if imprecise else [], key=_place_of):
        print(f"imprecise: {format_imprecise(verdict, seen)}", file=out)
    for line in _totals(truth, comparison):
        print(line, file=out)
    return 1 if comparison.wrong else 0


def _place_of(item: tuple[Judged, Seen]) -> tuple[str, int, int]:
    site = item[0].site
    return site.path, site.line, site.column


def _totals(truth: Truth, comparison: Comparison) -> list[str]:
    judged = comparison.right_stays + comparison.right_leaves + len(comparison.wrong) + len(comparison.imprecise)
    fates = Counter(seen.fate for seen in truth.sites.values())
    lines = [
        f"{judged} of {len(truth.sites)} sites seen: {fates['stays']} stay, {fates['leaves']} leave, {fates['mixed']} both",
        f"said to stay: {comparison.right_stays + len(comparison.wrong)}, wrong {len(comparison.wrong)} (precision {comparison.precision:.1%})",
        f"did stay: {comparison.right_stays + len(comparison.imprecise)}, found {comparison.right_stays} (recall {comparison.recall:.1%})",
    ]
    if truth.disagreements:
        lines.append(f"recorder: {len(truth.disagreements)} sites left out, a second check disagreed")
    if truth.skipped:
        lines.append(f"recorder: {len(truth.skipped)} modules ran as they are: {next(iter(truth.skipped.values()))}")
    if comparison.unlisted:
        lines.append(f"analysis: no verdict for {comparison.unlisted} sites that were seen")
    if truth.exit_code:
        lines.append(f"program: exit code {truth.exit_code}")
    return lines
