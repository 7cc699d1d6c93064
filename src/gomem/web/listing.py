"""weblist: annotated source as one HTML file, in the page's own style; it needs no server, no scripts and no network."""

from __future__ import annotations

import html
from collections.abc import Iterator

from gomem.report.report import Report
from gomem.report.source import Listing, SourceLine, listings
from gomem.web.export import STATIC

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}
body {{ display: block; height: auto; }}
</style>
<script>document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";</script>
</head>
<body>
<header class="bar"><span class="brand">gomem</span> {facts}</header>
<main class="page">"""


def listing_document(report: Report) -> Iterator[str]:
    """The lines of the HTML document for a report by lines. Raises ProfileError when no function matches."""
    symbol = report.options.symbol
    assert symbol is not None
    found = list(listings(report, symbol))
    facts = [*report.profile_labels(), f"Total: {report.format(report.total)}"]
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    title = html.escape(f"{symbol.source} in {report.options.title or 'profile'}")
    yield _HEAD.format(title=title, style=style, facts=" ".join(f'<span class="fact">{html.escape(t)}</span>' for t in facts))
    for listing in sorted(found, key=lambda listing: (-abs(listing.flat), -abs(listing.cum))):
        yield from _block(report, listing)
    yield "</main></body></html>"


def _block(report: Report, listing: Listing) -> Iterator[str]:
    flat, cum, share = report.format(listing.flat), report.format(listing.cum), report.share(listing.cum).strip()
    yield f'<section class="block"><header><span class="name">{html.escape(listing.function)}</span>'
    yield f'<span class="file">{html.escape(listing.file)}</span>'
    yield f"<span><b>{flat}</b> own</span><span><b>{cum}</b> total ({share})</span></header>"
    problem = listing.error or ("" if listing.file else "the profile names no source file")
    if problem:
        yield f'<p class="note">{html.escape(problem)}</p>'
    if listing.lines:
        most = max(abs(line.cum) for line in listing.lines) or 1
        yield '<div class="code-scroll"><table class="code"><thead><tr><th>own</th><th>total</th><th>line</th><th></th></tr></thead><tbody>'
        for line in listing.lines:
            yield _row(report, line, most)
        yield "</tbody></table></div>"
    yield "</section>"


def _row(report: Report, line: SourceLine, most: int) -> str:
    kind = ' class="hot"' if line.cum else ""
    cells = "".join(
        f'<td class="weight{own}" style="--share:{abs(value) / most:.2%}">{report.format(value) if value else ""}</td>'
        for own, value in ((" own", line.flat), ("", line.cum))
    )
    return f'<tr{kind}>{cells}<td class="number">{line.number}</td><td class="line">{html.escape(line.text)}</td></tr>'
