"""Which names a function binds, and which of them its nested functions see: Python's scoping rules, from an AST."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Scope:
    """Names of one function, lambda, class body or module, its nested functions left out.

    ``captured`` are the names that nested functions use and do not bind themselves; targets of comprehensions count as the
    comprehension's own and are in ``captured`` only.
    """

    bound: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    nested: list[ast.AST] = field(default_factory=list)
    captured: set[str] = field(default_factory=set)
    yields: bool = False
    awaits: bool = False


class Scopes:
    """Scopes by node, each computed once."""

    def __init__(self) -> None:
        self._known: dict[ast.AST, Scope] = {}

    def of(self, node: Any) -> Scope:
        """The scope of a function, lambda, class or module."""
        scope = self._known.get(node)
        if scope is None:
            scope = self._known[node] = Scope()
            body = node.body
            self._walk(body if isinstance(body, list) else [body], scope)
            if isinstance(node, FUNCTIONS):
                scope.bound.update(arg.arg for arg in parameters(node.args))
            scope.bound -= scope.globals | scope.nonlocals
            for inner in scope.nested:
                scope.captured |= self.free(inner)
        return scope

    def free(self, node: ast.AST) -> set[str]:
        """Names that a nested function takes from outside."""
        scope = self.of(node)
        return (scope.used | scope.captured | scope.nonlocals) - scope.bound - scope.globals

    def _walk(self, nodes: list[ast.AST], scope: Scope) -> None:
        stack = list(nodes)
        while stack:
            node: Any = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                (scope.used if type(node.ctx) is ast.Load else scope.bound).add(node.id)
            elif kind in _SPECIAL:
                _SPECIAL[kind](self, node, scope, stack)
            else:
                push_children(node, stack)

    def _function(self, node: Any, scope: Scope, stack: list[ast.AST]) -> None:
        scope.nested.append(node)
        stack.extend(default for default in [*node.args.defaults, *node.args.kw_defaults] if default)
        if not isinstance(node, ast.Lambda):
            scope.bound.add(node.name)
            stack.extend(node.decorator_list)

    def _class(self, node: ast.ClassDef, scope: Scope, stack: list[ast.AST]) -> None:
        scope.bound.add(node.name)
        stack.extend([*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list])
        inner = self.of(node)
        scope.used |= inner.used | inner.nonlocals
        scope.nested.extend(inner.nested)

    def _comprehension(self, node: Any, scope: Scope, stack: list[ast.AST]) -> None:
        inner = Scope()
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        targets: set[str] = set()
        for generator in node.generators:
            targets |= target_names(generator.target)
            parts += [generator.iter, *generator.ifs]
        self._walk(parts, inner)
        scope.used |= inner.used - targets
        scope.bound |= inner.bound
        scope.nested.extend(inner.nested)
        scope.awaits |= inner.awaits

    def _named(self, node: Any, scope: Scope, stack: list[ast.AST]) -> None:
        """``except … as name`` and the capturing patterns of ``match``."""
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            scope.bound.add(name)
        push_children(node, stack)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope, stack: list[ast.AST]) -> None:
        for alias in node.names:
            scope.bound.add(alias.asname or alias.name.partition(".")[0])

    def _global(self, node: ast.Global, scope: Scope, stack: list[ast.AST]) -> None:
        scope.globals.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal, scope: Scope, stack: list[ast.AST]) -> None:
        scope.nonlocals.update(node.names)

    def _yield(self, node: ast.AST, scope: Scope, stack: list[ast.AST]) -> None:
        scope.yields = True
        push_children(node, stack)

    def _annotated(self, node: ast.AnnAssign, scope: Scope, stack: list[ast.AST]) -> None:
        stack.append(node.target)
        if node.value:
            stack.append(node.value)


def push_children(node: ast.AST, stack: list[ast.AST]) -> None:
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            stack.append(value)
        elif isinstance(value, list):
            stack.extend(item for item in value if isinstance(item, ast.AST))


def parameters(args: ast.arguments) -> list[ast.arg]:
    """All parameters in the order of the code object: positional, *args, keyword only, **kwargs."""
    rest = [args.vararg] if args.vararg else []
    keywords = [args.kwarg] if args.kwarg else []
    return [*args.posonlyargs, *args.args, *rest, *args.kwonlyargs, *keywords]


def target_names(node: ast.AST) -> set[str]:
    """Names that an assignment to this target binds."""
    return {inner.id for inner in ast.walk(node) if type(inner) is ast.Name and type(inner.ctx) is not ast.Load}


_SPECIAL = {
    **dict.fromkeys(FUNCTIONS, Scopes._function),
    **dict.fromkeys(_COMPREHENSIONS, Scopes._comprehension),
    **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping), Scopes._named),
    **dict.fromkeys((ast.Import, ast.ImportFrom), Scopes._import),
    **dict.fromkeys((ast.Yield, ast.YieldFrom), Scopes._yield),
    ast.ClassDef: Scopes._class,
    ast.Global: Scopes._global,
    ast.Nonlocal: Scopes._nonlocal,
    ast.AnnAssign: Scopes._annotated,
}
