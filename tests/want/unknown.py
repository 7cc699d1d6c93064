"""Handed to code that cannot be resolved: the counterpart of storing in an interface."""

import inspect

import not_installed
from not_installed import imported_name
from not_installed_either import *


def callback(function, n):
    function([n])  # want "function([n]) frame" "[n] unknown"


def module(n):
    not_installed.keep([n])  # want "not_installed.keep([n]) frame" "[n] unknown"


def result(n):
    found = not_installed.make(n)  # want "not_installed.make(n) unknown"
    found.append_nowhere_known([n])  # want "found.append_nowhere_known([n]) frame" "[n] unknown"


def by_name(rows, n):
    rows.append([n])  # want "rows.append([n]) frame" "[n] argument"


def dynamic(n):
    values = [n]  # want "[n] unknown"
    return sorted(locals())  # want "sorted(locals()) returned" "locals() frame"


def decorated_call(n):
    return wrapped([n])  # want "wrapped([n]) returned" "[n] unknown"


@not_installed.wrap
def wrapped(x):  # want "def wrapped unknown"
    return 1


def calls_back(function):
    return len(function())  # want "len(function()) returned" "function() frame"


def captured_and_called(n):
    kept = [n]  # want "[n] global"
    other = [n]  # want "[n] frame"
    calls_back(lambda: CALLED.append(kept))  # want "calls_back(lambda: CALLED.append(kept)) frame" "lambda: CALLED.append(kept) frame" "CALLED.append(kept) returned"
    calls_back(lambda: len(other))  # want "calls_back(lambda: len(other)) frame" "lambda: len(other) frame" "len(other) returned"


CALLED = []  # want "[] module"


class Labelled:
    def __init__(self, label: str):
        self.label = label


def annotated(n, box: Labelled):
    box.__init__(f"{n}")  # want "box.__init__(f'{n}') frame" "f'{n}' argument"


def patched(n):
    return replaced([n])  # want "replaced([n]) returned" "[n] unknown"


def replaced(x):
    return len(x)  # want "len(x) returned"


def patches(module):
    import unknown

    unknown.replaced = module.other


def named_as_of_a_dict(d, n):
    d.get((n,))  # want "d.get((n,)) frame" "(n,) frame"
    not_installed.get([n])  # want "not_installed.get([n]) frame" "[n] unknown"
    not_installed.inner.get([n])  # want "not_installed.inner.get([n]) frame" "[n] unknown"
    not_installed.make().get([n])  # want "not_installed.make().get([n]) frame" "not_installed.make() unknown" "[n] unknown"
    imported_name.get([n])  # want "imported_name.get([n]) frame" "[n] unknown"
    get = not_installed.session.get
    get([n])  # want "get([n]) frame" "[n] unknown"


def method_in_hand():
    return not_installed.make().get  # want "not_installed.make() returned"


class Derived(not_installed.Base):
    def look(self, n):
        return self.get([n])  # want "self.get([n]) returned" "[n] unknown"


def keeps_itself(n):
    made = Derived()  # want "Derived() unknown"
    made.start()  # want "made.start() frame"


def from_a_star(n):
    star_name.get([n])  # want "star_name.get([n]) frame" "[n] unknown"
    return len([n])  # want "len([n]) returned" "[n] frame"


def told_of_in_part(n):
    signature = inspect.signature(named_as_of_a_dict)  # want "inspect.signature(named_as_of_a_dict) unknown"
    return signature.replace(parameters=[n])  # want "signature.replace(parameters=[n]) returned" "[n] unknown"


class Quiet:
    def deliver(self, what):
        return 1


def of_a_known_name(one, n):
    one.deliver([n])  # want "one.deliver([n]) frame" "[n] frame"


def of_an_unread_class(one: not_installed.Loud, n):
    one.deliver([n])  # want "one.deliver([n]) frame" "[n] unknown"


def of_an_imported_class(one: imported_name, n):
    one.deliver([n])  # want "one.deliver([n]) frame" "[n] unknown"


class Holder:
    one: not_installed.Loud

    def sent(self, n):
        self.one.deliver([n])  # want "self.one.deliver([n]) frame" "[n] unknown"
