"""Expressions lowered to operations: each method returns the variable that holds the value (0: nothing that counts)."""

from __future__ import annotations

import ast
import re
import string
from itertools import cycle
from typing import Any

from gomem.escape import ir
from gomem.escape.frame import Frame
from gomem.escape.lengths import joined_text, long_joins, shown
from gomem.escape.scopes import target_names
from gomem.escape.sites import is_constant

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.MatMult: "matmul", ast.Div: "truediv", ast.FloorDiv: "floordiv",
    ast.Mod: "mod", ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or", ast.BitXor: "xor",
    ast.BitAnd: "and", ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert",
}  # fmt: skip
_COMPARED = {  # which methods of the left operand and of the right one a comparison may call
    ast.Eq: ("eq", "eq"), ast.NotEq: ("ne", "ne", "eq", "eq"), ast.Lt: ("lt", "gt"), ast.Gt: ("gt", "lt"), ast.LtE: ("le", "ge"),
    ast.GtE: ("ge", "le"),
}  # fmt: skip
_EXCEPTIONS = ("exc_info", "exception")
FRAME_READERS = {"locals", "eval", "exec", "vars", "_getframe", "currentframe"}
INDEXED = 8  # tuples up to this long are followed item by item


class Expressions(Frame):
    """Lowers expressions."""

    def expr(self, node: ast.expr | None) -> int:
        if node is None:
            return 0
        return _EXPRESSIONS.get(type(node), Expressions._other)(self, node)

    def _other(self, node: Any) -> int:
        """A node of a Python newer than this: its value and what it holds are unknown, and so is where they go."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.emit(ir.LEAK, self.expr(child), "unknown", node.lineno)
        return self.constant("?")

    def _constant(self, node: ast.Constant) -> int:
        return self.constant(type(node.value).__name__, bool(node.value))

    def _name(self, node: ast.Name) -> int:
        return self.read(node.id)

    def _attribute(self, node: ast.Attribute) -> int:
        base = self.expr(node.value)
        dst = self.new()
        self.emit(ir.LOAD_ATTR, dst, base, node.attr, node.lineno)
        return dst

    def _subscript(self, node: ast.Subscript) -> int:
        base = self.expr(node.value)
        index = node.slice
        dst = self.new()
        if isinstance(index, ast.Slice):
            for part in (index.lower, index.upper, index.step):
                self.expr(part)
            self.emit(ir.SLICE, dst, base, self.object(node, "?"), _is_part(index), node.lineno)
        elif isinstance(index, ast.Constant) and isinstance(index.value, int) and 0 <= index.value < INDEXED:
            self.emit(ir.UNPACK, dst, base, str(int(index.value)) if index.value else ir.ALONE, node.lineno)
        else:
            key = self.expr(index)
            if isinstance(index, ast.Tuple) and any(isinstance(item, ast.List) for item in index.elts) and _last(node.value) == "Callable":
                self._keep_callable(index, key)
                key = 0  # a key with a list in it is kept nowhere, what is in it is
            self.emit(ir.LOAD_ITEM, dst, base, key, node.lineno)
            self.seek(key)
            if key and _is_type_like(_last(node.value)):
                self.emit(ir.LEAK, key, "library typing", node.lineno)
        return dst

    def seek(self, key: int) -> None:
        """Looks a key up: if it is not there, the ``KeyError`` keeps it."""
        if self.sought and key:
            self.sought[-1].append(key)

    def _keep_callable(self, index: ast.Tuple, key: int) -> None:
        """The types in ``Callable[[A], B]``."""
        for number, item in enumerate(index.elts):
            kept = self.new()
            self.emit(ir.UNPACK, kept, key, str(number), item.lineno)
            if isinstance(item, ast.List):
                kept = self._iterated(kept, item.lineno)
            self.emit(ir.LEAK, kept, "library typing", item.lineno)

    def _starred(self, node: ast.Starred) -> int:
        return self.expr(node.value)

    # displays

    def _tuple(self, node: ast.Tuple) -> int:
        if is_constant(node):
            return self.constant("tuple")
        values = [(item, self.expr(item)) for item in node.elts]
        dst = self.allocate(node, "tuple")
        indexed = len(values) <= INDEXED and not any(isinstance(item, ast.Starred) for item, _ in values)
        for index, (item, value) in enumerate(values):
            if indexed and value:
                self.emit(ir.STORE_ATTR, dst, str(index), value, item.lineno)
            else:
                self._put(dst, item, value)
        return dst

    def _list(self, node: ast.List | ast.Set) -> int:
        kind = "list" if isinstance(node, ast.List) else "set"
        values = [(item, self.expr(item)) for item in node.elts]
        dst = self.allocate(node, kind)
        for item, value in values:
            self._put(dst, item, value)
        return dst

    def _put(self, container: int, item: ast.expr, value: int) -> None:
        if isinstance(item, ast.Starred):
            value = self._iterated(value, item.lineno)
        if value:
            self.emit(ir.STORE_ITEM, container, value, item.lineno)

    def _iterated(self, value: int, line: int) -> int:
        dst = self.new()
        self.emit(ir.ITERATE, dst, value, line)
        return dst

    def _dict(self, node: ast.Dict) -> int:
        values = [(self.expr(key), self.expr(value), value, key) for key, value in zip(node.keys, node.values, strict=True)]
        dst = self.allocate(node, "dict")
        for key, value, item, key_node in values:
            if key_node is None:
                value = self._iterated(value, item.lineno)
            for held in (key, value):
                if held:
                    self.emit(ir.STORE_ITEM, dst, held, item.lineno)
        return dst

    def _joined(self, node: ast.JoinedStr) -> int:
        values = [self._formatted(part) for part in node.values if isinstance(part, ast.FormattedValue)]
        if not values:
            return self.constant("str")
        made = self.allocate(node, "str")
        if len(values) < len(node.values):
            self.filled.add(made)
        elif len(node.values) == 1 and values[0]:  # f"{x}" is x if that is a str
            return self.merged([made, values[0]])
        return made

    def _formatted(self, node: ast.FormattedValue) -> int:
        value = self.expr(node.value)
        if node.format_spec is not None:
            for part in ast.iter_child_nodes(node.format_spec):
                if isinstance(part, ast.FormattedValue):
                    self._formatted(part)
        return value

    # comprehensions

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> int:
        kind = _COMPREHENSIONS[type(node)]
        first = self.expr(node.generators[0].iter)
        dst = self.allocate(node, kind)
        names = set().union(*(target_names(generator.target) for generator in node.generators))
        self.renames.append((False, {name: self.fresh_name(name) for name in sorted(names)}))
        lazy = isinstance(node, ast.GeneratorExp)
        before = dict(self.env or {})
        self.code.once = False
        for index, generator in enumerate(node.generators):
            source = first if index == 0 else self.expr(generator.iter)
            if lazy and source:
                self.emit(ir.HOLD, dst, source, node.lineno)
            self.assign(generator.target, self._iterated(source, generator.iter.lineno))
            for condition in generator.ifs:
                self.expr(condition)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in parts:
            value = self.expr(part)
            if value:
                self.emit(ir.STORE_ITEM, dst, value, part.lineno)
        self.renames.pop()
        if lazy:
            self._hold_names(dst, node, names, before)
        return dst

    def _hold_names(self, generator: int, node: ast.expr, targets: set[str], before: dict[str, int]) -> None:
        """A generator expression keeps the variables that it reads, as a closure does."""
        used = {inner.id for inner in ast.walk(node) if type(inner) is ast.Name} - targets
        for name in sorted(used):
            key = self.own_name(name)
            held = self.cells.get(key) or before.get(key) or self.frees.get(key)
            if held:
                self.emit(ir.HOLD, generator, held, node.lineno)

    # functions

    def _lambda(self, node: ast.Lambda) -> int:
        return self.closure(node, "<lambda>")

    def closure(self, node: Any, name: str) -> int:
        """The function object that a nested ``def`` or ``lambda`` makes."""
        defaults = self.defaults(node.args)
        code, frame = self.lower_function(node, name)  # type: ignore[attr-defined]  # of lower.Function
        dst = self.new()
        obj = self.object(node, "function")
        cells = []
        for key in code.frees:
            own = "@" in key and any(key in names.values() for _, names in self.renames)
            name = key.partition("@")[0]
            if own or (self.binds(key) and ("@" not in key or key in self.cells)):
                self.code.once = False
                cells.append((key, self.cell(key), key in frame.free_written))
            else:
                cells.append((key, self.read_free(key), False))
        line = node.lineno
        self.emit(ir.CLOSURE, dst, obj, code.name, tuple(cells), tuple(defaults), line)
        for key in sorted(frame.free_written):
            if not self.binds(key):
                back = self.new()
                self.emit(ir.LOAD_ATTR, back, dst, key, line)
                self.emit(ir.STORE_FREE, key, back, line)
                self.free_written.add(key)
        return dst

    def defaults(self, args: ast.arguments) -> list[tuple[str, int]]:
        """(parameter, variable) of the defaults that are objects."""
        positional = [*args.posonlyargs, *args.args]
        pairs = list(zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True))
        pairs += [(arg, value) for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is not None]
        return [(arg.arg, self.expr(value)) for arg, value in pairs if not isinstance(value, ast.Constant)]

    # operators

    def _binary(self, node: ast.BinOp) -> int:
        if is_constant(node):
            return self.constant("int")
        left, right = self.expr(node.left), self._operand(node)
        dst = self.new()
        name = f"__{_BINARY[type(node.op)]}__"
        if isinstance(node.op, ast.Mod) and _is_text_beside(node.left):
            self.filled.add(dst)
        elif isinstance(node.op, ast.Mult) and (_is_factor(node.left) or _is_factor(node.right)):
            name += " new"
        elif isinstance(node.op, ast.Mod) and _fills_two(node.right):
            name += " new"
        self.emit(ir.OPERATE, dst, left, right, self.object(node, "?"), name, node.lineno)
        return dst

    def _operand(self, node: ast.BinOp) -> int:
        """The right operand; of a ``%`` on literal text only what can be the result: ``"%s" % x`` is x if that is a str."""
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, (str, bytes)):
            parts = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            values = [self.expr(part) for part in parts]
            return values[0] if values and _is_lone_field(node.left.value) else 0
        return self.expr(node.right)

    def _unary(self, node: ast.UnaryOp) -> int:
        value = self.expr(node.operand)
        if isinstance(node.op, ast.Not):
            return self.constant("bool")
        if is_constant(node):
            return self.constant("int")
        dst = self.new()
        name = f"__{_BINARY[type(node.op)]}__"
        self.emit(ir.OPERATE, dst, value, 0, self.object(node, "?"), name, node.lineno)
        return dst

    def _compare(self, node: ast.Compare) -> int:
        left, value = node.left, self.expr(node.left)
        result = 0  # what the operands' own methods give
        for how, right in zip(node.ops, node.comparators, strict=True):
            other = self.expr(right)
            if type(how) in (ast.In, ast.NotIn):
                self.emit(ir.HOOK, 0, other, "__contains__", (value,), node.lineno)
            elif type(how) in _COMPARED:
                for name, (operand, one, given) in zip(_COMPARED[type(how)], cycle([(left, value, other), (right, other, value)])):
                    if one and not isinstance(operand, ast.Constant):
                        if not result:
                            result = self.new()
                            self.emit(ir.CONST, result, "bool")
                        self.emit(ir.HOOK, result, one, f"__{name}__", (given,), node.lineno)
            left, value = right, other
        return result or self.constant("bool")

    def _any_of(self, node: ast.BoolOp) -> int:
        values = []
        for operand in node.values:
            values.append(self.expr(operand))
        return self.merged(values)

    def _conditional(self, node: ast.IfExp) -> int:
        self.expr(node.test)
        before = dict(self.env) if self.env is not None else None
        first = self.expr(node.body)
        after, self.env = self.env, before
        second = self.expr(node.orelse)
        self.env = self.join(after, self.env)
        return self.merged([first, second])

    def _walrus(self, node: ast.NamedExpr) -> int:
        value = self.expr(node.value)
        self.assign(node.target, value)
        return value

    # suspension

    def _await(self, node: ast.Await) -> int:
        src = self.expr(node.value)
        dst = self.new()
        self.emit(ir.AWAIT, dst, src, self.object(node, "?"), node.lineno)
        return dst

    def _yield(self, node: ast.Yield) -> int:
        value = self.expr(node.value)
        if value:
            self.emit(ir.YIELD, value, node.lineno)
        return self.constant("?")

    def _yield_from(self, node: ast.YieldFrom) -> int:
        src = self.expr(node.value)
        dst = self.new()
        self.emit(ir.YIELD_FROM, dst, src, node.lineno)
        return dst

    # calls

    def arguments(self, node: ast.Call) -> ir.Arguments:
        positional, stars = [], []
        for arg in node.args:
            value = self.expr(arg)
            if isinstance(arg, ast.Starred):
                stars.append(value)
            elif stars:
                stars.append(value)
                holder = self.allocate(None, "tuple")
                self.emit(ir.STORE_ITEM, holder, value, arg.lineno)
                stars[-1] = holder
            else:
                positional.append(value)
        named = tuple((keyword.arg, self.expr(keyword.value)) for keyword in node.keywords if keyword.arg)
        double = tuple(self.expr(keyword.value) for keyword in node.keywords if not keyword.arg)
        return tuple(positional), named, tuple(stars), double

    def _call(self, node: ast.Call) -> int:
        called = node.func
        if isinstance(called, ast.Attribute):
            if called.attr in FRAME_READERS:
                self.code.dynamic |= called.attr in ("_getframe", "currentframe")
            if _is_super(called.value):
                self.passing(called.value, "super")
                return self._call_super(node, called.attr, called.value)
            base = self.expr(called.value)
            arguments = self.arguments(node)
            dst = self.new()
            if self.joins_many(node) or (called.attr == "format" and _is_template(called.value)):
                arguments = ((), (), (), ())
                if base in self.filled:
                    self.filled.add(dst)
            if called.attr == "setdefault" and arguments[0]:
                self._named_attribute(called.value, arguments[0][0])
            self.emit(ir.CALL_METHOD, dst, base, called.attr, self.object(node, "?"), arguments, node.lineno)
            if called.attr in ("pop", "remove") and len(arguments[0]) == 1:
                self.seek(arguments[0][0])
            if called.attr in _EXCEPTIONS:
                self._handled(node, dst)
            if called.attr == "format" and isinstance(called.value, ast.Constant):  # of fields alone, all but one may be empty
                return self.merged([dst, *arguments[0], *(value for _, value in arguments[1])])
            return dst
        if isinstance(called, ast.Name) and called.id in FRAME_READERS:
            self.code.dynamic |= called.id != "vars" or not node.args
        function = self.expr(called)
        arguments = self.arguments(node)
        dst = self.new()
        self.emit(ir.CALL, dst, function, self.object(node, "?"), arguments, node.lineno, dotted(called))
        if isinstance(called, ast.Name) and called.id in ir.CHECKS and len(arguments[0]) == 2:
            self.emit(ir.HOOK, 0, arguments[0][1], ir.CHECKS[called.id], arguments[0][:1], node.lineno)
        if isinstance(called, ast.Name) and called.id in _EXCEPTIONS:
            self._handled(node, dst)
        if isinstance(called, ast.Name) and called.id == "vars" and arguments[0]:
            self.emit(ir.LOAD_ATTR, dst, arguments[0][0], "__dict__", node.lineno)
        elif isinstance(called, ast.Name) and called.id in ("getattr", "hasattr", "setattr") and len(arguments[0]) > 1:
            self._attribute_by_name(called.id, node, arguments[0], dst)
        return dst

    def _attribute_by_name(self, how: str, node: ast.Call, given: tuple[int, ...], dst: int) -> None:
        """``getattr``, ``hasattr`` and ``setattr`` with a name that is written there. What is no identifier counts as computed: it could mean a field of the analysis."""
        name = node.args[1]
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str) or not name.value.isidentifier():
            return
        if how != "setattr":  # hasattr gets it, too: a property is called
            found = self.new()
            self.emit(ir.LOAD_ATTR, found, given[0], name.value, node.lineno)
            if how == "getattr":
                self.copy_to(dst, found)
        elif len(given) > 2:
            self.emit(ir.STORE_ATTR, given[0], name.value, given[2], node.lineno)

    def _handled(self, node: ast.Call, dst: int) -> None:
        """``sys.exc_info()`` and ``sys.exception()`` give the exception that is being handled."""
        if dotted(node.func) in ("sys.exc_info", "exc_info", "sys.exception") and not node.args:
            caught, pack = self.new(), self.allocate(None, "tuple")
            self.emit(ir.CAUGHT, caught, self.object(None, "?"), (), (), node.lineno)
            self.emit(ir.STORE_ITEM, pack, caught, node.lineno)
            for src in (caught, pack):
                self.copy_to(dst, src)

    def joins_many(self, node: ast.Call) -> bool:
        """Whether two texts or more are joined: then none of them is the result."""
        joined = joined_text(node)
        if not isinstance(joined, ast.Name):
            return shown(joined) > 1
        if self.long_joins is None:
            self.long_joins = long_joins(self.body, self.scope.bound - self.scope.captured - self.scope.globals - self.scope.nonlocals)
        return node in self.long_joins

    def _call_super(self, node: ast.Call, name: str, above: Any) -> int:
        arguments = self.arguments(node)
        dst = self.new()
        owner = self.code.params[0][0] if self.code.params else ""
        this = self.read(owner) if owner else self.constant("?")
        if above.args and _last(above.args[0]) != self.code.owner.rpartition(".")[2]:  # above some other class
            self.emit(ir.LEAK, this, f"unknown super().{name}", node.lineno)
            self.emit(ir.CALL, dst, self.constant("?"), self.object(node, "?"), arguments, node.lineno, f"super().{name}")
            return dst
        self.emit(ir.CALL_SUPER, dst, this, name, self.object(node, "?"), arguments, node.lineno)
        return dst

    # targets

    def assign(self, target: Any, value: int) -> None:
        """``target = value``."""
        kind = type(target)
        if kind is ast.Name:
            self.write(target.id, value, target.lineno)
        elif kind is ast.Attribute:
            base = self.expr(target.value)
            self.emit(ir.STORE_ATTR, base, target.attr, value, target.lineno)
        elif kind is ast.Subscript:
            self._assign_item(target, value)
        elif kind is ast.Starred:
            self.assign(target.value, value)
        else:
            self._assign_items(target, value)

    def _assign_item(self, target: ast.Subscript, value: int) -> None:
        base = self.expr(target.value)
        if isinstance(target.slice, ast.Slice):
            for part in (target.slice.lower, target.slice.upper, target.slice.step):
                self.expr(part)
            value = self._iterated(value, target.lineno)
        else:
            key = self.expr(target.slice)
            if key:
                self.emit(ir.STORE_ITEM, base, key, target.lineno)
                self._named_attribute(target.value, key)
        if value:
            self.emit(ir.STORE_ITEM, base, value, target.lineno)

    def _named_attribute(self, namespace: ast.expr, key: int) -> None:
        """A new key of an object's ``__dict__`` is an attribute's name, which the class keeps."""
        if dotted(namespace).rpartition(".")[2] in ("__dict__", "vars"):
            self.emit(ir.LEAK, key, "library the names of attributes", namespace.lineno)

    def _assign_items(self, target: ast.Tuple | ast.List, value: int) -> None:
        starred = any(isinstance(item, ast.Starred) for item in target.elts)
        for index, item in enumerate(target.elts):
            dst = self.new()
            if starred or index >= INDEXED:
                self.emit(ir.ITERATE, dst, value, item.lineno)
            elif len(target.elts) == 1:
                self.emit(ir.UNPACK, dst, value, ir.ALONE, item.lineno)
            else:
                self.emit(ir.UNPACK, dst, value, str(index), item.lineno)
            if isinstance(item, ast.Starred):
                rest = self.allocate(None, "list")
                self.emit(ir.STORE_ITEM, rest, dst, item.lineno)
                dst = rest
            self.assign(item, dst)


def dotted(node: ast.AST | None) -> str:
    """``a.b.c`` as text, of a call what is called; "?" for anything else."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return "?"


def _last(node: ast.expr) -> str:
    return dotted(node).rpartition(".")[2]


def _is_type_like(name: str) -> bool:
    """Whether ``name[x]`` is likely a generic type, which ``typing`` keeps in caches together with x."""
    return name[:1].isupper() and not name.isupper()


def _is_factor(node: ast.expr) -> bool:
    """Whether it is a number other than 1, by which a text or tuple gives itself."""
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value != 1


_LONE = re.compile(r"%(\([^)]*\))?[-+ #0-9.*]*s")
_FORMAT = re.compile(r"%(\([^)]*\))?[-+ #0-9.*hlL]*[a-zA-Z]")


def _is_lone_field(form: str | bytes) -> bool:
    """Whether all of a format is one field that takes text as it is: ``"%9s" % x`` is x if that is long enough."""
    return _LONE.fullmatch(form if isinstance(form, str) else form.decode("latin-1")) is not None


def _fills_two(node: ast.expr) -> bool:
    """Whether two values or more are put into a format."""
    return shown(node) > 1 if isinstance(node, ast.Tuple) else isinstance(node, ast.Dict) and len(node.keys) > 1 and None not in node.keys


def _is_text_beside(node: ast.expr) -> bool:
    """Whether a literal format has text beside what is put in, so that what comes of it is not empty."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_FORMAT.sub("", node.value))


def _is_template(node: ast.expr) -> bool:
    """Whether formatting gives a new text, and not an empty one."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    try:
        parts = list(string.Formatter().parse(node.value))
    except ValueError:
        return False
    return any(text for text, *_ in parts)


def _is_part(index: ast.Slice) -> bool:
    """Whether a slice cannot be the whole: ``x[1:]``, ``x[:-1]``."""
    lower, upper = index.lower, index.upper
    if isinstance(lower, ast.Constant) and lower.value:
        return True
    return isinstance(upper, ast.UnaryOp) and isinstance(upper.op, ast.USub)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


_COMPREHENSIONS = {
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.DictComp: "dict",
    ast.GeneratorExp: "generator",
}
_EXPRESSIONS: dict[type[ast.AST], Any] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript,
    ast.Starred: Expressions._starred,
    ast.Tuple: Expressions._tuple,
    ast.List: Expressions._list,
    ast.Set: Expressions._list,
    ast.Dict: Expressions._dict,
    ast.JoinedStr: Expressions._joined,
    **dict.fromkeys(_COMPREHENSIONS, Expressions._comprehension),
    ast.Lambda: Expressions._lambda,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.Compare: Expressions._compare,
    ast.BoolOp: Expressions._any_of,
    ast.IfExp: Expressions._conditional,
    ast.NamedExpr: Expressions._walrus,
    ast.Await: Expressions._await,
    ast.Yield: Expressions._yield,
    ast.YieldFrom: Expressions._yield_from,
    ast.Call: Expressions._call,
}
