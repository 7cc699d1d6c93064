"""What the analysis keeps of a file: per function a flat list of operations on numbered variables, and per module its names.

A file is lowered once (lower.py) and the result is cached by the hash of its source; nothing after that sees an AST. All of it
is tuples, lists, dicts, strings and numbers, so that ``marshal`` writes and reads it.

Operations are tuples whose first member is one of the numbers below. ``dst``, ``src``, ``base`` are variables of the function
(0 holds nothing), ``obj`` is an index in ``Code.objects``, ``line`` is where it happens.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Any

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
    CAUGHT,  # dst, obj, type names, line
    LEAK,  # src, cause, line
    HOLD,  # base, src, line: base keeps src alive in a way that no program text can load
) = range(29)

# arguments of a call: (positional vars, ((keyword, var), ...), vars of *args, vars of **kwargs)
Arguments = tuple[tuple[int, ...], tuple[tuple[str, int], ...], tuple[int, ...], tuple[int, ...]]

ORDINARY, POSITIONAL_ONLY, REST, KEYWORD_ONLY, KEYWORDS = range(5)  # Param.how
NO_DEFAULT, CONSTANT_DEFAULT, OBJECT_DEFAULT = range(3)  # Param.default


@dataclass(slots=True)
class Code:
    """One function, lambda, module or class body.

    ``name`` is unique in the module, as in ``__qualname__``. ``objects`` are what its operations may allocate: (site index or
    -1, type name). ``params`` are (name, how, annotation, default). ``kind`` is module, function, generator, coroutine or
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


@dataclass(slots=True)
class Module:
    """One file. ``names`` are the module's global names: name -> list of (how, what), how being import, from, function, class,
    variable or record (a namedtuple). ``sites`` are (line, column, end line, end column, kind, function, text)."""

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


_READ = {  # where an operation names the variables that it reads; those of arguments and cells are added
    COPY: (2,), LOAD_ATTR: (2,), STORE_ATTR: (1, 3), LOAD_ITEM: (2, 3), STORE_ITEM: (1, 2), ITERATE: (2,), UNPACK: (2,),
    STORE_GLOBAL: (2,), STORE_CLASS: (3,), STORE_FREE: (2,), CALL: (2,), CALL_METHOD: (2,), CALL_SUPER: (2,), OPERATE: (2, 3),
    OPERATE_IN_PLACE: (2, 3), SLICE: (2,), RETURN: (1,), YIELD: (1,), YIELD_FROM: (2,), RAISE: (1,), AWAIT: (2,), LEAK: (1,), HOLD: (1, 2),
}  # fmt: skip
_ARGUMENTS = {CALL: 4, CALL_METHOD: 5, CALL_SUPER: 5}


def variables_read(code: Code, op: tuple[Any, ...]) -> list[int]:
    """The variables on whose objects it depends what the operation does."""
    found = [op[place] for place in _READ.get(op[0], ())]
    if op[0] in _ARGUMENTS:
        positional, named, stars, doubles = op[_ARGUMENTS[op[0]]]
        found += [*positional, *(variable for _, variable in named), *stars, *doubles]
    elif op[0] == CLOSURE:
        found += [variable for _, variable, _ in op[4]] + [variable for _, variable in op[5]]
    elif op[0] == CAUGHT:
        found += [*code.local_vars, *code.param_vars]
    return found


def pack(module: Module) -> tuple[Any, ...]:
    """The module as plain values, for ``marshal``."""
    codes = [tuple(getattr(code, name) for name in Code.__slots__) for code in module.codes]
    classes = {name: astuple(made) for name, made in module.classes.items()}
    rest = [getattr(module, name) for name in Module.__slots__ if name not in ("codes", "classes")]
    return (codes, classes, rest)


def unpack(values: tuple[Any, ...]) -> Module:
    """The inverse of ``pack``."""
    codes, classes, rest = values
    names = [name for name in Module.__slots__ if name not in ("codes", "classes")]
    made = Module(**dict(zip(names, rest, strict=True)))
    made.codes = [Code(*code) for code in codes]
    made.classes = {name: Class(*what) for name, what in classes.items()}
    return made
