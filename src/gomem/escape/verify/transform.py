"""Instruments the syntax tree of a module: every allocation site passes its value to the recorder.

A function becomes

    def f(a, *rest):
        "docstring"
        RECORD = enter(7)
        SENTINEL = sentinel(RECORD)     # a cell, and by its name the last one: the frame clears it after everything else
        if 0: lambda: SENTINEL          # makes it a cell
        packed(RECORD, rest, 12)
        try:
            ...                         # E -> alloc(RECORD, E, 13); return E -> return leave(RECORD, E)
            leave(RECORD, None)
        except BaseException:
            unwind(RECORD)
            raise

and keeps its name, signature, defaults, line numbers, frame depth and closure. The added names are no identifiers, so no
program can clash with them. Class bodies and modules get ``begin`` and ``done``, as a new variable there would show.

Left alone: functions that look at their own variables or frame (``locals()``, ``eval``, ``sys._getframe`` and the like),
lambdas that yield or stand where ``:=`` is forbidden, annotations, type parameters, patterns.
"""

from __future__ import annotations

import ast
import builtins
import gc
from collections.abc import Sequence
from typing import Any

from gomem.escape.sites import Site
from gomem.escape.verify import recorder
from gomem.escape.verify.recorder import RECORD, SENTINEL

_PREFIX = "~gomem."
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CALLS = ("enter", "sentinel", "alloc", "packed", "alloc_in", "made", "made_in", "leave", "leave_lambda", "unwind", "hand_out", "begin", "done", "fail")  # fmt: skip
_LOOKS_AT_VARIABLES = {"locals", "vars", "dir"}  # without an argument
_LOOKS_AT_FRAME = {"eval", "exec", "_getframe", "currentframe", "_current_frames"}


def install() -> None:
    """Make the recorder's functions known to every module, as builtins with names that no source can spell.

    When the interpreter ends, it puts back the builtins that it had at its start, and calls ``__del__`` after that: its copy of
    them has to know the names, too.
    """
    names = {_PREFIX + name: getattr(recorder, name) for name in _CALLS} | {_PREFIX + "BaseException": BaseException}
    for found in gc.get_objects():
        if type(found) is dict and found.get("__name__") == "builtins" and found.get("len") is len:
            found.update(names)
    vars(builtins).update(names)


def instrument(tree: ast.Module, sites: dict[ast.AST, Site], tables: recorder.Tables) -> ast.Module:
    """The tree, changed in place; each site that will be watched gets its number in ``tables``."""
    with tables.lock:
        _Instrument(sites, tables).module(tree)
    return tree


class _Scope:
    """Where the walk is. ``kind``: function, lambda, body (class or module), or none where nothing is watched."""

    def __init__(self, kind: str, number: int = -1):
        self.kind = kind
        self.number = number
        self.used = False


class _Instrument(ast.NodeTransformer):
    def __init__(self, sites: dict[ast.AST, Site], tables: recorder.Tables):
        self.sites = sites
        self.tables = tables
        self.scope = _Scope("none")
        self.in_iterable = 0  # of a comprehension: no := there

    # Scopes

    def module(self, tree: ast.Module) -> None:
        tree.body = self.body(tree.body, _kept_first(tree.body, future=True))
        ast.fix_missing_locations(tree)

    def body(self, statements: list[ast.stmt], first: int) -> list[ast.stmt]:
        """The statements of a class body or module; the first few stay where they are."""
        outer, self.scope = self.scope, _Scope("body", self.tables.add_function())
        iterable, self.in_iterable = self.in_iterable, 0
        inner = self.statements(statements[first:])
        scope, self.scope, self.in_iterable = self.scope, outer, iterable
        if not scope.used:
            return statements[:first] + inner
        number = ast.Constant(scope.number)
        handlers = [_handler(_do("fail", number))]
        lines = [_do("begin", number), _try([*inner, _do("done", number)], handlers)]
        return statements[:first] + [_at(line, inner[0]) for line in lines]

    def statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in statements:
            new = self.visit(statement)
            result += new if isinstance(new, list) else [new]
        return result

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        node.decorator_list = [self.visit(item) for item in node.decorator_list] + self.decorator(node)
        node.bases = [self.visit(item) for item in node.bases]
        node.keywords = [self.visit(item) for item in node.keywords]
        node.body = self.body(node.body, _kept_first(node.body))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.decorator_list = [self.visit(item) for item in node.decorator_list] + self.decorator(node)
        self.defaults(node.args)
        outer, self.scope = self.scope, _Scope("function")
        iterable, self.in_iterable = self.in_iterable, 0
        if _is_watched(self.sites, node.args, node.body):
            self.scope.number = self.tables.add_function()
        else:
            self.scope.kind = "none"
        first = _kept_first(node.body)
        packs = self.packs(node.args)
        inner = self.statements(node.body[first:])
        if self.scope.kind == "function":
            node.body[first:] = [_at(line, inner[0] if inner else node) for line in self.wrapped(packs, inner)]
        else:
            node.body[first:] = inner
        self.scope, self.in_iterable = outer, iterable
        return node

    visit_AsyncFunctionDef: Any = visit_FunctionDef

    def wrapped(self, packs: list[ast.expr], inner: list[ast.stmt]) -> list[ast.stmt]:
        return [
            ast.Assign([_store(RECORD)], _call("enter", ast.Constant(self.scope.number))),
            ast.Assign([_store(SENTINEL)], _call("sentinel", _load(RECORD))),
            ast.If(ast.Constant(0), [ast.Expr(_thunk(SENTINEL))], []),
            *map(ast.Expr, packs),
            _try([*inner, _do("leave", _load(RECORD), ast.Constant(None))], [_handler(_do("unwind", _load(RECORD)))]),
        ]

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self.defaults(node.args)
        outer, self.scope = self.scope, _Scope("lambda")
        if _is_watched(self.sites, node.args, [node.body], is_lambda=True) and not self.in_iterable:
            self.scope.number = self.tables.add_function()
        else:
            self.scope.kind = "none"
        packs = self.packs(node.args)
        body = self.visit(node.body)
        if self.scope.kind == "lambda":
            enter = ast.NamedExpr(_store(RECORD), _call("enter", ast.Constant(self.scope.number)))
            begin = [enter, ast.NamedExpr(_store(SENTINEL), _call("sentinel", _load(RECORD))), *packs]
            cell = ast.BoolOp(ast.And(), [ast.Constant(0), _thunk(SENTINEL)])
            body = _at(_call("leave_lambda", _first(begin), cell, body), body)
        node.body = body
        self.scope = outer
        return self.site(node, node)

    def defaults(self, args: ast.arguments) -> None:
        args.defaults = [self.visit(item) for item in args.defaults]
        args.kw_defaults = [item and self.visit(item) for item in args.kw_defaults]

    def packs(self, args: ast.arguments) -> list[ast.expr]:
        """Calls that show the recorder the tuple of *args and the dict of **kwargs."""
        some = [arg for arg in (args.vararg, args.kwarg) if arg in self.sites and self.scope.kind != "none"]
        return [_call("packed", _load(RECORD), _load(arg.arg), self.number(arg)) for arg in some]

    # Sites

    def number(self, node: ast.AST) -> ast.Constant:
        self.scope.used = True
        return ast.Constant(self.tables.add_site(self.sites[node], self.scope.number))

    def site(self, node: ast.AST, result: ast.expr) -> ast.expr:
        """``result``, passed through the recorder if ``node`` is a site and somebody watches here."""
        if node not in self.sites or self.scope.kind == "none":
            return result
        if self.scope.kind == "body":
            call = _call("alloc_in", ast.Constant(self.scope.number), result, self.number(node))
        else:
            call = _call("alloc", _load(RECORD), result, self.number(node))
        return _at(call, result)

    def decorator(self, node: ast.stmt) -> list[ast.expr]:
        if node not in self.sites or self.scope.kind == "none":
            return []
        if self.scope.kind == "body":
            call = _call("made_in", ast.Constant(self.scope.number), self.number(node))
        else:
            call = _call("made", _load(RECORD), self.number(node))
        # At the line of the def, on which a function without decorators must begin.
        call.lineno = call.end_lineno = node.lineno
        call.col_offset = call.end_col_offset = node.col_offset
        return [call]

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        return self.site(node, node) if isinstance(node, ast.expr) else node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.target = self.visit(node.target)
        self.in_iterable += 1
        node.iter = self.visit(node.iter)
        self.in_iterable -= 1
        node.ifs = [self.visit(item) for item in node.ifs]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        node.target = self.visit(node.target)
        node.value = node.value and self.visit(node.value)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.guard = node.guard and self.visit(node.guard)
        node.body = self.statements(node.body)
        return node

    def visit_TypeAlias(self, node: ast.AST) -> ast.AST:
        return node

    # What leaves a frame

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        if self.scope.kind != "function":
            return self.generic_visit(node)
        if node.value is None:
            return [_at(_do("leave", _load(RECORD), ast.Constant(None)), node), node]
        node.value = _at(_call("leave", _load(RECORD), self.visit(node.value)), node.value)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        if self.scope.kind == "function" and node.value is not None:
            node.value = _at(_call("hand_out", _load(RECORD), self.visit(node.value)), node.value)
            return node
        return self.generic_visit(node)


def _is_watched(sites: dict[ast.AST, Site], args: ast.arguments, body: Sequence[ast.AST], is_lambda: bool = False) -> bool:
    """Whether a function allocates and may be instrumented: it looks at none of its own variables, nor at its frame."""
    found = args.vararg in sites or args.kwarg in sites
    todo = list(body)
    while todo:
        node = todo.pop()
        if _looks_inside(node) or (is_lambda and isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await))):
            return False
        found = found or node in sites
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):  # what is inside has a frame of its own
            todo += node.args.defaults + [item for item in node.args.kw_defaults if item] + getattr(node, "decorator_list", [])
        else:
            todo += ast.iter_child_nodes(node)
    return found


def _looks_inside(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args and not node.keywords:
        if node.func.id in _LOOKS_AT_VARIABLES:
            return True
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in _LOOKS_AT_FRAME


def _kept_first(statements: list[ast.stmt], future: bool = False) -> int:
    """How many statements must stay the first: a docstring, and in a module the imports from __future__."""
    count = 0
    if statements and isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
        count = isinstance(statements[0].value.value, str)
    while future and count < len(statements) and getattr(statements[count], "module", None) == "__future__":
        count += 1
    return int(count)


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(_load(_PREFIX + name), list(args), [])


def _do(name: str, *args: ast.expr) -> ast.stmt:
    return ast.Expr(_call(name, *args))


def _thunk(name: str) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), _load(name))


def _first(expressions: list[ast.expr]) -> ast.expr:
    """An expression that evaluates them all and has the value of the first, without an object of its own that would stay."""
    return ast.Subscript(ast.Tuple(expressions, ast.Load()), ast.Constant(0), ast.Load())


def _try(body: list[ast.stmt], handlers: list[ast.ExceptHandler]) -> ast.Try:
    return ast.Try(body, handlers, [], [])


def _handler(statement: ast.stmt) -> ast.ExceptHandler:
    return ast.ExceptHandler(_load(_PREFIX + "BaseException"), None, [statement, ast.Raise()])


def _at(node, place: ast.AST):
    """The node, at this place in the source; what is inside and has no place gets the same."""
    ast.copy_location(node, place)
    return ast.fix_missing_locations(node)
