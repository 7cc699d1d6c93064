"""Whose code a frame is: its package, and whether that is the user's own, third-party, the language's or native code.

The page colours frames by package and kind. Kinds are those of ``gomem explain``; the package is told from the
function's file and, where that says nothing, from the shape of its name (Go import paths, C++ namespaces).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gomem.pprof.model import Function
from gomem.report import explain

_KINDS = {
    explain.YOURS: "own",
    explain.THIRD_PARTY: "third-party",
    explain.STANDARD: "standard",
    explain.NATIVE: "native",
}
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
    kind = _KINDS[explain.group_of(Function(function, "", file))]
    return Owner(_package(function, file) or _stem(objfile) or "unknown", kind)


def _package(function: str, file: str) -> str:
    if function.startswith("["):
        return function
    found = _PACKAGES.search(file) or _NODE_MODULES.match(file) or _STANDARD.search(file)
    if found:
        return found[1].removesuffix(".py")
    if file.endswith((".py", ".pyx", ".ipynb")) or file.startswith("<"):
        return _python_package(function, file)
    found = _CPP.match(function)
    if not found and (file.endswith(".go") or not file):
        found = _GO.match(function)
    return found[1] if found else _stem(file)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _python_package(function: str, file: str) -> str:
    """The top package when the dotted name agrees with the path, else the file's own name."""
    first = function.partition(".")[0]
    stem = _stem(file)
    return first if f"/{first}/" in file or first == stem else stem or first
