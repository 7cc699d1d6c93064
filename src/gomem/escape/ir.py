"""What the analysis keeps of a file: per function a flat list of operations on numbered variables, and per module its names.

A file is lowered once (lower.py) and the result is cached by the hash of its source; nothing after that sees an AST. All of it
is tuples, lists, dicts, strings and numbers, so that ``marshal`` writes and reads it.

Operations are tuples whose first member is one of the numbers below. ``dst``, ``src``, ``base`` are variables of the function
(0 holds nothing), ``obj`` is an index in ``Code.objects``, ``line`` is where it happens, counted from the function's first.
"""

from __future__ import annotations

import marshal
import re
from dataclasses import astuple, dataclass, field
from hashlib import blake2b
from typing import Any, Final

(
    COPY,  # dst, src
    ALLOC,  # dst, obj
    CONST,  # dst, type name
    LOAD_ATTR,  # dst, base, name, line
    STORE_ATTR,  # base, name, src, line
    LOAD_ITEM,  # dst, base, key, line
    STORE_ITEM,  # base, src, line
    ITERATE,  # dst, base, line
    UNPACK,  # dst, base, index, line
    GLOBAL,  # dst, name
    STORE_GLOBAL,  # name, src, line
    STORE_CLASS,  # class, name, src, line
    FREE,  # dst, name: a variable of an enclosing function
    STORE_FREE,  # name, src, line
    CLOSURE,  # dst, obj, code name, ((name, var, written), ...), ((parameter, var), ...), line
    CALL,  # dst, function var, obj, arguments, line, name of what is called
    CALL_METHOD,  # dst, base, name, obj, arguments, line
    CALL_SUPER,  # dst, self var, name, obj, arguments, line
    OPERATE,  # dst, left, right, obj, name of the special method (of + with " new", " left" or " right" behind if only that operand, or none, can be the result), line
    OPERATE_IN_PLACE,  # dst, target, operand, obj, name, line
    SLICE,  # dst, base, obj, whether it cannot be the whole, line
    RETURN,  # src, line
    YIELD,  # src, line
    YIELD_FROM,  # dst, src, line
    RAISE,  # src, line
    AWAIT,  # dst, src, obj, line
    CAUGHT,  # dst, obj, type names, (var, ...) that it may hold, line
    LEAK,  # src, cause, line
    HOLD,  # base, src, line: base keeps src alive in a way that no program text can load
    HOOK,  # dst, base, name, (var, ...), line: a special method that Python calls if the object's class has one
    EXIT,  # manager, name, line: a ``with`` block ends, perhaps by an exception
    DECORATED,  # dst, class, result: what a class's decorator gives
) = range(32)
FIRST: Final = 1  # the line of the ``def`` itself

ALONE: Final = "00"  # field of an item that is the only one, so that it is no "0" of two
RECORD = "&record"  # base of what namedtuple() makes
CHECKS: Final = {"isinstance": "__instancecheck__", "issubclass": "__subclasscheck__"}  # what a metaclass may have

# arguments of a call: (positional vars, ((keyword, var), ...), vars of *args, vars of **kwargs)
Arguments = tuple[tuple[int, ...], tuple[tuple[str, int], ...], tuple[int, ...], tuple[int, ...]]

ORDINARY: Final = 0  # Param.how
POSITIONAL_ONLY: Final = 1
REST: Final = 2
KEYWORD_ONLY: Final = 3
KEYWORDS: Final = 4
NO_DEFAULT: Final = 0  # Param.default
CONSTANT_DEFAULT: Final = 1
OBJECT_DEFAULT: Final = 2


@dataclass(slots=True)
class Code:
    """One function, lambda, module or class body.

    ``name`` is unique in the module, as in ``__qualname__``. ``objects`` are what its operations may allocate: (site, as a place
    in ``sites``, or -1; type name). Lines count from the function's own, which is FIRST: what stands above it makes no difference. ``params`` are (name, how, annotation, default). ``kind`` is module, function, generator, coroutine or
    asyncgen. ``parent`` is the enclosing function's name or "".
    """

    name: str
    kind: str
    line: int
    owner: str = ""
    parent: str = ""
    params: list[tuple[str, int, tuple[str, ...], int]] = field(default_factory=list)
    returns: tuple[str, ...] = ()
    decorators: list[str] = field(default_factory=list)
    frees: list[str] = field(default_factory=list)
    variables: int = 1
    param_vars: list[int] = field(default_factory=list)
    local_vars: list[int] = field(default_factory=list)
    objects: list[tuple[int, str]] = field(default_factory=list)
    ops: list[tuple[Any, ...]] = field(default_factory=list)
    once: bool = True  # operations in the order of execution, none repeated: one pass is enough
    dynamic: bool = False  # reads its own frame: locals(), eval, sys._getframe
    named: list[tuple[int, str]] = field(default_factory=list)  # whom it may call: (GLOBAL, CALL_METHOD or CLOSURE, name)
    stored: list[tuple[str, str]] = field(default_factory=list)  # attributes that it assigns: (class whose body does, name)
    size: int = 0  # number of operations
    sites: list[int] = field(default_factory=list)  # its own, by their numbers in the file
    digest: bytes = b""  # of all that is known of it but where in the file it stands
    body: bytes = b""  # what can be forgotten
    together: dict[int, frozenset[str]] | None = None  # see asked()

    def __getattr__(self, name: str) -> Any:
        """The operations, and what belongs to them, are read when they are needed."""
        if name not in _BODY:
            raise AttributeError(name)
        for what, value in zip(_BODY, marshal.loads(self.body), strict=True):
            setattr(self, what, value)
        return getattr(self, name)

    def forget(self) -> None:
        """Gives back the memory of the operations until they are needed again."""
        if self.body and hasattr(self, "ops"):
            for what in _BODY:
                delattr(self, what)

    def asked(self) -> dict[int, frozenset[str]]:
        """For each variable that a method is called on, the names that the function asks the same object for: the object is of a
        class that has them all. Not for objects whose type the function looks at."""
        found: dict[int, frozenset[str]] | None = getattr(self, "together", None)
        if found is None:
            found = self.together = _asked(self.ops)
        return found

    def finish(self, rows: list[tuple[Any, ...]]) -> None:
        """Notes what is asked of the operations before they are read. ``rows`` are the file's sites."""
        named: dict[tuple[int, str], None] = {}
        stored: dict[tuple[str, str], None] = {}
        for op in self.ops:
            if op[0] in (GLOBAL, CALL_METHOD, CLOSURE):
                named[op[0], op[2] if op[0] == GLOBAL else op[3]] = None
            elif op[0] in (HOOK, EXIT):
                named[CALL_METHOD, op[3 if op[0] == HOOK else 2]] = None
            elif op[0] == STORE_ATTR:
                stored["", op[2]] = None
            elif op[0] == STORE_CLASS:
                stored[op[1], op[2]] = None
        self.named, self.stored, self.size = list(named), list(stored), len(self.ops)
        self.sites = sorted({site for site, _ in self.objects if site >= 0})
        number = {site: place for place, site in enumerate(self.sites)}
        self.objects = [(number.get(site, -1), kind) for site, kind in self.objects]
        self.ops = [_moved(op, FIRST - self.line) for op in self.ops]
        told = [(rows[site][0] - self.line, rows[site][6]) for site in self.sites]
        seen = [getattr(self, name) for name in (*_HEAD, *_BODY) if name != "line"]
        self.digest = blake2b(marshal.dumps((seen, told), 0), digest_size=16).digest()


_BODY = ("variables", "param_vars", "local_vars", "objects", "ops")
_HEAD = ("name", "kind", "line", "owner", "parent", "params", "returns", "decorators", "frees", "once", "dynamic")
_SEEN = ("kind", "params", "returns", "decorators")  # by others
_NOTED = ("named", "stored", "size", "sites", "digest")


@dataclass(slots=True)
class Class:
    """One class: bases as dotted names ("?" for what is no name), methods by name, annotated fields in order."""

    name: str
    line: int
    bases: list[str] = field(default_factory=list)
    methods: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, tuple[str, ...], int]] = field(default_factory=list)
    decorators: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict)  # attributes annotated in methods
    maybe: list[str] = field(default_factory=list)  # methods that it may not have after all


@dataclass(slots=True)
class Module:
    """One file. ``names`` are the module's global names: name -> list of (how, what), how being import, from, function, class,
    variable. ``sites`` are (line, column, end line, end column, kind, function, text). ``facts`` are all
    that other functions than the one concerned can see without asking what a call of it does, ``shape`` a digest of them."""

    name: str
    path: str
    package: bool
    codes: list[Code] = field(default_factory=list)
    classes: dict[str, Class] = field(default_factory=dict)
    names: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    sites: list[tuple[Any, ...]] = field(default_factory=list)
    lines: int = 0
    shape: bytes = b""
    facts: bytes = b""

    def finish(self) -> None:
        for code in self.codes:
            code.finish(self.sites)
        self.facts = marshal.dumps(self._facts(), 0)
        self.shape = blake2b(self.facts, digest_size=16).digest()

    def _facts(self) -> list[tuple[str | None, tuple[str, ...], Any]]:
        """See shape.py."""
        found: dict[tuple[str, ...], tuple[str | None, Any]] = {("file",): (None, (self.name, self.package, self.stars, self.imports))}
        for code in self.codes:
            found["code", code.name, code.owner, code.parent] = (_last(code.name), [getattr(code, what) for what in _SEEN])
            for cls, name in code.stored:
                found.setdefault(("stored", cls, code.owner, name), (name, None))
        for cls, made in self.classes.items():
            found["class", cls] = (None, (made.bases, made.fields, made.decorators, made.keywords, made.maybe))
            found.update({("method", cls, name): (name, code) for name, code in made.methods.items()})
            found.update({("declared", cls, name): (name, kinds) for name, kinds in made.declared.items()})
        found.update({("name", name): (name, meanings) for name, meanings in self.names.items()})
        return [(name, key, what) for key, (name, what) in found.items()]


_READ = {  # where an operation names the variables that it reads; those of arguments and cells are added
    COPY: (2,), LOAD_ATTR: (2,), STORE_ATTR: (1, 3), LOAD_ITEM: (2, 3), STORE_ITEM: (1, 2), ITERATE: (2,), UNPACK: (2,),
    STORE_GLOBAL: (2,), STORE_CLASS: (3,), STORE_FREE: (2,), CALL: (2,), CALL_METHOD: (2,), CALL_SUPER: (2,), OPERATE: (2, 3),
    OPERATE_IN_PLACE: (2, 3), SLICE: (2,), RETURN: (1,), YIELD: (1,), YIELD_FROM: (2,), RAISE: (1,), AWAIT: (2,), LEAK: (1,), HOLD: (1, 2), HOOK: (2,), EXIT: (1,),
    DECORATED: (2, 3),
}  # fmt: skip
_ARGUMENTS = {CALL: 4, CALL_METHOD: 5, CALL_SUPER: 5}


def _last(name: str) -> str:
    """The name under which a function is known: without what it is in, and what tells it apart from others of that name."""
    return re.split(r"[#?]", name.rpartition(".")[2])[0]


def _moved(op: tuple[Any, ...], lines: int) -> tuple[Any, ...]:
    """The operation so many lines further down."""
    if op[0] in _NOWHERE:
        return op
    place = 5 if op[0] == CALL else len(op) - 1
    return (*op[:place], op[place] + lines, *op[place + 1 :])


_NOWHERE = {COPY, ALLOC, CONST, GLOBAL, FREE, DECORATED}  # operations without a line


def variables_read(code: Code, op: tuple[Any, ...]) -> list[int]:
    """The variables on whose objects it depends what the operation does."""
    found = [op[place] for place in _READ.get(op[0], ())]
    if op[0] in _ARGUMENTS:
        positional, named, stars, doubles = op[_ARGUMENTS[op[0]]]
        found += [*positional, *(variable for _, variable in named), *stars, *doubles]
    elif op[0] == CLOSURE:
        found += [variable for _, variable, _ in op[4]] + [variable for _, variable in op[5]]
    elif op[0] == HOOK:
        found += op[4]
    elif op[0] in (CAUGHT, EXIT):
        found += [*code.local_vars, *code.param_vars, *(op[4] if op[0] == CAUGHT else ())]
    return found


_LOOKS = {"isinstance", "issubclass", "hasattr", "getattr", "type", "callable"}


def _asked(ops: list[tuple[Any, ...]]) -> dict[int, frozenset[str]]:
    place: dict[int, Any] = {}  # variable -> what it was loaded from, by which names
    names: dict[Any, set[str]] = {}
    called: dict[int, Any] = {}
    looked_at = set()
    for op in ops:
        if op[0] in (LOAD_ATTR, CALL_METHOD):
            where = place.get(op[2], op[2])
            names.setdefault(where, set()).add(op[3])
            if op[0] == LOAD_ATTR:
                place[op[1]] = (where, op[3])
            else:
                called[op[2]] = where
        elif op[0] == CALL and op[6].rpartition(".")[2] in _LOOKS and op[4][0]:
            looked_at.add(place.get(op[4][0][0], op[4][0][0]))
    return {variable: frozenset(names[where]) for variable, where in called.items() if where not in looked_at and len(names[where]) > 1}


def pack(module: Module, bodies: bool = True) -> tuple[Any, ...]:
    """The module as plain values, for ``marshal``; the operations of each function and the sites each as one piece, which may
    never be needed, and can be left out."""
    heads = [tuple(getattr(code, name) for name in (*_HEAD, *_NOTED)) for code in module.codes]
    pieces = [marshal.dumps(tuple(getattr(code, name) for name in _BODY)) if bodies else b"" for code in module.codes]
    classes = {name: astuple(made) for name, made in module.classes.items()}
    rest = (module.name, module.path, module.package, module.names, module.stars, module.imports, module.lines, module.shape, module.facts)
    return (heads, classes, rest, pieces, marshal.dumps(module.sites if bodies else []))


def unpack(values: tuple[Any, ...]) -> Module:
    """The inverse of ``pack``."""
    heads, classes, (name, path, package, names, stars, imports, lines, shape, facts), bodies, sites = values
    made = Module(name, path, package, names=names, stars=stars, imports=imports, lines=lines, shape=shape, facts=facts)
    made.classes = {name: Class(*what) for name, what in classes.items()}
    made.sites = marshal.loads(sites)
    for head, body in zip(heads, bodies, strict=True):
        code = Code.__new__(Code)
        for what, value in zip((*_HEAD, *_NOTED), head, strict=True):
            setattr(code, what, value)
        code.body = body
        made.codes.append(code)
    return made
