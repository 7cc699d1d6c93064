"""Draws directed graphs in layers: the layer a box is in, its place in it, its coordinates, and the edges' routes.

1. Edges that close a cycle are turned round, for the time of the layout.
2. Layers: longest path, then boxes move where their edges get shorter, weighed by the edges' weights.
3. Edges over several layers get a thin placeholder in each layer they pass, so that they never run through a box.
4. Order: sweeps by the weighted mean of the neighbours' positions and swaps of neighbours, the best seen is kept.
5. Coordinates: each layer is moved as near as its order and gaps allow to the mean of its neighbours, exactly, by
   isotonic regression, several times up and down.

Some 100 boxes take a tenth of a second. Source: Sugiyama, Tagawa, Toda 1981; Gansner, Koutsofios, North, Vo 1993.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gomem.record import Record, field

_GAP_X, _GAP_THIN = 26.0, 12.0  # between boxes, and where a placeholder is involved
_GAP_Y, _GAP_Y_MOST = 52.0, 150.0  # between layers; more where edges run far to the side
_SWEEPS, _IDLE_SWEEPS = 24, 6
_ALIGNMENTS = 14
_EFFORT = 100_000  # links looked at, after which sweeps and alignments become fewer: about a second in all
# How hard an edge pulls to be straight: long edges should bend at their ends only.
_PULL = {0: 1.0, 1: 2.0, 2: 8.0}

Point = tuple[float, float]


class Box(Record):
    """A box to place: its size; ``x``, ``y`` are its centre once laid out."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


class Route(Record):
    """An edge by the indexes of its boxes; ``points`` leads from the first to the second, in pairs: straight down
    through a layer, then in a curve over the gap to the next."""

    source: int
    target: int
    weight: float
    points: list[Point] = field(default_factory=list)


class _Cell(Record):
    """A box or a placeholder in a layer; ``box`` is -1 for a placeholder."""

    box: int
    layer: int
    width: float
    ups: list[tuple[int, float]] = field(default_factory=list)  # (cell, weight) one layer above
    downs: list[tuple[int, float]] = field(default_factory=list)
    place: int = 0
    x: float = 0.0


def lay_out(boxes: Sequence[Box], routes: Sequence[Route]) -> tuple[float, float]:
    """Sets the coordinates of boxes and the points of routes, callers above callees; returns width and height.

    Edges from a box to itself get no points. The same input always gives the same drawing.
    """
    if not boxes:
        return 0.0, 0.0
    forward = _forward_edges(len(boxes), routes)
    layers = _layers(len(boxes), forward)
    cells, chains = _make_cells(boxes, layers, forward)
    order = _ordered(cells)
    _place(cells, order)
    tops, bottoms = _place_layers(boxes, cells, order)
    left = min(cell.x - cell.width / 2 for cell in cells)
    for cell in cells:
        cell.x -= left
        if cell.box >= 0:
            boxes[cell.box].x = cell.x
            boxes[cell.box].y = (tops[cell.layer] + bottoms[cell.layer]) / 2
    _route(boxes, routes, cells, chains, tops, bottoms)
    return max(cell.x + cell.width / 2 for cell in cells), bottoms[-1]


Edges = list[tuple[int, int, float, int]]  # from, to, weight, number of the route


def _forward_edges(count: int, routes: Sequence[Route]) -> Edges:
    """The routes as edges without cycles: those that lead back to a box on the way from a root are turned round."""
    outs: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    into = [0] * count
    for number, route in enumerate(routes):
        if route.source != route.target:
            outs[route.source].append((route.target, number))
            into[route.target] += 1
    for out in outs:
        out.sort(key=lambda pair: -abs(routes[pair[1]].weight))
    state = [0] * count  # 1: on the way, 2: done
    turned: set[int] = set()
    for root in sorted(range(count), key=lambda box: (into[box] > 0, box)):
        if state[root]:
            continue
        state[root] = 1
        stack = [(root, iter(outs[root]))]
        while stack:
            box, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                state[box] = 2
                stack.pop()
            elif state[step[0]] == 1:
                turned.add(step[1])
            elif state[step[0]] == 0:
                state[step[0]] = 1
                stack.append((step[0], iter(outs[step[0]])))
    edges = []
    for number, route in enumerate(routes):
        if route.source != route.target:
            ends = (route.target, route.source) if number in turned else (route.source, route.target)
            edges.append((*ends, abs(route.weight) or 1.0, number))
    return edges


def _layers(count: int, edges: Edges) -> list[int]:
    ups: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    downs: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target, weight, _ in edges:
        downs[source].append((target, weight))
        ups[target].append((source, weight))
        waiting[target] += 1
    layers = [0] * count
    ready = [box for box in range(count) if not waiting[box]]
    for box in ready:
        for target, _ in downs[box]:
            layers[target] = max(layers[target], layers[box] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    _tighten(layers, ready, ups, downs)
    lowest = min(layers)
    used = {layer: index for index, layer in enumerate(sorted(set(layers)))}
    return [used[layer] if lowest >= 0 else layer - lowest for layer in layers]


def _tighten(layers: list[int], order: list[int], ups: list, downs: list) -> None:
    """Moves boxes, while it helps, to the side that pulls harder, as far as their other edges let them."""
    for _ in range(10):
        moved = False
        for box in [*reversed(order), *order]:
            pull = sum(weight for _, weight in downs[box]) - sum(weight for _, weight in ups[box])
            if pull > 0 and downs[box]:
                wanted = min(layers[target] for target, _ in downs[box]) - 1
            elif pull < 0 and ups[box]:
                wanted = max(layers[source] for source, _ in ups[box]) + 1
            else:
                continue
            moved |= wanted != layers[box]
            layers[box] = wanted
        if not moved:
            return


def _make_cells(boxes: Sequence[Box], layers: list[int], edges: Edges) -> tuple[list[_Cell], dict[int, list[int]]]:
    """The cells of all layers, boxes first, and for each route the cells it passes, from above to below."""
    cells = [_Cell(index, layers[index], box.width) for index, box in enumerate(boxes)]
    chains = {}
    for source, target, weight, number in edges:
        chain = [source]
        for layer in range(layers[source] + 1, layers[target]):
            chain.append(len(cells))
            cells.append(_Cell(-1, layer, 4.0))
        chain.append(target)
        for above, below in zip(chain, chain[1:], strict=False):
            cells[above].downs.append((below, weight))
            cells[below].ups.append((above, weight))
        chains[number] = chain
    return cells, chains


# ---- Order


def _ordered(cells: list[_Cell]) -> list[list[int]]:
    order = _first_order(cells)
    _number(cells, order)
    best, fewest, idle = [list(layer) for layer in order], _crossings(cells, order), 0
    for sweep in range(_turns(cells, _SWEEPS, 4)):
        down = sweep % 2 == 0
        for layer in order[1:] if down else reversed(order[:-1]):
            _sort_by_neighbours(cells, layer, down)
        if len(cells) < 1500:
            _swap_neighbours(cells, order)
        crossings = _crossings(cells, order)
        if crossings < fewest:
            best, fewest, idle = [list(layer) for layer in order], crossings, 0
        else:
            idle += 1
        if not fewest or idle >= _IDLE_SWEEPS:
            break
    _number(cells, best)
    return best


def _turns(cells: list[_Cell], most: int, least: int) -> int:
    """How often to go over all cells: ``most`` times for graphs that one can read, less for tangles."""
    return max(least, min(most, _EFFORT // (1 + sum(len(cell.downs) for cell in cells))))


def _first_order(cells: list[_Cell]) -> list[list[int]]:
    """By a walk from the roots, heaviest edges first, which keeps what belongs together side by side."""
    order: list[list[int]] = [[] for _ in range(max(cell.layer for cell in cells) + 1)]
    seen = [False] * len(cells)
    for root in sorted(range(len(cells)), key=lambda i: (cells[i].layer, i)):
        stack = [root]
        while stack:
            at = stack.pop()
            if seen[at]:
                continue
            seen[at] = True
            order[cells[at].layer].append(at)
            stack += [below for below, _ in sorted(cells[at].downs, key=lambda pair: pair[1])]
    return order


def _number(cells: list[_Cell], order: list[list[int]]) -> None:
    for layer in order:
        for place, cell in enumerate(layer):
            cells[cell].place = place


def _sort_by_neighbours(cells: list[_Cell], layer: list[int], down: bool) -> None:
    """Sorts by the mean place of the neighbours; cells without any keep their places."""
    means: dict[int, float] = {}
    for cell in layer:
        near = cells[cell].ups if down else cells[cell].downs
        if near:
            total = sum(weight**0.5 for _, weight in near)
            means[cell] = sum(cells[other].place * weight**0.5 for other, weight in near) / total
    movable = iter(sorted((cell for cell in layer if cell in means), key=lambda cell: (means[cell], cells[cell].place)))
    layer[:] = [next(movable) if cell in means else cell for cell in layer]
    for place, cell in enumerate(layer):
        cells[cell].place = place


def _swap_neighbours(cells: list[_Cell], order: list[list[int]]) -> None:
    """Swaps cells side by side while that takes crossings away."""
    for _ in range(4):
        better = False
        for layer in order:
            for place in range(len(layer) - 1):
                left, right = cells[layer[place]], cells[layer[place + 1]]
                gain = sum(
                    _crossed(cells, near(left), near(right)) - _crossed(cells, near(right), near(left))
                    for near in (lambda c: c.ups, lambda c: c.downs)
                )
                if gain > 0:
                    layer[place], layer[place + 1] = layer[place + 1], layer[place]
                    left.place, right.place = place + 1, place
                    better = True
        if not better:
            return


def _crossed(cells: list[_Cell], left: list[tuple[int, float]], right: list[tuple[int, float]]) -> int:
    """How many edges of the left cell cross one of the right cell's."""
    return sum(cells[a].place > cells[b].place for a, _ in left for b, _ in right)


def _crossings(cells: list[_Cell], order: list[list[int]]) -> int:
    return sum(_crossings_below(cells, upper, len(lower)) for upper, lower in zip(order, order[1:], strict=False))


def _crossings_below(cells: list[_Cell], upper: list[int], size: int) -> int:
    """Edges below a layer that cross: inversions of their lower ends' places, by a counting tree."""
    tree, seen, crossings = [0] * (size + 1), 0, 0
    for cell in upper:
        ends = sorted(cells[below].place for below, _ in cells[cell].downs)
        for end in ends:
            at, before = end + 1, 0
            while at:
                before += tree[at]
                at &= at - 1
            crossings += seen - before
        for end in ends:
            at = end + 1
            while at <= size:
                tree[at] += 1
                at += at & -at
        seen += len(ends)
    return crossings


# ---- Coordinates


def _place(cells: list[_Cell], order: list[list[int]]) -> None:
    for layer in order:
        at = 0.0
        for previous, cell in zip([None, *layer], layer, strict=False):
            if previous is not None:
                at += _gap(cells[previous], cells[cell])
            cells[cell].x = at
        middle = at / 2
        for cell in layer:
            cells[cell].x -= middle
    both: Callable[[_Cell], list] = lambda cell: cell.ups + cell.downs  # noqa: E731
    turns = _turns(cells, _ALIGNMENTS, 6)
    for turn in range(turns):
        sides = ((order[1:], lambda cell: cell.ups), (order[-2::-1], lambda cell: cell.downs))
        rows, near = sides[turn % 2]
        for layer in rows:
            _align(cells, layer, near if turn < turns - 4 else both)


def _gap(left: _Cell, right: _Cell) -> float:
    thin = left.box < 0 or right.box < 0
    return (left.width + right.width) / 2 + (_GAP_THIN if thin else _GAP_X)


def _align(cells: list[_Cell], layer: list[int], near: Callable[[_Cell], list[tuple[int, float]]]) -> None:
    """Moves a layer's cells to where their neighbours want them, at the least total cost that keeps order and gaps."""
    wanted, costs, offsets = [], [], []
    offset = 0.0
    for index, number in enumerate(layer):
        cell = cells[number]
        if index:
            offset += _gap(cells[layer[index - 1]], cell)
        total = pulled = 0.0
        for other, weight in near(cell):
            pull = _PULL[(cell.box < 0) + (cells[other].box < 0)] * (1 + weight) ** 0.25
            total += pull
            pulled += pull * cells[other].x
        wanted.append((pulled / total if total else cell.x) - offset)
        costs.append(total or 0.1)
        offsets.append(offset)
    for number, x, offset in zip(layer, _isotonic(wanted, costs), offsets, strict=True):
        cells[number].x = x + offset


def _isotonic(wanted: list[float], costs: list[float]) -> list[float]:
    """The rising sequence with the least weighted squared distance (pool adjacent violators)."""
    pools: list[list[float]] = []  # sum of wanted * cost, sum of costs, how many
    for want, cost in zip(wanted, costs, strict=True):
        pools.append([want * cost, cost, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] > pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [total / cost for total, cost, count in pools for _ in range(int(count))]


def _place_layers(boxes: Sequence[Box], cells: list[_Cell], order: list[list[int]]) -> tuple[list[float], list[float]]:
    """Top and bottom of every layer; gaps grow where edges have to travel far to the side."""
    tops, bottoms = [], []
    y = 0.0
    for layer in order:
        height = max((boxes[cells[cell].box].height for cell in layer if cells[cell].box >= 0), default=0.0)
        tops.append(y)
        bottoms.append(y + height)
        far = max(
            (abs(cells[cell].x - cells[below].x) for cell in layer for below, _ in cells[cell].downs), default=0.0
        )
        y += height + min(_GAP_Y + far * 0.07, _GAP_Y_MOST)
    return tops, bottoms


# ---- Routes


def _route(
    boxes: Sequence[Box], routes: Sequence[Route], cells: list[_Cell], chains: dict[int, list[int]],
    tops: list[float], bottoms: list[float],
) -> None:  # fmt: skip
    ports = _ports(cells, chains)
    for number, chain in chains.items():
        points: list[Point] = []
        for index, cell in enumerate(cells[at] for at in chain):
            if cell.box < 0:
                points += [(cell.x, tops[cell.layer]), (cell.x, bottoms[cell.layer])]
                continue
            box = boxes[cell.box]
            x = cell.x + ports[number, index == 0]
            points.append((x, box.y + box.height / 2) if index == 0 else (x, box.y - box.height / 2))
            if index == 0:
                points.append((x, bottoms[cell.layer]))
            else:
                points.insert(-1, (x, tops[cell.layer]))
        routes[number].points = points if chain[0] == routes[number].source else points[::-1]


def _ports(cells: list[_Cell], chains: dict[int, list[int]]) -> dict[tuple[int, bool], float]:
    """How far from a box's middle each route leaves it (True) or enters it (False), in the order of the other ends."""
    sides: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for number, chain in chains.items():
        sides.setdefault((chain[0], True), []).append((cells[chain[1]].x, number))
        sides.setdefault((chain[-1], False), []).append((cells[chain[-2]].x, number))
    ports = {}
    for (cell, leaving), ends in sides.items():
        step = min(14.0, cells[cell].width * 0.7 / len(ends))
        for index, (_, number) in enumerate(sorted(ends)):
            ports[number, leaving] = (index - (len(ends) - 1) / 2) * step
    return ports
