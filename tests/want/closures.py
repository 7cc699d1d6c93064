"""Captured by a function: moved to the heap only if the function escapes."""

import functools


def counter():
    count = [0]  # want "[0] closure"

    def step():  # want "def step returned"
        count[0] += 1
        return count[0]

    return step


def local_helper(rows):
    seen = []  # want "[] frame"

    def note(row):  # want "def note frame"
        seen.append((row, 1))  # want "seen.append((row, 1)) frame" "(row, 1) closure"

    for row in rows:
        note(row)  # want "note(row) frame"
    return len(seen)  # want "len(seen) returned"


def nonlocal_value(n):
    value = [0]  # want "[0] frame"

    def change():  # want "def change frame"
        nonlocal value
        value = [n]  # want "[n] closure"

    change()  # want "change() frame"
    return len(value)  # want "len(value) returned"


def returned_lambda(n):
    values = [n]  # want "[n] closure"
    return lambda: values  # want "lambda: values returned"


def local_lambda(n):
    values = [n]  # want "[n] frame"
    size = lambda: len(values)  # want "lambda: len(values) frame" "len(values) returned"
    return size()  # want "size() returned"


def bound_method(n):
    values = [n]  # want "[n] returned"
    return values.append


def default_argument(n):
    def inner(x=[n]):  # want "def inner returned" "[n] closure"
        return len(x)  # want "len(x) returned"

    return inner


def keeps_wrapped(function):
    @functools.wraps(function)  # want "functools.wraps(function) frame"
    def wrapper(*args):  # want "def wrapper returned" "*args frame"
        return len(args)  # want "len(args) returned"

    return wrapper


@keeps_wrapped
def wrapped():
    return 1


def wraps_a_local():
    @keeps_wrapped
    def local():  # want "def local closure"
        return 1

    return local


def appended_by_an_inner_function(rows):
    found = []  # want "[] frame"
    append = found.append

    def add(row):  # want "def add frame"
        append([row])  # want "append([row]) frame" "[row] closure"

    for row in rows:
        add(row)  # want "add(row) frame"
    return len(found)  # want "len(found) returned"


spaced = " ".join


def joined_by_a_bound_method(row):
    words = [f"{row}"]  # want "[f'{row}'] frame" "f'{row}' frame"
    return len(spaced(words))  # want "len(spaced(words)) returned" "spaced(words) frame"


def a_property(name):
    @property
    def alias(self):  # want "def alias closure"
        return getattr(self, name)  # want "getattr(self, name) returned"

    @alias.setter
    def alias(self, value):  # want "def alias returned"
        setattr(self, name, value)  # want "setattr(self, name, value) frame"

    return alias


def a_property_with_a_doc(name):
    return property(None, None, None, f"{name}:")  # want "property(None, None, None, f'{name}:') returned" "f'{name}:' returned"


class Condition:
    def __init__(self, lock):
        self.acquire = lock.acquire

    def wait(self, row):
        return self.acquire([row])  # want "self.acquire([row]) returned" "[row] unknown"


class Lock:
    def acquire(self, rows):
        self.rows = rows


def own_method_kept(n):
    one = Condition(Lock())  # want "Condition(Lock()) frame" "Lock() frame"
    two = Condition(one)  # want "Condition(one) frame"
    one.acquire = two.acquire
    two.wait(n)  # want "two.wait(n) frame"
    return two.acquire([n])  # want "two.acquire([n]) returned" "[n] unknown"
