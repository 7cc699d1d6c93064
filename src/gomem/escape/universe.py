"""Everything the analysis knows by name: what files and library texts define, and what a name stands for where.

The closed world: a method called on an object of unknown type is one of those that some known class defines under that name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gomem.escape import ir
from gomem.escape.entities import NO_TYPES, UNREAD, ClassInfo, Function, Instance, ModuleInfo, Shape, Unread, tell_variants
from gomem.escape.summary import LibraryClass, LibraryFunction, LibraryModule, Summary, type_order

if TYPE_CHECKING:
    from gomem.escape.frozen import Frozen


class Universe:
    """Names of all modules, and what is known of methods by name alone."""

    def __init__(self, libraries: dict[str, LibraryModule], merge: Callable[[list[Function]], Summary]) -> None:
        self.merge_one: Callable[[Function], Summary] = lambda merged: merge(merged.members)
        self.modules: dict[str, ModuleInfo] = {}
        self.by_name: dict[str, list[Function]] = {}
        self.by_key: dict[str, Any] = {UNREAD.key: UNREAD}  # modules, functions, classes, and the types of their objects
        self.asked: dict[Any, Any] = {}  # (module, name) of all that was looked up, and what of that may change
        self.stored: set[str] = set()  # attributes that some code assigns
        self.merged: dict[Any, Function | None] = {}  # by name, by the arguments of the call and what else is asked for
        self.merged_by_name: dict[str, dict[tuple[tuple[int, ...], bool], Function]] = {}  # and by which methods of the name are in it, and whether plain
        self.merged_with: dict[Function, list[Function]] = {}  # of which merged ones a method is a member
        self.unsettled: dict[Function, None] = {}  # merged methods of which a member has changed since this was last emptied
        self.having: dict[tuple[ClassInfo, frozenset[str]], bool] = {}
        self.in_bodies: dict[str, list[ClassInfo]] = {}  # name -> the classes whose bodies assign it
        self.instead: set[str] = set()  # names that bodies assign, or any code, if they are those of methods of ``object``
        self.coded: set[str] = set()  # names of methods that the files' classes have, or are given
        self.storing: dict[str, list[ClassInfo]] = {}  # attribute -> the classes whose methods or bodies assign it
        self.assigning: dict[tuple[ClassInfo, str], bool] = {}  # whether a class does, or one related to it
        self.frozen: Frozen | None = None  # packages that were analysed before
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
        for cls in classes:
            self._doubt(cls)
        self.none = self.instance("NoneType")
        self.str = self.instance("str")
        self.exception = self.builtins.classes.get("BaseException")
        for cls in classes:
            self._declare(cls)
        self._declare_results()
        for module in self.modules.values():
            if module.library is not None:
                self._resolve_library(module)
        imported = {name for module in self.modules.values() if module.file is not None and module.own for name in module.file.imports}
        for cls in classes:
            library = cls.module.library
            if cls.module.file is not None and not cls.module.own:
                continue
            if library is not None and library.imported and not any(f"{library.name}.".startswith(f"{name}.") for name in imported):
                continue
            if library is not None and cls.name in library.classes and library.classes[cls.name].typed:
                continue
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

    @staticmethod
    def _doubt(cls: ClassInfo) -> None:
        """Where a method that a class may not have would hide another one, nobody knows which is called."""
        record = cls.module.file.classes.get(cls.name) if cls.module.file is not None else None
        for name in record.maybe if record is not None else ():
            if any(name in base.methods for base in cls.mro[1:] if base.name != "object"):
                cls.methods[name].opaque, cls.methods[name].unknown = True, "in a branch"

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
            owner = module.classes.get(cls or code.owner)
            if cls:
                module.classes[cls].class_names.add(name)
                self.in_bodies.setdefault(name, []).append(module.classes[cls])
                self.instead.add(name)
            elif module.own:
                self.stored.add(name)
            if name in self.builtins.classes["object"].methods:
                self.instead.add(name)
                self.coded.add(name)
            if owner is not None and owner not in self.storing.setdefault(name, []):
                self.storing[name].append(owner)

    def _define(self, module: ModuleInfo) -> None:
        if module.library is not None:
            for name, made in module.library.functions.items():
                module.functions.setdefault(name, self._library_function(made, module))
            tell_variants(module.functions)
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
        for name, short in module.functions.items():
            whole, mark, number = name.removesuffix("#file").rpartition("?")
            if mark:
                function = module.defined(whole)
                short.cls, short.kind, function.short = function.cls, function.kind, (int(number), short)

    def _library_function(self, made: LibraryFunction, module: ModuleInfo) -> Function:
        function = Function(made.name, module, made.params)
        function.summary = made.summary
        function.kind = made.kind
        return function

    def _library_class(self, made: LibraryClass, module: ModuleInfo) -> ClassInfo:
        cls = ClassInfo(made.name, module)
        cls.immutable, cls.lazy = made.immutable, made.lazy
        cls.item = made.item
        for name, method in made.methods.items():
            cls.methods[name] = self._library_function(method, module)
            cls.methods[name].cls = cls
        tell_variants(cls.methods)
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
        cls.record = any(name.rpartition(".")[2] in _RECORD_MAKERS for name in record.decorators)
        for name, code_name in record.methods.items():
            function = module.defined(code_name)
            function.cls = cls
            if name in ("__new__", "__init_subclass__", "__class_getitem__") and function.kind == "function":
                function.kind = "static" if name == "__new__" else "class"
            cls.methods[name] = function
            self.coded.add(name)
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
            base = self.modules["typing"].classes["NamedTuple"] if name == ir.RECORD else self.class_named(name, cls.module, cls.name)
            if base is None:
                cls.open = True
            elif base is not cls:
                cls.bases.append(base)
                base.subclasses.append(cls)
                if base.name == "NamedTuple":
                    cls.record = True
        for keyword in record.keywords if record is not None else ():
            if keyword.startswith("metaclass="):
                cls.meta = self._metaclass(self.class_named(keyword[10:], cls.module, cls.name))
        root = self.builtins.classes.get("object")
        if not cls.bases and root is not None and cls is not root:
            cls.bases.append(root)

    @staticmethod
    def _metaclass(meta: ClassInfo | None) -> ClassInfo | Unread | None:
        """What has to be known of it: nothing if a text tells it."""
        return UNREAD if meta is None else None if meta.module.library is not None else meta

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

    def _declare_results(self) -> None:
        for module in self.modules.values():
            for function in module.functions.values():
                code = function.code
                if code is not None and code.returns and code.kind == "function":
                    function.result = self.annotated(code.returns, module)

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
        kinds = self.resolve(name, module)
        classes = [kind for kind in kinds if isinstance(kind, ClassInfo)]
        if len(classes) == 1:
            return classes[0]
        if not classes:  # a text says what calling the class does
            return next((self.builtins.classes.get(kind.name) for kind in kinds if isinstance(kind, Function) and kind.module is self.builtins), None)
        return None

    def module(self, name: str) -> ModuleInfo | Unread:
        return self.modules.get(name, UNREAD)

    def was_read(self, name: str) -> bool:
        """Whether all names of the module are known: of others, a library text tells some at most."""
        return name in self.modules and self.modules[name].file is not None

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
        return [item if item is UNREAD else None]

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
        stars = module.file.stars if module.file else []
        for star in stars:
            if star in self.modules:
                found = self.lookup(self.modules[star], name, False, seen)
                if found not in _NOT_FOUND:
                    return found
        submodule = self.modules.get(f"{module.name}.{name}")
        if submodule is not None:
            return [submodule]
        if builtins and module is not self.builtins:
            found = self.lookup(self.builtins, name, False, seen)
            if found != [None]:
                return found
        known = module is self.builtins or (module.file is not None and all(self.was_read(star) for star in stars))
        return [None if known else UNREAD]

    def _binding(self, module: ModuleInfo, how: str, what: str, seen: tuple[Any, ...]) -> list[Any]:
        if how == "function":
            return [module.functions.get(f"{what}#file") or module.functions.get(what)]
        if how == "class":
            return [module.classes[what]]
        if how == "import":
            return [self.module(what)]
        if how == "from":
            return self.imported(what, seen)
        return [None]

    def imported(self, what: str, seen: tuple[Any, ...] = ()) -> list[Any]:
        """``module:name`` of a from-import."""
        source, _, name = what.partition(":")
        module = self.modules.get(source)
        found = [UNREAD] if module is None else self.lookup(module, name, False, seen)
        return found if found not in _NOT_FOUND else [self.modules.get(f"{source}.{name}") or found[0]]

    def annotated(self, names: tuple[str, ...], module: ModuleInfo) -> Any:
        """The type an annotation names, if it is one class; None otherwise."""
        kinds = self.annotated_each(names, module)
        return kinds[0] if len(kinds) == 1 else None

    def annotated_each(self, names: tuple[str, ...], module: ModuleInfo) -> list[Any]:
        """The types an annotation names; [None] if it names anything else."""
        kinds = list(dict.fromkeys(self._annotated_one(name, module) for name in names if name != "None"))
        return kinds if kinds and None not in kinds else [None]

    def _annotated_one(self, name: str, module: ModuleInfo) -> Any:
        if self.resolve(name, module) == [UNREAD] and self.from_unread(name, module):
            return UNREAD
        cls = self.class_named(name, module) or self.builtins.classes.get(_TYPING.get(name.rpartition(".")[2], ""))
        return None if cls is None or cls.name == "object" or cls.protocol else cls.any_type

    def from_unread(self, name: str, module: ModuleInfo) -> bool:
        """Whether what an annotation names is a class of a module that nobody read, and no word of the language of types."""
        first, _, rest = name.partition(".")
        ways = module.file.names.get(first, ()) if module.file is not None else ()
        sources = {what.partition(":")[0] for how, what in ways if how in ("from", "import")}
        return bool(sources) and not any(source.partition(".")[0] in _OF_TYPES or source == "collections.abc" for source in sources)

    def assigned(self, cls: ClassInfo, name: str) -> bool:
        """Whether the body or some method of the class, or of one that its objects may be of, assigns that attribute."""
        owners = self.storing.get(name)
        if owners is None:
            return False
        found = self.assigning.get((cls, name))
        if found is None:
            found = self.assigning[cls, name] = not set(owners).isdisjoint(cls.family())
        return found

    @staticmethod
    def begun(cls: ClassInfo, name: str) -> bool:
        """Whether an object of the class has that attribute from the beginning: by a class body or an initialiser."""
        if any(name in base.class_names for base in cls.mro):
            return True
        return any(("", name) in made.code.stored for base in cls.mro if (made := base.methods.get("__init__")) is not None and made.code is not None)

    @staticmethod
    def of_object(method: Function) -> bool:
        """Whether it is a method that all classes have."""
        return method.code is None and method.cls is not None and method.cls.name == "object"

    def functions_or_classes(self, how: str, what: str) -> Any:
        """The type of the object that a ``def`` or ``class`` statement makes, named ``module:qualified``."""
        module_name, _, name = what.partition(":")
        module = self.modules[module_name]
        if how == "class":
            return module.classes[name]
        return module.defined(name)

    def classes_with(self, name: str) -> list[ClassInfo]:
        """Classes whose methods or bodies assign that attribute."""
        return self.storing.get(name, [])

    def above(self, cls: ClassInfo | None, name: str) -> list[Function] | None:
        """What ``super().name`` may be in a method of the class; None if unknown."""
        if cls is None:
            return None
        found: dict[Function, None] = {}
        for lower in [cls, *cls.below()]:
            behind = lower.mro[lower.mro.index(cls) + 1 :] if cls in lower.mro else []
            for base in behind:
                if name in base.class_names and name not in base.methods:
                    return None
                if name in base.methods and not (base.hollow(name) and base is not behind[-1]):
                    if base.name == "object" and lower.open:
                        return None
                    found[base.methods[name]] = None
                    break
            else:
                return None
        return list(found)

    # methods known by name only

    def merged_method(self, name: str, shape: Shape | None = None, asked: frozenset[str] = frozenset(), text: bool = True) -> Function | None:
        """One function that behaves like every known method of that name which accepts such arguments and whose class has all
        the names in ``asked``; None if there is none. If a plain class is among them, the files' classes are not; with arguments
        that are no ``text``, that class is not one of text."""
        if name not in self.by_name:
            return None
        call = (name, shape, asked, text)
        if call not in self.merged:
            known = self.by_name[name]
            numbers = [number for number, function in enumerate(known) if function.accepts(shape)]
            fitting = [number for number in numbers if (cls := known[number].cls) is None or self.has(cls, asked)]
            plain = any(self.plain(known[number], shape, text) for number in fitting)
            if plain:
                fitting = [number for number in fitting if known[number].code is None]
            self.merged[call] = self.merged_of(name, tuple(fitting or numbers), plain) if numbers else None
        found = self.merged[call]
        if found is not None and found.outdated:
            self.merge_again(found)
        return found

    def merged_family(self, cls: ClassInfo, name: str, shape: Shape | None) -> Function | None:
        """The same of the methods that an object of the class or of one below it may have; None if one of them is not known by
        name: an initialiser, a method of a frozen package."""
        call = (name, shape, cls)
        if call not in self.merged:
            family = {cls.find(name), *cls.lower(name)} - {None}
            known = self.by_name.get(name, [])
            numbers = [number for number, function in enumerate(known) if function in family]
            fitting = [number for number in numbers if known[number].accepts(shape)]
            whole = family <= {known[number] for number in numbers}
            self.merged[call] = self.merged_of(name, tuple(fitting or numbers), False) if whole else None
        found = self.merged[call]
        if found is not None and found.outdated:
            self.merge_again(found)
        return found

    def plain(self, function: Function, shape: Shape | None, text: bool) -> bool:
        """Whether it is a method of one of the built-in classes that most objects are of, called as that one is."""
        cls = function.cls
        if cls is None or cls.module is not self.builtins or cls.name not in PLAIN or function.code is not None:
            return False
        if not text and cls.immutable and function.name not in _ANY_ARGUMENTS:
            return False
        if shape is None or any(how == ir.REST for _, how, *_ in function.params):
            return True
        needed = sum(default == ir.NO_DEFAULT for _, how, _, default in function.params[1:] if how != ir.KEYWORDS)
        return needed <= shape[0] + len(shape[1]) < len(function.params)

    def has(self, cls: ClassInfo, names: frozenset[str]) -> bool:
        """Whether objects of the class, or of one below it, may have attributes of all those names."""
        key = (cls, names)
        found = self.having.get(key)
        if found is None:
            family = cls.family()
            found = self.having[key] = any(one.open for one in family) or all(
                any(name in one.methods or name in one.declared for one in family) or self.assigned(cls, name)
                for name in names
                if name[:2] != "__" and (name in self.by_name or name in self.stored)
            )
        return found

    def merged_of(self, name: str, numbers: tuple[int, ...], plain: bool) -> Function:
        """The methods of that name with these numbers made one; not brought up to date. The same ones may be meant by a call
        that fits a plain class and by one that does not."""
        known = self.merged_by_name.setdefault(name, {})
        if (numbers, plain) not in known:
            made = known[numbers, plain] = Function(name, self.builtins, [])
            made.kind = "merged"
            made.plain = plain
            made.key = f"{'plain' if plain else 'any'} {name} {','.join(map(str, numbers))}"
            made.members = [self.by_name[name][number] for number in numbers]
            for member in made.members:
                self.merged_with.setdefault(member, []).append(made)
            made.outdated = True
        return known[numbers, plain]

    def merge_again(self, merged: Function) -> None:
        merged.outdated = False
        merged.summary = self.merge_one(merged)

    def stale(self, changed: Function) -> None:
        """A method behaves differently now; who is known by its name only is merged again when next asked for."""
        for merged in self.merged_with.get(changed, ()):
            merged.outdated = True
            self.unsettled[merged] = None


_HARMLESS = {
    "abstractmethod", "overload", "final", "override", "setter", "getter", "deleter", "wraps", "coroutine", "no_type_check",
    "contextmanager", "asynccontextmanager", "total_ordering",
}  # fmt: skip
_NOT_FOUND: tuple[list[Any], ...] = ([None], [UNREAD])
_ANY_ARGUMENTS = {"join", "format", "format_map", "translate", "maketrans", "startswith", "endswith"}  # methods of text
PLAIN = {"str", "bytes", "list", "tuple", "dict", "set"}
_RECORD_MAKERS = {"dataclass", "define", "frozen", "attrs", "s", "mutable"}
_OF_TYPES = {"typing", "typing_extensions", "types", "abc", "_typeshed", "__future__"}
_TYPING = {
    "List": "list", "Dict": "dict", "Set": "set", "Tuple": "tuple", "FrozenSet": "frozenset", "Text": "str", "Type": "type",
    "Generator": "generator", "Coroutine": "coroutine", "Pattern": "Pattern", "TextIO": "TextIOWrapper", "Deque": "deque",
}  # fmt: skip
