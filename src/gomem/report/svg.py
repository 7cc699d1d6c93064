"""svg: the call graph as a picture, laid out here, so that nothing has to be installed.

Boxes and edges look as in the dot output: text sized by a node's own weight, colour by its cumulative weight, edges as
thick as what flows along them, dotted where they jump over nodes that are not shown. Coordinates are by ``layout``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gomem.pprof.graph import MAX_NODELETS, Edge, Node, sort_edges, sort_tags, walk_edges
from gomem.pprof.names import shorten
from gomem.report.dot import Drawing, base_name, collapse_tags, color, font_size, make_drawing, ratio
from gomem.report.layout import Box, Point, Route, lay_out
from gomem.report.report import Report

_MARGIN, _PADDING = 16.0, 7.0
_LINE = 1.22  # line height in font sizes
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
_SMALL = 10.0  # points of labels on edges and of label values in boxes
_NAME_WIDTH = 26  # characters of a name on one line
# Advance widths of common sans-serif faces, in font sizes; boxes must not be narrower than their text.
_NARROW, _WIDE = frozenset("fijlrt.,:;|'!()[]{}I/ "), frozenset("mwMW@%…")


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """The text for XML; what XML cannot hold becomes a replacement character."""
    return html.escape(_NOT_XML.sub("\ufffd", text))


class _Text(NamedTuple):
    text: str
    size: float
    faint: bool = False

    def width(self) -> float:
        return text_width(self.text, self.size)


def text_width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif face of a size."""
    widths = (0.34 if c in _NARROW else 0.9 if c in _WIDE else 0.7 if c.isupper() else 0.575 for c in text)
    return sum(widths) * size


def draw_svg(report: Report, *, legend: bool = False) -> tuple[str, list[str]]:
    """The picture of a dot report's graph ("" when it is empty) and its legend, which is also drawn when asked for."""
    drawing = make_drawing(report)
    if not drawing.graph.nodes:
        return "", drawing.legend
    return "".join(_document(report, drawing, drawing.legend if legend else [])), drawing.legend


def print_svg(report: Report) -> Iterator[str]:
    """The lines of svg, a document of its own, with the legend."""
    text, legend = draw_svg(report, legend=True)
    if not text:
        text = "".join(_frame(0, 0, 0, 0, legend))
    yield '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
    yield text


def _document(report: Report, drawing: Drawing, legend: list[str]) -> Iterator[str]:
    nodes = drawing.graph.nodes
    numbers = {node: index for index, node in enumerate(nodes)}
    heaviest = float(max(abs(node.flat_value()) for node in nodes))
    # A label that everything shown has in common says nothing.
    kinds = {name for node in nodes for name in (*node.label_tags, *node.number_tags.get("", ()))}
    tags = {node: list(_tag_texts(report, node)) if len(kinds) > 1 else [] for node in nodes}
    texts = [_node_texts(report, node, heaviest, tags[node]) for node in nodes]
    boxes = [_box(lines) for lines in texts]
    edges = [edge for edge in sort_edges(walk_edges(drawing.graph)) if edge.src in numbers and edge.dest in numbers]
    routes = [
        Route(numbers[edge.src], numbers[edge.dest], abs(edge.weight_value()) / (abs(report.total) or 1) * 100)
        for edge in edges
    ]
    width, height = lay_out(boxes, routes)
    body = [
        _node(report, node, numbers[node] + 1, box, lines) for node, box, lines in zip(nodes, boxes, texts, strict=True)
    ]
    lines = list(_edges(report, edges, routes, boxes, numbers))
    start = max(zip(nodes, boxes, strict=True), key=lambda pair: abs(pair[0].cum_value()))[1].x
    yield from _frame(width, height, start, len(nodes), legend)
    yield from lines
    yield from body
    yield "</g></svg>"


def _frame(width: float, height: float, start: float, count: int, legend: list[str]) -> Iterator[str]:
    """The opening tags, white paper, and the legend above the drawing."""
    lines = [line for text in legend for line in text.strip().split("\n")]
    above = len(lines) * 15.0 + (24.0 if lines else 0.0)
    wide = max([width, *(text_width(line, 12) + 20 for line in lines)]) + 2 * _MARGIN
    high = height + above + 2 * _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" '
        f'height="{high:.0f}" data-start="{start + _MARGIN:.0f}" font-family="{_FONT}" role="group" '
        f'aria-label="Call graph of {count} functions">'
    )
    if lines:
        yield f'<rect width="{wide:.0f}" height="{high:.0f}" fill="#ffffff"/>'
        yield f'<g class="legend" font-size="12"><rect x="8" y="8" width="{wide - 16:.0f}" height="{above - 8:.0f}" '
        yield 'fill="#f8f8f8" stroke="#d8d8d8" rx="4"/>'
        for index, line in enumerate(lines):
            yield f'<text x="18" y="{26 + index * 15}">{escape(line)}</text>'
        yield "</g>"
    yield f'<g transform="translate({_MARGIN:.0f} {above + _MARGIN:.0f})">'
    if not count:
        yield "</g></svg>"


def _node_texts(report: Report, node: Node, heaviest: float, tags: list[str]) -> list[_Text]:
    """The lines of a box: the name, own weight, cumulative weight where it differs, and the heaviest label values."""
    flat, cum = node.flat_value(), node.cum_value()
    size = font_size(flat, heaviest) + 3.0
    info = node.info
    named = info._replace(name=shorten(info.name), file=base_name(info.file) if info.file else "")
    lines = [_Text(part, size) for component in named.components() for part in _split_name(component)]
    figure = max(size * 0.82, _SMALL + 1)
    lines.append(_Text(f"{report.format(flat)} ({report.share(flat).strip()})" if flat else "0", figure))
    if cum != flat:
        of = _Text(f"of {report.format(cum)} ({report.share(cum).strip()})", figure)
        lines[-1:] = [lines[-1], of] if flat else [_Text(f"0 {of.text}", figure)]
    return lines + [_Text(text, _SMALL, faint=True) for text in tags]


def _split_name(name: str) -> list[str]:
    """A name in lines of bearable width, broken behind dots, colons and slashes."""
    parts, lines = [], [""]
    start = 0
    for index, character in enumerate(name):
        if character in ".:/" and index + 1 < len(name) and name[index + 1] not in ".:/":
            parts.append(name[start : index + 1])
            start = index + 1
    parts.append(name[start:])
    most = 2 * _NAME_WIDTH  # of a part that has no such places
    for piece in (part[at : at + most] for part in parts for at in range(0, len(part), most)):
        if lines[-1] and len(lines[-1]) + len(piece) > _NAME_WIDTH:
            lines.append("")
        lines[-1] += piece
    return lines


def _tag_texts(report: Report, node: Node) -> Iterator[str]:
    """As the boxes under a node in dot: flat weight for inner nodes, all of it for leaves, whose callees may be cut."""
    flat = bool(node.outs)
    numbers = collapse_tags(list(node.number_tags.get("", {}).values()), flat)
    for tag in [*sort_tags(node.label_tags.values(), flat)[:MAX_NODELETS], *numbers]:
        value = tag.flat_value() if flat else tag.cum_value()
        if value:
            yield tag.name.replace("\\n", " ") + " " + report.format(value)


def _box(lines: list[_Text]) -> Box:
    width = max(line.width() for line in lines) + 2 * _PADDING
    return Box(width, sum(line.size * _LINE for line in lines) + 2 * _PADDING - 2)


def _node(report: Report, node: Node, number: int, box: Box, lines: list[_Text]) -> str:
    share = ratio(node.cum_value(), report.total)
    x, y = box.x - box.width / 2, box.y - box.height / 2
    parts = [
        f'<g class="node" id="node{number}" tabindex="0" role="button" data-name="{escape(node.name)}" '
        f'data-fn="{escape(node.info.name or node.name)}">'
        f"<title>{escape(node.name)} ({report.format(node.cum_value())})</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="3" '
        f'fill="{color(share, background=True)}" stroke="{color(share)}"/>'
    ]
    at = y + _PADDING - 1
    for line in lines:
        fill = ' fill="#5c5f63"' if line.faint else ""
        parts.append(
            f'<text x="{box.x:.1f}" y="{at + line.size:.1f}" font-size="{line.size:.1f}" text-anchor="middle"{fill}>'
            f"{escape(line.text)}</text>"
        )
        at += line.size * _LINE
    return "".join(parts) + "</g>"


def _edges(
    report: Report, edges: list[Edge], routes: list[Route], boxes: list[Box], numbers: dict[Node, int]
) -> Iterator[str]:
    """Light edges first, so that heavy ones lie on top; labels where there is room for them."""
    labels = _EdgeLabels(boxes)
    drawn = []
    for edge, route in zip(edges, routes, strict=True):
        if not route.points:
            continue
        value = edge.weight_value()
        share = min(abs(ratio(value, report.total)), 1.0) if report.total else 0.0
        stroke = color(ratio(value, report.total)) if report.total else "#b2b2b2"
        text = report.format(value) + (" (inline)" if edge.inline else "")
        arrow = "..." if edge.residual else "->"
        title = escape(f"{edge.src.name} {arrow} {edge.dest.name} ({report.format(value)})")
        pen = 1 + 5 * share
        curve, tip = _curve(route.points, pen)
        dotted = f' stroke-dasharray="1.5 {3 + pen:.0f}" stroke-linecap="round"' if edge.residual else ""
        parts = [
            f'<g class="edge" data-from="node{numbers[edge.src] + 1}" data-to="node{numbers[edge.dest] + 1}">'
            f'<title>{title}</title><path d="{curve}" fill="none" stroke="{stroke}" stroke-width="{pen:.1f}"{dotted}/>'
            f'<path d="{tip}" fill="{stroke}"/>'
        ]
        place = labels.place(route.points, text, pen)
        if place is not None:
            parts.append(
                f'<text x="{place[0]:.1f}" y="{place[1]:.1f}" font-size="{_SMALL}" text-anchor="middle" fill="#33363a" '
                f'stroke="#ffffff" stroke-width="3" stroke-opacity="0.85" paint-order="stroke">{escape(text)}</text>'
            )
        drawn.append("".join(parts) + "</g>")
    return reversed(drawn)


def _curve(points: list[Point], pen: float) -> tuple[str, str]:
    """The path through the points, straight inside layers and bent between them, and the arrow head at its end."""
    *others, (x, y) = points
    down = y >= points[-2][1] if len(points) > 1 else True
    size = 5 + pen * 1.3
    base = y - size if down else y + size
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    if len(others) > 1 and abs(others[-1][1] - y) < size:
        others.pop()  # the layer ends less than the arrow head above the box
    route = [*others, (x, base)]
    for index, ((x0, y0), (x1, y1)) in enumerate(zip(route, route[1:], strict=False)):
        if x0 == x1 or index % 2 == 0 and abs(x0 - x1) < 0.05:
            path.append(f"L{x1:.1f} {y1:.1f}")
        else:
            middle = (y0 + y1) / 2
            path.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    half = size * 0.45
    return "".join(path), f"M{x - half:.1f} {base:.1f}L{x + half:.1f} {base:.1f}L{x:.1f} {y:.1f}Z"


class _EdgeLabels:
    """Finds room for the weights on edges: on the edge, off all boxes and off the labels placed before."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._taken = [(b.x - b.width / 2, b.y - b.height / 2, b.x + b.width / 2, b.y + b.height / 2) for b in boxes]

    def place(self, points: list[Point], text: str, pen: float) -> Point | None:
        """The middle of the text's base line, or None when there is no room; the tooltip says it then."""
        width, height = text_width(text, _SMALL) + 4, _SMALL + 2
        aside = width / 2 + pen / 2 + 1
        for (x0, y0), (x1, y1) in self._bends(points):
            for at in (0.5, 0.38, 0.62, 0.26, 0.74, 0.16, 0.84):
                x, y = _bezier(x0, x0, x1, x1, at), _bezier(y0, (y0 + y1) / 2, (y0 + y1) / 2, y1, at)
                # Beside a steep line; on a flat one, which has no side.
                for dx in (aside, -aside) if abs(x1 - x0) < 1.5 * abs(y1 - y0) else (0.0, aside, -aside):
                    area = (x + dx - width / 2, y - height / 2, x + dx + width / 2, y + height / 2)
                    if not any(_overlap(area, other) for other in self._taken):
                        self._taken.append(area)
                        return x + dx, y + _SMALL * 0.35
        return None

    @staticmethod
    def _bends(points: list[Point]) -> list[tuple[Point, Point]]:
        pairs = list(zip(points, points[1:], strict=False))
        return [pair for pair in pairs if abs(pair[0][1] - pair[1][1]) > 20][:3] or pairs[:1]


def _bezier(a: float, b: float, c: float, d: float, t: float) -> float:
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
