"""top: the heaviest nodes, one a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gomem.report.report import Report


class TextItem(NamedTuple):
    """A row: values as they are and as they are printed."""

    name: str
    inline_label: str  # "", "(inline)" or "(partial-inline)"
    flat: int
    cum: int
    flat_text: str
    cum_text: str


def text_items(report: Report) -> tuple[list[TextItem], list[str]]:
    """The rows of a top report and its legend."""
    source = report.graph_source()
    trimmed = report.trimmed_graph(source, edges=False)
    report.settle_unit(trimmed.graph)
    inlined = source.inlined(trimmed.kept, trimmed.edge_cutoff)
    items = []
    for node in trimmed.graph.nodes:
        flat, cum = node.flat_value(), node.cum_value()
        label = _INLINE_LABELS[inlined.get(node.info, (False, False))]
        items.append(TextItem(node.name, label, flat, cum, report.format(flat), report.format(cum)))
    return items, report.legend(trimmed)


# (inlined calls reach a node, others do) -> label
_INLINE_LABELS = {(False, False): "", (False, True): "", (True, False): "(inline)", (True, True): "(partial-inline)"}


def print_text(report: Report) -> Iterator[str]:
    """The lines of top."""
    items, legend = text_items(report)
    yield "\n".join(legend)
    yield "      flat  flat%   sum%        cum   cum%"
    flat_sum = 0
    for item in items:
        flat_sum += item.flat
        inline = f" {item.inline_label}" if item.inline_label else ""
        yield (
            f"{item.flat_text:>10} {report.share(item.flat)} {report.share(flat_sum)} "
            f"{item.cum_text:>10} {report.share(item.cum)}  {item.name}{inline}"
        )
