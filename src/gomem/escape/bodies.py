"""Classes lowered: their bodies, and methods that these make otherwise than by one ``def``."""

from __future__ import annotations

import ast
from typing import Any

from gomem.escape import ir
from gomem.escape.expressions import Expressions, dotted
from gomem.escape.tree_names import record_names

TRANSPARENT = {
    "staticmethod", "classmethod", "property", "abstractmethod", "abc.abstractmethod", "overload", "typing.overload", "final",
    "typing.final", "override", "typing.override", "contextmanager", "contextlib.contextmanager", "asynccontextmanager",
    "contextlib.asynccontextmanager", "functools.wraps", "wraps", "cached_property", "functools.cached_property",
    "abc.abstractproperty", "types.coroutine", "no_type_check",
}  # fmt: skip
_PROPERTY = ("", ".setter", ".deleter")  # what the arguments of ``property`` are
Target = tuple[int, str]  # a function: (CONST, what it is known as), (GLOBAL, name)


class Bodies(Expressions):
    """Lowers classes."""

    def block(self, body: list[ast.stmt]) -> None:
        raise NotImplementedError

    def decorated(self, node: ast.stmt, name: str, decorator: int, value: int) -> int:
        if name in TRANSPARENT or name.rpartition(".")[2] in ("setter", "getter", "deleter"):
            return value
        dst = self.new()
        self.emit(ir.CALL, dst, decorator, self.object(None, "?"), ((value,), (), (), ()), node.lineno, name)
        return dst

    def _class(self, node: ast.ClassDef) -> None:
        decorators = [(dotted(item), self.expr(item)) for item in node.decorator_list]
        made_for = []  # bases and metaclass that are made for this class
        for base in node.bases:
            named = isinstance(base, ast.Attribute) or (isinstance(base, ast.Name) and self.is_module)
            made_for.append(0 if named else self.expr(base))
        for keyword in node.keywords:
            given = self.expr(keyword.value)
            if keyword.arg == "metaclass":
                made_for.append(given)
            else:
                self.emit(ir.LEAK, given, "unknown a class's keyword", node.lineno)
        qualified = self.qualified(node.name)
        bases = [dotted(base) for base in node.bases]
        for number, base in enumerate(node.bases):
            if self.note_record(f"{qualified}&", base):  # class Point(namedtuple("Point", "x y"))
                bases[number] = f"{node.name}&"
                self.note_name(bases[number], "class", f"{qualified}&")
        made = ir.Class(qualified, node.lineno, bases, decorators=[name for name, _ in decorators])
        made.keywords = [f"{keyword.arg}={dotted(keyword.value)}" for keyword in node.keywords]
        self.state.module.classes[qualified] = made
        self._class_body(node, qualified)
        value = self.allocate(node, f"class {self.state.module.name}:{qualified}")
        for given in filter(None, made_for):
            self.emit(ir.HOLD, value, given, node.lineno)
        for name, decorator in reversed(decorators):
            if name.rpartition(".")[2] not in ("dataclass", "total_ordering", "final", "unique", "runtime_checkable"):
                result = self.decorated(node, name, decorator, value)
                decorated = self.new()
                self.emit(ir.DECORATED, decorated, value, result)
                value = decorated
        if self.is_module and not self.renames:
            self.note_name(node.name, "class", qualified)
        self.write(node.name, value, node.lineno)

    def _class_body(self, node: ast.ClassDef, qualified: str) -> None:
        """Runs in place; its names are attributes of the class, which its methods do not see as names."""
        scope = self.state.scopes.of(node)
        names = scope.bound - scope.globals - scope.nonlocals
        self.renames.append((True, {name: self.fresh_name(name) for name in sorted(names)}))
        self.class_names.append(qualified)
        self.unconditional.append(set(node.body))
        self.block(node.body)
        self.unconditional.pop()
        self.class_names.pop()
        self.renames.pop()

    def note_record(self, name: str, call: ast.expr) -> bool:
        """``Point = namedtuple("Point", "x y")``: a class that holds its arguments."""
        names = record_names(call)
        if names is None:
            return False
        fields: list[tuple[str, tuple[str, ...], int]] = [(field, (), ir.OBJECT_DEFAULT) for field in names]
        self.state.module.classes[name] = ir.Class(name, call.lineno, [ir.RECORD], fields=fields)
        return True

    def define_method(self, name: str, code: ir.Code, node: ast.stmt) -> None:
        """A ``def`` in a class body. If it stands in a branch, the method of that name is this one or the one before."""
        methods = self.methods()
        before = self.code_of(methods.get(name, "")) if node not in self.unconditional[-1] else None
        if before is None:
            methods[name] = code.name
            if node not in self.unconditional[-1]:
                self.state.module.classes[self.class_names[-1]].maybe.append(name)
            return
        alternatives = (before, code)
        for function in alternatives:
            methods[f"{name}|{len(methods)}"] = function.name
        methods[name] = self.forward(name, [self.known(function) for function in alternatives], code.decorators, node).name

    def assign_method(self, name: str, value: ast.expr, node: ast.stmt) -> None:
        """``name = value`` in a class body, if that makes a method, or puts something else in the place of one."""
        methods = self.methods()
        what = dotted(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""
        if isinstance(value, ast.Lambda):
            self.define_method(name, self.state.lambdas[value], node)
        elif isinstance(value, ast.Name) and value.id in methods and value.id != name:
            for kind in _PROPERTY:
                same = self.code_of(methods.get(value.id + kind, ""))
                if same is not None:
                    self.define_method(name + kind, same, node)
        elif isinstance(value, ast.Call) and what in ("staticmethod", "classmethod") and len(value.args) == 1:
            self.define_method(name, self.forward(name, [self.target(value.args[0])], [what], node), node)
        elif isinstance(value, ast.Call) and what in ("property", "abstractproperty", "cached_property"):
            given = dict(enumerate(value.args)) | {("fget", "fset", "fdel").index(k.arg): k.value for k in value.keywords if k.arg in ("fget", "fset", "fdel")}
            targets = [(kind, self.target(given[number])) for number, kind in enumerate(_PROPERTY) if number in given and not _is_none(given[number])]
            for kind, target in targets:
                how = f"{name}{kind}" if kind else "cached_property" if what == "cached_property" else "property"
                self.define_method(name + kind, self.forward(name, [target], [how], node), node)
        else:
            methods.pop(name, None)

    def methods(self) -> dict[str, str]:
        return self.state.module.classes[self.class_names[-1]].methods

    def code_of(self, name: str) -> ir.Code | None:
        return next((code for code in reversed(self.state.module.codes) if code.name == name), None) if name else None

    def known(self, code: ir.Code) -> Target:
        return ir.CONST, f"function {self.state.module.name}:{code.name}"

    def target(self, value: ast.expr) -> Target:
        """The function that an expression in the class body means."""
        if isinstance(value, ast.Lambda):
            return self.known(self.state.lambdas[value])
        if isinstance(value, ast.Name):
            code = self.code_of(self.methods().get(value.id, ""))
            if code is not None:
                return self.known(code)
            if self.own_name(value.id) == value.id and self.is_module:
                return ir.GLOBAL, value.id
        return ir.CONST, "?"

    def forward(self, name: str, targets: list[Target], decorators: list[str], node: ast.stmt) -> ir.Code:
        """``def name(self, *args, **kwargs)`` that does what one of the functions does."""
        code = ir.Code(self.qualified(name), "function", node.lineno, self.class_names[-1], "" if self.is_module else self.code.name)
        self.state.module.codes.append(code)
        code.decorators = decorators
        bound = [] if "staticmethod" in decorators else ["self"]
        code.params = [(given, ir.ORDINARY, (), ir.NO_DEFAULT) for given in bound]
        code.params += [("args", ir.REST, (), ir.NO_DEFAULT), ("kwargs", ir.KEYWORDS, (), ir.NO_DEFAULT)]
        code.param_vars = list(range(1, len(code.params) + 1))
        *firsts, args, kwargs = code.param_vars
        code.variables = kwargs + 1
        for how, what in targets:
            function, result = code.variables, code.variables + 1
            code.variables += 2
            code.objects.append((-1, "?"))
            code.ops.append((how, function, what))
            code.ops.append((ir.CALL, result, function, len(code.objects) - 1, (tuple(firsts), (), (args,), (kwargs,)), node.lineno, name))
            code.ops.append((ir.RETURN, result, node.lineno))
        return code


def _is_none(node: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
