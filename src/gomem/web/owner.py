"""Whose code a frame is: its package, and whether that is the user's own, third-party, the language's or native code.

The page colours frames by package and groups them by kind. Told from the function's file and, where that says nothing,
from the shape of its name (Go import paths, C++ namespaces).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

OWN, THIRD_PARTY, STANDARD, NATIVE = "own", "third-party", "standard", "native"

_PACKAGES = re.compile(r"/(?:site|dist)-packages/([^/]+)")
_STANDARD = re.compile(r"(?:/lib(?:64)?/python3(?:\.\d+)?t?/|<frozen )([^/.>]+)")
_NODE_MODULES = re.compile(r".*/node_modules/((?:@[^/]+/)?[^/]+)")
_GO = re.compile(r"^((?:[\w.~\-]+/)*[\w\-~]+)\.[(\w]")
_CPP = re.compile(r"^(?:\(anonymous namespace\)::)?([A-Za-z_]\w*)::")


class Owner(NamedTuple):
    """A package's name and its kind: ``own``, ``third-party``, ``standard`` or ``native``."""

    package: str
    kind: str


@lru_cache(maxsize=1 << 16)
def owner_of(function: str, file: str, objfile: str = "") -> Owner:
    """The owner of a function by its name, its source file and its object file, any of which may be empty."""
    if function.startswith("[") or not (function or file):
        return Owner(function or _stem(objfile) or "unknown", NATIVE)
    found = _PACKAGES.search(file) or _NODE_MODULES.match(file)
    if found:
        return Owner(found[1].removesuffix(".py"), THIRD_PARTY)
    found = _STANDARD.search(file)
    if found:
        return Owner(found[1], STANDARD)
    if file.endswith((".py", ".pyx", ".ipynb")) or file.startswith("<"):
        return Owner(_python_package(function, file), OWN)
    if file.endswith(".go") or (not file and _GO.match(function)):
        return _go_owner(function, file)
    found = _CPP.match(function)
    return Owner(found[1] if found else _stem(file) or _stem(objfile) or "unknown", NATIVE)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _python_package(function: str, file: str) -> str:
    """The top package when the dotted name agrees with the path, else the file's own name."""
    first = function.partition(".")[0]
    stem = _stem(file)
    return first if f"/{first}/" in file or first == stem else stem or first


def _go_owner(function: str, file: str) -> Owner:
    found = _GO.match(function)
    package = found[1] if found else _stem(file)
    if package == "runtime" or package.startswith("runtime/"):
        return Owner("runtime", STANDARD)
    if package == "main":
        return Owner("main", OWN)
    return Owner(package, THIRD_PARTY if "." in package.partition("/")[0] else STANDARD)
