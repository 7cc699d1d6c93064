"""The flame graph's data: a call tree of whole stacks, cut to what a screen can show, as JSON for the page.

- ``core/graph.c`` plants the tree once for each view; parents come before their children.
- In a comparison each node has two weights, of the samples that are positive (after) and of those that are negative
  (before, the base); ``change`` is what stacks gained plus what others lost, so that it adds up along the tree.
- A request gets the subtree of one node without the parts narrower than a screen's pixel; zooming asks again.
- With ``mean`` each node has two weights too: its value and the count that the mean divides by. Widths must add up, so
  they show the value; the page writes the mean.
- Inverted, stacks are read from the leaf: the columns are reversed as a whole, which reverses every row.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence
from itertools import islice
from typing import Any

from gomem import _core
from gomem.pprof.model import Samples
from gomem.report.report import Report
from gomem.web.owner import Owner, owner_of

MIN_SHARE = 1 / 3000  # of the subtree's weight: below a pixel on all but the widest screens
MAX_NODES = 15_000  # in one answer: about 300 kB of JSON, drawn in some 5 ms
MAX_OWNERS = 12


class FlameTree:
    """The call tree of a report's samples; its nodes are numbered from 1, node 0 is the root of all.

    ``frames[i]`` is what graph node i stands for. Costs about 0.1 s and 60 bytes a tree node for 100,000 stacks.
    """

    def __init__(self, report: Report, *, inverted: bool = False) -> None:
        self.is_inverted = inverted
        source = report.graph_source()
        samples, starts, nodes, count, value, _ = source.columns()
        samples, value, self.is_diff = split(report.profile.samples, value)
        if inverted:
            samples, starts, nodes = _reversed_rows(samples), *_reversed_runs(starts, nodes)
        self.is_mean = report.options.divisor >= 0 and not self.is_diff
        second = 1 if self.is_diff else report.options.divisor
        columns, _ = _core.graph_tree(samples, starts, nodes, count, value, second)
        self.parents, self.frames_of, self.flat, self.flat_before, self.cum, self.cum_before = (
            memoryview(column) for column in columns[:6]
        )
        self.frames = source.infos
        self.change = _changes(self) if self.is_diff else None
        roots = [i for i, parent in enumerate(self.parents) if parent == 0]
        self.owners = self._owners()
        self.root_sums = [sum(column[i] for i in roots) for column in self._columns()]
        self.root_count = sum(self.cum_before[i] for i in roots) if self.is_mean else 0
        # What shares are taken of: a mean is no whole.
        self.total = report.total if report.options.divisor < 0 else self.root_sums[0]

    def __len__(self) -> int:
        return len(self.parents)

    def _columns(self) -> list[Sequence[int]]:
        """What the page may size boxes by; cum_before and change in a comparison only."""
        return [self.cum] if self.change is None else [self.cum, self.cum_before, self.change]

    def visible(self, root: int, min_share: float = MIN_SHARE, max_nodes: int = MAX_NODES) -> list[int]:
        """Row numbers (node number - 1), in tree order, of the nodes below ``root`` that are at least ``min_share`` of
        its weight; fewer when there are more than ``max_nodes`` of them."""
        kept: set[int] = set()
        for column, root_sum in zip(self._columns(), self.root_sums, strict=True):
            limit = max(1, (column[root - 1] if root else root_sum) * min_share)
            rows = [i for i in range(max(root - 1, 0), len(column)) if column[i] >= limit]
            kept.update(self._below(rows, root) if root else rows)
        order = sorted(kept)
        if len(order) <= max_nodes:
            return order
        # The heaviest; of equally heavy ones the first, which have their parents before them.
        size = self._sizes()
        limit = heapq.nlargest(max_nodes, (size(i) for i in order))[-1]
        room = max_nodes - sum(size(i) > limit for i in order)
        ties = set(islice((i for i in order if size(i) == limit), room))
        return [i for i in order if size(i) > limit or i in ties]

    def _sizes(self) -> Any:
        if not self.is_diff:
            return self.cum.__getitem__
        return lambda row: self.cum[row] + self.cum_before[row]

    def _below(self, rows: list[int], root: int) -> list[int]:
        inside = {root}
        found = []
        for row in rows:
            if row + 1 == root or self.parents[row] in inside:
                inside.add(row + 1)
                found.append(row)
        return found

    def answer(self, root: int = 0, **limits: Any) -> dict[str, Any]:
        """The JSON for the page; see static/flame.js for what it makes of it. ``root`` outside the tree is node 0.

        Nodes stand in tree order, callers of the root first; ``parent`` is a position among them, -1 below node 0.
        """
        root = root if 0 < root <= len(self) else 0
        path = self._path(root)
        rows = [node - 1 for node in path] + self.visible(root, **limits)
        position = {row + 1: index for index, row in enumerate(rows)}
        numbers = {frame: index for index, frame in enumerate(dict.fromkeys(self.frames_of[row] for row in rows))}
        nodes = {
            "id": [row + 1 for row in rows],
            "parent": [position.get(self.parents[row], -1) for row in rows],
            "frame": [numbers[self.frames_of[row]] for row in rows],
            "flat": [self.flat[row] for row in rows],
            "cum": [self.cum[row] for row in rows],
        }
        if self.is_diff:
            nodes["flatBefore"] = [self.flat_before[row] for row in rows]
            nodes["cumBefore"] = [self.cum_before[row] for row in rows]
            nodes["change"] = [self.change[row] for row in rows]  # type: ignore[index]
        if self.is_mean:
            nodes["flatCount"] = [self.flat_before[row] for row in rows]
            nodes["cumCount"] = [self.cum_before[row] for row in rows]
        return {
            "root": root,
            "path": path,
            "total": self.total,
            "sums": dict(zip(("cum", "cumBefore", "change"), self.root_sums, strict=False)),
            "diff": self.is_diff,
            "mean": self.is_mean,
            "count": self.root_count,
            "frames": [self._frame(frame) for frame in numbers],
            "nodes": nodes,
            "size": len(self),
            "inverted": self.is_inverted,
            "owners": self.owners,
        }

    def _owners(self) -> list[list[Any]]:
        """[package, kind, flat weight], the heaviest first: who allocated what is shown."""
        rows = [row for row, parent in enumerate(self.parents) if parent == 0] if self.is_inverted else range(len(self))
        column = self.cum if self.is_inverted else self.flat
        by_frame: dict[int, int] = {}
        for row in rows:
            if column[row]:
                by_frame[self.frames_of[row]] = by_frame.get(self.frames_of[row], 0) + column[row]
        by_owner: dict[Owner, int] = {}
        for frame, weight in by_frame.items():
            info = self.frames[frame]
            owner = owner_of(info.name, info.file, info.objfile)
            by_owner[owner] = by_owner.get(owner, 0) + weight
        heaviest = sorted(by_owner.items(), key=lambda item: (-item[1], item[0]))
        return [[*owner, weight] for owner, weight in heaviest[:MAX_OWNERS]]

    def _frame(self, frame: int) -> list[str]:
        info = self.frames[frame]
        name = info._replace(file="").printable() if info.name and not info.line else info.printable()
        return [name, info.file, *owner_of(info.name, info.file, info.objfile), info.name]

    def _path(self, node: int) -> list[int]:
        """Node numbers from the outermost caller to the node's parent."""
        path = []
        while node:
            node = self.parents[node - 1]
            if node:
                path.append(node)
        return path[::-1]


def split(samples: Samples, value: int) -> tuple[Any, int, bool]:
    """The samples' columns and the value to use; where any value is negative, with two values a row: gains, losses."""
    columns = samples.columns()
    values = memoryview(samples.values)[value :: samples.width].tolist()
    if not values or min(values) >= 0:
        return columns, value, False
    both = array("q", bytes(16 * len(values)))
    both[0::2] = array("q", [max(v, 0) for v in values])
    both[1::2] = array("q", [max(-v, 0) for v in values])
    return (*columns[:2], both, columns[3], 2), 0, True


def _reversed_rows(samples: Any) -> Any:
    starts, stacks, values, label_sets, width = samples
    end = starts[-1]
    values_back = array("q", values)
    for column in range(width):
        values_back[column::width] = values_back[column::width][::-1]
    return (
        array("Q", [end - start for start in reversed(starts)]),
        array("I", bytes(memoryview(stacks)[:end]))[::-1],
        values_back,
        array("I", bytes(memoryview(label_sets)))[::-1],
        width,
    )


def _reversed_runs(starts: Sequence[int], nodes: Sequence[int]) -> tuple[Any, Any]:
    """The nodes of each location in opposite order."""
    back = array("I")
    for first, last in zip(starts, starts[1:], strict=False):
        back.extend(reversed(nodes[first:last]))
    return starts, back


def _changes(tree: FlameTree) -> array[int]:
    """For every node, the sum over the stacks that end at or below it of what each gained or lost."""
    change = array("q", [abs(after - before) for after, before in zip(tree.flat, tree.flat_before, strict=True)])
    parents = tree.parents
    for row in range(len(change) - 1, -1, -1):
        if parents[row]:
            change[parents[row] - 1] += change[row]
    return change
