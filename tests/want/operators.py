"""Operators: which operand can be the result, and whose method makes it."""

import collections
import enum
import io
from collections.abc import Callable

KEPT = []  # want "[] module"


class Parts:
    def __init__(self, parts):
        self.parts = parts

    def __add__(self, other):
        return Parts([self, other])  # want "Parts([self, other]) returned" "[self, other] returned"

    def __radd__(self, other):
        return Parts([other, self])  # want "Parts([other, self]) returned" "[other, self] returned"

    def __rmul__(self, times):
        KEPT.append(times)  # want "KEPT.append(times) frame"
        return self


def right_operand_decides(n):
    parts = Parts([n])  # want "Parts([n]) returned" "[n] returned"
    return f"{n}:" + parts  # want "f'{n}:' + parts returned" "f'{n}:' returned"


def right_operand_keeps(n):
    parts = Parts([])  # want "Parts([]) frame" "[] frame"
    return len([[n] * parts])  # want "len([[n] * parts]) returned" "[[n] * parts] frame" "[n] * parts frame" "[n] global"


def text_and_something(other, n):
    return len(f"{n}:" + other)  # want "len(f'{n}:' + other) returned" "f'{n}:' + other frame" "f'{n}:' frame"


def grows(n):
    text = str(n)  # want "str(n) frame"
    text += "."
    text += f" {n}"  # want "f' {n}' frame"
    return text


def may_be_the_last(n, more):
    text = ""
    text += str(n)  # want "str(n) returned"
    return text


def list_grows(values, n):
    values += [[n]]  # want "[[n]] argument" "[n] argument"


def into_a_buffer(n):
    out = io.StringIO()  # want "io.StringIO() frame"
    out.write(f"{n}")  # want "out.write(f'{n}') frame" "f'{n}' frame"
    return out.getvalue()  # want "out.getvalue() returned"


class Color(enum.Enum):
    RED = enum.auto()  # want "enum.auto() frame"
    PAIR = (len("x"), len("y"))  # want "(len('x'), len('y')) class" "len('x') class" "len('y') class"


Handler = Callable[[int, str], bool]  # want "[int, str], bool frame" "[int, str] frame"


def times(n, row):
    one = (n,) * row  # want "(n,) * row frame" "(n,) frame"
    return len(one)  # want "len(one) returned"


def perhaps_once(n, row):
    return (n,) * row  # want "(n,) * row returned" "(n,) returned"


def twice(n):
    return (n,) * 2  # want "(n,) * 2 returned" "(n,) frame"


def text_perhaps_once(n, times):
    return f"{n}-" * times  # want "f'{n}-' * times returned" "f'{n}-' returned"


class Counts:
    def __init__(self):
        self.counts = collections.Counter()  # want "collections.Counter() instance"

    def add(self, n):
        self.counts[f"{n}"] += 1  # want "f'{n}' instance"


def lone_field(n):
    return "{}".format(f"{n}!")  # want "'{}'.format(f'{n}!') returned" "f'{n}!' returned"


def field_in_text(n):
    return "<{}>".format(f"{n}!")  # want "'<{}>'.format(f'{n}!') returned" "f'{n}!' frame"


def unknown_template(n, template: str):
    return template.format(f"{n}!")  # want "template.format(f'{n}!') returned" "f'{n}!' returned"
