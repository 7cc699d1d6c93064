"""What objects hold: attributes read and set, by type or by name alone, and items."""

from __future__ import annotations

from typing import Any

from gomem.escape.arguments import NOTHING, Given
from gomem.escape.calls import BOUND, Calls
from gomem.escape.entities import DECORATED, PENDING, UNREAD, ClassInfo, Function, Instance, ModuleInfo
from gomem.escape.solve import MADE, in_body
from gomem.escape.summary import type_order
from gomem.escape.universe import PLAIN


_SETTERS = 8  # of one name that are called for an object of unknown type


class Attributes(Calls):
    def load_attr(self, op: Any) -> None:
        _, dst, bases, name, line = op
        found = 0
        if name == "__class__":
            self.put(dst, self.classes_of(self.pts[bases]) or 1)
            return
        if name == "__dict__":
            self.put(dst, self.open_dict(self.pts[bases]) or 1)
            return
        if name == "__traceback__":  # stands for the exception
            self.put(dst, self.pts[bases] or 1)
            return
        for one in self.bits(self.pts[bases]):
            what = self.type[one]
            kind = type(what)
            if kind is Instance:
                found |= self.load_of(one, what, name, op, line)
            elif kind is ClassInfo:
                found |= self.load_of_class(one, what, name)
            else:
                found |= self.load_one(one, 1 << one, name) or self.untold(one)
                if what is UNREAD:
                    found |= self.bound(one, name, op)
                elif (what is None or what is PENDING) and name not in self.universe.stored:
                    found |= self.load_by_name(one, name, op, line)
        self.put(dst, found or 1)

    def load_of(self, one: int, what: Instance, name: str, op: Any, line: int) -> int:
        cls = what.cls
        method = cls.find(name)
        if method is None and not what.exact:
            method = next(iter(cls.lower(name)), None)
        found = self.asked_by_name(1 << one, "__getattribute__", name, ("get", op[1]), line)
        if method is not None and method.kind in ("property", "cached"):
            found |= self.get_property(one, what, name, op, line)
            if cls.find(name) is method or not self.universe.assigned(cls, name):
                if name not in self.universe.in_bodies:
                    return found
                for kind in self.assigned_instead(what, name):
                    found |= self.outside(kind)
                return found
        elif method is not None:
            if method.opaque and method.unknown == DECORATED:  # whose result may be a descriptor
                self.call_function(method, Given([1 << one], {}, 0, 0), ("get", op[1], method), line)
            return found | self.bound(one, name, op)
        if "__getattr__" in self.universe.coded and not self.universe.begun(cls, name):
            found |= self.asked_by_name(1 << one, "__getattr__", name, ("get", op[1]), line)
        held = self.load_one(one, 1 << one, name)
        if not held and cls.module.library is not None and cls.name not in PLAIN and name not in cls.declared:
            held = self.untold(one)
        found |= held | self.from_descriptor(one, what, name, op, line)
        if self.kind[one] == MADE and not what.immutable and (not found or found & 1) and cls.module.file is not None:
            found &= ~1
            for kind in self.attribute_types(cls, name):
                found |= self.outside(kind)
        return found

    def untold(self, one: int) -> int:
        """What an object made here gives under a name that no text tells of: anything that it keeps, or something unknown, such as a
        dict of its own."""
        if self.kind[one] != MADE:
            return 0
        found = 1
        for objects in self.fields[one].values():
            found |= objects
        return found

    def open_dict(self, objects: int) -> int:
        """What stands for the ``__dict__`` of the objects: these themselves, of modules and classes something unknown."""
        found = 0
        for one in self.bits(objects):
            bit = 1 << one
            if type(self.type[one]) not in (ClassInfo, ModuleInfo):
                found |= bit
                if not bit & (self.opened | self.outer | self.frozen):
                    self.opened |= bit
                    self.note_change(bit)
            else:
                found |= 1
        return found

    def from_descriptor(self, one: int, what: Instance, name: str, op: Any, line: int) -> int:
        """What an object of a class with ``__get__``, which a class body assigned, gives in its place."""
        found = 0
        for descriptor in self.descriptors(what, name, "__get__"):
            given = Given([1 << one, self.outside(what.cls)], {}, 0, 0)
            found |= self.call_method_of(self.outside(descriptor), descriptor, "__get__", given, ("get", op[1], descriptor), line)
        return found

    def descriptors(self, what: Instance, name: str, method: str) -> list[Instance]:
        """The types of what class bodies assigned under that name, of those that have the method."""
        if name not in self.universe.in_bodies or method not in self.universe.coded:
            return []
        found: list[Instance] | None = self.bodies.get((what.cls, name, method))
        if found is None:
            kinds = {kind for owner in what.cls.family() if name in owner.class_names for kind in self.known_types(owner, in_body(name))}
            found = sorted((kind for kind in kinds if type(kind) is Instance and self.has_code(kind, method)), key=type_order)
            self.bodies[what.cls, name, method] = found
        return found

    def get_property(self, one: int, what: Instance, name: str, op: Any, line: int) -> int:
        candidates = [what.cls.find(name)]
        if not what.exact:
            candidates += what.cls.lower(name)
        found = 0
        for function in candidates:
            if function is None:
                continue
            number = ("get", op[1], function)
            value = self.call_function(function, Given([1 << one], {}, 0, 0), number, line)
            if function.kind == "cached":
                self.store(1 << one, name, value, line)
            found |= value
        return found

    def bound(self, one: int, name: str, op: Any) -> int:
        made = self.object(("b", op[1], name), MADE, (BOUND, name))
        self.store(made, "self", 1 << one, op[-1])
        return made

    def load_by_name(self, one: int, name: str, op: Any, line: int) -> int:
        functions = self.universe.by_name.get(name)
        found = 0
        if functions is None or any(function.kind not in ("property", "cached") for function in functions):
            found |= self.bound(one, name, op)
        elif (merged := self.universe.merged_method(name)) is not None:
            self.deps[merged] = None
            found |= self.apply(merged.summary, {"0": 1 << one, "env": 1}, ("get", op[1]), line, merged)
        return found

    def load_of_class(self, one: int, cls: ClassInfo, name: str) -> int:
        method = cls.find(name)
        if method is not None and (method.cls is None or method.cls.name != "object"):
            return self.outside(method) if method.kind != "class" else self.outside(None)
        inner = cls.module.classes.get(f"{cls.name}.{name}")
        if inner is not None and not self.subclassed >> one & 1:
            return self.outside(inner)
        found = 0
        for kind in self.attribute_types(cls, name):
            found |= self.outside(cls.any_type if cls.enum and name in cls.class_names else kind)
        return found

    def store_attr(self, op: Any) -> None:
        _, bases, name, src, line = op
        objects = self.pts[src]
        if not objects:
            return
        base = self.pts[bases]
        if not base:
            self.leak(objects, "unknown object", line)
        if name == "__dict__":  # whoever has the dict has all that the object will hold
            self.leak(base | objects, "unknown __dict__", line)
        for one in self.bits(base):
            what = self.type[one]
            self.note_replaced(one, name)
            if type(what) is Instance and self.set_by_class(one, what, name, objects, line):
                continue
            self.store(1 << one, name, objects, line)
            if self.kind[one] != MADE and type(what) not in (Instance, ClassInfo):
                self.note_by_name(name, objects, line, one)

    def set_by_class(self, one: int, what: Instance, name: str, objects: int, line: int) -> bool:
        """What the class does when an attribute of its object is set; whether that is all that happens."""
        number, given = ("set", name, line), Given([1 << one, objects], {}, 0, 0)
        setters = self.setters_of(what, f"{name}.setter")
        for setter in setters:
            self.call_function(setter, given, number, line)
        if "__setattr__" in self.universe.coded:
            self.hook(1 << one, "__setattr__", Given([self.outside(self.universe.str), objects], {}, 0, 0), number, line)
        for kind in self.descriptors(what, name, "__set__"):
            self.call_method_of(self.outside(kind), kind, "__set__", given, number, line)
        getter = what.cls.find(name) if setters else None
        return getter is not None and getter.kind == "property"

    def setters_of(self, what: Instance, name: str) -> list[Function]:
        """What setting an attribute of an object of that type may call."""
        found = what.cls.find(name)
        below = [] if what.exact or name not in self.universe.by_name else what.cls.lower(name)
        return list(dict.fromkeys(filter(None, (found, *below))))

    def note_by_name(self, name: str, objects: int, line: int, one: int) -> None:
        """An attribute of an object of unknown type is set: any class that has such an attribute may be meant."""
        for cls in self.universe.classes_with(name):
            self.add_types(cls, name, objects)
        setter = f"{name}.setter"
        if setter in self.universe.by_name and self.type[one] in (None, PENDING, UNREAD):
            known = self.universe.by_name[setter]
            for function in known[:_SETTERS]:
                self.call_function(function, Given([1 << one, objects], {}, 0, 0), ("set", name, line), line)
            self.leak(objects if len(known) > _SETTERS else 0, f"unknown setter of {name}", line)

    def has_told(self, what: Instance, name: str) -> bool:
        """Whether the class, or one below it, has such a method of its own: what those of the built-in classes do is known."""
        method = what.cls.find(name)
        return self.has_code(what, name) or (method is not None and method.module is not self.universe.builtins)

    def load_item(self, op: Any) -> None:
        _, dst, bases, key, line = op
        plain = self.pts[bases]
        found = 0
        for what, these in self.instances(plain & ~self.frozen).items():
            cls = what.cls
            if self.has_told(what, "__getitem__"):
                plain &= ~these
                found |= self.call_method_of(these, what, "__getitem__", Given([self.pts[key]], {}, 0, 0), ("item", dst), line)
            elif cls.text is not None:
                plain &= ~these
                found |= self.outside(cls.text)
            elif cls.find("__missing__") is not None:  # may put the key in
                self.store(these, "*", self.pts[key], line)
                found |= self.hook(these, "__missing__", Given([self.pts[key]], {}, 0, 0), ("item", dst), line)
        for one in self.bits(plain & ~self.frozen):
            made = self.type[one]
            if type(made) is ClassInfo:
                plain &= ~(1 << one)
                found |= self.outside(made.any_type) if made.enum else 1 << one
                self.leak(self.pts[key], "library typing", line)
        self.put(dst, found | self.load(plain, "*"))

    def store_item(self, op: Any) -> None:
        _, bases, src, line = op
        objects = self.pts[src]
        if not objects:
            return
        plain = self.pts[bases]
        if not plain:
            self.leak(objects, "unknown object", line)
        for what, these in self.instances(plain & ~self.frozen).items():
            if self.has_told(what, "__setitem__"):
                plain &= ~these
                self.call_method_of(these, what, "__setitem__", Given([objects, objects], {}, 0, 0), ("put", bases), line)
        self.store(plain, "*", objects, line)
