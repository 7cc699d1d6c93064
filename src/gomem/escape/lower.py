"""Statements, functions, classes and whole files lowered to the operations of ir.py."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from gomem.escape import ir
from gomem.escape.bodies import TRANSPARENT, Bodies
from gomem.escape.expressions import _BINARY, dotted
from gomem.escape.frame import FileState
from gomem.escape.sites import find_sites
from gomem.escape.tree_names import assigned_names, ends_without, exception_names, type_names

_MISSING = {"KeyError", "LookupError", "Exception", "BaseException"}  # what the exception of a lookup that fails is caught by


def lower(source: bytes, path: str, name: str, package: bool = False) -> ir.Module:
    """A file's operations and names. ``name`` is the module's dotted name. Raises SyntaxError, ValueError, RecursionError."""
    tree = ast.parse(source, path)
    sites = find_sites(tree, path, source)
    module = ir.Module(name, path, package, lines=source.count(b"\n") + 1)
    for site in sites.values():
        module.sites.append((site.line, site.column, site.end_line, site.end_column, site.kind, site.function, site.text))
    state = FileState(module, {node: number for number, node in enumerate(sites)})
    frame = Function(state, ir.Code("<module>", "module", 1), state.scopes.of(tree), None)
    frame.block(tree.body)
    frame.tell_results()
    module.finish()
    return module


class Function(Bodies):
    """Lowers statements, and what is defined in a function."""

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            _STATEMENTS[type(node)](self, node)

    # simple statements

    def _nothing(self, node: ast.stmt) -> None:
        pass

    def _expression(self, node: ast.Expr) -> None:
        self.expr(node.value)

    def _assign(self, node: ast.Assign) -> None:
        value: Any = node.value
        target: Any = node.targets[0]
        if len(node.targets) == 1 and _pairwise(target, value):
            values = [self.expr(item) for item in value.elts]
            self.passing(value, "tuple")
            for item, held in zip(target.elts, values, strict=True):
                self.assign(item, held)
            return
        held = self.expr(value)
        if self.is_module and not self.renames and isinstance(target, ast.Name) and self.note_record(target.id, value):
            self.note_name(target.id, "class", target.id)
            self.emit(ir.LEAK, held, f"module {target.id}", node.lineno)
            held = self.allocate(None, f"class {self.state.module.name}:{target.id}")
        for target in node.targets:
            self.assign(target, held)
            if self.class_names and isinstance(target, ast.Name):
                self.assign_method(target.id, value, node)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self.class_names and isinstance(node.target, ast.Name):
            default = ir.NO_DEFAULT if node.value is None else ir.CONSTANT_DEFAULT if isinstance(node.value, ast.Constant) else 2
            kind = type_names(node.annotation)
            self.state.module.classes[self.class_names[-1]].fields.append((node.target.id, kind, default))
        if isinstance(node.target, ast.Attribute) and self.code.owner and self._is_own(node.target.value):
            made = self.state.module.classes[self.code.owner]
            made.declared.setdefault(node.target.attr, type_names(node.annotation))
        if node.value is not None:
            self.assign(node.target, self.expr(node.value))
            if self.class_names and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call):
                self.assign_method(node.target.id, node.value, node)

    def _is_own(self, node: ast.expr) -> bool:
        """Whether it is the object whose method this is."""
        params = self.code.params
        return isinstance(node, ast.Name) and bool(params) and node.id == params[0][0] and not self.class_names

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self.write(target.id, self.in_place(node, self.read(target.id)), node.lineno)
            return
        base = self.expr(target.value)
        old = self.new()
        if isinstance(target, ast.Attribute):
            self.emit(ir.LOAD_ATTR, old, base, target.attr, node.lineno)
            self.emit(ir.STORE_ATTR, base, target.attr, self.in_place(node, old), node.lineno)
        else:
            key = self.expr(target.slice)
            self.emit(ir.LOAD_ITEM, old, base, key, node.lineno)
            dst = self.in_place(node, old)
            if key:  # a Counter keeps it
                self.emit(ir.STORE_ITEM, base, key, node.lineno)
            self.emit(ir.STORE_ITEM, base, dst, node.lineno)

    def in_place(self, node: ast.AugAssign, old: int) -> int:
        operand = self.expr(node.value)
        name = f"__{_BINARY[type(node.op)]}__"
        dst = self.new()
        self.emit(ir.OPERATE_IN_PLACE, dst, old, operand, self.object(None, "?"), name, node.lineno)
        return dst

    def _return(self, node: ast.Return) -> None:
        value = self.expr(node.value)
        if value:
            self.emit(ir.RETURN, value, node.lineno)
        self.env = None

    def _raise(self, node: ast.Raise) -> None:
        packs = [item.value for item in node.exc.args if isinstance(item, ast.Starred)] if isinstance(node.exc, ast.Call) else []
        kept = [self.read(pack.id) for pack in packs if isinstance(pack, ast.Name)]  # by an exception, as they are
        for value in (*self.handled, *kept, self.expr(node.exc), self.expr(node.cause)):  # what is being handled goes on, or is the context
            if value:
                self.emit(ir.RAISE, value, node.lineno)
        self.env = None

    def _assert(self, node: ast.Assert) -> None:
        self.expr(node.test)
        if node.msg is not None:
            value = self.expr(node.msg)
            if value:
                self.emit(ir.RAISE, value, node.lineno)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                base = self.expr(target.value)
                for name in (f"{target.attr}.deleter", "__delattr__"):
                    self.emit(ir.HOOK, 0, base, name, (), node.lineno)
            elif isinstance(target, ast.Subscript):
                base = self.expr(target.value)
                key = 0 if isinstance(target.slice, ast.Slice) else self.expr(target.slice)
                self.emit(ir.HOOK, 0, base, "__delitem__", (key,), node.lineno)
                self.seek(key)

    # imports

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.state.module.imports.append(alias.name)
            bound = alias.asname or alias.name.partition(".")[0]
            self._bind_import(bound, alias.name if alias.asname else bound, "", node.lineno)

    def _import_from(self, node: ast.ImportFrom) -> None:
        source = self._absolute(node)
        self.state.module.imports.append(source)
        for alias in node.names:
            if alias.name == "*":
                self.state.module.stars.append(source)
            else:
                self._bind_import(alias.asname or alias.name, source, alias.name, node.lineno)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.state.module.name.split(".")
        keep = len(parts) - node.level + (1 if self.state.module.package else 0)
        return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])

    def _bind_import(self, bound: str, source: str, name: str, line: int) -> None:
        if self.is_module and not self.renames:
            self.note_name(bound, "from" if name else "import", f"{source}:{name}" if name else source)
            return
        dst = self.new()
        self.emit(ir.CONST, dst, f"import {source}:{name}" if name else f"import {source}")
        self.write(bound, dst, line)

    # branches

    def _if(self, node: ast.If) -> None:
        if dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING":  # never so in a run: of interest is what annotations name
            self.block([statement for statement in node.body if isinstance(statement, (ast.Import, ast.ImportFrom, ast.ClassDef))])
            return self.block(node.orelse)
        self.expr(node.test)
        before = self._snapshot()
        self.block(node.body)
        if self.env is None and node in self.without:
            self.ends.append((self.without[node], len(self.code.ops)))
        after, self.env = self.env, before
        self.block(node.orelse)
        self.env = self.join(after, self.env)
        return None

    def _snapshot(self) -> dict[str, int] | None:
        return None if self.env is None else dict(self.env)

    def _match(self, node: ast.Match) -> None:
        subject = self.expr(node.subject)
        ends = []
        for case in node.cases:
            before = self._snapshot()
            self.pattern(case.pattern, subject)
            self.expr(case.guard)
            self.block(case.body)
            ends.append(self.env)
            self.env = before
        self.env = self.join(*ends, self.env)

    def pattern(self, node: ast.pattern, subject: int) -> None:
        """Binds the names of a pattern to the subject, or to what it holds."""
        if isinstance(node, ast.MatchAs):
            if node.pattern is not None:
                self.pattern(node.pattern, subject)
            if node.name:
                self.write(node.name, subject, node.lineno)
        elif isinstance(node, ast.MatchStar):
            if node.name:
                rest = self.allocate(None, "list")
                self.emit(ir.STORE_ITEM, rest, subject, node.lineno)
                self.write(node.name, rest, node.lineno)
        elif isinstance(node, ast.MatchOr):
            for inner in node.patterns:
                self.pattern(inner, subject)
        elif isinstance(node, ast.MatchClass):
            cls = self.expr(node.cls)
            self.emit(ir.HOOK, 0, cls, "__instancecheck__", (subject,), node.lineno)
            if node.patterns:
                held = self.new()
                self.emit(ir.LOAD_ATTR, held, subject, "?", node.lineno)
                self.emit(ir.HOOK, held, cls, "__match_args__", (subject,), node.lineno)
                for inner in node.patterns:
                    self.pattern(inner, held)
            for name, inner in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
                held = self.new()
                self.emit(ir.LOAD_ATTR, held, subject, name, node.lineno)
                self.pattern(inner, held)
        elif isinstance(node, (ast.MatchSequence, ast.MatchMapping)):
            for inner in node.patterns:
                held = self.new()
                self.emit(ir.LOAD_ITEM, held, subject, 0, node.lineno)
                self.pattern(inner, held)
            if isinstance(node, ast.MatchMapping) and node.rest:
                rest = self.allocate(None, "dict")
                self.emit(ir.STORE_ITEM, rest, self._iterated(subject, node.lineno), node.lineno)
                self.write(node.rest, rest, node.lineno)

    # loops

    def _while(self, node: ast.While) -> None:
        self._loop(node, [*node.body, node.test], lambda: self.expr(node.test))

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.expr(node.iter)

        def begin() -> None:
            self.assign(node.target, self._iterated(source, node.lineno))

        self._loop(node, [*node.body, node.target], begin)

    def _loop(self, node: ast.While | ast.For | ast.AsyncFor, repeated: list[ast.AST], begin: Callable[[], object]) -> None:
        self.code.once = False
        heads = self._heads(repeated)
        breaks: list[dict[str, int]] = []
        continues: list[dict[str, int]] = []
        begin()
        at_head = self._snapshot()
        self.loops.append((breaks, continues))
        self.block(node.body)
        self.loops.pop()
        for env in [*([self.env] if self.env is not None else []), *continues]:
            for key, head in heads.items():
                self.copy_to(head, env.get(key, 0))
        self.env = None if at_head is None else {**at_head, **heads}
        self.block(node.orelse)
        self.env = self.join(self.env, *breaks)

    def _heads(self, repeated: list[ast.AST]) -> dict[str, int]:
        """A variable for each name that the loop assigns: what it holds at the loop's head."""
        heads: dict[str, int] = {}
        if self.env is None:
            return heads
        for name in sorted(assigned_names(repeated)):
            key = self.own_name(name)
            if self.binds(key) and name not in self.scope.captured:
                heads[key] = self.new()
                self.copy_to(heads[key], self.env.get(key, 0))
                self.env[key] = heads[key]
                self.code.local_vars.append(heads[key])
        return heads

    def _break(self, node: ast.Break) -> None:
        if self.env is not None and self.loops:
            self.loops[-1][0].append(self.env)
        self.env = None

    def _continue(self, node: ast.Continue) -> None:
        if self.env is not None and self.loops:
            self.loops[-1][1].append(self.env)
        self.env = None

    # try and with

    def _try(self, node: ast.Try) -> None:
        whole = self._watch([*node.body, *node.handlers, *node.orelse]) if node.finalbody else {}
        watch = self._watch(node.body)
        self.sought.append([])
        self.block(node.body)
        keys = self.sought.pop()
        if self.sought:
            self.sought[-1].extend(keys)
        at_raise = self._unwatch(watch)
        self.block(node.orelse)
        ends = [self.env]
        for handler in node.handlers:
            self.env = dict(at_raise)
            self._handler(handler, keys)
            ends.append(self.env)
        self.env = self.join(*ends)
        if node.finalbody:
            after = self.env
            self.env = self._unwatch(whole)
            self.block(node.finalbody)
            self.env = None if after is None else self.env

    def _watch(self, body: Iterable[ast.AST]) -> dict[str, int]:
        """Variables that from now on receive every value of the names which the body assigns."""
        watch: dict[str, int] = {}
        for name in sorted(assigned_names(body)):
            key = self.own_name(name)
            if self.binds(key) and name not in self.scope.captured:
                watch[key] = self.new()
                self.copy_to(watch[key], (self.env or {}).get(key, 0))
        self.watched.append(watch)
        self.watch_envs.append(dict(self.env or {}))
        return watch

    def _unwatch(self, watch: dict[str, int]) -> dict[str, int]:
        """The environment of a place that any statement of the watched body may jump to."""
        self.watched.remove(watch)
        return {**self.watch_envs.pop(), **watch}

    def _handler(self, node: ast.ExceptHandler, keys: list[int]) -> None:
        """``keys`` were looked up before the exception was raised."""
        self.expr(node.type)
        caught, names = 0, exception_names(node.type)
        context = self.missed
        keys = [*context, *(keys if not names or _MISSING.intersection(names) else ())]
        if node.name or keys:
            caught = self.new()
            self.emit(ir.CAUGHT, caught, self.object(None, names[0] if names else "?"), names, tuple(keys), node.lineno)
        if node.name:
            self.write(node.name, caught, node.lineno)
        self.handled.append(caught)
        self.missed = keys
        self.block(node.body)
        self.missed = context
        self.handled.pop()

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        watch = self._watch([*node.body, *(item.optional_vars for item in node.items if item.optional_vars)])
        a = "a" if isinstance(node, ast.AsyncWith) else ""
        managers = []
        for item in node.items:
            manager = self.expr(item.context_expr)
            managers.append(manager)
            entered = self.new()
            self.emit(ir.CALL_METHOD, entered, manager, f"__{a}enter__", self.object(None, "?"), ((), (), (), ()), node.lineno)
            if isinstance(node, ast.AsyncWith):
                awaited = self.new()
                self.emit(ir.AWAIT, awaited, entered, self.object(None, "?"), node.lineno)
                entered = awaited
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered)
        self.block(node.body)
        for manager in reversed(managers):
            self.emit(ir.EXIT, manager, f"__{a}exit__", node.lineno)
        suppressed = self._unwatch(watch)
        self.env = self.join(self.env, suppressed) if any(map(_may_suppress, node.items)) else self.env

    # definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [(dotted(item), self.expr(item)) for item in node.decorator_list]
        names = [name for name, _ in decorators]
        nested = not self.is_module
        if nested and not self.class_names:
            value = self.closure(node, node.name)
        else:
            value = self._global_function(node, names)
        for item, (name, _) in zip(node.decorator_list, decorators, strict=True):
            if name.rpartition(".")[2] == "wraps" and isinstance(item, ast.Call) and item.args:  # __wrapped__
                self.emit(ir.HOLD, value, self.expr(item.args[0]), node.lineno)
            elif isinstance(item, ast.Attribute) and item.attr in ("setter", "getter", "deleter"):  # the other functions of the property
                self.emit(ir.HOLD, value, self.expr(item.value), node.lineno)
        for name, decorator in reversed(decorators):
            value = self.decorated(node, name, decorator, value)
        self.write(node.name, value, node.lineno)

    def _global_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, decorators: list[str]) -> int:
        """A function of the module or a method: known by its name everywhere."""
        for name, default in self.defaults(node.args):
            self.emit(ir.LEAK, default, f"default:{name}", node.lineno)
        code, frame = self.lower_function(node, node.name)
        code.decorators = decorators
        self.lower_short(code, frame)
        for key in code.frees:  # a method of a class inside a function
            self.code.once = False  # what the variable holds later leaks, too
            cell = self.cell(key) if self.binds(key) else self.read_free(key)
            self.emit(ir.LEAK, cell, "closure", node.lineno)
        dst = self.allocate(node, f"function {self.state.module.name}:{code.name}")
        if self.class_names:
            how = next((name.rpartition(".")[2] for name in decorators if name.endswith((".setter", ".deleter"))), "")
            self.define_method(f"{node.name}.{how}" if how else node.name, code, node)
        elif not self.renames:
            opaque = any(name not in TRANSPARENT for name in decorators)
            self.note_name(node.name, "decorated" if opaque else "function", code.name)
        return dst

    def lower_function(self, node: Any, name: str) -> tuple[ir.Code, Function]:
        scope = self.state.scopes.of(node)
        qualified = self.qualified(name)
        kind = "function"
        if isinstance(node, ast.AsyncFunctionDef):
            kind = "asyncgen" if scope.yields else "coroutine"
        elif scope.yields:
            kind = "generator"
        code = ir.Code(qualified, kind, node.lineno)
        code.owner = self.class_names[-1] if self.class_names else self.code.owner
        code.parent = "" if self.is_module else self.code.name
        frame = Function(self.state, code, scope, self)
        frame.class_names = []
        frame.enter(node)
        if isinstance(node, ast.Lambda):
            self.state.lambdas[node] = code
            value = frame.expr(node.body)
            if value:
                frame.emit(ir.RETURN, value, node.lineno)
        else:
            code.returns = type_names(node.returns)
            frame.body = node.body
            frame.without = {} if code.parent else ends_without(node)
            frame.block(node.body)
        code.frees = sorted(frame.frees)
        frame.tell_results()
        return code, frame

    def lower_short(self, code: ir.Code, frame: Function) -> None:
        """What is left of the function if a parameter is not given: all up to the ``return`` of ``if x is None: return y``."""
        for number, end in frame.ends[:1]:
            short = dataclasses.replace(code, name=f"{code.name}?{number}", ops=code.ops[:end], objects=[(-1, kind) for _, kind in code.objects])
            self.state.module.codes.append(short)

    def enter(self, node: Any) -> None:
        """Parameters become variables; those of *args and **kwargs are new objects that hold what was given."""
        args = node.args
        positional = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
        for number, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
            self._parameter(arg, ir.POSITIONAL_ONLY if number < len(args.posonlyargs) else ir.ORDINARY, default)
        if args.vararg:
            self._parameter(args.vararg, ir.REST, None)
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            self._parameter(arg, ir.KEYWORD_ONLY, default)
        if args.kwarg:
            self._parameter(args.kwarg, ir.KEYWORDS, None)

    def _parameter(self, arg: ast.arg, how: int, default: ast.expr | None) -> None:
        kind = ir.NO_DEFAULT if default is None else ir.CONSTANT_DEFAULT if isinstance(default, ast.Constant) else ir.OBJECT_DEFAULT
        packed = how in (ir.REST, ir.KEYWORDS)
        self.code.params.append((arg.arg, how, () if packed else type_names(arg.annotation), kind))
        given = self.new()
        self.code.param_vars.append(given)
        if packed:
            held = self.new()
            self.emit(ir.LOAD_ITEM, held, given, 0, arg.lineno)
            given = self.allocate(arg, "tuple" if how == ir.REST else "dict")
            self.emit(ir.STORE_ITEM, given, held, arg.lineno)
        self.write(arg.arg, given, arg.lineno)

    def _type_alias(self, node: Any) -> None:
        self.write(node.name.id, self.constant("?"), node.lineno)


def _pairwise(target: Any, value: Any) -> bool:
    """Whether ``a, b = x, y`` moves each value without a tuple."""
    displays = isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, ast.Tuple)
    return displays and len(target.elts) == len(value.elts) and not any(isinstance(i, ast.Starred) for i in target.elts + value.elts)


def _may_suppress(item: ast.withitem) -> bool:
    """Whether leaving the block by an exception may go on behind it: not for the usual files and locks."""
    called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
    return dotted(called).rpartition(".")[2] not in ("open", "lock", "_lock", "closing", "nullcontext")


_STATEMENTS: dict[type[ast.stmt], Any] = {
    ast.Expr: Function._expression,
    ast.Assign: Function._assign,
    ast.AnnAssign: Function._annotated,
    ast.AugAssign: Function._augmented,
    ast.Return: Function._return,
    ast.Raise: Function._raise,
    ast.Assert: Function._assert,
    ast.Delete: Function._delete,
    ast.Pass: Function._nothing,
    ast.Global: Function._nothing,
    ast.Nonlocal: Function._nothing,
    ast.Import: Function._import,
    ast.ImportFrom: Function._import_from,
    ast.If: Function._if,
    ast.Match: Function._match,
    ast.While: Function._while,
    ast.For: Function._for,
    ast.AsyncFor: Function._for,
    ast.Break: Function._break,
    ast.Continue: Function._continue,
    ast.Try: Function._try,
    ast.TryStar: Function._try,
    ast.With: Function._with,
    ast.AsyncWith: Function._with,
    ast.FunctionDef: Function._function,
    ast.AsyncFunctionDef: Function._function,
    ast.ClassDef: Function._class,
}
if hasattr(ast, "TypeAlias"):
    _STATEMENTS[ast.TypeAlias] = Function._type_alias
