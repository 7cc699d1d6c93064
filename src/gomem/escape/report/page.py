"""Verdicts in the source, as one HTML file without scripts or anything from the network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from pathlib import Path

from gomem.escape.analysis import Analysis, Verdict
from gomem.escape.report.text import sentence, totals
from gomem.escape.sites import source_lines

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
table { border-collapse: collapse; font: 13px/1.45 ui-monospace, monospace; }
td { padding: 0 .8em; vertical-align: top; white-space: pre; } td.n { color: #888; text-align: right; }
td.v { white-space: normal; min-width: 30em; font-family: system-ui, sans-serif; }
.frame { color: #1a7f37; } .returned { color: #0550ae; } .unknown { color: #8250df; } .escape { color: #b35900; }
tr:hover { background: #8882; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #111; } }
"""


def page(analysis: Analysis) -> Iterator[str]:
    """Pieces of the page: every file with a verdict beside each line that allocates."""
    yield f"<!doctype html><meta charset=utf-8><title>gomem escape</title><style>{_STYLE}</style><h1>gomem escape</h1>"
    yield f"<p>{escape(totals(analysis))}</p>"
    files: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in analysis.verdicts:
        files[verdict.site.path].append(verdict)
    for path, verdicts in files.items():
        yield from _file(path, verdicts)


def _file(path: str, verdicts: list[Verdict]) -> Iterator[str]:
    by_line: dict[int, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_line[verdict.site.line].append(verdict)
    yield f"<h2>{escape(path)}</h2><table>"
    for number, data in enumerate(source_lines(Path(path).read_bytes()), 1):
        notes = "<br>".join(_note(verdict) for verdict in by_line.get(number, ()))
        source = escape(data.decode(errors="replace"))
        yield f"<tr id='{escape(path)}-{number}'><td class=n>{number}<td>{source}<td class=v>{notes}\n"
    yield "</table>"


def _note(verdict: Verdict) -> str:
    kind = verdict.verdict if verdict.verdict in ("frame", "returned", "unknown") else "escape"
    flow = "; ".join(f"line {step.line}: {step.what}" for step in verdict.flow)
    return f"<span class={kind} title='{escape(flow, quote=True)}'>{escape(sentence(verdict))}</span>"
