"""Everything else of the language: with, match, star arguments, dataclasses, class bodies, text."""

from contextlib import contextmanager
from dataclasses import dataclass


@contextmanager
def opened(n):
    yield [n]  # want "[n] returned"


def with_statement(n):
    with opened(n) as values:  # want "opened(n) frame"
        return len(values)  # want "len(values) returned"


def with_returned(n):
    with opened([n]) as values:  # want "opened([n]) frame" "[n] returned"
        return values


def with_file(path):
    with open(path) as stream:  # want "open(path) frame"
        return len(stream.read())  # want "len(stream.read()) returned" "stream.read() frame"


def matched(n):
    match [n, {n}]:  # want "[n, {n}] frame" "{n} returned"
        case [first, second]:
            return second
        case _:
            return None


def star(*args, **kwargs):  # want "*args frame" "**kwargs frame"
    return len(args) + len(kwargs)  # want "len(args) + len(kwargs) returned" "len(args) frame" "len(kwargs) frame"


def star_returned(*args, **kwargs):  # want "*args returned" "**kwargs frame"
    return args


def star_call(n):
    values = [n]  # want "[n] frame"
    return star(*values, key=[n])  # want "star(*values, key=[n]) returned" "[n] frame"


@dataclass
class Point:
    x: list
    y: list


def point_stays(n):
    point = Point([n], {n})  # want "Point([n], {n}) frame" "[n] frame" "{n} frame"
    return len(point.x)  # want "len(point.x) returned"


def point_returned(n):
    return Point([n], {n})  # want "Point([n], {n}) returned" "[n] returned" "{n} returned"


def class_in_function(n):
    class Local:  # want "class Local frame"
        values = [n]  # want "[n] class"

    return len(Local.values)  # want "len(Local.values) returned"


def text(n):
    name = f"<{n}>"  # want "f'<{n}>' frame"
    return len(name)  # want "len(name) returned"


def text_returned(n):
    return f"<{n}>"  # want "f'<{n}>' returned"


def joined(rows):
    return "".join([str(row) for row in rows])  # want "''.join([str(row) for row in rows]) returned" "[str(row) for row in rows] frame" "str(row) returned"


def walrus(n):
    if (values := [n]) and n:  # want "[n] returned"
        return values
    return None


def conditional(flag, n):
    return [n] if flag else len([n])  # want "[n] returned" "len([n]) returned" "[n] frame"


def augmented(n):
    rows = []  # want "[] returned"
    rows += [[n]]  # want "[[n]] frame" "[n] returned"
    return rows


def unpacked(n):
    head, *tail = [[n], {n}]  # want "[[n], {n}] frame" "[n] returned" "{n} returned"
    return tail


class Base:
    def __init__(self, n):
        self.values = [n]  # want "[n] instance"

    def again(self, n):
        return type(self)([n])  # want "type(self)([n]) returned" "type(self) frame" "[n] returned"

    def probe(self, n):
        return len(self.__class__([n]).values)  # want "len(self.__class__([n]).values) returned" "self.__class__([n]) frame" "[n] frame"


Alias = Base[int, len("x")]  # want "int, len('x') global" "len('x') global"


def alias_in_a_function(n):
    return len(str(Base[n, [n]]))  # want "len(str(Base[n, [n]])) returned" "str(Base[n, [n]]) frame" "n, [n] global" "[n] global"
