"""The allocation sites of a module: the one list that the analysis judges and that the recorder watches at run time.

A site is an expression or statement that makes a new object each time it is executed, or may. It lives in a frame: that of
the innermost function, lambda, class body or module. Comprehensions and generator expressions have no frame of their own
here (since 3.12 a comprehension has none in CPython either): what they allocate belongs to the frame round them.

What is a site, by kind:

- ``list set dict``: displays; ``tuple``: displays that are not constant as a whole;
- ``listcomp setcomp dictcomp genexp lambda``: the list, set, dict, generator and function object itself;
- ``def class``: the function and the class that the statement makes, before any decorator;
- ``fstring``: an f-string with at least one value in it;
- ``call``: every call except ``super()``; its result may be an old object, which only a run can tell;
- ``binop``: every binary operation of which one side is no constant; it may make numbers, which are of no interest;
- ``slice``: ``x[a:b]`` when it is read; it may return ``x`` itself or a view;
- ``args kwargs``: the tuple of ``*args`` and the dict of ``**kwargs``, made anew for each call.

What is none: constants, also folded ones (``(1, 2)``, ``"a" * 3``, ``x in [1, 2]``, ``for x in [1, 2]``); a tuple that is
unpacked where it stands (``a, b = b, a``); a tuple of arguments of a literal ``%`` format; a format specification;
``super()`` without arguments; attributes, items and ``await`` (what they allocate has a site in the callee); augmented
assignments; annotations, type parameters and type aliases; patterns of ``match``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from collections.abc import Callable
from typing import Any

KINDS = (
    *("call", "list", "tuple", "dict", "set", "listcomp", "setcomp", "dictcomp", "genexp"),
    *("lambda", "def", "class", "fstring", "binop", "slice", "args", "kwargs"),
)
TEXT_MAX = 60

_DISPLAYS = {
    ast.List: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.Set: "set",
    ast.ListComp: "listcomp",
    ast.SetComp: "setcomp",
    ast.DictComp: "dictcomp",
    ast.GeneratorExp: "genexp",
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNPACKED_MAX = 3  # the compiler turns the unpacking of a tuple display of up to three into moves (Python/flowgraph.c)


@dataclass(unsafe_hash=True, slots=True)  # frozen would take three times as long to make, and there are many
class Site:
    """One allocation site; equal to another if file, place and kind are the same.

    ``line`` and ``end_line`` count from 1; ``column`` and ``end_column`` are offsets in utf-8 bytes from 0, as in ``ast``.
    A ``def`` or ``class`` begins at that word, not at its decorators. ``function`` is the qualified name of the frame's
    code: ``f``, ``C.method``, ``f.<locals>.<lambda>``, ``C`` for a class body, ``<module>``. ``text`` is an excerpt of the
    source, one line of at most 60 characters, empty if no source was given.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    function: str = field(default="<module>", compare=False)
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        """``path:line:column``, the column from 1, as editors and compilers print it."""
        return f"{self.path}:{self.line}:{self.column + 1}"


def find_sites(tree: ast.Module, path: str, source: str | bytes = "") -> dict[ast.AST, Site]:
    """The sites of a module in the order of a walk down the tree, by the node that allocates.

    The nodes are those of ``tree``: an expression, a ``FunctionDef``, ``AsyncFunctionDef`` or ``ClassDef``, or the ``arg``
    of ``*args`` and ``**kwargs``. ``source`` is what the tree was parsed from, and gives the excerpts. Costs half of what
    parsing costs. Raises RecursionError on a tree nested deeper than the interpreter's limit.
    """
    walk = _Walk(path, source)
    walk.body(tree.body)
    return walk.sites


def is_constant(node: ast.AST) -> bool:
    """Whether the compiler makes one constant of this expression, so that executing it allocates nothing."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Tuple):
        return all(map(is_constant, node.elts))
    if isinstance(node, ast.UnaryOp):
        return is_constant(node.operand)
    if not isinstance(node, ast.BinOp) or _is_format(node):
        return False
    return is_constant(node.right) and is_constant(node.left)  # a long sum has its many operands on the left


def _is_format(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, (str, bytes))


class _Walk:
    """The walk: ``sites`` found so far, and the qualified name of the frame that it is in."""

    def __init__(self, path: str, source: str | bytes):
        self.path = path
        self.lines = source_lines(source)
        self.sites: dict[ast.AST, Site] = {}
        self.frame = "<module>"
        self.prefix = ""  # of the qualified names of what is defined here
        self.methods: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.FunctionDef: self.function,
            ast.AsyncFunctionDef: self.function,
            ast.ClassDef: self.class_,
            ast.Lambda: self.lambda_,
            ast.Call: self.call,
            ast.BinOp: self.binop,
            ast.JoinedStr: self.fstring,
            ast.FormattedValue: self.formatted_value,
            ast.Subscript: self.subscript,
            ast.Assign: self.assign,
            ast.AnnAssign: self.annotated,
            ast.For: self.for_,
            ast.comprehension: self.comprehension,
            ast.Compare: self.compare,
            ast.match_case: self.match_case,
            **dict.fromkeys(_DISPLAYS, self.display),
        }
        if hasattr(ast, "TypeAlias"):
            self.methods[ast.TypeAlias] = lambda node: None

    def visit(self, node: ast.AST) -> None:
        self.methods.get(type(node), self.children)(node)

    def children(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                self.body(value)
            elif isinstance(value, ast.AST):
                self.visit(value)

    def body(self, nodes: list) -> None:
        for node in nodes:
            if isinstance(node, ast.AST):  # Dict.keys, defaults and constants have None and plain values in them
                self.visit(node)

    def add(self, node: Any, kind: str) -> None:
        place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        self.sites[node] = Site(self.path, *place, kind, self.frame, self.excerpt(node, kind))

    def excerpt(self, node: Any, kind: str) -> str:
        if kind in ("def", "class"):
            return f"{kind} {node.name}"
        if kind in ("args", "kwargs"):
            return ("*" if kind == "args" else "**") + node.arg
        return excerpt(self.lines, node)

    # Scopes

    def enter(self, name: str, nodes: list, inside: str = "<locals>.") -> None:
        """Walk the body of something that has a frame of its own and is called ``name`` here."""
        outer = self.frame, self.prefix
        self.frame = self.prefix + name
        self.prefix = f"{self.frame}.{inside}"
        self.body(nodes)
        self.frame, self.prefix = outer

    def arguments(self, name: str, arguments: ast.arguments) -> None:
        """The defaults are evaluated here; what is packed for each call belongs to the frame of the callee."""
        self.body(arguments.defaults)
        self.body(arguments.kw_defaults)
        outer, self.frame = self.frame, self.prefix + name
        if arguments.vararg:
            self.add(arguments.vararg, "args")
        if arguments.kwarg:
            self.add(arguments.kwarg, "kwargs")
        self.frame = outer

    def function(self, node: ast.FunctionDef) -> None:
        self.add(node, "def")
        self.body(node.decorator_list)
        self.arguments(node.name, node.args)
        self.enter(node.name, node.body)

    def lambda_(self, node: ast.Lambda) -> None:
        self.add(node, "lambda")
        self.arguments("<lambda>", node.args)
        self.enter("<lambda>", [node.body])

    def class_(self, node: ast.ClassDef) -> None:
        self.add(node, "class")
        self.body(node.decorator_list)
        self.body(node.bases)
        self.body(node.keywords)
        self.enter(node.name, node.body, inside="")

    # Expressions

    def display(self, node: ast.expr) -> None:
        if isinstance(getattr(node, "ctx", None), (ast.Load, type(None))) and not _makes_no_tuple(node):
            self.add(node, _DISPLAYS[type(node)])
        self.children(node)

    def call(self, node: ast.Call) -> None:
        if not (isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and not node.keywords):
            self.add(node, "call")
        self.children(node)

    def binop(self, node: ast.BinOp) -> None:
        if is_constant(node):
            return
        self.add(node, "binop")
        if _is_format(node) and isinstance(node.right, ast.Tuple):
            self.body(node.right.elts)
        else:
            self.children(node)

    def fstring(self, node: ast.JoinedStr) -> None:
        if any(isinstance(part, ast.FormattedValue) for part in node.values):
            self.add(node, "fstring")
        self.body(node.values)

    def formatted_value(self, node: ast.FormattedValue) -> None:
        self.visit(node.value)
        if node.format_spec is not None:
            self.children(node.format_spec)

    def subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Slice):
            self.add(node, "slice")
        self.children(node)

    def compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        self.body(node.comparators[:-1])
        searched = isinstance(node.ops[-1], (ast.In, ast.NotIn))
        self.searched(node.comparators[-1]) if searched else self.visit(node.comparators[-1])

    def searched(self, node: ast.expr) -> None:
        """What is only searched or iterated over: there the compiler makes a constant of a list or set of constants."""
        if not (isinstance(node, (ast.List, ast.Set)) and all(map(is_constant, node.elts))):
            self.visit(node)

    # Statements

    def assign(self, node: ast.Assign) -> None:
        self.body(node.targets)
        self.children(node.value) if _is_unpacked(node) else self.visit(node.value)

    def annotated(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def for_(self, node: ast.For) -> None:
        self.visit(node.target)
        self.searched(node.iter)
        self.body(node.body)
        self.body(node.orelse)

    def comprehension(self, node: ast.comprehension) -> None:
        self.visit(node.target)
        self.searched(node.iter)
        self.body(node.ifs)

    def match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self.visit(node.guard)
        self.body(node.body)


def _makes_no_tuple(node: ast.AST) -> bool:
    """A constant, or the index of ``x[a:b, c]``, which is part of the subscript's syntax."""
    return isinstance(node, ast.Tuple) and (is_constant(node) or any(isinstance(item, ast.Slice) for item in node.elts))


def _is_unpacked(node: ast.Assign) -> bool:
    value, target = node.value, node.targets[0]
    if len(node.targets) > 1 or not isinstance(value, ast.Tuple) or not isinstance(target, (ast.Tuple, ast.List)):
        return False
    starred = any(isinstance(item, ast.Starred) for item in value.elts + target.elts)
    return not starred and len(value.elts) == len(target.elts) <= _UNPACKED_MAX


def source_lines(source: str | bytes) -> list[bytes]:
    """The lines of a source as ``ast`` counts them, in utf-8, without their ends."""
    data = source.encode() if isinstance(source, str) else source
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n") if data else []


def excerpt(lines: list[bytes], node: Any) -> str:
    """The source of a node on one line, cut at 60 characters; empty if there is no source."""
    if not lines:
        return ""
    first, last = node.lineno - 1, node.end_lineno - 1
    if first == last:
        data = lines[first][node.col_offset : node.end_col_offset]
    else:
        data = b" ".join([lines[first][node.col_offset :], *lines[first + 1 : last][:TEXT_MAX], lines[last][: node.end_col_offset]])
    text = " ".join(data.decode(errors="replace").split())
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
