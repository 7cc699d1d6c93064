"""Calls that leave an argument out end where the function asks for it. And methods that a class body assigns."""

from functools import partial

KEPT = []  # want "[] module"


def deco(f=None, *, flag=False):
    if f is None:
        return partial(deco, flag=flag)  # want "partial(deco, flag=flag) returned"
    KEPT.append((f, flag))  # want "KEPT.append((f, flag)) frame" "(f, flag) global"
    return f


class Marked:
    def __new__(cls, f=None, **more):  # want "**more frame"
        if f is None:
            return partial(Marked, **more)  # want "partial(Marked, **more) returned"
        self = object.__new__(cls)  # want "object.__new__(cls) global"
        KEPT.append(self)  # want "KEPT.append(self) frame"
        return self


def plain(n):
    made = deco(flag=n)  # want "deco(flag=n) frame"
    other = Marked(name=n)  # want "Marked(name=n) frame"
    return made is other


def given(n):
    return deco([n]) is None  # want "deco([n]) frame" "[n] global"


def perhaps_given(n, options):
    return deco(n, **options) is None  # want "deco(n, **options) frame"


def last(values, into=None):
    if into is None:
        return len(values)  # want "len(values) returned"
    into.append(values)  # want "into.append(values) frame"
    return into


def leaves_it_out(n):
    return last([n]) + 1  # want "last([n]) + 1 returned" "last([n]) frame" "[n] frame"


def changed_before(values, into=None):
    into = into or KEPT
    if into is None:
        return None
    into.append(values)  # want "into.append(values) frame"
    return None


def changed(n):
    return changed_before([n])  # want "changed_before([n]) returned" "[n] global"


FLAG = len(KEPT)  # want "len(KEPT) module"


class Called:
    def one(self, x):
        return len(x)  # want "len(x) returned"

    def other(self, x):
        KEPT.append(x)  # want "KEPT.append(x) frame"
        return 1

    size = one
    __call__ = one if FLAG else other


def assigned_method(n):
    called = Called()  # want "Called() frame"
    called.size([n])  # want "called.size([n]) frame" "[n] frame"
    return called([n]) is None  # want "called([n]) frame" "[n] global"


class Text(str):
    def __new__(cls, value, encoding=None):
        if encoding is None:
            return super().__new__(cls, value)  # want "super().__new__(cls, value) returned"
        return super().__new__(cls, value, encoding)  # want "super().__new__(cls, value, encoding) returned"


def made_without(n):
    return Text(n)  # want "Text(n) returned"


class Wrapped:
    """As a decorator with arguments it makes no object of its own."""

    def __new__(cls, function=None, *, name=None):
        if function is None:
            return partial(Wrapped, name=name)  # want "partial(Wrapped, name=name) returned"
        self = object.__new__(cls)  # want "object.__new__(cls) returned"
        self.function = function
        return self

    def __call__(self, x):
        KEPT.append(self)  # want "KEPT.append(self) frame"
        return self.function(x)  # want "self.function(x) returned"


@Wrapped(name=f"{FLAG}")  # want "Wrapped(name=f'{FLAG}') frame" "f'{FLAG}' global"  # BAD: the text frame; what a partial was given is one with what it makes
def decorated(x):  # want "def decorated global"
    return x


def made_by_what_is_left(n):
    return Marked(name=n)  # want "Marked(name=n) returned"
