"""Names read off a tree: what statements assign, which types an annotation or an ``except`` allows."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from gomem.escape.expressions import dotted
from gomem.escape.scopes import parameters, push_children


def assigned_names(body: Iterable[ast.AST]) -> set[str]:
    """Names that statements assign, those of nested functions, classes and comprehensions left out."""
    names: set[str] = set()
    stack = list(body)
    while stack:
        node: Any = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            if type(node.ctx) is not ast.Load:
                names.add(node.id)
        elif kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            names.add(node.name)
        elif kind in (ast.Import, ast.ImportFrom):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif kind in (ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
            names.update([node.name] if node.name else [])
            push_children(node, stack)
        elif kind is ast.MatchMapping:
            names.update([node.rest] if node.rest else [])
            push_children(node, stack)
        elif kind is not ast.Lambda:
            push_children(node, stack)
    return names


def record_names(node: ast.expr) -> list[str] | None:
    """The fields of ``namedtuple("Point", "x y")`` and ``NamedTuple("Point", [("x", int)])``, as far as they are written there;
    None of any other expression."""
    if not isinstance(node, ast.Call) or dotted(node).rpartition(".")[2] not in ("namedtuple", "NamedTuple"):
        return None
    given: Any = node.args[1] if len(node.args) == 2 and not node.keywords else None
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        return given.value.replace(",", " ").split()
    items = [item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item for item in getattr(given, "elts", ())]
    names = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return names if len(names) == len(items) else []


_WRAPPERS = {"Optional", "Final", "ClassVar", "Annotated", "Required", "NotRequired", "Union"}
_OPEN = {"Any", "object", "Callable", "Iterable", "Iterator", "Sequence", "Mapping", "MutableMapping", "Collection", "Awaitable"}


def type_names(node: ast.AST | None) -> tuple[str, ...]:
    """Names of the types that an annotation allows; () if it says nothing that can be used."""
    names = _type_names(node)
    return tuple(dict.fromkeys(names)) if names and "?" not in names else ()


def _type_names(node: ast.AST | None) -> list[str]:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return ["None"]
        try:
            return _type_names(ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else ["?"]
        except SyntaxError:
            return ["?"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _type_names(node.left) + _type_names(node.right)
    if isinstance(node, ast.Subscript):
        base = dotted(node.value).rpartition(".")[2]
        if base in _WRAPPERS:
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) and base != "Annotated" else [node.slice]
            return [name for part in parts for name in _type_names(part)]
        return _type_names(node.value)
    name = dotted(node)
    last = name.rpartition(".")[2]
    return ["?"] if "?" in name or last in _OPEN else [name]


def exception_names(node: ast.expr | None) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(dotted(part) for part in parts if part is not None)


def ends_without(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[ast.AST, int]:
    """The first ``if x is None`` of the function's block, if x is a parameter that is None unless it is given."""
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    names = [arg.arg for arg in parameters(args)[: len(positional)]]
    defaults = dict(zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True))
    for number, statement in enumerate(node.body):
        test = statement.test if isinstance(statement, ast.If) and not statement.orelse else None
        if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and isinstance(test.ops[0], ast.Is) and _is_none(test.comparators[0]):
            name = test.left.id
            if name in names and _is_none(defaults.get(name)) and name not in assigned_names(node.body[:number]):
                return {statement: names.index(name)}
            return {}
    return {}


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
