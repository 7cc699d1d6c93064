"""callgrind: the graph for KCachegrind and friends, at address granularity and untrimmed."""

from __future__ import annotations

from collections.abc import Iterator

from gomem.pprof.graph import Node, NodeInfo, sort_edges
from gomem.pprof.measurement import scale, truncate
from gomem.report.report import Report


class _Names:
    """Callgrind's name compression: ``(1) name`` at first, ``(1)`` from then on."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        if not name:
            return ""
        known = self.ids.get(name)
        if known is not None:
            return f"({known})"
        self.ids[name] = len(self.ids) + 1
        return f"({len(self.ids)}) {name}"


def print_callgrind(report: Report) -> Iterator[str]:
    """The lines of callgrind; a call's own cost is not known and stays 0."""
    options = report.options
    options.node_fraction = options.edge_fraction = options.node_count = 0
    graph = report.trimmed_graph(report.graph_source(object_names=True, call_tree=options.call_tree)).graph
    report.settle_unit(graph, integers=True)
    callee_names = _disambiguated(graph.nodes)
    yield "positions: instr line"
    yield f"events: {options.sample_type}({options.output_unit})"
    objects, files, names = _Names(), _Names(), _Names()
    previous: NodeInfo | None = None
    for node in graph.nodes:
        info = node.info
        if previous is None or (info.objfile, info.file, info.name) != (previous.objfile, previous.file, previous.name):
            yield ""
            yield f"ob={objects(info.objfile)}"
            yield f"fl={files(info.file)}"
            yield f"fn={names(info.name)}"
        yield f"{_address(previous, info.address)} {info.line} {_integer(report, node.flat_value())}"
        for edge in sort_edges(node.outs.values()):
            callee = edge.dest.info
            yield f"cfl={files(callee.file)}"
            yield f"cfn={names(callee_names.get(edge.dest, ''))}"
            yield f"calls=0 {_address(previous, callee.address)} {callee.line}"
            yield f"* * {_integer(report, edge.weight)}"
        previous = info


def _integer(report: Report, value: int) -> int:
    return truncate(scale(value, report.options.sample_unit, report.options.output_unit)[0])


def _address(previous: NodeInfo | None, address: int) -> str:
    """The address, relative to the previous node's where that is shorter."""
    absolute = f"{address:#x}"
    if previous is None:
        return absolute
    if previous.address == address:
        return "*"
    difference = (address - previous.address + (1 << 63)) % (1 << 64) - (1 << 63)
    relative = f"{difference:+d}"
    return relative if len(relative) < len(absolute) else absolute


def _disambiguated(nodes: list[Node]) -> dict[Node, str]:
    """Names with `` [i/n]`` where n different functions share a file and a name, as in a call tree."""
    functions: dict[tuple[str, str], dict[object, int]] = {}
    for node in nodes:
        known = functions.setdefault((node.info.file, node.info.name), {})
        known.setdefault(node.function, len(known))
    names = {}
    for node in nodes:
        known = functions[node.info.file, node.info.name]
        names[node] = node.info.name + (f" [{known[node.function] + 1}/{len(known)}]" if len(known) > 1 else "")
    return names
