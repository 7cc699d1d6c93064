"""The operations of one function carried out on sets of objects until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from operator import or_
from typing import Any, Final

from gomem.escape import ir
from gomem.escape.arguments import NOTHING, Given
from gomem.escape.attributes import Attributes
from gomem.escape.entities import PENDING, UNREAD, ClassInfo, Instance
from gomem.escape.solve import MADE, PARAMETER, PASSES, TooTangled, in_body

_NUMBERS = ("int", "float", "bool", "complex")
EXACT, COARSE, GIVEN_UP = range(3)  # how a function is attempted
_FRAME: Final = "&frame"  # what an exception that was caught keeps through its traceback


class _Step:
    """One operation, and what it had read when it was last carried out."""

    __slots__ = ("op", "variables", "values", "touched", "start")

    def __init__(self, op: Any, variables: list[int]) -> None:
        self.op = op
        self.variables = variables
        self.values: list[int] | None = None
        self.touched = 0
        self.start = 0

    def begin(self, solved: Interpreter) -> None:
        self.values = [solved.pts[variable] for variable in self.variables]
        self.start = len(solved.log)
        solved.touched = 1

    def stale(self, pts: list[int], since: list[int], recent: int) -> bool:
        """Whether anything changed that it read, or was changed by itself."""
        if self.values is None or self.touched & (since[len(since) - 1 - self.start] | recent):
            return True
        return [pts[variable] for variable in self.variables] != self.values


class Interpreter(Attributes):
    """One function: ``run`` it, then read ``leaks``, ``returned``, ``fields``."""

    tangled = False
    effort = 0  # what it took, in tenths of the budget

    def run(self, attempt: int) -> None:
        self.begin()
        settled = attempt == EXACT and self.settle()
        if not settled and attempt != GIVEN_UP:
            self.restart()
            self.begin()
            settled = self.settle()
        self.tangled = not settled
        if settled:
            self.keep_frame()
            self.keep_classes()
        else:
            self.surmise()
        if self.code.dynamic:
            self.give_up("its frame is read", {*self.code.local_vars, *self.code.param_vars})

    def settle(self) -> bool:
        """Whether the operations came to rest within the budget."""
        try:
            settled = self.repeat()
        except TooTangled:
            settled = False
        self.effort += 10 * self.work // self.budget if settled else 10
        return settled

    def keep_frame(self) -> None:
        """An exception that passes through a ``with`` block on its way to the manager's own ``except`` keeps this frame, and the managers."""
        base = self.universe.exception
        caught = [one for one in self.bits(self.deep(self.managers)) if type(self.type[one]) is Instance and base in self.type[one].cls.mro]
        for one in caught:
            self.store(1 << one, _FRAME, (self.held_by_frame() | self.managers) & ~(1 << one), ir.FIRST)

    def keep_classes(self) -> None:
        """Of classes that this function makes, each object keeps its own, and each class its bases."""
        classes = {self.type[one]: 1 << one for one in self.bits(self.classes)}
        for one, what in enumerate(self.type) if classes else ():
            cls = what.cls if type(what) is Instance else what
            if self.kind[one] == MADE and type(cls) is ClassInfo:
                some = type(what) is Instance and not what.exact
                for made, bit in classes.items():
                    if bit != 1 << one and (made in cls.mro or (some and cls in made.mro)):
                        self.store(1 << one, "&", bit, ir.FIRST)

    def held_by_frame(self) -> int:
        held = 0
        for variable in {*self.code.local_vars, *self.code.param_vars}:
            held |= self.pts[variable]
        return held

    def repeat(self) -> bool:
        """Carries out the operations until nothing changes; whether that came to an end."""
        operations = _OPERATIONS
        if self.code.once:
            for op in self.code.ops:
                operations[op[0]](self, op)
            if not self.lazy:
                return True
        steps = [_Step(op, ir.variables_read(self.code, op)) for op in self.code.ops]
        for _ in range(PASSES):
            self.changed = False
            since = list(accumulate(reversed(self.log), or_, initial=0))  # what changed in the last 0, 1, 2… changes
            self.recent = 0
            for step in steps:
                if step.stale(self.pts, since, self.recent):
                    step.begin(self)
                    operations[step.op[0]](self, step.op)
                    step.touched = self.touched
            if not self.changed:
                return True
        return False

    def begin(self) -> None:
        self.managers = 0  # that ``with`` blocks entered
        self.classes = 0  # that this function makes
        self._begin()

    def _begin(self) -> None:
        """Parameters are objects; ``self`` and annotated ones have a type."""
        for index, (_, how, kinds, _) in enumerate(self.code.params):
            types = self.universe.annotated_each(kinds, self.module) if kinds else [None]
            if index == 0 and self.function.cls is not None and self.function.kind != "static":
                cls = self.function.cls
                types = [cls if self.function.kind == "class" else cls.any_type]
            if how in (ir.REST, ir.KEYWORDS):
                types = [None]
            what = types[0]
            given = self.object(("p", index), PARAMETER, what, root=index)
            for other in types[1:]:
                given |= self.object(("p", index, other), PARAMETER, other, root=index)
            if type(what) is ClassInfo:
                self.subclassed |= given
            self.pts[self.code.param_vars[index]] = given
        index = len(self.code.params)
        self.environment = self.object(("p", index), PARAMETER, self.function, root=index)

    def surmise(self) -> None:
        """A function that was given up may put anything into all that it assigns. Of what it replaces, only what is named at once or was
        found until then is known."""
        for op in self.code.ops:
            if op[0] in (ir.CONST, ir.GLOBAL):
                _OPERATIONS[op[0]](self, op)
        for op in self.code.ops:
            if op[0] == ir.STORE_ATTR:
                for cls in self.universe.classes_with(op[2]):
                    self.note_types(cls, op[2], 1)
                for one in self.bits(self.pts[op[1]]):
                    self.note_replaced(one, op[2])
                    self.note_types(self.type[one], op[2], 1)
            elif op[0] == ir.STORE_CLASS:
                self.note_types(self.module.classes[op[1]], op[2], 1)
            elif op[0] == ir.STORE_GLOBAL:
                self.add_types(self.module, op[1], 1)
            elif op[0] == ir.STORE_FREE:
                self.note_types(self.function, op[1], 1)
            elif op[0] == ir.CLOSURE:
                for name, *_ in op[4]:
                    self.note_types(self.module.defined(op[3]), name, 1)

    def give_up(self, why: str, variables: Iterable[int] | None = None) -> None:
        everything = 0
        for variable in range(len(self.pts)) if variables is None else variables:
            everything |= self.pts[variable]
        self.leak(everything, f"unknown {why}", ir.FIRST)

    # values

    def copy(self, op: Any) -> None:
        objects = self.pts[op[2]]
        if objects & ~self.pts[op[1]]:
            self.pts[op[1]] |= objects
            self.changed = True

    def alloc(self, op: Any) -> None:
        _, dst, number = op
        name = self.code.objects[number][1]
        head, _, rest = name.partition(" ")
        if rest:
            what = self.universe.functions_or_classes(head, rest)
        else:
            what = self.universe.instance(name)
        made = self.made(number, what)
        if type(what) is ClassInfo and self.code.kind != "module":
            self.classes |= made
            self.make_class(made, what, number)
        self.put(dst, made)

    def decorated(self, op: Any) -> None:
        """The class, if its decorator may return that: other results are those of calls without a class."""
        _, dst, cls, result = op
        found = self.pts[result]
        same = any(self.type[one] in (None, PENDING, UNREAD) for one in self.bits(found)) or found & self.pts[cls]
        self.put(dst, self.pts[cls] if same else found)

    def make_class(self, made: int, cls: ClassInfo, number: int) -> None:
        """What bases and metaclass do with a class that this function makes."""
        if self.has_own(cls.meta, "__new__", "__init__"):
            self.leak(made, f"unknown the metaclass of {cls.name}", ir.FIRST)
        told = next((base.methods["__init_subclass__"] for base in cls.mro[1:] if "__init_subclass__" in base.methods), None)
        if told is not None and told.code is not None:
            self.call_function(told, Given([made], {}, 0, 0), (number, "subclass"), ir.FIRST)

    def const(self, op: Any) -> None:
        _, dst, name = op
        if name.startswith("import "):
            what = name[7:]
            kinds = self.universe.imported(what) if ":" in what else [self.universe.module(what)]
            for kind in kinds:
                self.put(dst, self.outside(kind))
        elif name.startswith("function "):
            self.put(dst, self.outside(self.universe.functions_or_classes("function", name[9:])))
        else:
            self.put(dst, self.outside(self.universe.instance(name)))

    def global_(self, op: Any) -> None:
        _, dst, name = op
        for kind in self.universe.lookup(self.module, name):
            found = self.outside(kind)
            self.put(dst, found)
            if type(kind) is Instance:
                self.global_names.setdefault(found.bit_length() - 1, set()).add(name)

    def store_global(self, op: Any) -> None:
        _, name, src, line = op
        objects = self.pts[src]
        self.leak(objects, f"{'module' if self.code.kind == 'module' else 'global'} {name}", line)
        if objects:
            self.note_types(self.module, name, objects)

    def store_class(self, op: Any) -> None:
        _, cls, name, src, line = op
        owner, objects = self.module.classes[cls], self.pts[src]
        for one in self.bits(objects) if owner.enum else ():
            what = self.type[one]
            if type(what) is Instance and what.cls.name == "auto":  # a number is put in its place
                objects &= ~(1 << one)
        self.leak(objects, f"class {cls}.{name}", line)
        if objects:
            self.note_types(owner, name, objects)

    def free(self, op: Any) -> None:
        self.put(op[1], self.load(self.environment, op[2]))

    def store_free(self, op: Any) -> None:
        self.store(self.environment, op[1], self.pts[op[2]], op[3])

    def closure(self, op: Any) -> None:
        _, dst, number, name, cells, defaults, line = op
        function = self.module.defined(name)
        made = self.made(number, function)
        for key, variable, written in cells:
            self.store(made, key, self.pts[variable], line)
            if written:
                self.put(variable, self.load(made, key))
        for parameter, variable in defaults:
            self.store(made, f"={parameter}", self.pts[variable], line)
        self.put(dst, made)

    def iterate_(self, op: Any) -> None:
        _, dst, bases, line = op
        self.put(dst, self.iterate(self.pts[bases], ("iterate", dst), line))

    def unpack(self, op: Any) -> None:
        _, dst, bases, index, line = op
        base = self.pts[bases]
        plain = 0
        found = 0
        for one in self.bits(base):
            what = self.type[one]
            if type(what) is Instance and what.cls.module.file is not None and not what.cls.record:
                found |= self.iterate(1 << one, ("unpack", dst), line)
                method = what.cls.find("__getitem__")
                if method is not None and method.code is not None:
                    found |= self.call_method_of(1 << one, what, "__getitem__", NOTHING, ("item", dst), line)
            else:
                plain |= 1 << one
        self.put(dst, found | self.load(plain, index))

    def slice_(self, op: Any) -> None:
        _, dst, bases, number, part, line = op
        result = 0
        for one in self.bits(self.pts[bases]):
            what = self.type[one]
            bit = 1 << one
            same = 0 if part else bit
            if type(what) is Instance and what.immutable:
                result |= self.made(number, what.cls.exact_type) | same
            elif type(what) is Instance and what.cls.text is not None:
                result |= self.made(number, what.cls.text)
            elif type(what) is Instance and what.cls.name in ("list", "tuple", "bytearray", "range"):
                made = self.made(number, what.cls.exact_type)
                self.store(made, "*", self.load(bit, "*"), line)
                result |= made | (same if what.cls.name == "tuple" else 0)
            elif type(what) is Instance and self.has_code(what, "__getitem__"):
                result |= self.call_method_of(bit, what, "__getitem__", NOTHING, number, line)
            else:
                made = self.made(number, self.unknown(bit))
                self.store(made, "*", self.load(bit, "*"), line)
                self.store(made, "&", bit, line)
                result |= made | same
        self.put(dst, result or self.made(number, None))

    # operators

    def operate(self, op: Any) -> None:
        _, dst, left, right, number, name, line = op
        self.put(dst, self.operation(self.pts[left], self.pts[right], number, name, line))

    def operation(self, left: int, right: int, number: Any, name: str, line: int) -> int:
        plain = name.partition(" ")[0]
        simple = self.simple_result(left, right, plain)
        if simple is None and plain == "__mod__" and right and all(self.is_filling(self.type[one]) for one in self.bits(right)):
            if all(function.code is None for function in self.universe.by_name.get(plain, ())):
                simple = self.universe.str
        result = self.reflected(left, right, f"__r{plain[2:]}", number, line)
        if simple is not None:
            result |= self.hook(left, plain, Given([right] if right else [], {}, 0, 0), number, line)
            return result | self.made(number, simple) | self.same_text(left, right, name, simple)
        plain_left = left
        for what, these in self.instances(left).items():
            cls = what.cls
            method = cls.find(plain)
            if method is not None and (method.code is not None or method.summary.returns):
                plain_left &= ~these
                result |= self.call_method_of(these, what, plain, Given([right] if right else [], {}, 0, 0), number, line)
            elif cls.name in _CONTAINERS:
                plain_left &= ~these
                made = self.made(number, cls.exact_type)
                self.store(made, "*", self.load(these, "*") | self.load(right, "*"), line)
                result |= made | (self.sides(these, right, name) if cls.name == "tuple" else 0)
        if plain_left or not result:
            both = plain_left | right
            made = self.made(number, self.unknown(both))
            self.store(made, "*", self.load(both, "*"), line)
            self.store(made, "&", both, line)
            self.open_up(made)
            result |= made | self.sides(plain_left, right, name)
        return result

    def reflected(self, left: int, right: int, name: str, number: Any, line: int) -> int:
        """What the right operand's method makes of the two, if it has one: ``__radd__`` and the like."""
        if name not in self.universe.by_name:
            return 0
        result = 0
        for what, these in self.instances(right).items():
            method = what.cls.find(name)
            if method is not None and method.code is not None:
                result |= self.call_method_of(these, what, name, Given([left], {}, 0, 0), number, line)
        return result

    def same_text(self, left: int, right: int, name: str, result: Instance) -> int:
        """Operands that can be the result: adding or formatting nothing gives the operand."""
        if result.cls.name in ("str", "bytes"):
            if name == "__mod__":  # of a mapping, a format without fields takes nothing
                return self.filling(right) | (left if any(map(self.may_map, self.bits(right & ~self.frozen))) else 0)
            return self.sides(left, right, name)
        return 0

    def filling(self, objects: int) -> int:
        """What is put into a format and can be the result: ``"%s" % (x,)`` is x if that is text."""
        found = 0
        for one in self.bits(objects):
            found |= self.load(1 << one, "*") if self.is_filling(self.type[one]) else 1 << one
        return found

    def may_map(self, one: int) -> bool:
        what = self.type[one]
        return type(what) is not Instance or what.cls.name != "tuple"

    def is_filling(self, what: Any) -> bool:
        return type(what) is Instance and what.cls.module is self.universe.builtins and what.cls.name in ("tuple", "dict")

    def sides(self, left: int, right: int, name: str) -> int:
        """The operands of + and * that can be its result."""
        plain, _, side = name.partition(" ")
        if plain not in ("__add__", "__mul__") or side == "new":
            return 0
        return left if side == "left" else right if side == "right" else left | right

    def simple_result(self, left: int, right: int, name: str) -> Instance | None:
        """The type of the result where one operand tells: text stays text, numbers give numbers."""
        for side, first in ((left, True), (right, False)):
            kinds = {self.type[one] for one in self.bits(side)} - {self.universe.none}
            names = {kind.cls.name if type(kind) is Instance else "?" for kind in kinds}
            if not names or "?" in names or len(names) > 1:
                continue
            only = names.pop()
            if only in ("str", "bytes") and (name == "__add__" or (name == "__mod__" and first) or name == "__mul__"):
                return self.universe.instance(only)
            if only in _NUMBERS and name != "__mul__" and (name != "__mod__" or first):
                return self.universe.instance("float")
        return None

    def operate_in_place(self, op: Any) -> None:
        _, dst, target, operand, number, name, line = op
        left, right = self.pts[target], self.pts[operand]
        result = 0
        plain = name.partition(" ")[0]
        simple = self.simple_result(left, right, plain)
        if simple is None or left & ~self.frozen:
            in_place = f"__i{plain[2:]}"
            text = simple is not None and simple.cls.name in ("str", "bytes")
            for one in self.bits(left & ~self.frozen):
                what = self.type[one]
                if text and what in (None, PENDING, UNREAD):  # text is added to text
                    continue
                method = what.cls.find(in_place) if type(what) is Instance else None
                if method is not None:
                    result |= self.call_method_of(1 << one, what, in_place, Given([right], {}, 0, 0), number, line)
                    continue
                self.store(1 << one, "*", self.load(right, "*"), line)
                if what in (None, PENDING, UNREAD):
                    self.store(1 << one, "&", right & ~self.frozen, line)
                result |= 1 << one
        self.put(dst, result | self.operation(left, right, number, name, line))

    # leaving

    def note_return(self, objects: int, line: int) -> None:
        for one in self.bits(objects):
            self.return_lines.setdefault(one, line)

    def return_(self, op: Any) -> None:
        objects = self.pts[op[1]]
        if objects & ~self.returned:
            self.returned |= objects
            self.changed = True
        self.note_return(objects, op[2])

    def yield_(self, op: Any) -> None:
        objects = self.pts[op[1]]
        if objects & ~self.yielded:
            self.yielded |= objects
            self.changed = True
        self.note_return(objects, op[2])

    def yield_from(self, op: Any) -> None:
        _, dst, src, line = op
        items = self.iterate(self.pts[src], ("from", dst), line)
        if items & ~self.yielded:
            self.yielded |= items
            self.changed = True
        self.put(dst, self.load(self.pts[src], "return") | 1)

    def raise_(self, op: Any) -> None:
        objects = self.pts[op[1]]
        for one in self.bits(objects):
            if type(self.type[one]) is ClassInfo and self.kind[one] != MADE:
                objects &= ~(1 << one)
            elif _FRAME in self.fields[one] and self.kind[one] == MADE and self.site[one] < 0:
                objects &= ~(1 << one)  # one that was caught: that it goes on does not keep what this frame holds
                self.touched |= 1 << one
                for name, held in self.fields[one].items():
                    self.leak(held if name != _FRAME else 0, "raised", op[2])
        self.leak(objects, "raised", op[2])

    def await_(self, op: Any) -> None:
        _, dst, src, number, line = op
        found = 0
        for one in self.bits(self.pts[src]):
            what = self.type[one]
            method = what.cls.find("__await__") if type(what) is Instance else None
            if method is not None and method.code is not None:
                found |= self.call_method_of(1 << one, what, "__await__", NOTHING, ("await", dst), line) * 0 | 1
            else:
                found |= self.load_one(one, 1 << one, "await")
        self.put(dst, found or 1)

    def caught(self, op: Any) -> None:
        _, dst, number, names, keys, line = op
        for name in names or ("BaseException",):
            self.put(dst, self.exception(number, name, line))
        for key in keys:
            self.store(self.pts[dst], "?", self.pts[key], line)

    def exception(self, number: Any, name: str, line: int) -> int:
        """An exception that was caught: as long as it lives, its traceback keeps this frame and all its variables."""
        cls = self.universe.class_named(name, self.module) or self.universe.exception
        made = self.object(("caught", number, cls), MADE, None if cls is None else cls.any_type)
        self.fields[made.bit_length() - 1].setdefault("?", 1)
        self.store(made, _FRAME, self.held_by_frame() & ~made, line)
        return made

    def leak_(self, op: Any) -> None:
        self.leak(self.pts[op[1]], op[2], op[3])

    # what Python calls unasked

    def hook_(self, op: Any) -> None:
        _, dst, base, name, variables, line = op
        objects = self.pts[base]
        given = Given([self.pts[variable] for variable in variables], {}, 0, 0)
        if name == "__match_args__":
            self.put(dst, self.matched(objects, given, ("hook", base), line))
            return
        if name in ir.CHECKS.values() and name in self.universe.coded:
            objects |= self.load(objects, "*")  # of a tuple of classes
        found = self.hook(objects, name, given, ("hook", base), line)
        attribute = name.removesuffix(".deleter")
        for what, these in self.instances(objects & ~self.frozen).items() if attribute != name else ():
            for kind in self.descriptors(what, attribute, "__delete__"):
                self.call_method_of(self.outside(kind), kind, "__delete__", Given([these], {}, 0, 0), ("hook", base), line)
        if dst:
            self.put(dst, found)
        if name == "__contains__" and "__iter__" in self.universe.coded:
            for what, these in self.instances(objects & ~self.frozen).items():
                if what.cls.find(name) is None:
                    self.iterate(these, ("in", base), line)

    def matched(self, classes: int, given: Given, number: Any, line: int) -> int:
        """What the properties of classes in a pattern give of an object: ``__match_args__`` may name any of them."""
        found = 0
        for one in self.bits(classes):
            cls = self.type[one]
            for name in sorted({name for owner in cls.family() for name in owner.methods}) if type(cls) is ClassInfo else ():
                for function in filter(None, (cls.find(name), *cls.lower(name))):
                    if function.kind in ("property", "cached"):
                        found |= self.call_function(function, given, (number, function), line)
        return found

    def exit_(self, op: Any) -> None:
        _, base, name, line = op
        managers = self.pts[base]
        known = 0
        for what, these in self.instances(managers).items():
            known |= these
            method = what.cls.find(name)
            if (name in self.universe.coded and self.has_code(what, name)) or (method is not None and method.summary.calls):
                raised = self.exception(("exit", base), "BaseException", line)
                self.call_method_of(these, what, name, Given([self.outside(None), raised, raised], {}, 0, 0), ("exit", base), line)
        for one in self.bits(managers & ~known):
            if self.type[one] in (None, PENDING):
                none = self.outside(self.universe.none)
                self.call_by_name(1 << one, name, Given([none, none, none], {}, 0, 0), ("exit", base), line)

    def hold(self, op: Any) -> None:
        self.store(self.pts[op[1]], "&", self.pts[op[2]], op[3])

    def call_(self, op: Any) -> None:
        _, dst, function, number, arguments, line, name = op
        self.put(dst, self.call(self.pts[function], self.given(arguments), number, line, name))

    def call_method_(self, op: Any) -> None:
        _, dst, base, name, number, arguments, line = op
        objects = self.pts[base]
        if name == "__enter__":
            for what, these in self.instances(objects).items():
                self.managers |= these if what.cls.name == "contextmanager" else 0
        self.asked = self.code.asked().get(base, frozenset())
        self.put(dst, self.call_method(objects, name, self.given(arguments), number, line))
        self.asked = frozenset()

    def call_super(self, op: Any) -> None:
        _, dst, this, name, number, arguments, line = op
        given = self.given(arguments)
        found = self.universe.above(self.module.classes.get(self.code.owner), name)
        if found is None:
            self.leak(self.pts[this], f"unknown super().{name}", line)
            self.put(dst, self.call_unknown(given, number, f"super().{name}", line))
            return
        result = 0
        for function in found:
            if name == "__new__" and self.makes_own(function, given):
                result |= self.copied(function, given, number, line)
                continue
            result |= self.call_as_method(function, self.pts[this], given, number, line)
            if name == "__new__":
                made = self.made(number, self.module.classes[self.code.owner].any_type)
                if self.module.classes[self.code.owner].record:
                    self.store(made, "?", Given(given.positional[1:], given.named, given.stars, given.doubles).everything(), line)
                result |= made
        self.put(dst, result)


_CONTAINERS = ("list", "tuple", "set", "frozenset", "dict", "deque", "Counter", "defaultdict", "OrderedDict")
_OPERATIONS: Final[dict[int, Callable[[Interpreter, Any], None]]] = {
    ir.COPY: Interpreter.copy,
    ir.ALLOC: Interpreter.alloc,
    ir.CONST: Interpreter.const,
    ir.LOAD_ATTR: Interpreter.load_attr,
    ir.STORE_ATTR: Interpreter.store_attr,
    ir.LOAD_ITEM: Interpreter.load_item,
    ir.STORE_ITEM: Interpreter.store_item,
    ir.ITERATE: Interpreter.iterate_,
    ir.UNPACK: Interpreter.unpack,
    ir.GLOBAL: Interpreter.global_,
    ir.STORE_GLOBAL: Interpreter.store_global,
    ir.STORE_CLASS: Interpreter.store_class,
    ir.FREE: Interpreter.free,
    ir.STORE_FREE: Interpreter.store_free,
    ir.CLOSURE: Interpreter.closure,
    ir.CALL: Interpreter.call_,
    ir.CALL_METHOD: Interpreter.call_method_,
    ir.CALL_SUPER: Interpreter.call_super,
    ir.OPERATE: Interpreter.operate,
    ir.OPERATE_IN_PLACE: Interpreter.operate_in_place,
    ir.SLICE: Interpreter.slice_,
    ir.RETURN: Interpreter.return_,
    ir.YIELD: Interpreter.yield_,
    ir.YIELD_FROM: Interpreter.yield_from,
    ir.RAISE: Interpreter.raise_,
    ir.AWAIT: Interpreter.await_,
    ir.CAUGHT: Interpreter.caught,
    ir.LEAK: Interpreter.leak_,
    ir.HOLD: Interpreter.hold,
    ir.HOOK: Interpreter.hook_,
    ir.EXIT: Interpreter.exit_,
    ir.DECORATED: Interpreter.decorated,
}
