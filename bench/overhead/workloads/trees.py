"""Binary trees: small slotted objects made and dropped as fast as Python can, with one tree that stays."""

from __future__ import annotations

COUNT = 120
DEPTH = 13


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left: Node | None, right: Node | None) -> None:
        self.left = left
        self.right = right


def grow(depth: int) -> Node:
    return Node(grow(depth - 1), grow(depth - 1)) if depth else Node(None, None)


def size(node: Node) -> int:
    return 1 if node.left is None or node.right is None else 1 + size(node.left) + size(node.right)


def run(count: int) -> int:
    lasting = grow(DEPTH + 2 if count else 1)
    return size(lasting) + sum(size(grow(DEPTH)) for _ in range(count))
