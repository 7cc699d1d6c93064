"""The graph layout: nothing overlaps, edges go down and stay off boxes, and odd graphs do no harm."""

import itertools
import random

import pytest

from gomem.report.layout import Box, Route, _isotonic, lay_out

pytestmark = pytest.mark.once


def graph(boxes, edges, seed=1):
    draw = random.Random(seed)
    made = [Box(draw.uniform(40, 160), draw.uniform(18, 70)) for _ in range(boxes)]
    routes = [Route(a, b, draw.uniform(0, 100)) for a, b in edges]
    return made, routes


def random_edges(boxes, count, seed, cyclic):
    draw = random.Random(seed)
    edges = set()
    while len(edges) < count:
        a, b = draw.sample(range(boxes), 2)
        edges.add((a, b) if cyclic or a < b else (b, a))
    return sorted(edges)


GRAPHS = {
    "one box": (1, []),
    "no edges": (5, []),
    "chain": (6, [(i, i + 1) for i in range(5)]),
    "fan": (30, [(0, i) for i in range(1, 30)]),
    "two cycles": (4, [(0, 1), (1, 0), (2, 3), (3, 2)]),
    "itself": (2, [(0, 0), (0, 1)]),
    "two parts": (6, [(0, 1), (1, 2), (3, 4), (4, 5)]),
    "long edge": (6, [*((i, i + 1) for i in range(5)), (0, 5), (1, 4)]),
    "random": (60, random_edges(60, 110, 3, cyclic=False)),
    "random with cycles": (80, random_edges(80, 160, 4, cyclic=True)),
    "large": (200, random_edges(200, 330, 5, cyclic=True)),
}


def area(box):
    return box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2


def overlap(a, b, slack=0.5):
    return a[0] + slack < b[2] and b[0] + slack < a[2] and a[1] + slack < b[3] and b[1] + slack < a[3]


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_are_apart_and_inside(name):
    boxes, routes = graph(*GRAPHS[name])
    width, height = lay_out(boxes, routes)
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(area(one), area(other))
    for box in boxes:
        left, top, right, bottom = area(box)
        assert left >= -0.01 and top >= -0.01 and right <= width + 0.01 and bottom <= height + 0.01


@pytest.mark.parametrize("name", GRAPHS)
def test_routes_join_their_boxes_and_run_through_no_other(name):
    boxes, routes = graph(*GRAPHS[name])
    lay_out(boxes, routes)
    for route in routes:
        if route.source == route.target:
            assert route.points == []
            continue
        for index, (x, y) in ((route.source, route.points[0]), (route.target, route.points[-1])):
            left, top, right, bottom = area(boxes[index])
            assert left <= x <= right and min(abs(y - top), abs(y - bottom)) < 0.01
        for (x0, y0), (x1, y1) in zip(route.points, route.points[1:], strict=False):
            straight = (min(x0, x1), min(y0, y1), max(x0, x1) + 0.1, max(y0, y1) + 0.1)
            if x0 != x1:
                continue  # a bend, which lies in the gap between layers
            others = (box for index, box in enumerate(boxes) if index not in (route.source, route.target))
            assert not any(overlap(straight, area(box), slack=0.2) for box in others)


@pytest.mark.parametrize("name", [name for name in GRAPHS if "cycle" not in name and name not in ("itself", "large")])
def test_without_cycles_edges_lead_down(name):
    boxes, routes = graph(*GRAPHS[name])
    lay_out(boxes, routes)
    for route in routes:
        assert boxes[route.source].y < boxes[route.target].y
        heights = [y for _, y in route.points]
        assert all(after - before > -0.01 for before, after in itertools.pairwise(heights))


def test_the_same_graph_is_drawn_the_same_way():
    drawings = []
    for _ in range(2):
        boxes, routes = graph(*GRAPHS["random with cycles"])
        drawings.append((lay_out(boxes, routes), boxes, routes))
    assert drawings[0] == drawings[1]


def test_a_tree_has_no_crossings_and_a_straight_trunk():
    boxes, routes = graph(7, [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)])
    lay_out(boxes, routes)
    order = sorted(range(3, 7), key=lambda index: boxes[index].x)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset((3, 4)), frozenset((5, 6))}
    chain, links = graph(*GRAPHS["chain"])
    lay_out(chain, links)
    assert max(box.x for box in chain) - min(box.x for box in chain) < 0.01


@pytest.mark.parametrize("seed", range(20))
def test_isotonic_beats_every_small_move(seed):
    draw = random.Random(seed)
    wanted = [draw.uniform(-10, 10) for _ in range(7)]
    costs = [draw.uniform(0.1, 5) for _ in range(7)]
    best = _isotonic(wanted, costs)
    assert best == sorted(best)

    def cost(values):
        return sum(c * (w - v) ** 2 for v, w, c in zip(values, wanted, costs, strict=True))

    for first, last in itertools.combinations(range(8), 2):
        for step in (-0.01, 0.01):
            moved = [v + step * (first <= index < last) for index, v in enumerate(best)]
            if moved == sorted(moved):
                assert cost(moved) >= cost(best) - 1e-9


def test_no_boxes():
    assert lay_out([], []) == (0.0, 0.0)
