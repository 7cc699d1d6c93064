"""Random programs that allocate, store, capture, return and raise in all ways the language has; each runs to its end.

``python tests/escape/verify/programs.py FIRST COUNT`` makes COUNT of them, runs each instrumented, and prints every verdict
``frame`` that a run refutes, with the seed. ``--show SEED`` prints the program. Programs of a seed of 1000 and more have classes with
special methods that keep what they get, too.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from gomem.escape import analyse
from gomem.escape.verify import Truth, compare, run

HEAD = '''\
import contextlib
import functools
import itertools
from collections import Counter, defaultdict, deque, namedtuple
from dataclasses import dataclass, field

KEPT = []
NAMED = {}
TICKS = [0]
Pair = namedtuple("Pair", "left right")


class Stop(Exception):
    pass


def tick():
    TICKS[0] += 1
    if TICKS[0] > 100:
        raise Stop


@dataclass
class Record:
    first: object
    rest: list = field(default_factory=list)


@contextlib.contextmanager
def managed(x):
    try:
        yield x
    except KeyError as error:
        error.add_note(f"{x}")


def deco(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def deco_with(x):
    def outer(function):
        def wrapper(*args):
            return function(*args)

        wrapper.kept = x
        return wrapper

    return outer
'''
KINDS = ("list", "dict", "tuple", "str", "set", "K0", "K1", "K2", "K3", "func", "any")
ATTRIBUTES = {"items": "list", "table": "dict", "name": "str", "other": "any", "child": "K0", "call": "func"}
HOOKED = 1000
METHODS = {"put": "any", "take": "any", "rows": "list", "label": "str", "again": "K0", "bind": "func"}


class Program:
    """The text of one program, made line by line."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: list[str] = [HEAD]
        self.depth = 0  # of expressions
        self.functions: list[tuple[str, list[str], str]] = []  # name, kinds of parameters, kind of the result
        self.locals: list[tuple[str, str]] = []
        self.number = 0
        self.hooked = seed >= HOOKED
        self.kinds = (*KINDS[:-1], "H0", "H1", "any") if self.hooked else KINDS

    def pick(self, *choices):
        return self.rng.choice(choices)

    def text(self) -> str:
        for number in range(4):
            self.a_class(number)
        for number in range(2 if self.hooked else 0):
            self.hooks(number)
        for number in range(self.rng.randrange(8, 16)):
            self.function(number)
        self.main()
        return "\n".join(self.lines) + "\n"

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def name(self) -> str:
        self.number += 1
        return f"v{self.number}"

    # values

    def known(self, kind: str) -> list[str]:
        kinds = {"K0": ("K0", "K1", "K2", "K3"), "K1": ("K1", "K3"), "any": self.kinds, "H0": ("H0", "H1")}.get(kind, (kind,))
        return [name for name, what in self.locals if what in kinds]

    def value(self, kind: str) -> str:
        known = self.known(kind)
        if known and self.rng.random() < 0.5:
            return self.rng.choice(known)
        self.depth += 1
        made = self.simple(kind) if self.depth > 3 else self.fresh(kind)
        self.depth -= 1
        return made

    def simple(self, kind: str) -> str:
        return {
            "list": "[]", "dict": "{}", "tuple": "(TICKS,)", "str": "f'{TICKS}'", "set": "set()", "func": "(lambda z=None: z)", "any": "[TICKS]",
            "K0": "K0()", "K1": "K1()", "K2": "K2()", "K3": "K3()", "H0": "H0()", "H1": "H1()",
        }[kind]  # fmt: skip

    def fresh(self, kind: str) -> str:
        value, rng = self.value, self.rng
        if kind == "any":
            return value(self.pick(*self.kinds[:-1]))
        if rng.random() < 0.25:
            called = [function for function in self.functions if function[2] == kind]
            if called:
                name, kinds, _ = rng.choice(called)
                return f"{name}({self.arguments(kinds)})"
        if rng.random() < 0.2:
            attributes = [name for name, what in ATTRIBUTES.items() if what == kind]
            methods = [name for name, what in METHODS.items() if what == kind]
            if attributes and rng.random() < 0.6:
                return f"{value(self.pick('K0', 'K1', 'K2', 'K3'))}.{rng.choice(attributes)}"
            if methods:
                return f"{value(self.pick('K0', 'K1', 'K2', 'K3'))}.{rng.choice(methods)}({value('any')})"
        z = f"z{self.depth}"
        if kind == "list":
            return self.pick(
                f"[{value('any')}, {value('any')}]", f"[{value('any')}]", f"list({value('tuple')})", f"list({value('list')})",
                f"[{z} for {z} in {value('list')}]", f"[[{z}] for {z} in {value('tuple')}]", f"sorted({value('list')}, key=id)", f"({value('list')} + {value('list')})",
                f"{value('list')}[:]", f"[*{value('list')}, {value('any')}]", f"{value('list')}[1:]", f"list(map({value('func')}, {value('list')}))",
                f"list({value('dict')}.values())", f"{value('list')}.copy()", f"list(zip({value('list')}, {value('tuple')}))", f"([{value('any')}] * 2)",
                f"list(itertools.chain({value('list')}, {value('tuple')}))", f"list(reversed({value('list')}))", f"list({value('dict')}.items())",
                f"list(filter(None, {value('list')}))", f"({value('list')} or [{value('any')}])", f"Record({value('any')}, {value('list')}).rest", f"list(deque({value('list')}, 3))",
            )  # fmt: skip
        if kind == "dict":
            return self.pick(
                f"{{{value('str')}: {value('any')}}}", f"dict(one={value('any')})", f"{{**{value('dict')}, {value('str')}: {value('any')}}}", f"dict({value('dict')})",
                f"({value('dict')} | {value('dict')})", f"{{{z}: [{z}] for {z} in map(str, {value('list')})}}", f"{value('dict')}.copy()", f"dict.fromkeys([{value('str')}], {value('any')})",
                f"defaultdict(list, {value('dict')})",
            )  # fmt: skip
        if kind == "tuple":
            return self.pick(
                f"({value('any')}, {value('any')})", f"({value('any')},)", f"tuple({value('list')})", f"tuple({value('tuple')})", f"({value('tuple')} + {value('tuple')})",
                f"{value('tuple')}[:2]", f"(*{value('list')}, {value('any')})", f"({value('tuple')} * 1)", f"Pair({value('any')}, {value('any')})", f"{value('str')}.partition('-')",
                f"Pair({value('any')}, {value('any')})._replace(left={value('any')})",
            )  # fmt: skip
        if kind == "str":
            return self.pick(
                f"(str(len({value('list')})) + '-')", f"({value('str')} + {value('str')})", f"''.join([{value('str')}])", f"'-'.join([{value('str')}, {value('str')}])",
                f"{value('str')}.strip()", f"str({value('str')})", f"('%s' % {value('str')})", f"{value('str')}[:3]", f"({value('str')} * 1)", f"{value('str')}.replace('q', 'r')",
                f"'{{}}'.format({value('str')})", f"repr({value('str')})", f"{value('str')}.lower()", f"({value('str')} or 'x')", f"next(iter([{value('str')}]))",
                f"max([{value('str')}, {value('str')}])",
            )  # fmt: skip
        if kind == "set":
            return self.pick(f"{{{value('str')}}}", f"set([{value('str')}])", f"({value('set')} | {value('set')})", f"{{{z} for {z} in [{value('str')}]}}", f"frozenset({value('set')})")
        if kind == "func":
            name, kinds, _ = rng.choice(self.functions) if self.functions else ("len", ["list"], "")
            bound = f"functools.partial({name}, {self.arguments(kinds)})" if name != "len" else "len"
            return self.pick(
                f"(lambda z=None: {value('any')})", f"(lambda z=None: [z, {value('any')}])", f"{value('K0')}.{self.pick(*METHODS)}", f"{value('list')}.append", f"(lambda *z: {bound}())",
                f"{value('dict')}.get", f"(lambda z=None, y={value('any')}: y)", f"deco(lambda z=None: {value('any')})", f"deco_with({value('any')})(lambda z=None: z)",
                f"{value('K0')}.made", f"type({value('K0')})",
            )  # fmt: skip
        if kind[0] == "H":
            return f"{kind}({value('any')})"
        return self.pick(
            f"{kind}({value('any')})", f"{kind}({value('any')}, name={value('str')})", f"{kind}.made({value('any')})", f"{kind}(*{value('list')}[:1])", f"{kind}()",
            f"{kind}(**{{'x': {value('any')}}})",
        )  # fmt: skip

    def arguments(self, kinds: list[str]) -> str:
        return ", ".join(self.value(kind) for kind in kinds)

    # statements

    def block(self, indent: int, length: int, result: str) -> None:
        known, written = len(self.locals), len(self.lines)
        for _ in range(length):
            self.statement(indent, result)
        del self.locals[known:]
        if len(self.lines) == written:
            self.line(indent, "pass")

    def assign(self, indent: int, kind: str) -> str:
        value, name = self.value(kind), self.name()
        self.line(indent, f"{name} = {value}")
        self.locals.append((name, kind))
        return name

    def statement(self, indent: int, result: str) -> None:
        value, rng = self.value, self.rng
        if self.hooked and rng.random() < 0.3:
            return self.hook_called(indent, result)
        choice = rng.randrange(34 if indent < 4 else 18)
        if choice < 6:
            self.assign(indent, self.pick(*self.kinds))
        elif choice < 12:
            self.line(indent, self.pick(
                f"{value('list')}.append({value('any')})", f"{value('K0')}.other = {value('any')}", f"{value('dict')}[{value('str')}] = {value('any')}",
                f"{value('list')}.extend({value('tuple')})", f"{value('dict')}.update({value('dict')})", f"{value('dict')}.setdefault({value('str')}, {value('any')})",
                f"{value('K0')}.items = {value('list')}", f"{value('K0')}.put({value('any')})", f"{value('list')}.insert(0, {value('any')})", f"({value('set')} | {value('set')})",
                f"{value('list')}[:] = {value('list')}", f"setattr({value('K0')}, 'other', {value('any')})", f"{value('dict')}.pop({value('str')}, {value('any')})",
                f"{value('K0')}.child = {value('K0')}", f"{value('K0')}.call = {value('func')}", f"{value('K0')}.items.append({value('any')})", f"{value('K0')}.table[{value('str')}] = {value('any')}",
                f"Counter()[{value('str')}] += 1", f"{value('list')}.sort(key=id)", f"{value('list')}.clear()", f"len({value('any')}) if isinstance({value('any')}, list) else None",
                f"{value('func')}({value('any')})", f"{value('any')} is {value('any')}", f"hash({value('str')})", f"{value('K1')}.latest = {value('any')}",
            ))  # fmt: skip
        elif choice < 13:
            self.line(indent, self.pick(f"KEPT.append({value('any')})", f"NAMED[{value('str')}] = {value('any')}", f"{self.pick('K0', 'K1')}.shared.append({value('any')})"))
        elif choice < 15:
            name, kind = self.name(), self.pick("list", "str", "tuple")
            self.line(indent, f"{name} = {value(kind)}")
            self.line(indent, f"{name} += {value(kind)}")
            self.locals.append((name, kind))
        elif choice < 16:
            one, two = self.name(), self.name()
            self.line(indent, f"{one}, {two} = {value('any')}, {value('any')}")
            self.locals += [(one, "any"), (two, "any")]
        elif choice < 17 and self.locals:
            name = self.name()
            self.line(indent, f"{name} = {value('any')} if {value('any')} else {value('any')}")
            self.locals.append((name, "any"))
        elif choice < 18:
            self.line(indent, f"if TICKS[0] % {self.pick(3, 5, 7)} == 0:")
            self.line(indent + 1, f"return {value(result)}" if self.returns else f"yield {value('any')}")
        else:
            self.compound(indent, result, choice)

    def compound(self, indent: int, result: str, choice: int) -> None:
        value, rng = self.value, self.rng
        length = rng.randrange(1, 4)
        if choice < 20:
            self.line(indent, f"if TICKS[0] % {self.pick(2, 3)}:")
            self.block(indent + 1, length, result)
            if rng.random() < 0.5:
                self.line(indent, "else:")
                self.block(indent + 1, length, result)
        elif choice < 22:
            name = self.name()
            over = self.pick(value("list"), value("tuple"), f"{value('dict')}.values()", f"enumerate({value('list')})")
            self.line(indent, f"for {name} in list({over})[:3]:")
            self.locals.append((name, "any"))
            self.block(indent + 1, length, result)
            self.line(indent + 1, self.pick("break", "pass"))
            self.locals.pop()
        elif choice < 25:
            self.line(indent, "try:")
            self.block(indent + 1, length, result)
            if rng.random() < 0.5:
                self.line(indent + 1, f"raise {self.pick('KeyError', 'ValueError', 'Stop')}({value('any')})")
            error = self.name()
            self.line(indent, f"except ({self.pick('KeyError', 'ValueError', 'Exception')}, TypeError) as {error}:")
            self.block(indent + 1, length, result)  # never keeps the error: its traceback keeps this frame and all that called it
            self.line(indent + 1, self.pick("pass", "raise", f"raise ValueError({value('any')}) from {error}", f"{error}.add_note({value('str')})"))
            if rng.random() < 0.3:
                self.line(indent, "finally:")
                self.block(indent + 1, 1, result)
        elif choice < 27:
            name = self.name()
            manager = self.pick(f"managed({value('any')})", f"contextlib.nullcontext(Record({value('any')}))", f"K2({value('any')})")
            self.line(indent, f"with {manager} as {name}:")
            self.locals.append((name, "any"))
            self.block(indent + 1, length, result)
            self.locals.pop()
        elif choice < 30:
            self.inner(indent)
        elif choice < 32 and self.locals:
            shared, kind = rng.choice(self.locals)
            name = self.name()
            if shared.startswith("v"):
                self.line(indent, f"def {name}(z=None):")
                self.line(indent + 1, f"nonlocal {shared}" if shared not in self.params else "pass")
                self.line(indent + 1, f"{shared if shared not in self.params else 'w'} = {value(kind) if shared not in self.params else 'z'}")
                self.line(indent + 1, f"return {value('any')}")
                self.locals.append((name, "func"))
        elif choice < 33:
            name = f"Local{self.name()}"
            self.line(indent, f"class {name}(K0):")
            kept = value("any")
            self.line(indent + 1, "def take(self, x):")
            self.line(indent + 2, self.pick(f"return {kept}", "self.other = x", "return [self, x]"))
            self.locals.append((self.assign_text(indent, f"{name}({value('any')})"), "K0"))
        else:
            subject = value("any")
            self.line(indent, f"match {subject}:")
            one, rest = self.name(), self.name()
            self.line(indent + 1, f"case [{one}, *{rest}]:")
            self.locals += [(one, "any"), (rest, "list")]
            self.block(indent + 2, length, result)
            self.line(indent + 2, "pass")
            del self.locals[-2:]
            self.line(indent + 1, f"case K0(other={one}):")
            self.locals.append((one, "any"))
            self.block(indent + 2, length, result)
            self.line(indent + 2, "pass")
            self.locals.pop()

    def assign_text(self, indent: int, text: str) -> str:
        name = self.name()
        self.line(indent, f"{name} = {text}")
        return name

    def inner(self, indent: int) -> None:
        """A nested function or generator that sees the variables around it."""
        name, argument = self.name(), self.name()
        kept, params, returns, self.returns = self.locals[:], self.params, self.returns, self.rng.random() < 0.8
        self.line(indent, f"def {name}({argument}=None):")
        self.line(indent + 1, "tick()")
        self.locals.append((argument, "any"))
        self.block(indent + 1, self.rng.randrange(1, 3), "any")
        self.line(indent + 1, f"{'return' if self.returns else 'yield'} {self.value('any')}")
        self.locals, self.params, self.returns = kept, params, returns
        self.locals.append((name, "func"))

    # definitions

    def body(self, indent: int, params: list[tuple[str, str]], result: str, length: int, generator: bool = False) -> None:
        self.locals, self.params, self.returns = list(params), {name for name, _ in params}, not generator
        self.line(indent, "tick()")
        known = len(self.locals)
        for _ in range(length):
            self.statement(indent, result)
        self.line(indent, f"yield {self.value('any')}" if generator else f"return {self.value(result)}")
        del self.locals[known:]

    def function(self, number: int) -> None:
        kinds = [self.pick(*self.kinds) for _ in range(self.rng.randrange(0, 4))]
        params = [(f"p{index}", kind) for index, kind in enumerate(kinds)]
        result, generator = self.pick(*self.kinds), self.rng.random() < 0.15
        shape = ", ".join(name for name, _ in params)
        if params and self.rng.random() < 0.15:
            shape = "*args"
        decorators = [f"@{self.pick('deco', 'deco_with([])')}"] if self.rng.random() < 0.15 else []
        for decorator in decorators:
            self.line(0, decorator)
        self.line(0, f"def f{number}({shape}):")
        if shape == "*args":
            self.line(1, f"{', '.join(name for name, _ in params)}, = args")
        self.body(1, params, result, self.rng.randrange(2, 7), generator)
        self.functions.append((f"f{number}", kinds, "any" if generator else result))

    def a_class(self, number: int) -> None:
        base = {1: "(K0)", 2: "(K0)", 3: "(K1)"}.get(number, "")
        self.line(0, f"class K{number}{base}:")
        self.line(1, "shared = []")
        pick = self.pick
        if number == 0 or self.rng.random() < 0.5:
            self.line(1, "def __init__(self, x=None, name='k'):")
            if number and self.rng.random() < 0.7:
                self.line(2, "super().__init__(x, name)")
            self.line(2, f"self.items = {pick('[]', '[x]', '[x, name]')}")
            self.line(2, f"self.table = {pick('{}', '{name: x}', 'defaultdict(list)', 'dict(x=x)')}")
            self.line(2, f"self.name = {pick('name', 'name + name', 'str(name)')}")
            self.line(2, f"self.other = {pick('x', 'None', '[x]', '(x, name)')}")
            self.line(2, f"self.child = {pick('None', 'x if isinstance(x, K0) else None')}")
            self.line(2, f"self.call = {pick('lambda z=None: x', 'lambda z=None: z')}")
        if number == 0:
            self.line(1, "@classmethod")
            self.line(1, "def made(cls, x=None):")
            self.line(2, pick("return cls(x)", "new = cls(x)\n        new.put(x)\n        return new", "return cls([x])"))
            self.line(1, "def __enter__(self):")
            self.line(2, pick("return self", "return self.other", "return [self]"))
            self.line(1, "def __exit__(self, *error):")
            self.line(2, pick("return False", "return True"))
            if self.rng.random() < 0.3:
                self.line(1, "def __setattr__(self, name, value):")
                self.line(2, "object.__setattr__(self, name, value)")
            if self.rng.random() < 0.3:
                self.line(1, "def __bool__(self):")
                self.line(2, "return bool(self.items)")
        for name, kind in METHODS.items():
            if number and self.rng.random() < 0.6:
                continue
            self.line(1, f"def {name}(self, x=None):")
            params = [("x", "any"), ("self", f"K{number}")]
            self.body(2, params, kind, self.rng.randrange(0, 4))

    def hooks(self, number: int) -> None:
        """A class in which Python itself calls most of the methods."""
        pick, one, two = self.pick, "H0" if number else "", 2

        def kept(*what: str) -> str:
            return pick("pass", *(f"KEPT.append({name})" for name in what), f"self.other = {what[-1]}", f"return {what[-1]}", "return self.other", f"return [{what[-1]}]", "NAMED['h'] = self")

        self.line(0, f"class Lazy{number}:")
        self.line(1, "def __get__(self, one, cls=None):")
        self.line(two, pick("KEPT.append(one)", "return [one]", "return one.other", "self.last = one"))
        if pick(True, False):
            self.line(1, "def __set__(self, one, value):")
            self.line(two, pick("KEPT.append(value)", "self.last = value", "object.__setattr__(one, 'other', value)"))
        self.line(0, f"class Missing{number}(dict):")
        self.line(1, "def __missing__(self, key):")
        self.line(two, pick("KEPT.append(key)", "return [key]", "self[key] = value = [key]\n        return value"))
        self.line(0, "@dataclass")
        self.line(0, f"class Checked{number}:")
        self.line(1, "x: object")
        self.line(1, "def __post_init__(self):")
        self.line(two, pick("KEPT.append(self.x)", "self.y = [self.x]", "NAMED['c'] = self", "pass"))
        self.line(0, f"class H{number}{f'({one})' if one else ''}:")
        if not number:
            self.line(1, "other = ()")
            self.line(1, "__hash__ = object.__hash__")
            self.line(1, "def __init__(self, x=None):")
            self.line(two, "object.__setattr__(self, 'other', x)")
        methods = {
            "__enter__(self)": ("self", "self.other"), "__getattr__(self, name)": ("self",), "__setattr__(self, name, x)": ("x",),
            "__contains__(self, x)": ("x",), "__eq__(self, x)": ("x",), "__lt__(self, x)": ("x",), "__delitem__(self, x)": ("x",), "__getitem__(self, x)": ("x",),
            "__setitem__(self, x, y)": ("x", "y"), "__call__(self, x=None)": ("x",), "__add__(self, x)": ("x",), "__radd__(self, x)": ("x",), "__neg__(self)": ("self",),
            "__del__(self)": ("self.other",), "cond(self, x=None)": ("x",), "_get(self)": ("self",), "_set(self, x)": ("x",), "hidden(self, x=None)": ("x",),
        }  # fmt: skip
        for head, what in methods.items():
            name = head.partition("(")[0]
            if number and self.rng.random() < 0.6:
                continue
            body = kept(*what)
            if name in ("__setattr__", "__getattr__") and "self.other" in body:
                body = "return ()"
            if name in ("__setattr__", "__del__") and body.startswith("return"):
                body = "pass"
            self.line(1, f"def {head}:")
            self.line(two, body)
        if not number or pick(True, False):
            self.line(1, "def __exit__(self, *error):")
            self.line(two, pick("pass", "KEPT.append(self)", "self.__dict__['other'] = None"))
            self.line(1, "def __iter__(self):")
            self.line(two, pick("yield self.other", "KEPT.append(self)\n        yield 1", "return iter([self.other])"))
            self.line(1, "def __iadd__(self, x):")
            self.line(two, pick("KEPT.append(x)", "self.__dict__['other'] = x", "pass") + "\n        return self")
            self.line(1, "if len(KEPT) % 2:")
            self.line(two, "def cond(self, x=None):")
            self.line(3, kept("x"))
        self.line(1, "def plain(self, x=None):")
        self.line(two, kept("x"))
        if pick(True, False):
            self.line(1, f"alias = {pick('plain', 'lambda self, x=None: x', 'lambda self, x=None: KEPT.append(x)', 'KEPT.append', 'staticmethod(lambda x=None: [x])', 'classmethod(plain)')}")
        self.line(1, f"lazy = Lazy{number}()")
        if not number:
            self.line(1, f"prop = property({pick('_get', 'lambda self: self.other', 'lambda self: KEPT.append(self)')}, {pick('_set', 'lambda self, x: KEPT.append(x)')})")
            self.line(1, "alias = alias if 'alias' in vars() else plain" if pick(True, False) else "late = plain")

    def hook_called(self, indent: int, result: str) -> None:
        value, number = self.value, self.pick(0, 1)
        made, fresh = value(f"H{number}"), f"H{number}({value('any')})"  # what nothing is known of is only asked for methods by name
        choice = self.rng.randrange(12)
        if choice in (0, 3):
            name = self.name()
            self.line(indent, f"for {name} in {fresh}:" if choice else f"with {fresh} as {name}:")
            self.locals.append((name, "any"))
            self.block(indent + 1, 1, result)
            self.locals.pop()
        elif choice == 1:
            name = self.assign_text(indent, fresh)
            self.line(indent, self.pick(f"del {fresh}[{value('any')}]", f"{name} += {value('any')}", f"{name}[{value('any')}] = {value('any')}", f"{name}.prop = {value('any')}"))
            self.locals.append((name, "any"))
        elif choice == 2:
            self.line(indent, self.pick(f"H{number}().lazy = {value('any')}", f"H{number}().rest = {value('any')}", f"{fresh}.prop = {value('any')}"))
        else:
            text = self.pick(
                f"{value('any')} in {fresh}", f"[{value('any')}] == {fresh}", f"{fresh} < [{value('any')}]", f"{fresh} != ({value('any')},)", f"{fresh}.absent", f"{fresh}.lazy", f"{fresh}.prop", f"{fresh}[{value('any')}]",
                f"{fresh}({value('any')})", f"{fresh} + {value('any')}", f"{value('set')} + {fresh}", f"-{fresh}", f"{made}.cond({value('any')})", f"{made}.plain({value('any')})", f"{fresh}.lazy",
                f"{made}.alias({value('any')})", f"Missing{number}()[{value('str')}]", f"Checked{number}({value('any')})", f"list({fresh})", f"[*{fresh}]",
            )  # fmt: skip
            self.locals.append((self.assign_text(indent, text), "any"))

    def main(self) -> None:
        self.locals = []
        self.depth = 1
        for name, kinds, _ in self.functions:
            for _ in range(3):
                self.line(0, "TICKS[0] = 0")
                self.line(0, "try:")
                self.line(1, f"result = {name}({self.arguments(kinds)})")
                self.line(1, "if hasattr(result, 'send'):")
                self.line(2, "for _ in result:")
                self.line(3, "pass")
                self.line(0, "except (Exception, RecursionError):")
                self.line(1, "pass")


def refuted(seed: int, folder: Path) -> tuple[list[str], int, int]:
    """What a run says against verdicts ``frame``; how many sites stayed, and how many of these were found."""
    path = folder / f"p{seed}.py"
    path.write_text(Program(seed).text())
    verdicts = analyse([path]).verdicts
    truth: Truth = run([str(path)], [path], env=os.environ | {"PYTHONHASHSEED": "0"}, timeout_s=60)
    if truth.exit_code:
        raise RuntimeError(f"seed {seed}: the program ended with {truth.exit_code}")
    compared = compare(truth, verdicts)
    wrong = [f"seed {seed}: {verdict.site.line}:{verdict.site.column}: {verdict.site.text}: {dict(seen.fates)} {seen.holder}" for verdict, seen in compared.wrong]
    return wrong, compared.right_stays + len(compared.imprecise), compared.right_stays


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("count", type=int, nargs="?", default=100)
    parser.add_argument("--show", type=int, metavar="SEED")
    options = parser.parse_args()
    if options.show is not None:
        print(Program(options.show).text(), end="")
        return 0
    bad = stay = found = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.first, options.first + options.count):
            try:
                wrong, stayed, said = refuted(seed, Path(folder))
            except subprocess.TimeoutExpired:
                print(f"seed {seed}: takes too long, left out")
                continue
            stay, found, bad = stay + stayed, found + said, bad + len(wrong)
            print(*wrong, sep="\n" if wrong else "", end="\n" if wrong else "", flush=True)
    print(f"{options.count} programs: {bad} verdicts refuted; {stay} sites stayed, {found} of them said to")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
