"""The import hook, in the process that is watched: instruments the modules under the roots and writes the truth at exit.

``start_from_environment`` reads GOMEM_ESCAPE, JSON: ``roots`` (absolute paths of files and directories), ``into`` (the
directory that gets ``truth.<pid>.json``), ``audit``. Only modules imported afterwards, by Python's own loader from source,
are instrumented; no bytecode is written for them.
"""

from __future__ import annotations

import ast
import atexit
import importlib.util
import json
import os
import sys
from importlib.machinery import PathFinder, SourceFileLoader
from typing import Any

from gomem.errors import UnsupportedError
from gomem.escape.sites import find_sites
from gomem.escape.verify import recorder, transform
from gomem.escape.verify.recorder import tables

VARIABLE = "GOMEM_ESCAPE"
skipped: dict[str, str] = {}  # path -> why it runs as it is
instrumented: dict[str, bytes] = {}  # path -> source


def instrumented_code(source: bytes, path: str):
    """The code of a module with its sites watched, or as it is (noted in ``skipped``) if that cannot be compiled."""
    tree: Any = compile(source, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    try:
        text = importlib.util.decode_source(source)
        tree = transform.instrument(tree, find_sites(tree, os.path.realpath(path), text), tables)
        code = compile(tree, path, "exec", dont_inherit=True)
    except (SyntaxError, RecursionError, ValueError) as error:
        skipped[path] = f"{type(error).__name__}: {error}"
        return compile(source, path, "exec", dont_inherit=True)
    instrumented[os.path.realpath(path)] = source
    return code


class Loader(SourceFileLoader):
    """Python's loader for source files, without its cache of bytecode."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return instrumented_code(self.get_data(path), path)


class Finder:
    """First on ``sys.meta_path``: asks the others, and takes over the loading of what lies under the roots."""

    def __init__(self, roots: list[str]):
        self.roots = [os.path.realpath(root) for root in roots]

    def find_spec(self, name, path=None, target=None):
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec = find(name, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader and self.wants(spec.origin):
                    spec.loader = Loader(spec.loader.name, spec.loader.path)
                return spec
        return None

    def wants(self, path: str | None) -> bool:
        real = os.path.realpath(path or "")
        return any(real == root or (real.startswith(root + os.sep) and not _is_library(real[len(root) :])) for root in self.roots)

    def invalidate_caches(self):
        PathFinder.invalidate_caches()


def _is_library(below: str) -> bool:
    """Whether this part of a path leads into the packages that a virtual environment holds."""
    return f"{os.sep}site-packages{os.sep}" in below


def start(roots: list[str]) -> Finder:
    """Instrument what is imported from now on from under these roots. Raises UnsupportedError if that cannot work here."""
    if sys.implementation.name != "cpython" or sys.version_info < (3, 11):
        raise UnsupportedError(f"escape --verify: got {sys.implementation.name} {sys.version.split()[0]}, want CPython 3.11 or later")
    transform.install()
    recorder.install()
    check()
    finder = Finder(roots)
    sys.meta_path.insert(0, finder)
    return finder


_PROBE = """
kept = []
def stays(): x = [[0]]; y = [x]
def returns(): return [0]
def stores(): kept.append([0])
def closes():
    x = [0]
    def inner(): return x
    return inner
def fails(): raise ValueError([0])
"""
_WANT = {"stays": {"frame"}, "returns": {"returned"}, "stores": {"escaped"}, "closes": {"returned"}, "fails": {"raised"}}


def check() -> None:
    """Whether reference counts behave here as the recorder believes: five cases with a known answer, as a program runs them.

    Raises UnsupportedError; the tables are as before.
    """
    tree = ast.parse(_PROBE)
    first = len(tables.sites)
    transform.instrument(tree, find_sites(tree, "<probe>", _PROBE), tables)
    namespace: dict[str, Any] = {}
    exec(compile(tree, "<probe>", "exec"), namespace)
    for name in _WANT:
        try:
            namespace[name]()
        except ValueError:
            pass
    got: dict[str, set[str]] = {name: set() for name in _WANT}
    for number in range(first, len(tables.sites)):
        name = tables.sites[number].function
        got.get(name, set()).update(tables.counts[number])
    if got != _WANT:
        raise UnsupportedError(f"escape --verify: reference counts do not behave as on CPython 3.11 to 3.13: got {got}, want {_WANT}")


def start_from_environment() -> None:
    settings = json.loads(os.environ[VARIABLE])
    start(settings["roots"])
    # gomem is also a plugin of pytest, which warns of plugins imported too early to have their assertions rewritten.
    sys.modules["gomem"].__doc__ = f"{sys.modules['gomem'].__doc__}\nPYTEST_DONT_REWRITE"
    recorder.audit = bool(settings.get("audit"))
    atexit.register(_write, settings["into"])
    os.register_at_fork(after_in_child=tables.forget)


def _write(directory: str) -> None:
    from gomem.escape.verify.truth import seen

    recorder.finish()
    path = os.path.join(directory, f"truth.{os.getpid()}.json")
    seen().save(path)
