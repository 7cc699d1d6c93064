"""Objects that stand for another one: an object's ``__dict__``, the exception being handled, methods as objects; what a generator is sent."""

import operator
import sys
from enum import Enum
from itertools import groupby

KEEP = []  # want "[] module"


class Box:
    def __init__(self, rows=None):
        self.rows = rows


class Color(Enum):
    RED = 1

    def keep(self, rows):
        KEEP.append(rows)  # want "KEEP.append(rows) frame"


class Proxy:
    def __init__(self, what):
        self.__dict__["_what"] = what

    def __getattr__(self, name):
        return getattr(self._what, name)  # want "getattr(self._what, name) returned"

    def __setattr__(self, name, value):
        setattr(self._what, name, value)  # want "setattr(self._what, name, value) frame"


def namespace(n):
    return Box([n]).__dict__  # want "Box([n]) returned" "[n] returned"


def item_of_a_namespace(n):
    return Box([n]).__dict__["rows"]  # want "Box([n]) frame" "[n] returned"


def items_of_a_namespace(n):
    return list(vars(Box([n])).values())  # want "list(vars(Box([n])).values()) returned" "vars(Box([n])).values() frame" "vars(Box([n])) frame" "Box([n]) frame" "[n] returned"


def put_into_a_namespace(n):
    box = Box()  # want "Box() frame"
    box.__dict__["rows"] = [n]  # want "[n] returned"
    vars(box).update(more=[n, n])  # want "vars(box).update(more=[n, n]) frame" "vars(box) frame" "[n, n] returned"
    return box.rows, box.more  # want "box.rows, box.more returned"


def read_from_a_namespace(box, n):
    box.__dict__.update(rows=[n])  # want "box.__dict__.update(rows=[n]) frame" "[n] argument"


def in_its_frame(n):
    box = Box([n])  # want "Box([n]) frame" "[n] frame"
    return len(box.__dict__)  # want "len(box.__dict__) returned"


def set_through_a_proxy(box, n):
    Proxy(box).rows = [n]  # want "Proxy(box) frame" "[n] argument"


def read_through_a_proxy(n):
    return Proxy(Box([n])).rows  # want "Proxy(Box([n])) frame" "Box([n]) returned" "[n] returned"


def member_by_name(n):
    Color["RED"].keep([n])  # want "Color['RED'].keep([n]) frame" "[n] global"


def method_by_name(n):
    operator.methodcaller("append", [n])(KEEP)  # want "operator.methodcaller('append', [n])(KEEP) frame" "operator.methodcaller('append', [n]) frame" "[n] global"


def traceback_kept(n):
    rows = [n]  # want "[n] global"
    try:
        print(rows[1])  # want "print(rows[1]) frame"
    except IndexError as error:
        KEEP.append(error.__traceback__)  # want "KEEP.append(error.__traceback__) frame"


def exc_info_kept(n):
    rows = [n]  # want "[n] global"
    try:
        print(rows[1])  # want "print(rows[1]) frame"
    except IndexError:
        KEEP.append(sys.exc_info())  # want "KEEP.append(sys.exc_info()) frame" "sys.exc_info() global"


def exc_info_read(n):
    rows = [n]  # want "[n] frame"
    try:
        print(rows[1])  # want "print(rows[1]) frame"
    except IndexError:
        return str(sys.exc_info()[1])  # want "str(sys.exc_info()[1]) returned" "sys.exc_info() frame"


def _receiver():
    KEEP.append((yield))  # want "KEEP.append((yield)) frame"


def sent(n):
    generator = _receiver()  # want "_receiver() frame"
    next(generator)  # want "next(generator) frame"
    generator.send([n])  # want "generator.send([n]) frame" "[n] global"


def grouped(rows):
    key = lambda row: len(row)  # want "lambda row: len(row) returned" "len(row) returned"
    for _, group in groupby(enumerate(rows), key=key):  # want "groupby(enumerate(rows), key=key) returned" "enumerate(rows) returned"
        yield map(id, group)  # want "map(id, group) returned"


def whole_slice(rows, whole):
    return operator.getitem(tuple(rows), whole)  # want "operator.getitem(tuple(rows), whole) returned" "tuple(rows) returned"


def until(function, n):
    return iter(function, [n])  # want "iter(function, [n]) returned" "[n] returned"


def given_as_it_is(error, *args):  # want "*args raised"
    raise error(*args)  # want "error(*args) raised"


def kept_by_an_exception(*args):  # want "*args raised"
    raise ValueError(*args)  # want "ValueError(*args) raised"


class Shelf:
    def get(self):
        return 1

    @property
    def rows(self):
        return 1

    @rows.setter
    def rows(self, rows):
        KEEP.append(rows)  # want "KEEP.append(rows) frame"


def method_by_name():
    return getattr(Shelf(), "get")  # want "getattr(Shelf(), 'get') returned" "Shelf() returned"


def method_by_computed_name(n):
    return getattr(Shelf(), f"get{n}", None)  # want "getattr(Shelf(), f'get{n}', None) returned" "Shelf() returned" "f'get{n}' global"


def attribute_of_no_name():
    box = Shelf()  # want "Shelf() returned"
    setattr(box, "", [1])  # want "setattr(box, '', [1]) frame" "[1] returned"
    return getattr(box, "")  # want "getattr(box, '') returned"


def set_by_name(n):
    setattr(Shelf(), "rows", [n])  # want "setattr(Shelf(), 'rows', [n]) frame" "Shelf() frame" "[n] global"


class Kind(Enum):
    ONE = 1

    @classmethod
    def _missing_(cls, value):
        KEEP.append(value)  # want "KEEP.append(value) frame"


def missing(n):
    Kind([n])  # want "Kind([n]) frame" "[n] global"


class Keeper(type):
    def __contains__(cls, item):
        KEEP.append(item)  # want "KEEP.append(item) frame"

    def __add__(cls, item):
        KEEP.append(item)  # want "KEEP.append(item) frame"


class Kept(metaclass=Keeper):
    pass


def by_metaclass(n):
    if [n] in Kept:  # want "[n] global"
        Kept + [n]  # want "Kept + [n] frame" "[n] global"


class Listed(metaclass=Keeper):
    @classmethod
    def keep(cls, item):
        return len(item)  # want "len(item) returned"


def by_class_with_metaclass(n):
    Listed.keep([n])  # want "Listed.keep([n]) frame" "[n] frame"
