"""One function while it is lowered: its variables, names and objects, and how a name is read and written.

Local names are renumbered at each assignment, so that a name used again for another value is another variable; where control
flow meets, a variable of its own receives both. Names that nested functions see stay one variable for the whole function.
"""

from __future__ import annotations

import ast
from itertools import chain
from typing import Any

from gomem.escape import ir
from gomem.escape.filled import tell_results
from gomem.escape.scopes import Scope, Scopes

Environment = dict[str, int]


class FileState:
    """What the functions of one file share while it is lowered."""

    def __init__(self, module: ir.Module, site_numbers: dict[ast.AST, int]) -> None:
        self.module = module
        self.site_numbers = site_numbers
        self.scopes = Scopes()
        self.code_names: set[str] = set()  # qualified names already given
        self.lambdas: dict[ast.AST, ir.Code] = {}


class Frame:
    """State and naming of the function being lowered; statements and expressions are built upon it."""

    def __init__(self, state: FileState, code: ir.Code, scope: Scope, parent: Frame | None) -> None:
        self.state = state
        self.code = code
        self.scope = scope
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.fresh = 0  # names given
        self.is_module = code.kind == "module"
        self.env: Environment | None = {}  # None where control flow cannot come
        self.cells: dict[str, int] = {}
        self.frees: dict[str, int] = {}
        self.free_written: set[str] = set()
        self.globals: dict[str, int] = {}
        self.constants: dict[tuple[str, bool], int] = {}
        self.filled: set[int] = set()  # variables of texts that are not empty, and numbers that are not 0
        self.renames: list[tuple[bool, dict[str, str]]] = []  # (is a class body, name -> name of its own)
        self.handled: list[int] = []  # the exceptions of the ``except`` blocks around, 0 for one of no interest
        self.missed: list[int] = []  # keys that the exceptions being handled may hold
        self.sought: list[list[int]] = []  # of the ``try`` blocks around, the keys that are looked up there
        self.loops: list[tuple[list[Environment], list[Environment]]] = []  # (at break, at continue)
        self.watched: list[dict[str, int]] = []  # inside try: name -> variable that receives every value of it
        self.watch_envs: list[Environment] = []  # the environment before each of them
        self.class_names: list[str] = []
        self.unconditional: list[set[ast.stmt]] = []  # statements of the class bodies around
        self.without: dict[ast.AST, int] = {}  # ``if x is None`` with a parameter's number, as long as that may end the function
        self.body: list[ast.stmt] = []  # of a function with a name
        self.long_joins: set[ast.AST] | None = None
        self.ends: list[tuple[int, int]] = []  # (number of a parameter, operations that there are if it is not given)
        state.module.codes.append(code)
        self.number = len(state.module.codes) - 1

    # variables and operations

    def new(self) -> int:
        self.code.variables += 1
        return self.code.variables - 1

    def emit(self, *op: Any) -> None:
        self.code.ops.append(op)

    def copy_to(self, dst: int, src: int) -> None:
        if src and src != dst:
            self.emit(ir.COPY, dst, src)

    def merged(self, sources: list[int]) -> int:
        """A variable that holds what any of the sources holds."""
        different = {src for src in sources if src}
        if len(different) <= 1:
            return different.pop() if different else 0
        dst = self.new()
        for src in sorted(different):
            self.emit(ir.COPY, dst, src)
        return dst

    def constant(self, kind: str, filled: bool = False) -> int:
        """The variable of objects of an immutable type that exist anyway, or of those among them that are true; kind "?"
        is an object nothing is known of."""
        found = self.constants.get((kind, filled))
        if found is None:
            found = self.constants[kind, filled] = self.new()
            self.emit(ir.CONST, found, kind)
            if filled:
                self.filled.add(found)
        return found

    def object(self, node: Any, kind: str) -> int:
        """Index of a new object of that type, allocated by ``node`` if that is a site."""
        self.code.objects.append((self.state.site_numbers.get(node, -1), kind))
        return len(self.code.objects) - 1

    def allocate(self, node: ast.AST | None, kind: str) -> int:
        dst = self.new()
        self.emit(ir.ALLOC, dst, self.object(node, kind))
        return dst

    def passing(self, node: ast.AST, kind: str) -> None:
        """What a site makes that is used up at once, if it is a site."""
        if node in self.state.site_numbers:
            self.allocate(node, kind)

    # names

    def fresh_name(self, name: str) -> str:
        """Another name than any that is seen here: a nested function's are of another depth."""
        self.fresh += 1
        return f"{name}@{self.depth}_{self.fresh}"

    def own_name(self, name: str) -> str:
        """The name under which this function keeps it: comprehensions and class bodies have their own."""
        for _, names in reversed(self.renames):
            if name in names:
                return names[name]
        return name

    def visible_name(self, name: str) -> str:
        """The same for a function nested here: it does not see names of class bodies."""
        for in_class, names in reversed(self.renames):
            if not in_class and name in names:
                return names[name]
        return name

    def binds(self, key: str) -> bool:
        return "@" in key or (key in self.scope.bound and not self.is_module)

    def read(self, name: str) -> int:
        key = self.own_name(name)
        if key != name or self.binds(key):
            return self.read_own(key, name)
        if name not in self.scope.globals:
            free = self.outer_key(name)
            if free:
                return self.read_free(free)
        return self.read_global(name)

    def read_own(self, key: str, name: str) -> int:
        if name in self.scope.captured:
            return self.cell(key)
        found = (self.env or {}).get(key, 0)
        if not found and "@" in key and self.in_class(key):
            return self.read_global(name)
        return found

    def in_class(self, key: str) -> bool:
        return any(in_class and key in names.values() for in_class, names in self.renames)

    def cell(self, key: str) -> int:
        if key not in self.cells:
            self.cells[key] = self.new()
        return self.cells[key]

    def outer_key(self, name: str) -> str:
        """The name in the nearest enclosing function that binds it, or ""."""
        outer = self.parent
        while outer is not None and not outer.is_module:
            key = outer.visible_name(name)
            if outer.binds(key):
                return key
            if name in outer.scope.globals:
                return ""
            outer = outer.parent
        if outer is not None:  # a comprehension of the module
            key = outer.visible_name(name)
            return key if key != name else ""
        return ""

    def read_free(self, key: str) -> int:
        if key not in self.frees:
            self.frees[key] = self.new()
            self.emit(ir.FREE, self.frees[key], key)
        return self.frees[key]

    def read_global(self, name: str) -> int:
        if name not in self.globals:
            self.globals[name] = self.new()
            self.emit(ir.GLOBAL, self.globals[name], name)
        return self.globals[name]

    def write(self, name: str, src: int, line: int) -> None:
        key = self.own_name(name)
        if key == name and name in self.scope.nonlocals:
            free = self.outer_key(name)
            if free:
                self.read_free(free)
                self.free_written.add(free)
                self.emit(ir.STORE_FREE, free, src, line)
                return
        if key == name and not self.binds(key):
            self.emit(ir.STORE_GLOBAL, name, src, line)
            return
        if name in self.scope.captured:
            self.copy_to(self.cell(key), src)
        if self.env is not None:
            self.env[key] = self.version(key, src)
        if self.in_class(key) and self.class_names:
            self.emit(ir.STORE_CLASS, self.class_names[-1], name, src, line)

    def version(self, key: str, src: int) -> int:
        for watch in self.watched:
            if key in watch:
                self.copy_to(watch[key], src)
        if src:
            self.code.local_vars.append(src)
        return src

    def qualified(self, name: str) -> str:
        if self.class_names:
            base = f"{self.class_names[-1]}.{name}"
        else:
            base = name if self.is_module else f"{self.code.name}.<locals>.{name}"
        taken = self.state.code_names
        unique, count = base, 1
        while unique in taken:
            count += 1
            unique = f"{base}#{count}"
        taken.add(unique)
        return unique

    def note_name(self, name: str, how: str, what: str) -> None:
        known = self.state.module.names.setdefault(name, [])
        if (how, what) not in known:
            known.append((how, what))

    def tell_results(self) -> None:
        """Notes with the additions of texts what can be their result, now that all of the function is known."""
        tell_results(self.code.ops, self.filled, [*self.code.param_vars, *self.cells.values()])

    # control flow

    def join(self, *envs: Environment | None) -> Environment | None:
        """One environment after paths that meet."""
        live = [env for env in envs if env is not None]
        if len(live) <= 1:
            return live[0] if live else None
        first = live[0]
        joined = dict(first)
        for key in dict.fromkeys(chain.from_iterable(live)):  # in an order that is the same in every run
            values = [env.get(key, 0) for env in live]
            if any(value != values[0] for value in values):
                joined[key] = self.merged(values)
        return joined
