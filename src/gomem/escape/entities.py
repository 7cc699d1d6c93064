"""What a program is made of, as the analysis knows it: modules, classes with their order of resolution, functions, types.

A type is one of the objects ``Instance``, ``Function``, ``ClassInfo`` (the class itself as an object), ``ModuleInfo``, ``UNREAD``;
``None`` is an unknown type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from gomem.escape import ir
from gomem.escape.summary import LibraryModule, Summary

BOTTOM = Summary(digested=b"not solved yet")


class Pending:
    """The type of what an attribute holds of which no value has been seen yet: unknown for now, and told to nobody."""

    name = ""
    key = ""


PENDING: Final = Pending()


class Unread:
    """The type of a module that nobody read, and of what such a module defines: what a call of it does is not even what the
    methods known by that name do."""

    key = "unread"


UNREAD: Final = Unread()
Shape = tuple[int, frozenset[str]]  # of a call: how many arguments by position, and the keywords
ANY_NUMBER = 1000
DECORATED = "decorated"
REPLACED = "replaced at run time"
NO_TYPES: Final[frozenset[Any]] = frozenset()
UNKNOWN_TYPE: Final[frozenset[Any]] = frozenset([None])
MANY_TYPES: Final = 6  # an attribute that may be of more types than this is of unknown type


def united(known: frozenset[Any], kinds: Iterable[Any]) -> frozenset[Any]:
    """Types of an attribute, and some more; many of them are as good as unknown."""
    now = known.union(kinds)
    return UNKNOWN_TYPE if None in now or len(now) > MANY_TYPES else now


class Owner:
    """Something with attributes whose types are collected: a class, a module, a nested function's variables."""

    __slots__ = ("attributes",)

    def __init__(self) -> None:
        self.attributes: dict[str, frozenset[Any]] = {}

    def add_types(self, name: str, kinds: Iterable[Any]) -> bool:
        """Whether that is news."""
        known = self.attributes.get(name, NO_TYPES)
        now = united(known, (kind for kind in kinds if kind is not PENDING))
        if now == known:
            return False
        self.attributes[name] = now
        return True


class Instance:
    """The type of an object: its class, and whether it can also be a subclass."""

    __slots__ = ("cls", "exact", "immutable", "key")

    def __init__(self, cls: ClassInfo, exact: bool) -> None:
        self.cls = cls
        self.exact = exact
        self.immutable = cls.immutable
        self.key = f"{cls.key} {'exact' if exact else 'any'}"


class Function(Owner):
    """A function: of a file (``code``) or of a library text (then its summary never changes)."""

    __slots__ = ("name", "module", "code", "cls", "params", "kind", "opaque", "summary", "members", "manager", "order", "tangled", "unknown", "key", "outdated", "fewest", "most", "variant", "result", "short", "plain", "effort")

    def __init__(self, name: str, module: ModuleInfo, params: list[Any], code: ir.Code | None = None) -> None:
        super().__init__()
        self.name = name
        self.module = module
        self.params = params
        self.code = code
        self.cls: ClassInfo | None = None
        self.kind = "function"  # property, cached, static, class
        self.opaque = False  # nobody knows what a call of it does,
        self.unknown = DECORATED  # because an unknown decorator stands before it, or some code replaces it
        self.manager = False
        self.tangled = False  # given up: its summary is the worst one
        self.effort = 0  # what solving it has taken so far, in tenths of what it may take at once
        self.summary: Summary = BOTTOM
        self.result: Instance | Unread | None = None  # the type that its annotation gives of what it returns
        self.members: list[Function] = []  # of a merged one
        self.plain = False  # of a merged one: methods of built-in classes
        self.outdated = False  # of a merged one: older than its members
        self.order = 0
        self.key = ""  # tells it apart from all other types, in every run alike
        self.fewest, self.most = 0, ANY_NUMBER  # arguments with which a text means this function, see told_apart
        self.short: tuple[int, Function] | None = None  # what is left of it without a parameter, and the number of that
        self.variant: Function | None = None  # what a text says of a call with more of them

    def replaced(self) -> bool:
        """Notes that some code puts something else in its place; whether that is news."""
        if self.opaque:
            return False
        self.opaque, self.unknown = True, REPLACED
        return True

    def home(self, name: str) -> Owner:
        """Who has a variable of that name which the function sees: the nearest function round it that binds it; else the function itself,
        which has an attribute of that name."""
        function = self
        while function.code is not None and name in function.code.frees:
            outer = function.code.parent
            if not outer:  # of a comprehension of the module
                return self.module
            function = self.module.defined(outer)
        return function

    def lacks(self, number: int, positional: int, named: Iterable[str]) -> bool:
        """Whether a call with so many arguments by position, and these by name, does not give that parameter."""
        return positional <= number and self.params[number][0] not in named

    def told_apart(self, positional: int, named: Collection[str]) -> int:
        """By how many arguments it is told apart what a text means: those by position, and any by name that have no parameter."""
        return positional + (len(named) if any(how == ir.KEYWORDS for _, how, *_ in self.params) else 0)

    def accepts(self, shape: Shape | None) -> bool:
        """Whether a method can be called so without a TypeError. Library texts may leave parameters out: they take anything."""
        if shape is not None and not self.fewest <= self.told_apart(*shape) <= self.most:
            return False
        if shape is None or self.code is None or (self.opaque and self.unknown != REPLACED) or self.kind in ("property", "cached"):
            return True
        given, named = shape
        given += self.kind != "static"
        packs = {how for _, how, *_ in self.params}
        places = [param for param in self.params if param[1] in (ir.ORDINARY, ir.POSITIONAL_ONLY)]
        if given > len(places) and ir.REST not in packs:
            return False
        names = {name for name, how, *_ in self.params if how in (ir.ORDINARY, ir.KEYWORD_ONLY)}
        if ir.KEYWORDS not in packs and not named <= names:
            return False
        open_ = places[given:] + [param for param in self.params if param[1] == ir.KEYWORD_ONLY]
        return all(default != ir.NO_DEFAULT or name in named for name, _, _, default in open_)


class ClassInfo(Owner):
    """A class. ``open`` if some base is unknown, so that it may have methods nobody knows of."""

    __slots__ = (
        *("name", "module", "bases", "methods", "subclasses", "open", "immutable", "exact_type", "any_type", "mro"),
        *("record", "item", "enum", "declared", "class_names", "_family", "_below", "_mixed", "_lower", "_found", "protocol", "key", "text", "meta", "lazy"),
    )

    def __init__(self, name: str, module: ModuleInfo) -> None:
        super().__init__()
        self.name = name
        self.module = module
        self.key = f"class {module.name}:{name}"
        self.bases: list[ClassInfo] = []
        self.methods: dict[str, Function] = {}
        self.subclasses: list[ClassInfo] = []
        self.open = False
        self.immutable = False
        self.lazy = False
        self.record = False
        self.enum = False
        self.protocol = False  # says what a class has to have: whose methods are called, nobody knows
        self.item = ""
        self.meta: ClassInfo | Unread | None = None  # its metaclass, if that is one of a file or unknown
        self.text: Instance | None = None  # of what a slice of a subclass of str or bytes is
        self.mro: list[ClassInfo] = []
        self.declared: dict[str, Any] = {}
        self.exact_type: Instance
        self.any_type: Instance
        self.class_names: set[str] = set()  # attributes that the class body assigns
        self._family: list[ClassInfo] | None = None
        self._below: list[ClassInfo] | None = None
        self._mixed: list[ClassInfo] | None = None
        self._lower: dict[str, list[Function]] = {}
        self._found: dict[str, Function | None] = {}

    def finish(self) -> None:
        self.mro = _linear(self)
        self.open = any(cls.open for cls in self.mro)
        self.meta = next((cls.meta for cls in self.mro if cls.meta is not None), None)
        self.record = any(cls.record for cls in self.mro)
        self.enum = any(cls.name == "Enum" and cls.module.name == "enum" for cls in self.mro)
        above = [cls for cls in self.mro[1:] if cls.name != "object"]
        self.immutable = self.immutable or (bool(above) and not self.open and self.module.library is not None and all(c.immutable for c in above))
        if self.module.file is not None and not self.open and "__getitem__" not in self._own():
            self.text = next((cls.exact_type for cls in self.mro if cls.name in ("str", "bytes") and cls.module.library is not None), None)
        self.exact_type = Instance(self, True)
        self.any_type = Instance(self, False)

    def _own(self) -> set[str]:
        """Methods that the class and its bases define in files."""
        return {name for cls in self.mro if cls.module.file is not None and cls.module.library is None for name in cls.methods}

    def find(self, name: str) -> Function | None:
        """The method in this class or the nearest base."""
        known = self._found
        if name in known:
            return known[name]
        found = [cls for cls in self.mro if name in cls.methods]
        own = next((cls for cls in found if not cls.hollow(name)), None)
        chosen = own if own is not None and own.name != "object" else found[0] if found else None
        known[name] = chosen.methods[name] if chosen is not None else None
        return known[name]

    def hollow(self, name: str) -> bool:
        """Whether a text gives the method what another one does: ``tuple`` and ``str`` have no ``__init__`` that calls could meet."""
        return name == "__init__" and self.module.file is None and "__new__" in self.methods

    def below(self) -> list[ClassInfo]:
        """All subclasses, direct or not."""
        if self._below is None:
            found: dict[ClassInfo, None] = {}
            stack = list(self.subclasses)
            while stack:
                cls = stack.pop()
                if cls not in found:
                    found[cls] = None
                    stack.extend(cls.subclasses)
            self._below = list(found)
        return self._below

    def lower(self, name: str) -> list[Function]:
        """The other methods of that name which objects of the classes below it have."""
        found = self._lower.get(name)
        if found is None:
            methods = [cls.methods[name] for cls in self.below() if name in cls.methods]
            methods += filter(None, (cls.find(name) for cls in self.mixed()))
            found = self._lower[name] = [method for method in dict.fromkeys(methods) if method is not self.find(name)]
        return found

    def mixed(self) -> list[ClassInfo]:
        """The classes below it that have something of a class which is neither above nor below it."""
        if self._mixed is None:
            related = {*self.mro, *self.below()}
            self._mixed = [cls for cls in self.below() if not related.issuperset(cls.mro)]
        return self._mixed

    def family(self) -> list[ClassInfo]:
        """The classes whose objects can be the same object as one of this class."""
        if self._family is None:
            self._family = list(dict.fromkeys([*self.mro, *self.below(), *(base for cls in self.mixed() for base in cls.mro)]))
        return self._family


def tell_variants(functions: dict[str, Function]) -> None:
    """``def iter/2(x, sentinel)`` says what ``iter`` does with two arguments or more."""
    for name in [name for name in functions if "/" in name]:
        variant = functions.pop(name)
        base, _, number = name.partition("/")
        if base in functions:
            variant.name, variant.fewest = base, int(number)
            functions[base].most, functions[base].variant = int(number) - 1, variant


def _linear(cls: ClassInfo) -> list[ClassInfo]:
    """Nearly C3: a base stands behind all that derive from it; cycles of broken programs end."""
    backwards: dict[ClassInfo, None] = {}  # bases before what derives from them, the last of several bases first
    begun: set[ClassInfo] = set()
    stack = [cls]
    while stack:
        top = stack[-1]
        if top in begun:
            backwards[stack.pop()] = None
        else:
            begun.add(top)
            stack += [base for base in top.bases if base not in begun]
    return list(reversed(backwards))


class ModuleInfo(Owner):
    __slots__ = ("name", "file", "library", "functions", "classes", "own", "path", "key")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.key = f"module {name}"
        self.file: ir.Module | None = None
        self.library: LibraryModule | None = None
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ClassInfo] = {}
        self.own = False  # its functions are solved and its sites judged; else it belongs to a frozen package
        self.path = ""

    def defined(self, name: str) -> Function:
        """The function that the file defines, also where a library text tells of one of that name."""
        return self.functions.get(f"{name}#file") or self.functions[name]
