"""The call graph of a profile: nodes with flat and cumulative weight, edges between them.

- A node stands for what a location says at the report's granularity (``NodeInfo``); a location with inlined calls
  stands for several. The weights are added up by ``core/graph.c``.
- With ``call_tree`` a node stands for a path from the root instead.

``trim.py`` cuts it for reading. See docs/design/graph.md.

Source: the behaviour of internal/graph and internal/report of github.com/google/pprof.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from gomem import _core
from gomem.pprof.measurement import divide, scaled_label
from gomem.pprof.merge import BASE_LABEL
from gomem.pprof.model import LabelSet, Line, Location, Profile
from gomem.record import Record

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


class GraphOptions(Record):
    """Which value counts, how nodes are told apart, and what is left out."""

    value: int = 0  # index of the sample type
    divisor: int = -1  # index of the value to divide by for means; -1: none
    object_names: bool = False
    call_tree: bool = False
    drop_negative: bool = False
    output_unit: str = "minimum"  # for numeric tags' names
    bytes_unit: str = "bytes"  # the unit of the label "bytes"


class Graph(Record):
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
        shown = self.worth_showing(nodes.values())
        if edges:
            columns = (memoryview(column).tolist() for column in _core.graph_edges(*arguments))
            for src, dest, weight, weight_div, flags in zip(*columns, strict=True):
                self._connect(
                    self._node(nodes, src, weights), self._node(nodes, dest, weights), weight, weight_div, flags
                )
        if tags and len(self.profile.label_sets) > 1:
            self._tag(nodes, _core.graph_tags(*arguments))
        return Graph(shown)

    def inlined(self, kept: set[NodeInfo] | None, edge_cutoff: int) -> dict[NodeInfo, tuple[bool, bool]]:
        """For nodes that are called: whether inlined calls reach them, and whether others do. Empty without inlining."""
        if all(len(location.lines) < 2 for location in self.profile.locations):
            return {}
        cutoff = min(edge_cutoff, 2**63 - 1)  # a fraction of the total may be asked for that no edge can have
        flags = memoryview(_core.graph_inlined(*self._arguments(kept), cutoff))
        return {info: (bool(bits & 2), bool(bits & 1)) for info, bits in zip(self.infos, flags, strict=True) if bits}

    def _node(self, nodes: dict[int, Node], index: int, weights: list[list[int]]) -> Node:
        if index not in nodes:
            nodes[index] = Node(self.infos[index], *(column[index] for column in weights))
        return nodes[index]

    @staticmethod
    def _connect(src: Node, dest: Node, weight: int, weight_div: int, flags: int) -> None:
        edge = Edge(src, dest, weight, weight_div, bool(flags & _RESIDUAL), bool(flags & _INLINE))
        src.outs[dest] = dest.ins[src] = edge

    def worth_showing(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes that weigh anything and, with ``drop_negative``, did not shrink."""
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
        return Graph(self.worth_showing(nodes))

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


def walk_edges(graph: Graph) -> Iterator[Edge]:
    """Every edge that starts at a shown node."""
    for node in graph.nodes:
        yield from node.outs.values()
