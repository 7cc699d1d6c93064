"""What functions and classes of the library texts hand on, keep, and read later than they are given it."""

import contextlib
import copy
import functools
import itertools
import json
import operator
import os
import re
import sys
import types
import weakref
from collections import ChainMap, UserDict
from datetime import datetime, timedelta, timezone
from enum import Enum
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

KEEP = []  # want "[] module"

WORD = re.compile("(a*)(b?)")  # want "re.compile('(a*)(b?)') module"


# Of what is alike, either may be kept.


def common(n):
    return {(n, 1), n}.intersection([(n, 1)])  # want "{(n, 1), n}.intersection([(n, 1)]) returned" "{(n, 1), n} frame" "(n, 1) returned" "[(n, 1)] frame" "(n, 1) returned"


def in_common(n):
    found = {(n, 1), n}  # want "{(n, 1), n} returned" "(n, 1) returned"
    found.intersection_update([(n, 1)])  # want "found.intersection_update([(n, 1)]) frame" "[(n, 1)] frame" "(n, 1) returned"
    return found


# What is added to nothing, or rounded, may be itself.


class Vector:
    def __init__(self, parts):
        self.parts = parts

    def __radd__(self, other):
        return self


def added(n):
    return sum([Vector([n])])  # want "sum([Vector([n])]) returned" "[Vector([n])] frame" "Vector([n]) returned" "[n] returned"


def joined(n):
    return sum([(n, n)], ())  # want "sum([(n, n)], ()) returned" "[(n, n)] frame" "(n, n) returned"


def rounded(n):
    return round(Vector([n]))  # want "round(Vector([n])) returned" "Vector([n]) returned" "[n] returned"


# What a function is given that is called back, it may have given itself.


def put(into, item):
    into.append(item)  # want "into.append(item) frame"
    return into


def reduced(n):
    return functools.reduce(put, [[n], [n]], [])  # want "functools.reduce(put, [[n], [n]], []) returned" "[[n], [n]] frame" "[n] returned" "[n] returned" "[] returned"


def reduced_into(n, into):
    functools.reduce(put, [[n], [n]], into)  # want "functools.reduce(put, [[n], [n]], into) frame" "[[n], [n]] frame" "[n] argument" "[n] argument"


def gathered(n, into):
    return list(itertools.accumulate([[n], [n]], put, initial=into))  # want "list(itertools.accumulate([[n], [n]], put, initial=into)) returned" "itertools.accumulate([[n], [n]], put, initial=into) frame" "[[n], [n]] frame" "[n] argument" "[n] argument"


def replaced(n, words):
    return WORD.sub(lambda match: words[match.group()], f"{n}")  # want "WORD.sub(lambda match: words[match.group()], f'{n}') returned" "lambda match: words[match.group()] frame" "match.group() frame" "f'{n}' returned"


def replaced_by_own(n):
    words = {"a": f"{n}!"}  # want "{'a': f'{n}!'} frame" "f'{n}!' returned"
    return WORD.sub(lambda match: words[match.group()], "a")  # want "WORD.sub(lambda match: words[match.group()], 'a') returned" "lambda match: words[match.group()] frame" "match.group() frame"


# What is made of something gives it back under another name.


def subject(n):
    return WORD.match(f"a{n}").string  # want "WORD.match(f'a{n}') frame" "f'a{n}' returned"


def groups(n):
    return [first for first, _ in WORD.findall(f"a{n}")]  # want "[first for first, _ in WORD.findall(f'a{n}')] returned" "WORD.findall(f'a{n}') frame" "f'a{n}' returned"


def start(n):
    return slice([n], None).start  # want "slice([n], None) frame" "[n] returned"


def getter(n):
    return property([n].append).fget  # want "property([n].append) frame" "[n] returned"


def attribute(n):
    box = Vector(Vector([n]))  # want "Vector(Vector([n])) returned" "Vector([n]) returned" "[n] returned"
    return operator.attrgetter("parts.parts")(box)  # want "operator.attrgetter('parts.parts')(box) returned" "operator.attrgetter('parts.parts') frame"


def referred(n):
    box = Vector([n])  # want "Vector([n]) returned" "[n] returned"
    return weakref.ref(box)()  # want "weakref.ref(box)() returned" "weakref.ref(box) frame"


def referred_only(n, into):
    box = Vector([n])  # want "Vector([n]) frame" "[n] frame"
    into.append(weakref.ref(box))  # want "into.append(weakref.ref(box)) frame" "weakref.ref(box) argument"


def by_proxy(n):
    box = Vector(None)  # want "Vector(None) frame"
    proxy = weakref.proxy(box)  # want "weakref.proxy(box) frame"
    proxy.parts = [n]  # want "[n] returned"
    return box.parts


def rest(n):
    return ChainMap({}, {"a": [n]}).parents  # want "ChainMap({}, {'a': [n]}) frame" "{} returned" "{'a': [n]} returned" "[n] returned"


def data(n):
    table = UserDict()  # want "UserDict() frame"
    table["a"] = [n]  # want "[n] returned"
    return table.data["a"]


def translation(n):
    return str.maketrans({"a": f"{n}!"})  # want "str.maketrans({'a': f'{n}!'}) returned" "{'a': f'{n}!'} frame" "f'{n}!' returned"


def tomorrow(n):
    zone = timezone(timedelta(hours=n))  # want "timezone(timedelta(hours=n)) returned" "timedelta(hours=n) returned"
    return datetime(2000, 1, 1, tzinfo=zone) + timedelta(1)  # want "datetime(2000, 1, 1, tzinfo=zone) + timedelta(1) returned" "datetime(2000, 1, 1, tzinfo=zone) frame" "timedelta(1) frame"


def offset(n):
    return timezone(timedelta(hours=n)).utcoffset(None)  # want "timezone(timedelta(hours=n)).utcoffset(None) returned" "timezone(timedelta(hours=n)) frame" "timedelta(hours=n) returned"


def captured(n):
    found = [n]  # want "[n] returned"

    def inner():  # want "def inner frame"
        return found

    return inner.__closure__


# What is put in later is found, too.


def values(n):
    table = {}  # want "{} frame"
    found = table.values()  # want "table.values() frame"
    table["a"] = [n]  # want "[n] returned"
    return list(found)  # want "list(found) returned"


def first(n):
    rows = []  # want "[] frame"
    found = iter(rows)  # want "iter(rows) frame"
    rows.append([n])  # want "rows.append([n]) frame" "[n] returned"
    return next(found)  # want "next(found) returned"


def looked_up(n):
    table = {}  # want "{} frame"
    proxy = types.MappingProxyType(table)  # want "types.MappingProxyType(table) frame"
    table["a"] = [n]  # want "[n] returned"
    return proxy["a"]


class Rows:
    def __init__(self):
        self.rows = []  # want "[] instance"

    def each(self):
        for row in self.rows:
            yield row


def generated(n):
    rows = Rows()  # want "Rows() frame"
    found = rows.each()  # want "rows.each() frame"
    rows.rows.append([n])  # want "rows.rows.append([n]) frame" "[n] returned"
    return next(found)  # want "next(found) returned"


# What is given is changed.


def set_in_first(n, table):
    ChainMap(table)["a"] = [n]  # want "ChainMap(table) frame" "[n] argument"


def added_in_place(n, rows):
    operator.iadd(rows, [[n]])  # want "operator.iadd(rows, [[n]]) frame" "[[n]] frame" "[n] argument"


def united(n):
    table = {}  # want "{} returned"
    table |= [("a", [n])]  # want "[('a', [n])] frame" "('a', [n]) returned" "[n] returned"
    return table


# Text is kept until it is written, in caches, and by what is compiled.


class Lines:
    def __init__(self):
        self.lines = []  # want "[] instance"

    def write(self, text):
        self.lines.append(text)  # want "self.lines.append(text) frame"


def printed(n):
    print(f"{n}!", [n])  # want "print(f'{n}!', [n]) frame" "f'{n}!' global" "[n] frame"


def say(what):
    print(what)  # want "print(what) frame"


def said(n):
    say(f"{n}!")  # want "say(f'{n}!') frame" "f'{n}!' global"
    say([n])  # want "say([n]) frame" "[n] frame"


def printed_to(n):
    lines = Lines()  # want "Lines() returned"
    print(f"{n}!", [n], file=lines)  # want "print(f'{n}!', [n], file=lines) frame" "f'{n}!' returned" "[n] frame"
    return lines


def printed_to_own(n):
    with open("lines", "w") as file:  # want "open('lines', 'w') frame"
        print(f"{n}!", [n], file=file)  # want "print(f'{n}!', [n], file=file) frame" "f'{n}!' frame" "[n] frame"
        file.write(f"{n}!")  # want "file.write(f'{n}!') frame" "f'{n}!' frame"


def written(n):
    sys.stderr.write(f"{n}!")  # want "sys.stderr.write(f'{n}!') frame" "f'{n}!' global"


def address(n):
    return len(urljoin(f"http://{n}/", f"{n}!"))  # want "len(urljoin(f'http://{n}/', f'{n}!')) returned" "urljoin(f'http://{n}/', f'{n}!') frame" "f'http://{n}/' global" "f'{n}!' global"


def compiled(n):
    return compile("1", f"<{n}>", "exec")  # want "compile('1', f'<{n}>', 'exec') returned" "f'<{n}>' returned"


# What a text says is called is called.


class Door:
    def __init__(self, parts):
        self.parts = parts

    def close(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"

    def __copy__(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return self

    def __deepcopy__(self, memo):
        KEEP.append(self.parts)  # want "KEEP.append(self.parts) frame"
        return Door(None)  # want "Door(None) returned"

    def __abs__(self):
        return self.parts

    def __fspath__(self):
        return self.parts


class Encoder(json.JSONEncoder):
    def default(self, what):
        KEEP.append(what)  # want "KEEP.append(what) frame"


def closed(n):
    with contextlib.closing(Door([n])) as door:  # want "contextlib.closing(Door([n])) frame" "Door([n]) global" "[n] global"
        return len(door.parts)  # want "len(door.parts) returned"


def copied(n):
    copy.copy(Door([n]))  # want "copy.copy(Door([n])) frame" "Door([n]) global" "[n] global"


def copied_deeply(n):
    return copy.deepcopy([Door([n])])  # want "copy.deepcopy([Door([n])]) returned" "[Door([n])] returned" "Door([n]) returned" "[n] global"


def made_absolute(n):
    return abs(Door([n]))  # want "abs(Door([n])) returned" "Door([n]) returned" "[n] returned"


def path(n):
    return os.fspath(Door(f"{n}"))  # want "os.fspath(Door(f'{n}')) returned" "Door(f'{n}') returned" "f'{n}' returned"


def encoded(n):
    return json.dumps([Door([n])], cls=Encoder)  # want "json.dumps([Door([n])], cls=Encoder) returned" "[Door([n])] global" "Door([n]) global" "[n] global"


class Grade:
    def __init__(self, parts):
        self.parts = parts

    def __lt__(self, other):
        KEEP.append(other)  # want "KEEP.append(other) frame"


def in_order(n):
    return len(sorted([Grade([n])]))  # want "len(sorted([Grade([n])])) returned" "sorted([Grade([n])]) frame" "[Grade([n])] frame" "Grade([n]) global" "[n] global"


def best(n):
    return min(Grade([n]), Grade(1)).parts  # want "min(Grade([n]), Grade(1)) frame" "Grade([n]) global" "[n] global" "Grade(1) global"


def enumeration(n):
    return Enum(f"E{n}", {"A": [n]})  # want "Enum(f'E{n}', {'A': [n]}) returned" "f'E{n}' class" "{'A': [n]} class" "[n] class"


def untold(n):
    return types.SimpleNamespace(a=[n]).nobody_tells_of_this()  # want "types.SimpleNamespace(a=[n]).nobody_tells_of_this() returned" "types.SimpleNamespace(a=[n]) unknown" "[n] unknown"


def dict_of_its_own(n, rows):
    row = Element("row")  # want "Element('row') argument"
    row.attrib["b"] = [n]  # want "[n] global"
    rows.append(row)  # want "rows.append(row) frame"


class Lower(UserDict):
    def __setitem__(self, key, value):
        KEEP.append(value)  # want "KEEP.append(value) frame"

    def __getitem__(self, key):
        KEEP.append(key)  # want "KEEP.append(key) frame"


def filled_by_its_own_method(n):
    Lower({"a": [n]})  # want "Lower({'a': [n]}) frame" "{'a': [n]} frame" "[n] global"
    Lower(b=[n])  # want "Lower(b=[n]) frame" "[n] global"
    table = Lower()  # want "Lower() frame"
    table.update({"a": [n]})  # want "table.update({'a': [n]}) frame" "{'a': [n]} frame" "[n] global"
    table.setdefault("c", [n])  # want "table.setdefault('c', [n]) frame" "[n] global"
    table.get([n])  # want "table.get([n]) frame" "[n] global"


class Stated:
    def __init__(self, rows):
        self.rows = rows

    def __getstate__(self):
        KEEP.append(self.rows)  # want "KEEP.append(self.rows) frame"
        return {}  # want "{} returned"


class Restored:
    def __init__(self, rows):
        self.rows = rows

    def __setstate__(self, state):
        KEEP.append(state)  # want "KEEP.append(state) frame"


class Reduced:
    def __init__(self, rows):
        self.rows = rows

    def __reduce__(self):
        KEEP.append(self)  # want "KEEP.append(self) frame"
        return (Reduced, (None,))  # want "(Reduced, (None,)) returned"


def copied_by_its_state(n):
    copy.copy(Stated([n]))  # want "copy.copy(Stated([n])) frame" "Stated([n]) frame" "[n] global"
    copy.deepcopy([Stated([n])])  # want "copy.deepcopy([Stated([n])]) frame" "[Stated([n])] frame" "Stated([n]) frame" "[n] global"
    copy.copy(Restored([n]))  # want "copy.copy(Restored([n])) frame" "Restored([n]) frame" "[n] global"
    copy.copy(Reduced([n]))  # want "copy.copy(Reduced([n])) frame" "Reduced([n]) global" "[n] global"
    copy.deepcopy(Reduced([n]))  # want "copy.deepcopy(Reduced([n])) frame" "Reduced([n]) global" "[n] global"
