"""dot: the graph in Graphviz's language, boxes sized by flat weight, coloured by cumulative weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from gomem.pprof import measurement
from gomem.pprof.graph import (
    MAX_NODELETS,
    Edge,
    Graph,
    Node,
    NodeInfo,
    Tag,
    base_name,
    sort_edges,
    sort_tags,
    walk_edges,
)
from gomem.pprof.measurement import divide, scale
from gomem.pprof.names import shorten
from gomem.record import Record
from gomem.report.report import Report

_FONT_SIZE, _FONT_GROWTH = 8, 16.0


class Drawing(Record):
    """A graph to draw with its legend."""

    graph: Graph
    legend: list[str]


def make_drawing(report: Report) -> Drawing:
    """The trimmed graph of a report and its full legend, for this printer and for layouts of one's own."""
    trimmed = report.trimmed_graph(report.graph_source(call_tree=report.options.call_tree), visual=True)
    report.settle_unit(trimmed.graph)
    return Drawing(trimmed.graph, report.legend(trimmed, full=True))


def print_dot(report: Report) -> Iterator[str]:
    """The lines of dot."""
    drawing = make_drawing(report)
    title = report.options.title
    yield f'digraph "{title or "unnamed"}" {{'
    yield 'node [style=filled fillcolor="#f8f8f8"]'
    yield from _legend(drawing.legend, title)
    if drawing.graph.nodes:
        yield from _body(report, drawing.graph)
    yield "}"


def _legend(lines: list[str], title: str) -> Iterator[str]:
    if not lines:
        return
    text = "\\l".join(escape(line) for line in lines)
    tooltip = f' tooltip="{title}"' if title else ""
    yield f'subgraph cluster_L {{ "{escape(lines[0])}" [shape=box fontsize=16 label="{text}\\l"{tooltip}] }}'


def escape(text: str) -> str:
    """The text for a quoted DOT string, line ends left-aligned."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")


def _body(report: Report, graph: Graph) -> Iterator[str]:
    numbers = {node: index for index, node in enumerate(graph.nodes, 1)}
    heaviest = float(max(abs(node.flat_value()) for node in graph.nodes))
    boxed = set()
    for node in graph.nodes:
        yield _node(report, node, numbers[node], heaviest)
        boxes = list(_nodelets(report, node, numbers[node]))
        yield from boxes
        if boxes:
            boxed.add(node)
    for edge in sort_edges(walk_edges(graph)):
        yield _edge(report, edge, numbers.get(edge.src, 0), numbers.get(edge.dest, 0), edge.src in boxed)


def font_size(flat: int, heaviest: float) -> int:
    """8 to 24 points, growing with the square root of the flat weight."""
    if heaviest and flat and abs(flat) <= heaviest:
        return _FONT_SIZE + math.ceil(_FONT_GROWTH * math.sqrt(float(abs(flat)) / heaviest))
    return _FONT_SIZE


def _node(report: Report, node: Node, number: int, heaviest: float) -> str:
    flat, cum = node.flat_value(), node.cum_value()
    flat_text = cum_text = report.format(flat)
    label = multiline_name(node.info) + (f"{flat_text} ({report.share(flat).strip()})" if flat else "0")
    if cum != flat:
        cum_text = report.format(cum)
        label += ("\\n" if flat else " ") + f"of {cum_text} ({report.share(cum).strip()})"
    share = ratio(cum, report.total)
    return (
        f'N{number} [label="{label}" id="node{number}" fontsize={font_size(flat, heaviest)} shape=box '
        f'tooltip="{escape(node.name)} ({cum_text})" color="{color(share)}" fillcolor="{color(share, background=True)}"]'
    )


def multiline_name(info: NodeInfo) -> str:
    """The node's name for a box, a line for each part of it."""
    name = escape(shorten(info.name)).replace("::", "\\n").replace("[...]", "[…]").replace(".", "\\n")
    file = base_name(info.file) if info.file else ""
    return "\\n".join(info._replace(name=name, file=file).components()) + "\\n"


def ratio(value: int, total: int) -> float:
    """A share of the total's absolute value; infinite or not a number for a total of 0, as floats divide in Go."""
    if total:
        return float(value) / float(abs(total))
    return math.nan if value == 0 else math.copysign(math.inf, value)


def color(score: float, *, background: bool = False) -> str:
    """Grey at 0, red towards 1, green towards -1."""
    saturation, value = (0.1, 0.93) if background else (1.0, 0.7)
    if math.isnan(score):
        return _nan_color(saturation, value)
    score = max(-1.0, min(1.0, score))
    if abs(score) < 0.2:
        saturation *= abs(score) / 0.2
    # Small shares are moved away from grey, so that signs can be told apart.
    score = math.copysign(abs(score) ** (1 - 0.7), score) if score else 0.0
    if score < 0:
        red, green = value * (1 + saturation * score), value
    else:
        red, green = value, value * (1 - saturation * score)
    blue = value * (1 - saturation)
    return "#" + "".join(f"{int(part * 255.0) & 255:02x}" for part in (red, green, blue))


def _nan_color(saturation: float, value: float) -> str:
    """Not a number keeps red and blue as they are and makes green 0, as the real tool's conversion does."""
    return f"#{int(value * 255.0):02x}00{int(value * (1 - saturation) * 255.0):02x}"


def _nodelets(report: Report, node: Node, number: int) -> Iterator[str]:
    """The boxes for labels under a node: flat weight for inner nodes, all of it for leaves, whose callees may be cut."""
    flat = bool(node.outs)
    for index, tag in enumerate(sort_tags(node.label_tags.values(), flat)[:MAX_NODELETS]):
        value = tag.flat_value() if flat else tag.cum_value()
        if value == 0:
            continue
        box = f"N{number}_{index}"
        yield from _nodelet(report, f"N{number}", box, tag.name, value, "")
        yield from _number_nodelets(report, node.number_tags.get(tag.name, {}).values(), flat, box)
    yield from _number_nodelets(report, node.number_tags.get("", {}).values(), flat, f"N{number}")


def _nodelet(report: Report, source: str, box: str, name: str, value: int, style: str) -> Iterator[str]:
    weight = report.format(value)
    yield f'{box} [label = "{name}" id="{box}" fontsize=8 shape=box3d tooltip="{weight}"]'
    yield f'{source} -> {box} [label=" {weight}" weight=100 tooltip="{weight}" labeltooltip="{weight}"{style}]'


def _number_nodelets(report: Report, tags: Iterable[Tag], flat: bool, source: str) -> Iterator[str]:
    for index, tag in enumerate(collapse_tags(list(tags), flat)):
        value, style = tag.cum_value(), ' style="dotted"'
        if flat or tag.flat_value() == tag.cum_value():
            value, style = tag.flat_value(), ""
        if value:
            yield from _nodelet(report, source, f"N{source}_{index}", tag.name, value, style)


def collapse_tags(tags: list[Tag], flat: bool) -> list[Tag]:
    """At most four tags: the others join the heavy one nearest in size, which then is a range."""
    tags = sort_tags(tags, flat)
    if len(tags) <= MAX_NODELETS:
        return tags
    groups = [[tag] for tag in tags[:MAX_NODELETS]]
    for tag in tags[MAX_NODELETS:]:
        min(groups, key=lambda group: _distance(tag, group[0])).append(tag)
    return sort_tags([_joined(group) for group in groups], flat)


def _distance(tag: Tag, other: Tag) -> float:
    return abs(scale(other.value, other.unit, tag.unit)[0] - float(tag.value))


def _joined(group: list[Tag]) -> Tag:
    lowest = highest = group[0]
    if len(group) == 1:
        joined = Tag(measurement.label(lowest.value, lowest.unit))
        joined.flat, joined.cum = lowest.flat_value(), lowest.cum_value()
        return joined
    for tag in group[1:]:
        if int(scale(tag.value, tag.unit, lowest.unit)[0]) < lowest.value:
            lowest = tag
        if int(scale(tag.value, tag.unit, highest.unit)[0]) > highest.value:
            highest = tag
    ends = (measurement.label(tag.value, tag.unit) for tag in (lowest, highest))
    joined = Tag("..".join(ends))
    joined.flat = divide(sum(tag.flat for tag in group), sum(tag.flat_div for tag in group))
    joined.cum = divide(sum(tag.cum for tag in group), sum(tag.cum_div for tag in group))
    return joined


def _edge(report: Report, edge: Edge, src: int, dest: int, boxed: bool) -> str:
    value, total = edge.weight_value(), report.total
    weight = report.format(value)
    text = f'label=" {weight}' + ("\\n (inline)" if edge.inline else "") + '"'
    if total:
        share = 1 + min(abs(divide(value * 100, total)), 100)
        width = 1 + min(abs(divide(value * 5, total)), 5)
        text += f" weight={share}" if share > 1 else ""
        text += f" penwidth={width}" if width > 1 else ""
        text += f' color="{color(ratio(value, total))}"'
    arrow = "..." if edge.residual else "->"
    tooltip = f'"{escape(edge.src.name)} {arrow} {escape(edge.dest.name)} ({weight})"'
    text += f" tooltip={tooltip} labeltooltip={tooltip}"
    text += ' style="dotted"' if edge.residual else ""
    text += " minlen=2" if boxed else ""
    return f"N{src} -> N{dest} [{text}]"
