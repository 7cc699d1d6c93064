"""The call graph of a profile: nodes with flat and cumulative weight, edges between them, trimmed for reading.

- A node stands for what a location says at the report's granularity (``NodeInfo``); a location with inlined calls
  stands for several. The weights are added up by ``core/graph.c``.
- Trimming rebuilds: when nodes go, the graph is added up again over the kept ones only, so that edges jump the gaps;
  such edges are residual.
- With ``call_tree`` a node stands for a path from the root instead, and trimming moves children to their grandparent.

See docs/design/graph.md for the order, the cut-offs and what the entropy score is for.

Source: the behaviour of internal/graph and internal/report of github.com/google/pprof.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from gomem import _core
from gomem.pprof.measurement import divide, scaled_label, truncate
from gomem.pprof.merge import BASE_LABEL
from gomem.pprof.model import LabelSet, Line, Location, Profile

_NONE = (1 << 32) - 1
_RESIDUAL, _INLINE = 1, 2
MAX_NODELETS = 4  # label boxes under a node of a drawn graph


class NodeInfo(NamedTuple):
    """What tells nodes apart; the order of the fields is that of the real tool's text form, which breaks ties."""

    name: str = ""
    orig_name: str = ""
    address: int = 0
    file: str = ""
    start_line: int = 0
    line: int = 0
    column: int = 0
    objfile: str = ""

    def components(self) -> list[str]:
        """The parts of the name to print: address, function, and place or file or object."""
        parts = [f"{self.address:016x}"] if self.address else []
        if self.name:
            parts.append(self.name)
        if self.line:
            parts.append(f"{self.file}:{self.line}" + (f":{self.column}" if self.column else ""))
        elif self.file:
            parts.append(self.file)
        elif not self.name:
            parts.append(f"[{base_name(self.objfile)}]" if self.objfile else "<unknown>")
        return parts

    def function(self) -> NodeInfo:
        """The node for the whole function that this one is a part of."""
        return self._replace(address=0, line=0, column=0) if self.address or self.line else self

    def printable(self) -> str:
        return " ".join(self.components())

    def sort_text(self) -> str:
        """The text that breaks the last ties."""
        return "{" + " ".join(map(str, self)) + "}"


def base_name(path: str) -> str:
    """The last element of a path, as Go's filepath.Base."""
    if not path:
        return "."
    path = path.rstrip("/")
    return path.rpartition("/")[2] if path else "/"


def clean_path(path: str) -> str:
    """The shortest equal path, as Go's filepath.Clean."""
    if not path:
        return "."
    kept: list[str] = []
    rooted = path.startswith("/")
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part != ".." or not rooted:
            kept.append(part)
    return ("/" if rooted else "") + "/".join(kept) or "."


class Tag:
    """The part of a node's weight that carries a label; ``unit`` is "" for texts."""

    __slots__ = ("cum", "cum_div", "flat", "flat_div", "name", "unit", "value")

    def __init__(self, name: str, unit: str = "", value: int = 0) -> None:
        self.name, self.unit, self.value = name, unit, value
        self.flat = self.flat_div = self.cum = self.cum_div = 0

    def flat_value(self) -> int:
        return divide(self.flat, self.flat_div)

    def cum_value(self) -> int:
        return divide(self.cum, self.cum_div)


class Node:
    """A node; ``ins`` and ``outs`` map neighbours to edges. Nodes are compared by identity."""

    __slots__ = (
        "cum", "cum_div", "flat", "flat_div", "function", "info", "ins", "label_tags", "name", "number_tags", "outs",
    )  # fmt: skip

    def __init__(self, info: NodeInfo, flat: int, flat_div: int, cum: int, cum_div: int) -> None:
        self.info, self.name = info, info.printable()
        self.flat, self.flat_div, self.cum, self.cum_div = flat, flat_div, cum, cum_div
        self.ins: dict[Node, Edge] = {}
        self.outs: dict[Node, Edge] = {}
        self.function: object = info.function()
        self.label_tags: dict[str, Tag] = {}
        self.number_tags: dict[str, dict[str, Tag]] = {}

    def flat_value(self) -> int:
        """The flat weight, or its mean where a divisor is at hand."""
        return divide(self.flat, self.flat_div)

    def cum_value(self) -> int:
        return divide(self.cum, self.cum_div)


class Edge:
    """Weight that flows from a caller to a callee. Residual: over nodes that are not shown. Inline: always inlined."""

    __slots__ = ("dest", "inline", "residual", "src", "weight", "weight_div")

    def __init__(self, src: Node, dest: Node, weight: int, weight_div: int, residual: bool, inline: bool) -> None:
        self.src, self.dest, self.weight, self.weight_div = src, dest, weight, weight_div
        self.residual, self.inline = residual, inline

    def weight_value(self) -> int:
        return divide(self.weight, self.weight_div)


@dataclass(slots=True)
class GraphOptions:
    """Which value counts, how nodes are told apart, and what is left out."""

    value: int = 0  # index of the sample type
    divisor: int = -1  # index of the value to divide by for means; -1: none
    object_names: bool = False
    call_tree: bool = False
    drop_negative: bool = False
    output_unit: str = "minimum"  # for numeric tags' names
    bytes_unit: str = "bytes"  # the unit of the label "bytes"


@dataclass(slots=True)
class Graph:
    """The nodes worth showing; edges may also lead to nodes that are not, when those weigh 0."""

    nodes: list[Node]

    def total_flat(self) -> int:
        return sum(node.flat for node in self.nodes)


class GraphSource:
    """A profile made ready for adding up graphs, each time over other kept nodes."""

    def __init__(self, profile: Profile, options: GraphOptions, trim_file: Callable[[str], str] = str) -> None:
        self.profile, self.options = profile, options
        files = [clean_path(file) if (file := trim_file(f.filename)) else "" for f in profile.functions]
        self._infos: dict[NodeInfo, int] = {}
        self._starts, self._nodes = array("Q", [0]), array("I")
        known: dict[tuple[int, int, Line | None], int] = {}
        for location in profile.locations:
            for line in location.lines or (None,):
                key = (location.address, location.mapping, line)
                index = known.get(key)
                if index is None:
                    info = self._info(location, line, files)
                    index = known[key] = self._infos.setdefault(info, len(self._infos))
                self._nodes.append(index)
            self._starts.append(len(self._nodes))
        self.infos = list(self._infos)

    def _info(self, location: Location, line: Line | None, files: list[str]) -> NodeInfo:
        objfile = self.profile.mappings[location.mapping].file if location.mapping >= 0 else ""
        if line is None or line.function < 0:
            return NodeInfo(address=location.address, objfile=objfile)
        function = self.profile.functions[line.function]
        if self.options.object_names or not function.name:
            start, shown = function.start_line, objfile
        else:
            start, shown = 0, ""
        return NodeInfo(function.name, "", location.address, files[line.function], start, line.line, line.column, shown)

    def location_nodes(self, index: int) -> list[NodeInfo]:
        """The nodes a location stands for, innermost call first."""
        return [self.infos[node] for node in self._nodes[self._starts[index] : self._starts[index + 1]]]

    def _arguments(self, kept: set[NodeInfo] | None) -> tuple[object, ...]:
        nodes = self._nodes
        if kept is not None:
            shown = [index if info in kept else _NONE for index, info in enumerate(self.infos)]
            nodes = array("I", [shown[index] for index in nodes])
        samples = self.profile.samples.columns()
        return samples, self._starts, nodes, len(self.infos), self.options.value, self.options.divisor

    def columns(self) -> tuple[Any, ...]:
        """Samples, node starts, nodes, node count, value and divisor: what the functions of ``gomem._core`` that add
        up graphs take; node i is ``infos[i]``."""
        return self._arguments(None)

    def build(self, kept: set[NodeInfo] | None = None, *, edges: bool = True, tags: bool = False) -> Graph:
        """The graph over all nodes, or over the kept ones. Without ``edges`` it costs half the time."""
        if self.options.call_tree:
            return self._build_tree()
        arguments = self._arguments(kept)
        weights = [memoryview(column).tolist() for column in _core.graph_weights(*arguments)]
        nodes: dict[int, Node] = {}
        for index, (flat, flat_div, cum, cum_div) in enumerate(zip(*weights, strict=True)):
            if cum or flat:
                nodes[index] = Node(self.infos[index], flat, flat_div, cum, cum_div)
        shown = self._select(nodes.values())
        if edges:
            columns = (memoryview(column).tolist() for column in _core.graph_edges(*arguments))
            for src, dest, weight, weight_div, flags in zip(*columns, strict=True):
                self._connect(
                    self._node(nodes, src, weights), self._node(nodes, dest, weights), weight, weight_div, flags
                )
        if tags and len(self.profile.label_sets) > 1:
            self._tag(nodes, _core.graph_tags(*arguments))
        return Graph(shown)

    def inlined(self, trimmed: TrimmedGraph) -> dict[NodeInfo, tuple[bool, bool]]:
        """For nodes that are called: whether inlined calls reach them, and whether others do. Empty without inlining."""
        if all(len(location.lines) < 2 for location in self.profile.locations):
            return {}
        flags = memoryview(_core.graph_inlined(*self._arguments(trimmed.kept), trimmed.edge_cutoff))
        return {info: (bool(bits & 2), bool(bits & 1)) for info, bits in zip(self.infos, flags, strict=True) if bits}

    def _node(self, nodes: dict[int, Node], index: int, weights: list[list[int]]) -> Node:
        if index not in nodes:
            nodes[index] = Node(self.infos[index], *(column[index] for column in weights))
        return nodes[index]

    @staticmethod
    def _connect(src: Node, dest: Node, weight: int, weight_div: int, flags: int) -> None:
        edge = Edge(src, dest, weight, weight_div, bool(flags & _RESIDUAL), bool(flags & _INLINE))
        src.outs[dest] = dest.ins[src] = edge

    def _select(self, nodes: Iterable[Node]) -> list[Node]:
        nodes = [node for node in nodes if node.cum or node.flat]
        if self.options.drop_negative:
            nodes = [node for node in nodes if not (node.flat < 0 or (node.flat == 0 and node.cum < 0))]
        return nodes

    def _build_tree(self) -> Graph:
        tree_columns, tag_columns = _core.graph_tree(*self._arguments(None))
        rows = zip(*(memoryview(column).tolist() for column in tree_columns), strict=True)
        nodes: list[Node] = []
        for parent, index, flat, flat_div, cum, cum_div, flags in rows:
            node = Node(self.infos[index], flat, flat_div, cum, cum_div)
            # Nodes of one function under one parent share it; a node for the whole function is its own.
            node.function = (parent, node.info.function())
            nodes.append(node)
            if parent:
                self._connect(nodes[parent - 1], node, cum, cum_div, flags)
        self._tag(dict(enumerate(nodes)), tag_columns)
        return Graph(self._select(nodes))

    def _tag(self, nodes: dict[int, Node], columns: Iterable[object]) -> None:
        texts: dict[int, tuple[str, list[tuple[str, str, int]]]] = {}
        rows = zip(*(memoryview(column).tolist() for column in columns), strict=True)  # type: ignore[arg-type]
        for index, label_set, *sums, _ in rows:
            if label_set not in texts:
                texts[label_set] = self._tag_names(self.profile.label_sets[label_set])
            joined, numbers = texts[label_set]
            node = nodes.get(index)
            if node is None:
                continue
            if joined:
                _add_to_tag(node.label_tags.setdefault(joined, Tag(joined)), sums)
            tags = node.number_tags.setdefault(joined, {})
            for name, unit, value in numbers:
                _add_to_tag(tags.setdefault(name, Tag(name, unit, value)), sums)

    def _tag_names(self, labels: LabelSet) -> tuple[str, list[tuple[str, str, int]]]:
        """The joined texts, and (name, unit, value) of the sizes; other numbers make no tags."""
        texts = sorted(f"{key}:{text}" for key, values in labels.texts.items() if key != BASE_LABEL for text in values)
        unit = self.options.bytes_unit
        numbers = [(scaled_label(n, unit, self.options.output_unit), unit, n) for n in labels.numbers.get("bytes", ())]
        return "\\n".join(texts), numbers


def _add_to_tag(tag: Tag, sums: list[int]) -> None:
    flat, flat_div, cum, cum_div = sums
    tag.flat += flat
    tag.flat_div += flat_div
    tag.cum += cum
    tag.cum_div += cum_div


def sort_tags(tags: Iterable[Tag], flat: bool) -> list[Tag]:
    """Heaviest first, by flat or else by cumulative weight; then by name."""
    if flat:
        return sorted(tags, key=lambda tag: (-abs(tag.flat), tag.name))
    return sorted(tags, key=lambda tag: (-abs(tag.cum), -abs(tag.flat), tag.name))


def sort_edges(edges: Iterable[Edge]) -> list[Edge]:
    """Heaviest first; then by caller's and callee's name."""
    return sorted(edges, key=lambda edge: (-abs(edge.weight), edge.src.name, edge.dest.name))


@dataclass(slots=True)
class TrimmedGraph:
    """A graph cut to what is worth reading, with the numbers for its legend."""

    graph: Graph
    orig_count: int  # nodes before the limit on their number
    dropped_nodes: int  # nodes below the weight limit
    dropped_edges: int
    kept: set[NodeInfo] | None  # what the graph was added up over; None: all
    edge_cutoff: int


def trim(
    source: GraphSource,
    *,
    cum_sort: bool,
    visual: bool,
    edges: bool,
    node_count: int,
    node_fraction: float,
    edge_fraction: float,
) -> TrimmedGraph:
    """The graph without light nodes and edges, and at most ``node_count`` nodes (0: any number).

    ``visual`` picks by entropy score, counts label boxes as nodes and removes edges that only repeat a path. Without
    ``edges`` a graph that needs none for its choice comes back with its nodes only, in half the time.
    """
    tree = source.options.call_tree
    graph = source.build(edges=visual or tree, tags=visual)
    total = graph.total_flat()
    node_cutoff = abs(truncate(float(total) * node_fraction))
    edge_cutoff = abs(truncate(float(total) * edge_fraction))
    kept: set[NodeInfo] | None = None
    dropped_nodes = 0
    if node_cutoff > 0:
        heavy = [node for node in graph.nodes if abs(node.cum) >= node_cutoff]
        dropped_nodes = len(graph.nodes) - len(heavy)
        if dropped_nodes and tree:
            _trim_tree(graph, set(heavy))
        elif dropped_nodes:
            kept = {node.info for node in heavy}
            graph = source.build(kept, tags=visual) if visual else Graph(source._select(heavy))
    orig_count = len(graph.nodes)
    _sort_nodes(graph, cum_sort, visual)
    if node_count > 0:
        _trim_tags(graph, node_cutoff)
        chosen = graph.nodes[: _visible_count(graph, node_count, visual)]
        _trim_edges(graph, edge_cutoff)
        if len(chosen) < len(graph.nodes):
            if tree:
                _trim_tree(graph, set(chosen))
            else:
                kept = {node.info for node in chosen}
                graph = source.build(kept, tags=visual) if visual else Graph(chosen)
            _sort_nodes(graph, cum_sort, visual)
    if edges and not visual and not tree:
        # Without a picture only the last graph's edges count, and weights do not change with the kept nodes.
        order = graph.nodes
        graph = source.build(kept)
        by_info = {node.info: node for node in graph.nodes}
        graph.nodes = [by_info[node.info] for node in order if node.info in by_info]
    _trim_tags(graph, node_cutoff)
    dropped_edges = _trim_edges(graph, edge_cutoff)
    if visual:
        _remove_redundant_edges(graph)
    return TrimmedGraph(graph, orig_count, dropped_nodes, dropped_edges, kept, edge_cutoff)


def _trim_tags(graph: Graph, cutoff: int) -> None:
    for node in graph.nodes:
        node.label_tags = _heavy_tags(node.label_tags, cutoff)
        for key, tags in node.number_tags.items():
            node.number_tags[key] = _heavy_tags(tags, cutoff)


def _heavy_tags(tags: dict[str, Tag], cutoff: int) -> dict[str, Tag]:
    return {name: tag for name, tag in tags.items() if abs(tag.flat) >= cutoff or abs(tag.cum) >= cutoff}


def _trim_edges(graph: Graph, cutoff: int) -> int:
    dropped = 0
    for node in graph.nodes:
        for src, edge in list(node.ins.items()):
            if abs(edge.weight) < cutoff:
                del node.ins[src], src.outs[node]
                dropped += 1
    return dropped


def _visible_count(graph: Graph, node_count: int, visual: bool) -> int:
    if visual:
        shown = 0
        for index, node in enumerate(graph.nodes):
            boxes = sum(tag.flat != 0 for tag in node.label_tags.values())
            boxes += sum(tag.flat != 0 for tags in node.number_tags.values() for tag in tags.values())
            shown += min(boxes, MAX_NODELETS) + 1
            if shown >= node_count:
                return index + 1
    return min(node_count, len(graph.nodes))


def _sort_nodes(graph: Graph, cum_sort: bool, visual: bool) -> None:
    if visual or cum_sort:
        scores = {node: entropy_score(node) if visual else node.cum for node in graph.nodes}
        graph.nodes.sort(key=lambda n: (-_abs64(scores[n]), n.name, -abs(n.flat), n.info.sort_text()))
    else:
        graph.nodes.sort(key=lambda n: (-abs(n.flat), n.name, -abs(n.cum), n.info.sort_text()))


def _abs64(value: int) -> int:
    """The absolute value as int64 has it: the lowest number stays negative, and sorts last."""
    return value if value == -(1 << 63) else abs(value)


def entropy_score(node: Node) -> int:
    """How much a node is worth in a picture: little when all its weight just passes through, from one edge to one."""
    score = _edge_entropy(node.ins.values(), 0) if node.ins else 1.0
    score += _edge_entropy(node.outs.values(), node.flat) if node.outs else 1.0
    total = truncate(score * float(node.cum)) + node.flat
    return (total + (1 << 63)) % (1 << 64) - (1 << 63)  # as int64 wraps: weights of mixed sign make scores NaN


def _edge_entropy(edges: Iterable[Edge], own: int) -> float:
    edges = sort_edges(edges)
    total = own + sum(edge.weight for edge in edges if edge.weight > 0)
    if total == 0:
        return 0.0
    score = sum(_entropy(float(abs(edge.weight)) / float(total)) for edge in edges)
    return score + (_entropy(float(own) / float(total)) if own > 0 else 0.0)


def _entropy(share: float) -> float:
    if share <= 0:
        return math.nan  # as Go's 0 * log(0)
    return -share * math.log2(share)


def _remove_redundant_edges(graph: Graph) -> None:
    """Removes residual edges whose ends are connected by another path, the lightest first."""
    for node in reversed(graph.nodes):
        for edge in reversed(sort_edges(node.ins.values())):
            if not edge.residual:
                break  # none heavier than a real edge goes
            if _is_redundant(edge):
                del edge.src.outs[edge.dest], edge.dest.ins[edge.src]


def _is_redundant(edge: Edge) -> bool:
    seen, queue = {edge.dest}, [edge.dest]
    for node in queue:
        for into in node.ins.values():
            if into is edge or into.src in seen:
                continue
            if into.src is edge.src:
                return True
            seen.add(into.src)
            queue.append(into.src)
    return False


def _trim_tree(graph: Graph, kept: set[Node]) -> None:
    """Takes nodes out of a forest; their children become their parent's, by residual edges."""
    nodes, graph.nodes = graph.nodes, []
    for node in nodes:
        if node in kept:
            graph.nodes.append(node)
            continue
        above = next(iter(node.ins.values()), None)
        if above is None:
            for edge in node.outs.values():
                del edge.dest.ins[node]
            continue
        del above.src.outs[node]
        for child, edge in node.outs.items():
            del child.ins[node]
            edge.src, edge.residual, edge.inline = above.src, True, above.inline and edge.inline
            child.ins[above.src] = above.src.outs[child] = edge
    _remove_redundant_edges(graph)


def walk_edges(graph: Graph) -> Iterator[Edge]:
    """Every edge that starts at a shown node."""
    for node in graph.nodes:
        yield from node.outs.values()
