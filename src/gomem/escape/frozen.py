"""What is kept of an analysed package, and how other code is analysed with it.

A package is analysed by itself, and then frozen: its names and classes, the summaries of its functions, the types of its
attributes. In another universe its functions are not solved again, and its methods are not known by name alone.
A summary holds as long as all is as it was when the function was solved. It becomes that of an unknown call if

- a type is added to an attribute that the function looked at, or a function that it called is replaced;
- the files that are analysed now have a method of a name that it called on an object of unknown type;
- a class from elsewhere that derives from one of the package overrides something that the function may use;
- a function that it calls becomes unknown.
"""

from __future__ import annotations

import marshal
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from gomem.escape import ir
from gomem.escape.effects import give_up
from gomem.escape.engine import Engine
from gomem.escape.entities import NO_TYPES, REPLACED, ClassInfo, Function
from gomem.escape.outcome import Cell
from gomem.escape.record import Plain, Unpacker, pack_cell, pack_summary, pack_types
from gomem.escape.summary import DEEP, Summary
from gomem.escape.trace import known_summary
from gomem.escape.universe import Universe

DISTURBED = "which rests on what other code changes"


def freeze(engine: Engine, before: dict[str, Plain]) -> Plain:
    """What is to be kept of the universe's own modules once they are solved. ``before``: ``changes`` before that."""
    universe = engine.universe
    own = [module for module in universe.modules.values() if module.own and module.file is not None]
    functions = []
    for function, code in ((function, function.code) for module in own for function in module.functions.values()):
        if code is None:
            continue
        seen: dict[Plain, None] = {}
        asked: dict[str, None] = {}
        for cell in engine.seen[function]:
            if type(cell) is Function and cell.kind == "merged":
                plain = any(universe.plain(member, None, True) for member in cell.members)
                if not plain or any(member.code is not None for member in cell.members):  # else no class of a file is meant
                    asked[cell.name] = None
                seen.update((member.key, None) for member in cell.members)
            else:
                seen[pack_cell(cell)] = None
        summary = function.summary
        unknown = function.unknown if function.opaque else ""
        functions.append((function.key, marshal.dumps(pack_summary(summary)), summary.digest(), unknown, list(seen), list(asked), makes_unnamed(code)))
        code.forget()
    types = {key: value for key, value in changes(universe).items() if before.get(key) != value}
    known = [module.name for module in universe.modules.values() if module.file is not None]
    return [ir.pack(module.file, bodies=False) for module in own if module.file is not None], functions, types, known


def changes(universe: Universe) -> dict[str, Plain]:
    """What solving adds to what is known of modules, classes and functions: types of attributes, and who is replaced."""
    found: dict[str, Plain] = {}
    for module in universe.modules.values():
        functions = [*module.functions.values(), *(method for cls in module.classes.values() for method in cls.methods.values())]
        owners: list[Any] = [module, *module.classes.values(), *functions]
        for owner in owners:
            replaced = isinstance(owner, Function) and owner.opaque and owner.unknown == REPLACED
            if owner.attributes or replaced:
                found[owner.key] = (replaced, [(name, pack_types(kinds)) for name, kinds in sorted(owner.attributes.items())])
    return found


class Frozen:
    """Frozen packages in a universe: ``add`` them before it is linked, ``thaw`` behind."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.packages: list[Plain] = []
        self.number: dict[str, int] = {}  # of the package that a module is in
        self.knows: list[set[str]] = []  # by package, the modules with which it was analysed
        self.makers: set[str] = set()  # keys of functions that may make objects of classes which they do not name
        self.lookers: dict[Plain, list[tuple[Function, int]]] = defaultdict(list)

    def add(self, package: Plain) -> None:
        for plain in package[0]:
            module = ir.unpack(plain)
            self.number[module.name] = len(self.packages)
            self.universe.add_file(module, own=False)
        self.packages.append(package)
        self.knows.append(set(package[3]))

    def thaw(self) -> None:
        unpack, by_key = Unpacker(self.universe), self.universe.by_key
        for number, (_, functions, _, _) in enumerate(self.packages):
            for key, summary, digest, unknown, seen, _, makes in functions:
                function = by_key[key]
                function.summary = known_summary(unpack, summary, digest)
                if makes:
                    self.makers.add(key)
                if unknown:
                    function.opaque, function.unknown = True, unknown
                for cell in seen:
                    self.lookers[cell].append((function, number))
        lost = [*self._types(unpack), *self._overridden()]
        methods = {name for module in self.universe.modules.values() if module.own for cls in module.classes.values() for name in cls.methods}
        lost += [by_key[key] for _, functions, _, _ in self.packages for key, *_, asked, _ in functions if not methods.isdisjoint(asked)]
        self._lose(lost)

    def _types(self, unpack: Unpacker) -> list[Function]:
        """Makes known which types the packages put into attributes, and what they replace; who counts on there being no more."""
        by: dict[Plain, list[str]] = {}  # packed cell -> the first modules of the packages that did something to it
        for modules, _, types, _ in self.packages:
            for key, (replaced, kinds) in types.items():
                what = self.universe.by_key[key]
                if replaced and what.replaced():
                    by.setdefault(key, []).append(modules[0][2][0])
                for name, plain in kinds:
                    if what.add_types(name, unpack.types(plain)):
                        by.setdefault((key, name), []).append(modules[0][2][0])
        return [
            looker
            for cell, modules in by.items()
            for looker, number in self.lookers.get(cell, ())
            if not self.knows[number].issuperset(modules)
        ]

    def _overridden(self) -> list[Function]:
        """Functions that looked for what a class from elsewhere, which derives from one of the package, defines for itself."""
        lost: list[Function] = []
        for cls in (cls for module in self.universe.modules.values() if module.file is not None for cls in module.classes.values()):
            homes = [self.number.get(base.module.name, -1) for base in cls.mro]
            for place, (base, home) in enumerate(zip(cls.mro, homes, strict=True)):
                if home < 0 or home == homes[0]:
                    continue
                for other, its, where in zip(cls.mro, homes, range(len(homes)), strict=True):
                    if its != home and other.module.file is not None:
                        for name in (*other.methods, *(name for name in other.class_names if base.find(name) is not None)):
                            lost += self._looked(cls, base, name, behind=where > place)
                        for name, kinds in other.attributes.items():
                            if not kinds <= base.attributes.get(name, NO_TYPES):
                                lost += self._strangers(cls, (base.key, name))
        return lost

    def _looked(self, cls: ClassInfo, base: ClassInfo, name: str, behind: bool) -> list[Function]:
        """Who looked for that name in objects of the base, or behind it, and did not know the class."""
        method = base.find(name)
        seen = [] if method is None else self._strangers(cls, method.key)
        if name in ("__init__", "__new__") and not behind:
            seen = [looker for looker in seen if looker.key in self.makers]
        if method is not None and method.code is None and name[:2] == "__":  # of a text: nearly everybody has seen those of object
            home = self.number[base.module.name]
            seen = [looker for looker in seen if self.number[looker.module.name] == home]
        return seen + self._strangers(cls, (base.key, name))

    def _strangers(self, cls: ClassInfo, cell: Plain) -> list[Function]:
        return [looker for looker, number in self.lookers.get(cell, ()) if cls.module.name not in self.knows[number]]

    def disturb(self, cells: Iterable[Cell]) -> list[Function]:
        """Functions of which nobody knows any more what a call of them does, as they have looked at these cells."""
        lost: dict[Function, None] = {}
        for cell in cells:
            lost.update((looker, None) for looker, _ in self.lookers.get(pack_cell(cell), ()))
            if type(cell) is not Function and isinstance(cell[0], ClassInfo):
                for base in cell[0].family():
                    if base.name != "object" and not cell[0].attributes[cell[1]] <= base.attributes.get(cell[1], NO_TYPES):
                        lost.update((looker, None) for looker, _ in self.lookers.get((base.key, cell[1]), ()))
        return self._lose(list(lost))

    def _lose(self, functions: list[Function]) -> list[Function]:
        lost = []
        while functions:
            function = functions.pop()
            if not function.tangled and not function.opaque:
                function.tangled = True
                function.summary = _unknown(function)
                lost.append(function)
                functions += [looker for looker, _ in self.lookers.get(function.key, ())]
        return lost


def _unknown(function: Function) -> Summary:
    """All that it is given escapes, and what it holds as a closure; not the closure."""
    worst = give_up(len(function.params), f"{function.name}, {DISTURBED}")
    env = len(function.params)
    return Summary({(number, DEEP if number == env else path): cause for (number, path), cause in worst.leaks.items()}, returns=worst.returns, fresh=worst.fresh)


def makes_unnamed(code: ir.Code) -> bool:
    """Whether a function may make an object of a class that it does not name, of one that was passed in, say."""
    named = {op[1] for op in code.ops if op[0] in (ir.GLOBAL, ir.CLOSURE)}
    return any(op[0] == ir.CALL and op[2] not in named for op in code.ops)
