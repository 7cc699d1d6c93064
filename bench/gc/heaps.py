"""Heaps of a wanted number of tracked objects, one function a shape; each returns what holds it alive."""

from __future__ import annotations

import ast
import gc
import inspect
import json
import random
from collections.abc import Callable

Root = list


class Node:
    def __init__(self, left: object = None, right: object = None) -> None:
        self.left, self.right = left, right


class Row:
    """A mapped instance: its values, its state, its identity map, relations both ways, as an ORM keeps them."""

    def __init__(self, identity_map: dict, key: int) -> None:
        self.state = {"key": ("row", key), "identity_map": identity_map, "committed": {}}
        self.values = {"id": key, "name": f"row {key}"}
        self.parent: object = None
        self.children: list = []


def links(count: int) -> Root:
    """Records that refer to each other at random: hard on the cache."""
    numbers = random.Random(1)
    records: list[dict] = [{"key": [i], "name": (i, [i])} for i in range(count // 4)]
    for record in records:
        record["link"] = records[numbers.randrange(len(records))]
    return records


def lists(count: int) -> Root:
    return [[i] for i in range(count)]


def dicts(count: int) -> Root:
    return [{"key": i, "inner": [i]} for i in range(count // 2)]


def instances(count: int) -> Root:
    return [Node([i]) for i in range(count // 2)]


def trees(count: int) -> Root:
    def tree(depth: int) -> Node:
        return Node(tree(depth - 1), tree(depth - 1)) if depth else Node()

    return [tree(9) for _ in range(count // 1023)]


def asts(count: int) -> Root:
    """Syntax trees of standard library modules."""
    sources = [inspect.getsource(module) for module in (argparse_module(), inspect, ast)]
    parsed: Root = []
    size = sum(sum(1 for _ in ast.walk(ast.parse(source))) for source in sources) * 2  # a node has a dict, some lists
    for _ in range(max(1, count // size)):
        parsed += [ast.parse(source) for source in sources]
    return parsed


def argparse_module():
    import argparse

    return argparse


def rows(count: int) -> Root:
    identity_map: dict = {}
    made: Root = []
    for i in range(count // 7):
        row = Row(identity_map, i)
        identity_map["row", i] = row
        if made:
            row.parent = made[i // 8]
            made[i // 8].children.append(row)
        made.append(row)
    return made


def documents(count: int) -> Root:
    """JSON documents of some twenty containers each."""
    text = json.dumps({"id": 1, "tags": ["a", "b"], "items": [{"sku": i, "price": {"net": 1.5, "tax": [19, 7]}} for i in range(6)]})
    return [json.loads(text) for _ in range(count // 21)]


SHAPES: dict[str, Callable[[int], Root]] = {
    "links": links, "lists": lists, "dicts": dicts, "instances": instances, "trees": trees, "asts": asts, "rows": rows,
    "json": documents,
}  # fmt: skip


def cycles(count: int) -> list[Node]:
    """Garbage in the making: cycles of four objects that nothing but the list returned refers to."""
    made = []
    for i in range(count // 4):
        node = Node([i])
        node.right = [node, {"node": node}]
        made.append(node)
    return made


def age() -> None:
    """Makes every object old, without a full collection."""
    gc.collect(1)
