"""Calls: which functions a call may run, and what their summaries then do here."""

from __future__ import annotations

from typing import Any, Final

from gomem.escape import ir
from gomem.escape.arguments import NOTHING, Arguments, Given
from gomem.escape.entities import BOTTOM, PENDING, UNREAD, ClassInfo, Function, Instance, ModuleInfo, Unread
from gomem.escape.solve import CROWDED, MADE, OUTSIDE, PARAMETER, REACHABLE, TooTangled, in_body
from gomem.escape.summary import DEEP, FRESH, PRINTED, RESULT, WORLD, Summary, type_order

BOUND: Final = "bound"  # type of a bound method whose function is not known: ("bound", name)
_SUBCLASSES: Final = 7  # that may be called for one
_CALLED: Final = 24  # functions that one value may be
_BOUND: Final = 3  # bound methods that one value may be
_DEPTH: Final = 5  # calls, and summaries applied, that a call leads to here: callbacks, iteration by the objects' own methods
_HOOKS: Final = 20  # calls that Python makes unasked within such calls
_APART: Final = 4  # types of objects whose method, being the same, is called for each type by itself
_MANY: Final = 2  # methods told apart; with more, they are merged


class Calls(Arguments):
    """Applies calls."""

    def given(self, arguments: ir.Arguments) -> Given:
        pts = self.pts
        positional, named, stars, doubles = arguments
        star = double = 0
        for variable in stars:
            star |= self.iterate(pts[variable], ("star", variable), 0)
        for variable in doubles:
            double |= self.load(pts[variable], "*")
        given = Given([pts[v] for v in positional], {name: pts[v] for name, v in named}, star, double, not (stars or doubles))
        for variable in stars:
            given.packs |= pts[variable]
        return given

    # what is called

    def call(self, function: int, given: Given, number: Any, line: int, name: str = "") -> int:
        """Calls every object of the set; the result."""
        if not function or self.depth >= _DEPTH:
            self.leak(function, f"unknown {name or 'a callback'}, called back too deep", line)
            return self.call_unknown(given, number, name or "a value nothing is known of", line)
        self.depth += 1
        self.spend(function.bit_count())
        result = 0
        unknown = ""
        bound: dict[str, int] = {}
        called: dict[Instance, int] = {}
        if function.bit_count() > _CALLED:
            unknown = name or "one of many functions"
            self.leak(function, f"unknown {unknown}", line)
            function = 0
        for one in self.bits(function):
            what = self.type[one]
            kind = type(what)
            if kind is Function:
                result |= self.call_function(what, given, number, line, env=1 << one)
            elif kind is ClassInfo:
                result |= self.construct(one, what, given, number, line)
            elif kind is tuple and what[0] == BOUND:
                bound[what[1]] = bound.get(what[1], 0) | self.load(1 << one, "self")
            elif kind is Instance and (what.cls.find("__call__") is not None or self.put_in_class(what.cls, "__call__")):
                called[what] = called.get(what, 0) | 1 << one
            elif kind is Instance and what.immutable and what is not self.universe.none:  # no function, but a template, say, which is kept as a key
                self.leak(1 << one, f"library {name or 'a call'}", line)
            elif what is UNREAD:
                result |= self.call_unread(1 << one, given, number, name or self.describe(one), line)
            elif what is not self.universe.none:
                unknown = unknown or name or self.describe(one)
                self.called_unknown(one, unknown, line)
        if len(bound) > _BOUND:
            unknown = unknown or name or "one of many methods"
            self.leak(function, f"unknown {unknown}", line)
            bound.clear()
        for what, these in called.items():
            result |= self.call_method_of(these, what, "__call__", given, number, line)
        for method, this in bound.items():
            call = (method, this, given)
            if call not in self.running:  # else an object keeps one of its own methods under that name: nothing new comes of it
                self.running.add(call)
                result |= self.call_method(this, method, given, number, line)
                self.running.discard(call)
        self.depth -= 1
        if unknown:
            result |= self.call_unknown(given, number, unknown, line)
        return result or self.made(number, self.universe.none)

    def called_unknown(self, one: int, name: str, line: int) -> None:
        """Something unknown is called: what it keeps goes where it likes. If it was passed in, the callers may know it."""
        if self.kind[one] in (PARAMETER, REACHABLE):
            self.called.add((self.root[one], "" if self.kind[one] == PARAMETER else self.path[one]))
        else:
            self.leak(1 << one, f"unknown {name}", line)

    def describe(self, one: int) -> str:
        path = self.path[one]
        if self.kind[one] == OUTSIDE or not path:
            names = [param[0] for param in self.code.params]
            return names[self.root[one]] if 0 <= self.root[one] < len(names) else "a value nothing is known of"
        return path if path not in ("*", DEEP) else "something passed in"

    def call_unknown(self, given: Given, number: Any, name: str, line: int) -> int:
        self.leak(given.everything(), f"unknown {name}", line)
        return self.unknown_result(number)

    def call_unread(self, this: int, given: Given, number: Any, name: str, line: int) -> int:
        """A method, or a call, of something that nobody read the code of: it may keep that, too."""
        self.leak(this | given.everything(), f"unknown {name}", line)
        return self.unknown_result(number, UNREAD)

    def unknown_result(self, number: Any, what: Any = None) -> int:
        made = self.made(number, what)
        self.open_up(made)
        return made | self.outside(what)

    def call_function(self, function: Function, given: Given, number: Any, line: int, env: int = 0) -> int:
        self.deps[function] = None
        if function.opaque:
            return self.call_unknown(given, number, f"{function.name} ({function.unknown})", line)
        if function.short is not None and given.exact and function.lacks(function.short[0], len(given.positional), given.named):
            return self.call_function(function.short[1], given, number, line, env)
        if function.variant is not None:
            many = function.told_apart(len(given.positional), given.named) - (function.cls is not None and function.kind != "static")
            if many > function.most:
                return self.call_function(function.variant, given, number, line, env)
            if given.stars:
                values = self.bind(function.variant, given, number, env)
                return self.apply(function.variant.summary, values, number, line, function) | self.plain(function, given, number, line, env)
        return self.plain(function, given, number, line, env)

    def plain(self, function: Function, given: Given, number: Any, line: int, env: int) -> int:
        values = self.bind(function, given, number, env)
        result = self.apply(function.summary, values, number, line, function)
        return result if function.result is None else self.annotated(result, function.result)

    def annotated(self, objects: int, what: Instance | Unread) -> int:
        """The result of a function that says of which type it is: old objects of unknown type are of that one."""
        found = 0
        for one in self.bits(objects):
            kind = self.kind[one]
            if self.type[one] is not None or kind == MADE:
                found |= 1 << one
            elif kind == OUTSIDE:
                found |= self.outside(what)
            else:
                root, path = self.root[one], self.path[one]
                key = ("p", root, what) if kind == PARAMETER else ("r", root, path, what)
                found |= self.object(key, kind, what, root=root, path=path)
        return found

    def construct(self, one: int, cls: ClassInfo, given: Given, number: Any, line: int) -> int:
        """Calls a class, and each below it that makes its objects otherwise, if the class may be one of those."""
        if not self.subclassed >> one & 1:
            return self.instantiate(cls, cls.exact_type, given, number, line)
        makers = [cls, *(lower for lower in cls.below() if "__init__" in lower.methods or "__new__" in lower.methods or lower in cls.mixed())]
        if len(makers) > _SUBCLASSES:
            return self.call_unknown(given, number, cls.name, line)
        result = 0
        for maker in makers:
            result |= self.instantiate(maker, maker.any_type, given, number, line)
        return result

    def instantiate(self, cls: ClassInfo, what: Instance, given: Given, number: Any, line: int) -> int:
        if cls.enum:
            self.leak(given.everything() if len(given.positional) > 1 or given.named else 0, f"class {cls.name}", line)  # makes another enumeration
            missing = cls.find("_missing_")
            if missing is not None and missing.code is not None:
                self.call_function(missing, given.behind(self.outside(cls)), (number, "missing"), line)
            return self.made(number, self.universe.none) | self.outside(cls.any_type)
        if cls.name == "type" and cls.module is self.universe.builtins:
            if len(given.positional) != 1 or given.stars:
                return self.call_unknown(given, number, "type", line)
            return self.made(number, self.universe.none) | self.classes_of(given.positional[0])
        made = self.made(number, what)
        if self.has_own(cls.meta, "__call__"):
            return made | self.call_unread(made, given, number, f"the metaclass of {cls.name}", line)
        new = cls.find("__new__")
        result = begun = made
        if new is not None and (cls.open or not self.universe.of_object(new)) and not (cls.record and new.code is None):
            short = None
            if new.short is not None and given.exact and new.lacks(new.short[0], len(given.positional) + 1, given.named):
                short = new = new.short[1]
            self.deps[new] = None
            values = self.bind(new, given.behind(self.outside(cls)), number, 0)
            found = self.of_class(self.apply(new.summary, values, number if short else (number, "new"), line, new), cls)
            if new.code is None and cls.module.library is None:
                found &= ~(given.everything() | self.frozen)  # text, a tuple or number is copied
            if short and not _makes(new.summary, cls):
                return found
            result |= found
            begun |= found if new.code is not None else 0  # an old object is initialised again
        init = cls.find("__init__")
        if init is not None and (init.cls is None or init.cls.name != "object" or not cls.open):
            if cls.record and init.code is None:
                self.hold_fields(cls, made, given, line)
            else:
                self.call_function(init, given.behind(begun), (number, "init"), line)
                if "__init__" in self.universe.instead:
                    self.call_assigned(begun, what, "__init__", given, (number, "init"), line)
        elif cls.open:
            self.leak(given.everything() | made, f"unknown {cls.name}", line)
        if cls.open:
            self.open_up(made)
        if self.universe.exception in cls.mro:  # BaseException.__new__ keeps what it is given
            self.store(made, "args", self.packed((number, "args"), given.positional, given.stars) | given.packs, line)
        if cls.record:
            self.hook(made, "__post_init__", Given([], {}, given.everything(), 0), number, line)
        self.hook(made, "__del__", NOTHING, number, line)
        return result

    def classes_of(self, objects: int) -> int:
        """The classes that the objects are instances of: an unknown one among them if there are too many."""
        found = 0
        for one in self.bits(objects):
            what = self.type[one]
            if type(what) is not Instance:
                found |= 1
            else:
                found |= self.outside(what.cls) if what.exact else self.class_or_below(what.cls)
        return found

    def of_class(self, objects: int, cls: ClassInfo) -> int:
        """Those that can be what making an object of that class returns: ``tuple(x)`` is x only if x is a tuple."""
        found = 0
        for one in self.bits(objects):
            what = self.type[one]
            if type(what) is not Instance or cls in what.cls.mro or cls.module.library is None:
                found |= 1 << one
        return found

    def hold_fields(self, cls: ClassInfo, made: int, given: Given, line: int) -> None:
        """Dataclasses and named tuples keep their arguments under the names of their fields."""
        record = cls.module.file.classes.get(cls.name) if cls.module.file else None
        names = [name for name, *_ in record.fields] if record is not None else []
        for index, objects in enumerate(given.positional):
            name = names[index] if index < len(names) and len(cls.mro) <= 3 else "?"
            self.store(made, name, objects, line)
            self.store(made, "*", objects, line)
        for name, objects in given.named.items():
            self.store(made, name, objects, line)
            self.store(made, "*", objects, line)
        self.store(made, "?", given.stars | given.doubles, line)

    # methods

    def call_method(self, base: int, name: str, given: Given, number: Any, line: int) -> int:
        if not base:
            return self.call_unknown(given, number, name, line)
        if name == "__class__":
            return self.call(self.classes_of(base), given, number, line, name)
        result = 0
        unknown = 0
        called = False
        markers = base & self.markers  # where the object itself goes, they go
        known = {what: these for what, these in self.instances(base, name).items() if what is not self.universe.none and self.has_method(what, name)}
        told = {what: these for what, these in known.items() if not self.untold_method(what, name)}
        if not told and all(type(self.type[one]) is Instance for one in self.bits(base)):
            told = known
        for instance, these in told.items():
            result |= self.call_method_of(these | markers, instance, name, given, number, line)
            called = True
        for one in self.bits(base):
            what = self.type[one]
            kind = type(what)
            if kind is Instance:
                continue
            called = True
            if kind is ModuleInfo:
                found = 0
                for item in self.types_of(what, name):
                    found |= self.outside(item)
                result |= self.call(found, given, number, line, f"{what.name}.{name}")
            elif kind is ClassInfo:
                result |= self.call_class_method(one, what, name, given, number, line)
            elif kind is Function:
                result |= self.call_unknown(given, number, f"{what.name}.{name}", line)
            elif what is UNREAD:
                result |= self.call_unread(1 << one, given, number, name, line)
            else:
                unknown |= 1 << one
        if unknown:
            result |= self.call_by_name(unknown | markers, name, given, number, line)
        return result if called else self.call_unknown(given, number, name, line)

    def has_method(self, what: Instance, name: str) -> bool:
        """Not if a built-in class has no such method, nor a class below it: then the object is another one."""
        cls = what.cls
        if cls.module is not self.universe.builtins or cls.open or cls.name == "object" or name in self.universe.stored:
            return True
        return cls.find(name) is not None or (not what.exact and bool(cls.lower(name)))

    def untold_method(self, what: Instance, name: str) -> bool:
        """Whether it would be a method of a library class that no text tells of."""
        cls = what.cls
        if cls.find(name) is not None or name in self.universe.stored or cls.lower(name) or name in cls.class_names:
            return False
        return any(base.module.library is not None and base.module is not self.universe.builtins for base in cls.mro)

    def instances(self, objects: int, method: str = "") -> dict[Instance, int]:
        """Those that are instances of known classes, by type: what is alike is called once. With many types, one stands for all that
        have the same method. Not to be changed."""
        known = self.instances_known.get((objects, method))
        if known is None:
            found: dict[Instance, int] = {}
            for one in self.bits(objects):
                what = self.type[one]
                if type(what) is ClassInfo and type(what.meta) is ClassInfo and (not method or _has_code(what.meta.find(method))):
                    what = what.meta.any_type
                if type(what) is Instance:
                    found[what] = found.get(what, 0) | self.bit[one]
            known = self.by_method(found, method) if method and len(found) > _APART else found
            self.instances_known[objects, method] = known
        return known

    @staticmethod
    def by_method(objects: dict[Instance, int], name: str) -> dict[Instance, int]:
        first: dict[Any, Instance] = {}
        found: dict[Instance, int] = {}
        for what, these in objects.items():
            method = what.cls.find(name)
            if _has_code(method) and (what.exact or not what.cls.lower(name)):
                what = first.setdefault((method, what.cls.record), what)
            found[what] = found.get(what, 0) | these
        return found

    def call_method_of(self, this: int, what: Instance, name: str, given: Given, number: Any, line: int) -> int:
        """A method of an object of a known class, or of a subclass if the class is not exact."""
        cls = what.cls
        found = cls.find(name)
        candidates = [found] if found is not None else []
        if not what.exact:
            candidates += cls.lower(name)
        if cls.open and found is None:  # a method of a base that nobody read
            return self.call_unread(this, given, number, name, line)
        result = self.call_assigned(this, what, name, given, number, line) if candidates and name in self.universe.instead else 0
        got = self.asked_by_name(this, "__getattribute__", name, number, line) if name[:2] != "__" else 0
        if got:
            result |= self.call(got, given, number, line, name)
        merged = self.universe.merged_family(cls, name, given.shape()) if len(candidates) > _MANY else None
        if merged is not None:
            return result | self.call_merged(merged, this, given, number, line)
        if not candidates:
            candidates = self.put_in_class(cls, name)
        for function in candidates:
            result |= self.call_as_method(function, this, given, number, line)
        if this & self.opened:
            of_dict = self.universe.builtins.classes["dict"].find(name)
            if of_dict is not None:
                return result | self.call_as_method(of_dict, this & self.opened, given, number, line)
        if not candidates:
            if any(name in owner.class_names for owner in cls.family()):  # a function there would be given the object
                self.leak(this, f"unknown {name}", line)
            value = self.load(this, name) if name in self.universe.stored else 0
            if name != "__getattr__":  # a class body may assign it: __getattr__ = forward("target")
                value |= self.asked_by_name(this, "__getattr__", name, number, line)
            if not value and self.untold_method(what, name):
                self.leak(this, f"unknown {name}", line)
            result = self.call(value, given, number, line, name)
        return result

    def call_assigned(self, this: int, what: Instance, name: str, given: Given, number: Any, line: int) -> int:
        """What class bodies assign in the place of a method: a function is one, another value is called by itself."""
        result = 0
        for kind in self.assigned_instead(what, name):
            if type(kind) is Function:
                result |= self.call_as_method(kind, this, given, number, line)
            elif kind is not self.universe.none:
                self.leak(this if kind in (None, UNREAD) else 0, f"unknown {name}", line)
                result |= self.call(self.outside(kind), given, number, line, name)
        return result

    def assigned_instead(self, what: Instance, name: str) -> list[Any]:
        """The types of what class bodies put in the place of a method, and some code in the place of one of ``object``."""
        found: list[Any] | None = self.bodies.get((what, name))
        if found is None:
            cls = what.cls
            method = cls.find(name)
            nearer = cls.mro[: cls.mro.index(method.cls)] if method is not None and method.cls in cls.mro else cls.mro
            owners = [*nearer, *(() if what.exact else set(cls.family()).difference(cls.mro))]
            owners = [owner for owner in owners if name not in owner.methods]
            if method is None or not self.universe.of_object(method):
                owners = [owner for owner in owners if name in owner.class_names]
            kinds = {kind for owner in owners for kind in self.known_types(owner, name)}
            found = self.bodies[what, name] = sorted(kinds, key=type_order)
        return found

    def hook(self, objects: int, name: str, given: Given, number: Any, line: int) -> int:
        """What Python calls unasked if the class of the objects, or one below it, has such a method in a file; the result."""
        result = 0
        if name in self.universe.coded:
            if self.hooks >= _HOOKS:  # one that leads to itself in a way that nobody thought of
                raise TooTangled(self.function.name)
            self.hooks += 1
            for what, these in self.instances(objects & ~self.frozen, name).items():
                if self.has_code(what, name):
                    result |= self.call_method_of(these, what, name, given, (number, name), line)
            self.hooks -= 1
        return result

    def has_code(self, what: Instance, name: str) -> bool:
        if _has_code(what.cls.find(name)):
            return True
        return (not what.exact and bool(what.cls.lower(name))) or (name in self.universe.instead and bool(self.assigned_instead(what, name)))

    @staticmethod
    def has_own(meta: ClassInfo | Unread | None, *names: str) -> bool:
        """Whether a metaclass may have one of these methods in a file."""
        return isinstance(meta, Unread) or (meta is not None and any(_has_code(meta.find(name)) for name in names))

    def asked_by_name(self, this: int, special: str, name: str, number: Any, line: int) -> int:
        """An attribute that ``__getattr__`` or ``__getattribute__`` of the objects' class gives."""
        if special not in self.universe.coded:
            return 0
        return self.hook(this, special, Given([self.outside(self.universe.str)], {}, 0, 0), (number, name), line)

    def put_in_class(self, cls: ClassInfo, name: str) -> list[Function]:
        """Methods that the class body assigns: ``keys = __iter__``, ``__call__ = one if DEBUG else other``."""
        owner = next((owner for owner in cls.mro if name in owner.class_names), None)
        kinds = self.known_types(owner, name) if owner is not None else ()
        if any(type(kind) is not Function or kind.cls is None for kind in kinds):
            return []
        return sorted(kinds, key=type_order)

    def put_in_some_class(self, name: str) -> bool:
        """Whether a class body of the analysed files assigns something to the name that can be called, and is no method."""
        if name not in self.universe.in_bodies:
            return False
        found: bool | None = self.bodies.get(name)
        if found is None:
            owners = [owner for owner in self.universe.in_bodies[name] if owner.module.own and name not in owner.methods]
            kinds = {kind for owner in owners for kind in self.known_types(owner, in_body(name))}
            found = self.bodies[name] = any(type(kind) is not Instance or kind.cls.find("__call__") is not None for kind in kinds)
        return found

    def call_as_method(self, function: Function, this: int, given: Given, number: Any, line: int) -> int:
        if function.kind == "static":
            return self.call_function(function, given, number, line)
        if function.kind == "class":
            return self.call_function(function, given.behind(self.classes_of(this)), number, line)
        if function.kind in ("property", "cached"):
            value = self.call_function(function, Given([this], {}, 0, 0), (number, "get"), line)
            return self.call(value, given, number, line, function.name)
        return self.call_function(function, given.behind(this), number, line)

    def call_class_method(self, one: int, cls: ClassInfo, name: str, given: Given, number: Any, line: int) -> int:
        """``Class.name(...)``: a static or class method, or a method with the object given first."""
        function = cls.find(name)
        if function is None or (cls.open and name not in cls.methods and function.cls is not None and function.cls.name == "object"):
            inner = cls.module.classes.get(f"{cls.name}.{name}")
            if inner is not None and not self.subclassed >> one & 1:
                return self.instantiate(inner, inner.exact_type, given, number, line)
            return self.call_unknown(given, number, f"{cls.name}.{name}", line)
        candidates = [function]
        if self.subclassed >> one & 1:
            candidates += cls.lower(name)
        result = 0
        for candidate in candidates[:_MANY]:
            if candidate.kind == "class":
                result |= self.call_function(candidate, given.behind(1 << one), number, line)
            elif name == "__new__" and self.makes_own(candidate, given):
                result |= self.copied(candidate, given, number, line)
            else:
                result |= self.call_function(candidate, given, number, line)
        if len(candidates) > _MANY:
            result |= self.call_unknown(given, number, f"{cls.name}.{name}", line)
        return result

    def makes_own(self, new: Function, given: Given) -> bool:
        """Whether this is a ``__new__`` of a file that calls the one of a built-in class for its own ``cls``."""
        own = self.function.cls
        if own is None or own.methods.get("__new__") is not self.function or new.code is not None or not given.positional:
            return False
        return given.positional[0] == self.known.get(("p", 0))

    def copied(self, new: Function, given: Given, number: Any, line: int) -> int:
        """What the ``__new__`` of a built-in class makes for a class of a file: never the text, tuple or number it is given."""
        own = self.function.cls
        assert own is not None
        found = self.call_function(new, given, number, line) & ~(given.everything() | self.frozen)
        made = self.made(number, own.any_type)
        self.store(made, "*", self.load(found, "*"), line)
        return found | made

    def call_by_name(self, this: int, name: str, given: Given, number: Any, line: int) -> int:
        """A method of an object of unknown type: every known method of that name, of a class that has all that the object is
        asked for here."""
        merged = self.universe.merged_method(name, given.shape(), self.asked, self.is_text(given.everything()))
        if merged is None:
            value = self.load(this, name)
            self.leak(this, f"unknown {name}", line)
            if self.unknown(this) is PENDING:
                self.leak(given.everything(), f"unknown {name}", line)
                return self.unknown_result(number, PENDING)
            return self.call(value, given, number, line, name)
        return self.call_merged(merged, this, given, number, line)

    def call_merged(self, merged: Function, this: int, given: Given, number: Any, line: int) -> int:
        name = merged.name
        self.deps[merged] = None
        result = 0
        if not merged.plain and self.put_in_some_class(name):
            result = self.call_unknown(given.behind(this), number, name, line)
        elif (not merged.plain and name in self.universe.stored) or any(member.kind in ("property", "cached") for member in merged.members):
            result = self.call_unknown(given, number, name, line)
        values = self.bind_merged(number, this, given, merged.summary.parameters())
        return result | self.apply(merged.summary, values, number, line, merged)

    def is_text(self, objects: int) -> bool:
        """Whether all of them can be text, numbers or the like."""
        return not any(type(self.type[one]) is Instance for one in self.bits(objects & ~self.frozen))

    # summaries

    def apply(self, summary: Summary, values: dict[Any, int], number: Any, line: int, function: Function) -> int:
        """What a call with that summary does to the arguments; its result."""
        if summary is BOTTOM:
            return 0
        self.spend(1)
        if self.depth >= _DEPTH:
            everything = 0
            for objects in values.values():
                everything |= objects
            self.leak(everything, f"unknown {function.name}, called back too deep", line)
            return self.unknown_result(number)
        self.depth += 1
        try:
            return self._apply(summary, values, number, line, function)
        finally:
            self.depth -= 1

    def _apply(self, summary: Summary, values: dict[Any, int], number: Any, line: int, function: Function) -> int:
        plan = summary.plan()
        fresh = [self.fresh(number, what, top) for what, top in plan.fresh]
        meant = _Meant(self, values, fresh)

        for _ in range(2 if plan.stores else 1):  # what one puts in, another takes out, if an object is given twice
            before = len(self.log)
            for index, name, sources in plan.fields:
                self.store(fresh[index], name, meant.union(sources), line)
            for target, name, stored in plan.stores:
                bases = meant.union((target,))
                if bases:
                    self.store(bases, name, meant.union(stored), line, f"global by {function.name}")
                    if name in self.universe.by_name or name in ("__init__", "__new__"):  # in the place of a method: what a class decorator puts there
                        for one in self.bits(bases):
                            self.note_replaced(one, name)
            if before == len(self.log):
                break
        for root, leaks in plan.leaks:
            given = values.get(root, 0)
            for source, cause in leaks if given else ():
                objects = self.held(given) if source[1] == DEEP else meant.union((source,))
                if objects & ~1:
                    self.leak(objects, f"{cause} {function.name}" if cause in ("library", "task") else cause, line)
        result = meant.union(plan.returns)
        for target, arguments, into in summary.calls:
            called, passed = meant.union((target,)), [meant.union((argument,)) for argument in arguments]
            if into == PRINTED:
                self.print(called, passed[0] if passed else 0, number, line)
                continue
            called_back = self.call(called, Given(passed, {}, 0, 0), ("callback", number, into), line, "a callback") if called else 0
            place, _, name = target[1].rpartition(".")
            if into != "leak" and name.isidentifier():  # a text means the method, if the object has one in a file
                called_back |= self.hook(meant.union(((target[0], place),)), name, Given(passed, {}, 0, 0), ("callback", number), line)
            meant.gave |= called_back
            if into == "leak":
                self.leak(called_back, f"unknown result of a function that {function.name} calls", line)
            elif into == "result":
                result |= called_back
            elif into == "items":
                for made, (_, top) in zip(fresh, plan.fresh):
                    if top:
                        self.store(made, "*", called_back, line)
        if "__del__" in self.universe.coded:
            for made, (what, top) in zip(fresh, plan.fresh):
                if top and type(what) is Instance and self.has_code(what, "__del__"):  # it may die here
                    self.hook(made, "__del__", NOTHING, number, line)
        if not plan.makes:
            result |= self.made(number, self.universe.none) if isinstance(number, int) else 0
        return result

    def note_replaced(self, one: int, name: str) -> None:
        """A module's or class's known function is put out of place, or all that an object's class has."""
        what = self.type[one]
        known: list[Function | None] = []
        if type(what) is ModuleInfo:
            known = [kind for kind in self.universe.lookup(what, name, builtins=False) if type(kind) is Function]
        elif type(what) is Instance and name == "__class__":
            known = [method for cls in what.cls.mro for method in cls.methods.values() if method.code is not None]
        elif type(what) is Instance:
            known = [what.cls.find(name), *([] if what.exact else what.cls.lower(name))]
            if any(base.name == "type" for base in what.cls.mro):  # a metaclass, which puts it into its classes
                family = what.cls.family()
                known += [method for method in self.universe.by_name.get(name, ()) if method.cls is not None and method.cls.meta in family]
            known = [method for method in known if method is not None and method.kind not in ("property", "cached")]
        elif type(what) is ClassInfo:
            known = [what.find(name), *(what.lower(name) if self.subclassed >> one & 1 else [])]
            if what.module.own:  # what all classes have, no other class has now: see ``assigned_instead``
                known = [method for method in known if method is not None and not self.universe.of_object(method)]
        self.patched.update(filter(None, known))

    def print(self, objects: int, files: int, number: Any, line: int) -> None:
        """Writes the objects' text to files, standard output if there is none. It may be kept until it is written out; of what is no
        text, a new text is made."""
        text = 0
        for one in self.bits(objects):
            what = self.type[one]
            if what in (None, PENDING, UNREAD) or (type(what) is Instance and what.cls.name == "str" and what.cls.module is self.universe.builtins):
                text |= 1 << one
        known = {self.type[one] for one in self.bits(files)} - {self.universe.none}
        if known:
            self.call_method(files, "write", Given([text or self.outside(self.universe.str)], {}, 0, 0), ("print", number), line)
        if not known or any(type(what) is not Instance for what in known):
            for one in self.bits(text):
                if self.kind[one] == MADE:
                    self.leak(1 << one, "library print", line)
                elif self.kind[one] != OUTSIDE:
                    self.printed.add((self.root[one], "" if self.kind[one] == PARAMETER else self.path[one]))

    def fresh(self, number: Any, what: Any, top: bool) -> int:
        if top and isinstance(number, int):
            return self.made(number, what)
        key: Any = ("f", number, what, top)
        if self.coarse or (len(self.kind) > CROWDED and key not in self.known):
            key = ("f", what)
        return self.object(key, MADE, what)

    def inside(self, objects: int, path: str) -> int:
        """What is found in the objects along a path of a summary."""
        for part in path.split("."):
            objects = self.step(objects, part)
        return objects

    def step(self, objects: int, part: str) -> int:
        """What is one step of a path away from the objects."""
        if part == DEEP:
            return self.deep(objects)
        if part == "*":
            return self.iterate(objects, "item", 0)
        return self.load(objects, part)

    def iterate(self, bases: int, number: Any, line: int) -> int:
        """Items of what is iterated over: by its own methods if its class is known, by what it holds otherwise."""
        result = 0
        plain = bases
        for what, these in self.instances(bases & ~self.frozen, "__iter__").items():
            method = what.cls.find("__iter__")
            if method is not None and method.code is not None and not what.cls.record:
                plain &= ~these
                iterator = self.call_method_of(these, what, "__iter__", NOTHING, ("iter", number), line)
                result |= self.load(iterator, "*") | self.next_of(iterator, number, line)
            elif method is None and _has_code(what.cls.find("__aiter__")):
                plain &= ~these
                iterator = self.call_method_of(these, what, "__aiter__", NOTHING, ("iter", number), line)
                result |= self.load(iterator, "*") | self.load(self.hook(iterator, "__anext__", NOTHING, ("next", number), line), "await")
            elif method is None and _has_code(what.cls.methods.get("__getitem__")):
                plain &= ~these
                result |= self.call_method_of(these, what, "__getitem__", NOTHING, ("iter", number), line)
        return result | self.load(plain, "*")

    def next_of(self, iterators: int, number: Any, line: int) -> int:
        result = 0
        for what, these in self.instances(iterators, "__next__").items():
            if _has_code(what.cls.find("__next__")):
                result |= self.call_method_of(these, what, "__next__", NOTHING, ("next", number), line)
        return result


class _Meant:
    """The objects that the sources of a summary mean in one call. No function within ``_apply``: compiled, that would be a cycle, which
    nobody looks for here, and keep all objects of the caller."""

    __slots__ = ("solved", "values", "fresh", "gave", "known", "version")

    def __init__(self, solved: Calls, values: dict[Any, int], fresh: list[int]) -> None:
        self.solved = solved
        self.values = values
        self.fresh = fresh
        self.gave = 0  # the functions that were called back
        self.known: dict[Any, int] = {}  # source -> objects, as long as no field changes
        self.version = len(solved.log)

    def union(self, sources: Any) -> int:
        solved = self.solved
        objects = 0
        for source in sources:
            index, path = source
            if index == FRESH:
                objects |= self.fresh[path]
            elif index == RESULT:
                objects |= solved.inside(self.gave, path) if path else self.gave
            elif index == WORLD:
                objects |= solved.outside(path)
            elif not path:
                objects |= self.values.get(index, 0)
            else:
                if self.version != len(solved.log):
                    self.version = len(solved.log)
                    self.known.clear()
                found = self.known.get(source)
                if found is None:
                    given = self.values.get(index, 0)
                    found = self.known[source] = solved.inside(given, path) if given else 0
                objects |= found
        return objects


def _makes(summary: Summary, cls: ClassInfo) -> bool:
    """Whether a new object that is returned may be of the class."""
    kinds = [summary.fresh[number][0] for root, number in summary.returns if root == FRESH]
    return any(type(kind) is not Instance or cls in kind.cls.mro or kind.cls in cls.mro for kind in kinds)


def _has_code(function: Function | None) -> bool:
    return function is not None and function.code is not None
