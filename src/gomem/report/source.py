"""list: source lines with the weight that falls on them.

``listings`` is the data (the web page shows the same), ``print_list`` the text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gomem.errors import ProfileError
from gomem.pprof.graph import Node
from gomem.pprof.regex import Pattern
from gomem.record import Record, field
from gomem.report.paths import open_source
from gomem.report.report import Report

_MARGIN = 5  # lines shown before the first and after the last one with weight


class SourceLine(Record):
    """A line of source with its own and its cumulative weight."""

    number: int
    text: str
    flat: int
    cum: int


class Listing(Record):
    """A function in a file; ``error`` says why there are no lines, ``file`` is "" when the profile names none."""

    function: str
    file: str = ""
    flat: int = 0
    cum: int = 0
    lines: list[SourceLine] = field(default_factory=list)
    error: str = ""


class SourceReader:
    """Reads source files, each once."""

    def __init__(self, search: str, trim: str) -> None:
        self.search, self.trim = search or os.getcwd(), trim
        self._files: dict[str, list[str] | ProfileError] = {}

    def has_failed(self, path: str) -> bool:
        """True when the file was looked for before, in vain."""
        return isinstance(self._files.get(path), ProfileError)

    def lines(self, path: str) -> list[str]:
        """The lines of a file. Raises ProfileError when it is not found."""
        if path not in self._files:
            try:
                self._files[path] = open_source(path, self.search, self.trim)
            except ProfileError as error:
                self._files[path] = error
        found = self._files[path]
        if isinstance(found, ProfileError):
            raise found
        return found


def listings(report: Report, symbol: Pattern) -> Iterator[Listing]:
    """The listing of every function whose name matches, in order of name and file; the report must be by lines.

    Raises ProfileError when none matches.
    """
    options = report.options
    graph = report.graph_source(object_names=True).build(edges=False)
    by_function: dict[str, list[Node]] = {}
    for node in sorted(graph.nodes, key=lambda node: node.info.sort_text()):
        if symbol.matches(node.info.name):
            by_function.setdefault(node.info.name, []).append(node)
    if not by_function:
        raise ProfileError(f"no matches found for regexp: {symbol.source}")
    reader = SourceReader(options.source_path, options.trim_path)
    for name, nodes in sorted(by_function.items()):
        by_file: dict[str, list[Node]] = {}
        for node in nodes:
            if node.info.file:
                by_file.setdefault(node.info.file, []).append(node)
        if not by_file:
            yield Listing(name)
        for file, file_nodes in sorted(by_file.items()):
            yield _listing(name, file, file_nodes, reader)


def _listing(name: str, file: str, nodes: list[Node], reader: SourceReader) -> Listing:
    listing = Listing(name, file, sum(node.flat for node in nodes), sum(node.cum for node in nodes))
    weights: dict[int, tuple[int, int]] = {}
    for node in nodes:
        flat, cum = weights.get(node.info.line, (0, 0))
        weights[node.info.line] = flat + node.flat, cum + node.cum
    first, last = _range(nodes)
    if max(first, 1) > last and not reader.has_failed(file):
        return listing  # the real tool does not look for the file then
    try:
        lines = reader.lines(file)
    except ProfileError as error:
        listing.error = str(error)
        return listing
    for number in range(max(first, 1), min(last, len(lines)) + 1):
        listing.lines.append(SourceLine(number, lines[number - 1], *weights.get(number, (0, 0))))
    return listing


def _range(nodes: list[Node]) -> tuple[int, int]:
    """The lines to show: from the function's start, or some lines before its first line with weight, to behind its last.

    As in the real tool, a node that moves the beginning does not also move the end.
    """
    info = nodes[0].info
    first, last = info.start_line or info.line - _MARGIN, info.line + _MARGIN
    for node in nodes:
        begin, end = node.info.start_line or node.info.line - _MARGIN, node.info.line + _MARGIN
        if begin < first:
            first = begin
        elif end > last:
            last = end
    return first, last


def print_list(report: Report) -> Iterator[str]:
    """The lines of list."""
    symbol = report.options.symbol
    assert symbol is not None
    first = True
    for listing in listings(report, symbol):
        if first:
            yield f"Total: {report.format(report.total)}"
            first = False
        if not listing.file:
            yield f"No source information for {listing.function}"
            continue
        yield f"ROUTINE ======================== {listing.function} in {listing.file}"
        flat, cum = report.format(listing.flat), report.format(listing.cum)
        yield f"{flat:>10} {cum:>10} (flat, cum) {report.share(listing.cum)} of Total"
        if listing.error:
            yield f" Error: {listing.error}"
        for line in listing.lines:
            yield f"{_or_dot(report, line.flat):>10} {_or_dot(report, line.cum):>10} {line.number:6d}:{line.text}"


def _or_dot(report: Report, value: int) -> str:
    return report.format(value) if value else "."
