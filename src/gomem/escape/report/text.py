"""Verdicts as lines, in the manner of the Go compiler's ``-m``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from gomem.escape.analysis import Analysis, Leak, Verdict

STAYS = "does not escape"


def is_definition(verdict: Verdict) -> bool:
    """Whether it is a function or class that a module or class body defines: it is there to stay."""
    return verdict.site.kind in ("def", "class") and verdict.verdict in ("module", "class")


def lines(analysis: Analysis, *, why: bool = False, escapes_only: bool = False, definitions: bool = False) -> Iterator[str]:
    """A line for each site and leaking parameter, in the order of the source; with ``why`` the steps of its way below it."""
    marked: list[tuple[tuple[str, int, int], list[str]]] = []
    for verdict in analysis.verdicts:
        if not (escapes_only and verdict.verdict == "frame") and (definitions or not is_definition(verdict)):
            marked.append((_place(verdict), list(_verdict_lines(verdict, why))))
    for leak in analysis.leaks:
        marked.append(((leak.path, leak.line, 0), [leak_line(leak)]))
    for _, group in sorted(marked, key=lambda item: item[0]):
        yield from group


def _place(verdict: Verdict) -> tuple[str, int, int]:
    return verdict.site.path, verdict.site.line, verdict.site.column


def sentence(verdict: Verdict) -> str:
    """What becomes of the site's objects, without the place."""
    text = verdict.site.text or verdict.site.kind
    if verdict.verdict == "frame":
        return f"{text} {STAYS}"
    if verdict.verdict == "closure" and verdict.site.kind not in ("def", "lambda"):
        return f"moved to heap: {text} ({verdict.reason})"
    return f"{text} escapes: {verdict.reason}"


def _verdict_lines(verdict: Verdict, why: bool) -> Iterator[str]:
    yield f"{verdict.site}: {sentence(verdict)}"
    if why:
        for step in verdict.flow:
            yield f"{verdict.site.path}:{step.line}:   flow: {step.what}"


def leak_line(leak: Leak) -> str:
    content = " content" if leak.content else ""
    return f"{leak.path}:{leak.line}: leaking param{content}: {leak.name} to {leak.to}"


def summary(analysis: Analysis, by: str = "module") -> Iterator[str]:
    """A table: how many sites of each function or module stay, are returned, escape."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for verdict in analysis.verdicts:
        site = verdict.site
        name = site.path if by == "module" else f"{site.path}:{site.function}"
        counts[name][_class_of(verdict.verdict)] += 1
    total: Counter[str] = Counter()
    yield f"{'sites':>7} {'stay':>6} {'returned':>9} {'escape':>7} {'unknown':>8}  {by}"
    for name, count in counts.items():
        total += count
        yield _row(count, name)
    if len(counts) > 1:
        yield _row(total, "total")


def _class_of(verdict: str) -> str:
    return verdict if verdict in ("frame", "returned", "unknown") else "escape"


def _row(count: Counter[str], name: str) -> str:
    sites = sum(count.values()) or 1
    cells = [f"{count[kind] / sites:>{width}.0%}" for kind, width in (("frame", 6), ("returned", 9), ("escape", 7), ("unknown", 8))]
    return f"{sites:>7} {' '.join(cells)}  {name}"


def totals(analysis: Analysis) -> str:
    """One line on the whole run."""
    count = Counter(verdict.verdict for verdict in analysis.verdicts)
    stay = count.pop("frame", 0)
    rest = ", ".join(f"{number} {name}" for name, number in count.most_common()) or "none escapes"
    for number, what in ((analysis.dynamic, "functions read their own frame"), (analysis.patched, "functions are replaced at run time")):
        rest += f"; {number} {what}" if number else ""
    if analysis.packages or analysis.left:
        rest += f"; {len(analysis.packages)} imported packages read, {len(analysis.left)} left unknown"
    return f"{analysis.files} files, {analysis.lines} lines, {len(analysis.verdicts)} sites: {stay} stay in their frame; {rest}"


def skipped(analysis: Analysis) -> Iterable[str]:
    return (f"{path}: skipped: {why}" for path, why in analysis.skipped)
