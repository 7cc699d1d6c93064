"""Joins of two texts or more, which make a new one: ``"".join([x])`` is x itself, ``"".join([x, y])`` never is.

A list has at least as many items as the display that it was made as, and the calls of ``append`` that stand behind that, in
the same block or in one around it, if its name is used for nothing that could take items away or give the list away.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

_GROW = {"append", "insert", "extend"}
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
Lengths = dict[str, int]  # the least number of items that the list of a name has


def joined_text(call: ast.Call) -> ast.expr | None:
    """What is joined, if a literal text joins it."""
    called = call.func
    if not isinstance(called, ast.Attribute) or called.attr != "join" or len(call.args) != 1 or call.keywords:
        return None
    return call.args[0] if isinstance(called.value, ast.Constant) else None


def shown(node: ast.expr | None) -> int:
    """How many items a display has at least."""
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return sum(not isinstance(item, ast.Starred) for item in items)


def long_joins(body: list[ast.stmt], names: set[str]) -> set[ast.AST]:
    """The calls of ``join`` in a function's body that have two items or more of a list of one of the names, which no nested
    function sees."""
    joined = {text.id for call in _calls(body) if isinstance(text := joined_text(call), ast.Name)}
    kept = {name for name in names & joined if _only_grows(name, body)}
    found: set[ast.AST] = set()
    if kept:
        _walk(body, {}, kept, found)
    return found


def _calls(body: list[ast.stmt]) -> Iterable[ast.Call]:
    return (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call))


def _only_grows(name: str, body: list[ast.stmt]) -> bool:
    """Whether the name is assigned once, a list display, and then only read or added to."""
    if any(name in (getattr(node, what, None) for what in ("name", "asname", "rest")) for statement in body for node in ast.walk(statement)):
        return False  # an import, a class, an exception
    assigned = 0
    for node, parent, above in _uses(name, body):
        if isinstance(parent, (ast.Assign, ast.AnnAssign)) and isinstance(node.ctx, ast.Store):
            assigned += 1
            if not isinstance(parent.value, ast.List) or (isinstance(parent, ast.Assign) and len(parent.targets) > 1):
                return False
        elif not _harmless(node, parent, above):
            return False
    return assigned == 1


def _harmless(node: ast.Name, parent: ast.AST, above: ast.AST) -> bool:
    if isinstance(parent, ast.Attribute):
        return parent.attr in _GROW and isinstance(above, ast.Call) and above.func is parent
    if isinstance(parent, ast.Call):
        return joined_text(parent) is node or (isinstance(parent.func, ast.Name) and parent.func.id == "len")
    if isinstance(parent, ast.AugAssign):
        return isinstance(parent.op, ast.Add) and parent.target is node
    return isinstance(parent, (ast.If, ast.While, ast.Return, ast.UnaryOp)) or (isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node)


def _uses(name: str, body: Iterable[ast.AST]) -> Iterable[tuple[ast.Name, ast.AST, ast.AST]]:
    """Each use of the name with the node around it and the one around that."""
    root = ast.Module([], [])
    stack: list[tuple[ast.AST, ast.AST, ast.AST]] = [(node, root, root) for node in body]
    while stack:
        node, parent, above = stack.pop()
        if isinstance(node, ast.Name):
            if node.id == name:
                yield node, parent, above
        elif not isinstance(node, _INNER):
            stack += [(child, node, parent) for child in ast.iter_child_nodes(node)]


def _walk(block: Iterable[ast.AST], before: Lengths, names: set[str], found: set[ast.AST]) -> None:
    lengths = dict(before)
    for statement in block:
        if isinstance(statement, _INNER):
            continue
        inner = [node for field in _BLOCKS for node in (getattr(statement, field, ()),) if node]
        _note_joins(statement, lengths, found)
        for nested in inner:
            _walk(nested, lengths, names, found)
        _count(statement, lengths, names)


def _note_joins(statement: ast.AST, lengths: Lengths, found: set[ast.AST]) -> None:
    """Those in the statement itself, not in blocks within it."""
    stack = [node for field, value in ast.iter_fields(statement) if field not in _BLOCKS for node in (value if isinstance(value, list) else [value])]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            joined = joined_text(node)
            if isinstance(joined, ast.Name) and lengths.get(joined.id, 0) > 1:
                found.add(node)
        if isinstance(node, ast.AST) and not isinstance(node, _INNER):
            stack += ast.iter_child_nodes(node)


def _count(statement: Any, lengths: Lengths, names: set[str]) -> None:
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(target, ast.Name) and target.id in names:
            lengths[target.id] = shown(statement.value)
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name) and statement.target.id in lengths:
        lengths[statement.target.id] += shown(statement.value)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute):
        called = statement.value.func
        if isinstance(called.value, ast.Name) and called.value.id in lengths and called.attr in _GROW:
            grown = statement.value.args
            lengths[called.value.id] += 1 if called.attr != "extend" else shown(grown[0]) if grown else 0
