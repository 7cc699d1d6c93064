"""tree and peek: every node with its callers above and its callees below."""

from __future__ import annotations

from collections.abc import Iterator

from gomem.errors import ProfileError
from gomem.pprof.graph import Edge, sort_edges
from gomem.pprof.measurement import percentage
from gomem.report.report import Report

_SEPARATOR = "----------------------------------------------------------+-------------"
_HEADER = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t "


def print_tree(report: Report) -> Iterator[str]:
    """The lines of tree, or of peek when the report has a symbol. Raises ProfileError when the symbol matches none."""
    trimmed = report.trimmed_graph(report.graph_source())
    report.settle_unit(trimmed.graph)
    yield "\n".join(report.legend(trimmed))
    yield _SEPARATOR
    yield _HEADER
    flat_sum = matched = 0
    symbol = report.options.symbol
    for node in trimmed.graph.nodes:
        if symbol is not None and not symbol.matches(node.name):
            continue
        matched += 1
        flat, cum = node.flat_value(), node.cum_value()
        yield _SEPARATOR
        for edge in sort_edges(node.ins.values()):
            yield _edge_line(report, edge, cum, edge.src.name)
        flat_sum += flat
        yield (
            f"{report.format(flat):>10} {report.share(flat)} {report.share(flat_sum)} "
            f"{report.format(cum):>10} {report.share(cum)}                | {node.name}"
        )
        for edge in sort_edges(node.outs.values()):
            yield _edge_line(report, edge, cum, edge.dest.name)
    if trimmed.graph.nodes:
        yield _SEPARATOR
    if symbol is not None and not matched:
        raise ProfileError(f"no matches found for regexp: {symbol.source}")


def _edge_line(report: Report, edge: Edge, cum: int, name: str) -> str:
    inline = " (inline)" if edge.inline else ""
    return f"{report.format(edge.weight):>50} {percentage(edge.weight, cum)} |   {name}{inline}"
