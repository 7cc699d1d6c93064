"""Everything the analysis knows by name: modules, classes with their order of resolution, functions, attributes' types.

Modules are of three origins: files that are analysed, files of installed packages that those import, and library texts. A
type is one of the objects ``Instance``, ``Function``, ``ClassInfo`` (the class itself as an object), ``ModuleInfo``; ``None``
is an unknown type.

The closed world: a method called on an object of unknown type is one of those that some known class defines under that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gomem.escape import ir
from gomem.escape.summary import LibraryClass, LibraryFunction, LibraryModule, Summary, type_order

BOTTOM = Summary(digested=b"not solved yet")


class Pending:
    """The type of what an attribute holds of which no value has been seen yet: unknown for now, and told to nobody."""

    name = key = ""


PENDING = Pending()
Shape = tuple[int, frozenset[str]]  # of a call: how many arguments by position, and the keywords
ANY_NUMBER = 1000
REPLACED = "replaced at run time"
NO_TYPES: frozenset[Any] = frozenset()
UNKNOWN_TYPE: frozenset[Any] = frozenset([None])
MANY_TYPES = 6  # an attribute that may be of more types than this is of unknown type


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

    __slots__ = ("name", "module", "code", "cls", "params", "kind", "opaque", "summary", "members", "manager", "order", "tangled", "unknown", "key", "outdated", "fewest", "most", "variant")

    def __init__(self, name: str, module: ModuleInfo, params: list[Any], code: ir.Code | None = None) -> None:
        super().__init__()
        self.name = name
        self.module = module
        self.params = params
        self.code = code
        self.cls: ClassInfo | None = None
        self.kind = "function"  # property, cached, static, class
        self.opaque = False  # nobody knows what a call of it does,
        self.unknown = "decorated"  # because an unknown decorator stands before it, or some code replaces it
        self.manager = False
        self.tangled = False  # given up: its summary is the worst one
        self.summary: Summary = BOTTOM
        self.members: list[Function] = []  # of a merged one
        self.outdated = False  # of a merged one: older than its members
        self.order = 0
        self.key = ""  # tells it apart from all other types, in every run alike
        self.fewest, self.most = 0, ANY_NUMBER  # arguments by position with which a text means this function
        self.variant: Function | None = None  # what a text says of a call with more of them

    def replaced(self) -> bool:
        """Notes that some code puts something else in its place; whether that is news."""
        if self.opaque:
            return False
        self.opaque, self.unknown = True, REPLACED
        return True

    def accepts(self, shape: Shape | None) -> bool:
        """Whether a method can be called so without a TypeError. Library texts may leave parameters out: they take anything."""
        if shape is not None and not self.fewest <= shape[0] <= self.most:
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
        *("record", "item", "enum", "declared", "class_names", "_family", "_found", "protocol", "key", "text"),
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
        self.record = False
        self.enum = False
        self.protocol = False  # says what a class has to have: whose methods are called, nobody knows
        self.item = ""
        self.text: Instance | None = None  # of what a slice of a subclass of str or bytes is
        self.mro: list[ClassInfo] = []
        self.declared: dict[str, Any] = {}
        self.class_names: set[str] = set()  # attributes that the class body assigns
        self._family: list[ClassInfo] | None = None
        self._found: dict[str, Function | None] = {}

    def finish(self) -> None:
        self.mro = _linear(self, set())
        self.open = any(cls.open for cls in self.mro)
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
        found: dict[ClassInfo, None] = {}
        stack = list(self.subclasses)
        while stack:
            cls = stack.pop()
            if cls not in found:
                found[cls] = None
                stack.extend(cls.subclasses)
        return list(found)

    def family(self) -> list[ClassInfo]:
        """The classes whose objects can be the same object as one of this class."""
        if self._family is None:
            self._family = list(dict.fromkeys([*self.mro, *self.below()]))
        return self._family


def _tell_variants(functions: dict[str, Function]) -> None:
    """``def iter/2(x, sentinel)`` says what ``iter`` does with two arguments or more."""
    for name in [name for name in functions if "/" in name]:
        variant = functions.pop(name)
        base, _, number = name.partition("/")
        if base in functions:
            variant.name, variant.fewest = base, int(number)
            functions[base].most, functions[base].variant = int(number) - 1, variant


def _linear(cls: ClassInfo, seen: set[ClassInfo]) -> list[ClassInfo]:
    """Nearly C3: a base stands behind all that derive from it; cycles of broken programs end."""
    if cls in seen:
        return []
    order: list[ClassInfo] = [cls]
    for base in cls.bases:
        order += _linear(base, seen | {cls})
    last = {c: i for i, c in enumerate(order)}
    return [c for i, c in enumerate(order) if last[c] == i]


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
        self.own = False  # its sites are judged
        self.path = ""


class Universe:
    """Names of all modules, and what is known of methods by name alone."""

    def __init__(self, libraries: dict[str, LibraryModule], merge: Callable[[list[Function]], Summary]) -> None:
        self.merge_one: Callable[[Function], Summary] = lambda merged: merge(merged.members)
        self.modules: dict[str, ModuleInfo] = {}
        self.by_name: dict[str, list[Function]] = {}
        self.by_key: dict[str, Any] = {}  # modules, functions, classes, and the types of their objects
        self.asked: dict[Any, Any] = {}  # (module, name) of all that was looked up, and what of that may change
        self.stored: set[str] = set()  # attributes that some code assigns
        self.merged: dict[Any, Function | None] = {}  # by name, by the arguments of the call and what else is asked for
        self.merged_by_name: dict[str, dict[tuple[int, ...], Function]] = {}  # and by which methods of the name are in it
        self.unsettled: dict[Function, None] = {}  # merged methods of which a member has changed since this was last emptied
        self.having: dict[tuple[ClassInfo, frozenset[str]], bool] = {}
        self.storing: dict[str, list[ClassInfo]] = {}
        for library in libraries.values():
            self._module(library.name).library = library
        self.builtins = self._module("builtins")

    def _module(self, name: str) -> ModuleInfo:
        if name not in self.modules:
            self.modules[name] = ModuleInfo(name)
        return self.modules[name]

    def add_file(self, file: ir.Module, own: bool) -> ModuleInfo:
        module = self._module(file.name)
        module.file = file
        module.own = own
        module.path = file.path
        return module

    # linking

    def link(self) -> None:
        """Makes functions and classes of all modules, resolves bases, and indexes methods by name."""
        for module in self.modules.values():
            self._define(module)
        classes = [cls for module in self.modules.values() for cls in module.classes.values()]
        self._name_functions(classes)
        for cls in classes:
            self._resolve_bases(cls)
        for cls in classes:
            cls.finish()
            self.by_key[cls.exact_type.key], self.by_key[cls.any_type.key] = cls.exact_type, cls.any_type
        self.none = self.instance("NoneType")
        self.str = self.instance("str")
        for cls in classes:
            self._declare(cls)
        for module in self.modules.values():
            if module.library is not None:
                self._resolve_library(module)
        for cls in classes:
            for name, function in cls.methods.items():
                if name in ("__init__", "__new__"):
                    continue
                if cls.protocol and function.code is not None:
                    function.opaque, function.unknown = True, "of a protocol"
                self.by_name.setdefault(name, []).extend(filter(None, (function, function.variant)))
        self._note_functions()
        for module in self.modules.values():
            if module.file is not None:
                for code in module.file.codes:
                    self._note_stores(module, code)

    def _name_functions(self, classes: list[ClassInfo]) -> None:
        for module in self.modules.values():
            self.by_key[module.key] = module
            for name, function in module.functions.items():
                function.key = f"def {module.name}:{name}"
                self.by_key[function.key] = function
                if function.variant is not None:
                    function.variant.key = f"{function.key}/{function.variant.fewest}"
                    self.by_key[function.variant.key] = function.variant
        for cls in classes:
            self.by_key[cls.key] = cls
            for name, function in cls.methods.items():
                if not function.key:
                    function.key = f"def {cls.key} {name}"
                    self.by_key[function.key] = function
                if function.variant is not None:
                    function.variant.key = f"{function.key}/{function.variant.fewest}"
                    self.by_key[function.variant.key] = function.variant

    def _note_functions(self) -> None:
        """An object of unknown type may be a module: functions of the texts that are named as some method of a file."""
        methods = {name for module in self.modules.values() if module.library is not None for cls in module.classes.values() for name in cls.methods}
        for module in self.modules.values():
            for name in module.library.functions if module.library is not None and module is not self.builtins else ():
                if name in self.by_name and name not in methods and "/" not in name:
                    made = Function(name, module, module.functions[name].params)
                    made.kind, made.summary = "static", module.functions[name].summary
                    made.key = f"any {module.key} {name}"
                    self.by_key[made.key] = made
                    self.by_name[name].append(made)

    def _note_stores(self, module: ModuleInfo, code: ir.Code) -> None:
        for cls, name in code.stored:
            if cls:
                module.classes[cls].class_names.add(name)
                continue
            self.stored.add(name)
            owner = module.classes.get(code.owner)
            if owner is not None and owner not in self.storing.setdefault(name, []):
                self.storing[name].append(owner)

    def _define(self, module: ModuleInfo) -> None:
        if module.library is not None:
            for name, made in module.library.functions.items():
                module.functions.setdefault(name, self._library_function(made, module))
            _tell_variants(module.functions)
            for name, cls in module.library.classes.items():
                if module.file is None or name not in module.file.classes:
                    module.classes[name] = self._library_class(cls, module)
        if module.file is None:
            return
        known = set(module.functions) if module.library is not None else set()
        for code in module.file.codes:
            if code.name not in known:
                module.functions[code.name] = self._file_function(code, module)
            else:
                module.functions[f"{code.name}#file"] = self._file_function(code, module)
        for name, record in module.file.classes.items():
            module.classes[name] = self._file_class(record, module)

    def _library_function(self, made: LibraryFunction, module: ModuleInfo) -> Function:
        function = Function(made.name, module, made.params)
        function.summary = made.summary
        function.kind = made.kind
        return function

    def _library_class(self, made: LibraryClass, module: ModuleInfo) -> ClassInfo:
        cls = ClassInfo(made.name, module)
        cls.immutable = made.immutable
        cls.item = made.item
        for name, method in made.methods.items():
            cls.methods[name] = self._library_function(method, module)
            cls.methods[name].cls = cls
        _tell_variants(cls.methods)
        return cls

    def _resolve_library(self, module: ModuleInfo) -> None:
        """Puts types for the type names of a library's summaries."""
        texts = module.library.classes if module.library is not None else {}
        functions = [*module.functions.values()]
        functions += [method for cls in module.classes.values() if cls.name in texts for method in cls.methods.values()]
        functions += [function.variant for function in functions if function.variant is not None]
        for function in functions:
            if function.code is None:
                function.summary = self._typed(function.summary, module)

    def _typed(self, summary: Summary, module: ModuleInfo) -> Summary:
        def kind(name: str, exact: bool) -> Any:
            found = self.annotated((name,), module)
            return found.cls.exact_type if found is not None and exact else found

        def source(item: Any) -> Any:
            return (-2, kind(item[1], False)) if item[0] == -2 else item

        fresh = tuple(
            (kind(name, True), tuple((field, frozenset(map(source, sources))) for field, sources in fields))
            for name, fields in summary.fresh
        )
        stores = frozenset((target, field, source(item)) for target, field, item in summary.stores)
        return Summary(summary.leaks, stores, frozenset(map(source, summary.returns)), fresh, summary.calls)

    def _file_function(self, code: ir.Code, module: ModuleInfo) -> Function:
        function = Function(code.name, module, code.params, code)
        for name in code.decorators:
            last = name.rpartition(".")[2]
            if last in ("staticmethod", "classmethod"):
                function.kind = last.removesuffix("method")
            elif last in ("property", "abstractproperty"):
                function.kind = "property"
            elif last == "cached_property":
                function.kind = "cached"
            elif last in ("contextmanager", "asynccontextmanager"):
                function.manager = True
            elif last not in _HARMLESS:
                function.opaque = True
        return function

    def _file_class(self, record: ir.Class, module: ModuleInfo) -> ClassInfo:
        cls = ClassInfo(record.name, module)
        cls.record = "record" in record.keywords or any(name.rpartition(".")[2] in _RECORD_MAKERS for name in record.decorators)
        for name, code_name in record.methods.items():
            function = module.functions.get(f"{code_name}#file") or module.functions[code_name]
            function.cls = cls
            if name in ("__new__", "__init_subclass__", "__class_getitem__") and function.kind == "function":
                function.kind = "static" if name == "__new__" else "class"
            cls.methods[name] = function
        return cls

    def _resolve_bases(self, cls: ClassInfo) -> None:
        record = cls.module.file.classes.get(cls.name) if cls.module.file else None
        if record is not None:
            names = record.bases
        else:
            names = cls.module.library.classes[cls.name].bases if cls.module.library is not None else []
        for name in names:
            if name.rpartition(".")[2] in ("Generic", "Protocol"):
                cls.protocol |= name.endswith("Protocol")
                continue
            base = self.class_named(name, cls.module, cls.name)
            if base is None:
                cls.open = True
            elif base is not cls:
                cls.bases.append(base)
                base.subclasses.append(cls)
                if name.rpartition(".")[2] == "NamedTuple":
                    cls.record = True
        root = self.builtins.classes.get("object")
        if not cls.bases and root is not None and cls is not root:
            cls.bases.append(root)

    def _declare(self, cls: ClassInfo) -> None:
        """Types of attributes as annotations in the class body or a library text give them."""
        record = cls.module.file.classes.get(cls.name) if cls.module.file else None
        if record is not None:
            for name, kinds in record.declared.items():
                cls.declared[name] = self.annotated(kinds, cls.module)
            for name, kinds, _ in record.fields:
                cls.declared[name] = self.annotated(kinds, cls.module)
        elif cls.module.library is not None and cls.name in cls.module.library.classes:
            for name, kind in cls.module.library.classes[cls.name].attributes.items():
                cls.declared[name] = self.annotated((kind,), cls.module)

    # names

    def instance(self, name: str, exact: bool = True) -> Instance | None:
        """The type of objects of a built-in class."""
        cls = self.builtins.classes.get(name)
        return None if cls is None else cls.exact_type if exact else cls.any_type

    def class_named(self, name: str, module: ModuleInfo, inside: str = "") -> ClassInfo | None:
        parts = inside.split(".")[:-1]
        while parts:
            found = module.classes.get(".".join([*parts, name]))
            if found is not None:
                return found
            parts.pop()
        for kind in self.resolve(name, module):
            if isinstance(kind, ClassInfo):
                return kind
            if isinstance(kind, Function) and kind.module is self.builtins:  # a text says what calling the class does
                return self.builtins.classes.get(kind.name)
        return None

    def resolve(self, name: str, module: ModuleInfo) -> list[Any]:
        """What a dotted name means in a module: classes, functions, modules; None among them if anything else is possible."""
        first, *rest = name.split(".")
        found = self.lookup(module, first)
        for part in rest:
            found = [kind for item in found for kind in self.member(item, part)]
        return found

    def member(self, item: Any, name: str) -> list[Any]:
        if isinstance(item, ModuleInfo):
            return self.lookup(item, name, builtins=False)
        if isinstance(item, ClassInfo):
            inner = item.module.classes.get(f"{item.name}.{name}")
            return [inner] if inner is not None else [None]
        return [None]

    def lookup(self, module: ModuleInfo, name: str, builtins: bool = True, seen: tuple[Any, ...] = ()) -> list[Any]:
        """What a global name of a module may be. [None] if unknown."""
        if (module, name) in seen:
            return [None]
        seen = (*seen, (module, name))
        found: list[Any] = []
        if module.library is not None:
            text: Any = module.functions.get(name) if name in module.library.functions else None
            text = text or (module.classes.get(name) if name in module.library.classes else None)
            if text is not None:
                return [text]
            if name in module.library.variables:
                return [self.annotated((module.library.variables[name],), module)]
        for how, what in module.file.names.get(name, ()) if module.file else ():
            found += self._binding(module, how, what, seen)
        known = module.attributes.get(name, NO_TYPES)
        self.asked.setdefault((module, name), known)
        found += sorted(known, key=type_order)
        if found:
            return list(dict.fromkeys(found))
        return self._elsewhere(module, name, builtins, seen)

    def _elsewhere(self, module: ModuleInfo, name: str, builtins: bool, seen: tuple[Any, ...]) -> list[Any]:
        for star in module.file.stars if module.file else ():
            if star in self.modules:
                found = self.lookup(self.modules[star], name, False, seen)
                if found != [None]:
                    return found
        submodule = self.modules.get(f"{module.name}.{name}")
        if submodule is not None:
            return [submodule]
        if builtins and module is not self.builtins:
            return self.lookup(self.builtins, name, False, seen)
        return [None]

    def _binding(self, module: ModuleInfo, how: str, what: str, seen: tuple[Any, ...]) -> list[Any]:
        if how == "function":
            return [module.functions.get(f"{what}#file") or module.functions.get(what)]
        if how == "class":
            return [module.classes[what]]
        if how == "import":
            return [self.modules.get(what)]
        if how == "from":
            return self.imported(what, seen)
        return [None]

    def imported(self, what: str, seen: tuple[Any, ...] = ()) -> list[Any]:
        """``module:name`` of a from-import."""
        source, _, name = what.partition(":")
        module = self.modules.get(source)
        if module is not None:
            found = self.lookup(module, name, False, seen)
            if found != [None]:
                return found
        return [self.modules.get(f"{source}.{name}")]

    def annotated(self, names: tuple[str, ...], module: ModuleInfo) -> Any:
        """The type an annotation names, if it is one class; None otherwise."""
        kinds = [self._annotated_one(name, module) for name in names if name != "None"]
        return kinds[0] if len(kinds) == 1 else None

    def _annotated_one(self, name: str, module: ModuleInfo) -> Instance | None:
        cls = self.class_named(name, module) or self.builtins.classes.get(_TYPING.get(name.rpartition(".")[2], ""))
        return None if cls is None or cls.name == "object" or cls.protocol else cls.any_type

    def assigned(self, cls: ClassInfo, name: str) -> bool:
        """Whether some method of the class, or of one that its objects may be of, assigns that attribute."""
        owners = self.storing.get(name)
        return owners is not None and any(owner in owners for owner in cls.family())

    def functions_or_classes(self, how: str, what: str) -> Any:
        """The type of the object that a ``def`` or ``class`` statement makes, named ``module:qualified``."""
        module_name, _, name = what.partition(":")
        module = self.modules[module_name]
        if how == "class":
            return module.classes[name]
        return module.functions.get(f"{name}#file") or module.functions[name]

    def classes_with(self, name: str) -> list[ClassInfo]:
        """Classes whose methods assign that attribute."""
        return self.storing.get(name, [])

    def above(self, cls: ClassInfo | None, name: str) -> list[Function] | None:
        """What ``super().name`` may be in a method of the class; None if unknown."""
        if cls is None:
            return None
        found: dict[Function, None] = {}
        for lower in [cls, *cls.below()]:
            behind = lower.mro[lower.mro.index(cls) + 1 :] if cls in lower.mro else []
            for base in behind:
                if name in base.methods and not (base.hollow(name) and base is not behind[-1]):
                    if base.name == "object" and lower.open:
                        return None
                    found[base.methods[name]] = None
                    break
            else:
                return None
        return list(found)

    # methods known by name only

    def merged_method(self, name: str, shape: Shape | None = None, asked: frozenset[str] = frozenset()) -> Function | None:
        """One function that behaves like every known method of that name which accepts such arguments and whose class has all
        the names in ``asked``; None if there is none."""
        if name not in self.by_name:
            return None
        call = (name, shape, asked)
        if call not in self.merged:
            known = self.by_name[name]
            numbers = [number for number, function in enumerate(known) if function.accepts(shape)]
            fitting = [number for number in numbers if known[number].cls is None or self.has(known[number].cls, asked)]
            self.merged[call] = self.merged_of(name, tuple(fitting or numbers)) if numbers else None
        found = self.merged[call]
        if found is not None and found.outdated:
            self.merge_again(found)
        return found

    def has(self, cls: ClassInfo, names: frozenset[str]) -> bool:
        """Whether objects of the class, or of one below it, may have attributes of all those names."""
        key = (cls, names)
        found = self.having.get(key)
        if found is None:
            family = cls.family()
            found = self.having[key] = any(one.open for one in family) or all(
                any(name in one.methods or name in one.declared or name in one.class_names for one in family) or self.assigned(cls, name)
                for name in names
                if name[:2] != "__" and (name in self.by_name or name in self.stored)
            )
        return found

    def merged_of(self, name: str, numbers: tuple[int, ...]) -> Function:
        """The methods of that name with these numbers made one; not brought up to date."""
        known = self.merged_by_name.setdefault(name, {})
        if numbers not in known:
            made = known[numbers] = Function(name, self.builtins, [])
            made.kind = "merged"
            made.key = f"any {name} {','.join(map(str, numbers))}"
            made.members = [self.by_name[name][number] for number in numbers]
            made.outdated = True
        return known[numbers]

    def merge_again(self, merged: Function) -> None:
        merged.outdated = False
        merged.summary = self.merge_one(merged)

    def stale(self, changed: Function) -> None:
        """A method behaves differently now; who is known by its name only is merged again when next asked for."""
        if changed.cls is not None:
            for name, method in changed.cls.methods.items():
                if method is changed:
                    for merged in self.merged_by_name.get(name, {}).values():
                        if changed in merged.members:
                            merged.outdated = True
                            self.unsettled[merged] = None


_HARMLESS = {
    "abstractmethod", "overload", "final", "override", "setter", "getter", "deleter", "wraps", "coroutine", "no_type_check",
    "contextmanager", "asynccontextmanager", "total_ordering",
}  # fmt: skip
_RECORD_MAKERS = {"dataclass", "define", "frozen", "attrs", "s", "mutable"}
_TYPING = {
    "List": "list", "Dict": "dict", "Set": "set", "Tuple": "tuple", "FrozenSet": "frozenset", "Text": "str", "Type": "type",
    "Generator": "generator", "Coroutine": "coroutine", "Pattern": "Pattern", "TextIO": "TextIOWrapper", "Deque": "deque",
}  # fmt: skip
