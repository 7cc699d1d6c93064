"""Cutting a call graph to what is worth reading.

- Trimming rebuilds: when nodes go, the graph is added up again over the kept ones only, so that edges jump the gaps;
  such edges are residual. In a call tree, children move to their grandparent instead.
- Text reports keep the heaviest nodes, pictures those with the highest entropy score.

See docs/design/graph.md for the order of the cuts and what the score is for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from gomem.pprof.graph import MAX_NODELETS, Edge, Graph, GraphSource, Node, NodeInfo, Tag, sort_edges
from gomem.pprof.measurement import truncate
from gomem.record import Record


class TrimmedGraph(Record):
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
            graph = source.build(kept, tags=visual) if visual else Graph(source.worth_showing(heavy))
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
