"""What a caller has to know of a function: where its parameters go and what it returns. And the text in which libraries say it.

The text, one function a line (docs/escape.md describes it for users)::

    module json
    def loads(s, *, cls=) -> new ?
    class list
      def __init__(self, iterable=): self.* <- iterable.*
      def append(self, object): self.* <- object
      def pop(self, index=) -> self.*
      def sort(self, *, key=, reverse=): calls key(self.*)

What may stand for a value: a parameter (``x``), one thing it holds (``x.*`` an item, ``x.name`` an attribute), anything
reachable from it (``x.**``), a new object (``new list``, ``new list[x, y.*]`` with what it holds), ``world`` (an object
that was there before, of unknown type) or ``world str``. Effects: ``a <- b`` (a keeps b), ``leaks x`` (kept for longer than
anyone can tell), ``starts x`` (x is a coroutine that a task now runs), ``calls f(x, y)``, with ``into items`` or ``into result`` behind it if that is where what f returns goes (among the arguments, ``result`` is what functions
called before gave), ``prints x to f`` (text is written to f). A type ``?`` is unknown. Lines that begin with # are comments.
"""

from __future__ import annotations

import marshal
import re
import sys
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from gomem.errors import UsageError
from gomem.escape import ir

FRESH: Final = -1
WORLD: Final = -2
RESULT: Final = -3
PRINTED: Final = "printed"  # in place of where the result of a call goes: nothing is called, but text among the objects written to the files
DEEP: Final = "**"
Source = tuple[Any, Any]  # (parameter, path); (FRESH, number); (WORLD, type or its name); (RESULT, path), what functions called before gave
# A path: "" the parameter itself, "a" a field, "a.b" a field of that, "a.**" anything below a, "**" anything below the parameter.


def below(path: str) -> str:
    """The path of everything that can be reached from what is at the path."""
    return f"{path.partition('.')[0]}.{DEEP}" if path else DEEP


def longer(path: str, name: str) -> str:
    """The path of a field of what is at the path, which is not ""; only two steps are told apart."""
    if path.endswith(DEEP):
        return path
    return below(path) if "." in path or name in ("?", "&", DEEP) else f"{path}.{name}"


@dataclass(slots=True)
class Summary:
    """Effects of a call on its arguments, and its result.

    ``leaks`` maps a source to its cause; ``stores`` are (target, field, what); ``returns`` the results; ``fresh`` the objects
    that the call makes and that are seen outside, each (type, {field: sources}); ``calls`` are (function, arguments).
    """

    leaks: dict[Source, str] = field(default_factory=dict)
    stores: frozenset[tuple[Source, str, Source]] = frozenset()
    returns: frozenset[Source] = frozenset()
    fresh: tuple[tuple[Any, tuple[tuple[str, frozenset[Source]], ...]], ...] = ()
    calls: tuple[tuple[Source, tuple[Source, ...], str], ...] = ()
    planned: Plan | None = None
    used: set[Any] | None = None
    digested: bytes = b""

    def plan(self) -> Plan:
        """The same in the form that a call of the function needs."""
        if self.planned is None:
            self.planned = Plan(self)
        return self.planned

    def parameters(self) -> set[Any]:
        """The parameters that have any effect."""
        if self.used is None:
            sources = [*self.leaks, *self.returns]
            sources += [source for target, _, value in self.stores for source in (target, value)]
            sources += [source for _, fields in self.fresh for _, held in fields for source in held]
            sources += [source for target, arguments, _ in self.calls for source in (target, *arguments)]
            self.used = {root for root, _ in sources}
        return self.used

    def digest(self) -> bytes:
        """The same for two summaries that a caller could not tell apart, in every run."""
        if not self.digested:
            self.digested = blake2b(marshal.dumps(self.described(), 0), digest_size=16).digest()
        return self.digested

    def described(self) -> tuple[Any, ...]:
        leaks = [(source_order(source), cause) for source, cause in self.leaks.items()]
        stores = sorted(map(store_order, self.stores))
        returns = sorted(map(source_order, self.returns))
        fresh = [(type_order(what), [(name, sorted(map(source_order, sources))) for name, sources in fields]) for what, fields in self.fresh]
        calls = [(source_order(target), list(map(source_order, arguments)), into) for target, arguments, into in self.calls]
        return (leaks, stores, returns, fresh, calls)

    def like(self, other: Summary) -> bool:
        """Whether the two say the same but for the causes of what leaks."""
        if self.digest() == other.digest():
            return True
        return self.leaks.keys() == other.leaks.keys() and all(
            getattr(self, what) == getattr(other, what) for what in ("stores", "returns", "fresh", "calls")
        )


class Plan:
    """What a call does, in an order that is always the same: ``fresh`` (type, whether it is a result), ``fields`` of them,
    ``leaks`` by parameter, ``stores`` (target, field, all that is stored there), ``returns``; ``makes`` if a result is new."""

    __slots__ = ("fresh", "fields", "leaks", "stores", "returns", "makes")

    def __init__(self, summary: Summary) -> None:
        top = {path for index, path in summary.returns if index == FRESH}
        self.makes = bool(top)
        self.fresh = [(what, index in top) for index, (what, _) in enumerate(summary.fresh)]
        self.fields = [
            (index, name, sorted(sources, key=source_order)) for index, (_, fields) in enumerate(summary.fresh) for name, sources in fields
        ]
        leaks: dict[Any, list[tuple[Source, str]]] = {}
        for source, cause in summary.leaks.items():
            leaks.setdefault(source[0], []).append((source, cause))
        self.leaks = list(leaks.items())
        stores: dict[tuple[Source, str], list[Source]] = {}
        for target, name, source in sorted(summary.stores, key=store_order):
            stores.setdefault((target, name), []).append(source)
        self.stores = [(target, name, sources) for (target, name), sources in stores.items()]
        self.returns = sorted(summary.returns, key=source_order)


def type_order(what: Any) -> str:
    """By which types are sorted, wherever their order matters: it must not differ from run to run."""
    return what.key if hasattr(what, "key") else str(what)


def source_order(source: Source) -> tuple[str, str]:
    return str(source[0]), type_order(source[1])


def store_order(store: tuple[Source, str, Source]) -> tuple[Any, ...]:
    return source_order(store[0]), store[1], source_order(store[2])


@dataclass(slots=True)
class LibraryFunction:
    """A function of a library text: parameters as in ``ir.Code.params``, and its summary with type names for types."""

    name: str
    params: list[tuple[str, int, tuple[str, ...], int]]
    summary: Summary
    kind: str = "function"  # or property, static, class


@dataclass(slots=True)
class LibraryClass:
    name: str
    bases: list[str]
    methods: dict[str, LibraryFunction] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    immutable: bool = False
    typed: bool = False  # its methods do not count for objects of unknown type
    lazy: bool = False  # reads what it was made of when it is asked for items
    item: str = ""


@dataclass(slots=True)
class LibraryModule:
    name: str
    functions: dict[str, LibraryFunction] = field(default_factory=dict)
    classes: dict[str, LibraryClass] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    imported: bool = False  # methods count for objects of unknown type only if some file imports the module


_UNTIL = re.compile(r"until (\d+)\.(\d+) ")  # before a line that is true of that Python and older ones
_DEF = re.compile(r"(?P<how>static|class|property)?\s*def (?P<name>\w+(?:/\d)?)\((?P<params>[^)]*)\)\s*(?P<rest>.*)$")


def parse_library(text: str, path: str) -> dict[str, LibraryModule]:
    """Modules by name. Raises UsageError that names the line."""
    modules: dict[str, LibraryModule] = {}
    module: LibraryModule | None = None
    cls: LibraryClass | None = None
    for number, line in enumerate(text.splitlines(), 1):
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        try:
            only = _UNTIL.match(body)
            if only is not None:
                if sys.version_info[:2] > (int(only[1]), int(only[2])):
                    continue
                body = body[only.end() :]
            word = body.split(None, 1)[0]
            if word == "module":
                name = body.split()[1]
                module, cls = modules.setdefault(name, LibraryModule(name)), None
                module.imported = "imported" in body.split()[2:]
            elif module is None:
                raise ValueError("want 'module NAME' first")
            elif word == "class" and " def " not in f" {body}":
                cls = _parse_class(body)
                module.classes[cls.name] = cls
            elif word == "attr":
                name, _, kind = body[4:].partition(":")
                (cls.attributes if cls and line[0] == " " else module.variables)[name.strip()] = kind.strip()
            else:
                inside = line[0] == " " and cls is not None
                into = cls.methods if cls is not None and inside else module.functions
                into.update({made.name: made for made in _parse_functions(body)})
        except (ValueError, IndexError, AttributeError) as error:
            raise UsageError(f"{path}:{number}: got {body!r}, want a line of a library summary: {error}") from None
    return modules


def _parse_class(body: str) -> LibraryClass:
    match = re.fullmatch(r"class (\w+)(?:\(([^)]*)\))?(.*)", body)
    if match is None:
        raise ValueError("want class NAME, class NAME(BASE, ...)")
    bases = [base.strip() for base in (match[2] or "").split(",") if base.strip()]
    rest = match[3].split()
    made = LibraryClass(match[1], bases, immutable="immutable" in rest, lazy="lazy" in rest, typed="typed" in rest)
    for word in rest:
        if word.startswith("item="):
            made.item = word[5:]
    return made


def _parse_functions(body: str) -> list[LibraryFunction]:
    """One function, or several of the same behaviour: ``def a|b|c(x): …``."""
    head, _, rest = body.partition("(")
    how, _, names = head.rpartition("def ")
    return [_parse_function(f"{how}def {name.strip()}({rest}") for name in names.split("|")]


def _parse_function(body: str) -> LibraryFunction:
    match = _DEF.fullmatch(body)
    if match is None:
        raise ValueError("want def NAME(PARAMETERS) -> RESULTS: EFFECTS")
    params = _parse_params(match["params"])
    parser = _Parser([name for name, *_ in params])
    parser.rest(match["rest"])
    return LibraryFunction(match["name"], params, parser.summary(), match["how"] or "function")


def _parse_params(text: str) -> list[tuple[str, int, tuple[str, ...], int]]:
    params: list[tuple[str, int, tuple[str, ...], int]] = []
    how = ir.ORDINARY
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        name = part.rstrip("=")
        if part == "*":
            how = ir.KEYWORD_ONLY
        elif part.startswith("**"):
            params.append((part[2:], ir.KEYWORDS, (), 0))
        elif part.startswith("*"):
            params.append((part[1:], ir.REST, (), 0))
            how = ir.KEYWORD_ONLY
        else:
            params.append((name, how, (), ir.CONSTANT_DEFAULT if part.endswith("=") else ir.NO_DEFAULT))
    return params


class _Parser:
    """Reads what follows the parameters of one function."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.made = Summary()
        self.new: list[list[Any]] = []
        self.stores: set[tuple[Source, str, Source]] = set()
        self.tokens: list[str] = []

    def rest(self, text: str) -> None:
        returns, _, effects = text.partition(":") if not text.startswith("->") else _split_effects(text)
        if returns.startswith("->"):
            self.tokens = _tokens(returns[2:])
            self.made.returns = frozenset(self.values(""))
        for effect in filter(None, (part.strip() for part in effects.split(";"))):
            self.effect(effect)

    def effect(self, text: str) -> None:
        cause = {"leaks": "library", "starts": "task"}.get(text.partition(" ")[0])
        if cause is not None:
            self.tokens = _tokens(text.partition(" ")[2])
            for source in self.values(""):
                self.made.leaks[source] = cause
        elif text.startswith("calls "):
            self.tokens = _tokens(text[6:])
            function = self.value()
            self.expect("(")
            arguments = tuple(self.values(")"))
            into = self.tokens[-1] if self.tokens[:1] == ["into"] else ""
            self.made.calls += ((function, arguments, into),)
        elif text.startswith("prints "):
            printed, _, file = text[7:].partition(" to ")
            self.tokens = _tokens(file)
            files = (self.value(),)
            self.tokens = _tokens(printed)
            self.made.calls += tuple((source, files, PRINTED) for source in self.values(""))
        else:
            target, _, values = text.partition("<-")
            place, _, name = target.strip().rpartition(".")
            base, _, path = place.partition(".")
            self.tokens = _tokens(values)
            for source in self.values(""):
                self.stores.add(((self.names.index(base), path), name, source))

    def values(self, end: str) -> list[Source]:
        found = []
        while self.tokens and self.tokens[0] != end:
            found.append(self.value())
            if self.tokens and self.tokens[0] == ",":
                self.tokens.pop(0)
        if end:
            self.expect(end)
        return found

    def expect(self, token: str) -> None:
        if not self.tokens or self.tokens.pop(0) != token:
            raise ValueError(f"want {token!r}")

    def value(self) -> Source:
        word = self.tokens.pop(0)
        if word == "new":
            return self.new_object()
        if word == "world":
            named = self.tokens and self.tokens[0] not in (",", ")", "]", "(")
            return (WORLD, self.tokens.pop(0) if named else "?")
        base, _, path = word.partition(".")
        if base == "result":
            return (RESULT, path)
        if base not in self.names:
            raise ValueError(f"no parameter {base!r}")
        return (self.names.index(base), path)

    def new_object(self) -> Source:
        kind = self.tokens.pop(0)
        number = len(self.new)
        self.new.append([kind, {}])
        if self.tokens and self.tokens[0] == "[":
            self.tokens.pop(0)
            fields: dict[str, set[Source]] = {}
            while self.tokens and self.tokens[0] != "]":
                name = "*"
                if self.tokens[0].endswith("="):
                    name = self.tokens.pop(0)[:-1]
                fields.setdefault(name, set()).add(self.value())
                if self.tokens and self.tokens[0] == ",":
                    self.tokens.pop(0)
            self.expect("]")
            self.new[number][1] = fields
        return (FRESH, number)

    def summary(self) -> Summary:
        self.made.stores = frozenset(self.stores)
        self.made.fresh = tuple(
            (kind, tuple(sorted((name, frozenset(sources)) for name, sources in fields.items()))) for kind, fields in self.new
        )
        return self.made


def _split_effects(text: str) -> tuple[str, str, str]:
    """Return part and effects of ``-> x: effects``; type names may have a colon inside, effects follow a colon and a space."""
    head, mark, tail = text.partition(": ")
    return head, mark, tail


def _tokens(text: str) -> list[str]:
    return re.findall(r"[\w.*&?~:]+=?|[\[\](),]", text)
