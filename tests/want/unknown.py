"""Handed to code that cannot be resolved: the counterpart of storing in an interface."""

import not_installed


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
    return sorted(locals())  # want "sorted(locals()) unknown" "locals() unknown"


def decorated_call(n):
    return wrapped([n])  # want "wrapped([n]) returned" "[n] unknown"


@not_installed.wrap
def wrapped(x):  # want "def wrapped unknown"
    return 1
