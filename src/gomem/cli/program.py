"""The program that ``gomem run`` and ``gomem gc`` start: what follows ``python`` on its command line, and its environment.

gomem comes in through a ``sitecustomize`` that gets out of the way (gomem/_site), so the program is otherwise as Python
would run it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib.machinery import PathFinder

from gomem.errors import UnsupportedError, UsageError


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line, exit 2."""

    def error(self, message: str):
        raise UsageError(f"{message}; see {self.prog} --help")


def split(args: list[str], takes_value: set[str]) -> tuple[list[str], list[str]]:
    """Our options, and the program with its arguments: from the first word that is no option of ours.
    ``takes_value``: those of ours whose value is the next word."""
    i = 0
    while i < len(args) and args[i].startswith("-") and args[i] not in ("-m", "--", "-"):
        if args[i].startswith("-m") and not args[i].startswith("--"):
            break
        i += 2 if args[i] in takes_value else 1
    return args[:i], args[i:]


def _find_module(name: str) -> bool:
    """Whether ``python -m name`` would find a module, or a package with a ``__main__``, without importing anything."""
    path = [os.getcwd(), *sys.path]
    for end in range(1, name.count(".") + 2):
        prefix = ".".join(name.split(".")[:end])
        spec = PathFinder.find_spec(prefix, path)
        if spec is None:
            return prefix in sys.builtin_module_names
        path = list(spec.submodule_search_locations or [])
    return not path or PathFinder.find_spec(f"{name}.__main__", path) is not None


def parse(words: list[str], verb: str) -> list[str]:
    """What follows ``python``; raises UsageError if there is no such script or module."""
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise UsageError(f"program: got none, want script.py or -m module; see gomem {verb} --help")
    if words[0].startswith("-m"):
        module = words[0][2:] or (words[1] if len(words) > 1 else "")
        if not module:
            raise UsageError("-m: got no module name, want one")
        if not _find_module(module):
            raise UsageError(f"-m: no module named {module!r}, or a package without __main__, on {sys.executable}'s path")
        return words
    if not os.path.exists(words[0]):
        raise UsageError(f"script: no such file: {words[0]!r}")
    if os.path.isdir(words[0]) and not os.path.exists(os.path.join(words[0], "__main__.py")):
        raise UsageError(f"script: got the directory {words[0]!r}, want a file or a directory with __main__.py")
    return words


def interpreter_options(words: list[str]) -> list[str]:
    """Those of the words after ``python`` that are options of the interpreter: all up to -m, -c or a script."""
    options: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word in ("-", "--"):
            break
        if word.startswith("--"):
            options += [word, next(rest, "")] if word == "--check-hash-based-pycs" else [word]
            continue
        flags = re.match("-[^mcWX]*", word)[0]  # letters may be joined, as in -Om
        last = word[len(flags) : len(flags) + 1]
        if last in ("W", "X"):
            options += [word] if len(word) > len(flags) + 1 else [word, next(rest, "")]
        elif len(flags) > 1:
            options.append(flags)
        if last in ("m", "c"):
            break
    return options


def check_interpreter() -> None:
    """Raises UsageError where the interpreter would not let gomem in."""
    off = [name for name, on in (("-I", sys.flags.isolated), ("-E", sys.flags.ignore_environment), ("-S", sys.flags.no_site)) if on]
    if off:
        raise UsageError(
            f"interpreter option {off[0]}: it shuts out PYTHONPATH or sitecustomize, by which gomem comes in; want"
            " it left out, or gomem.start() in the program"
        )


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, with gomem on its way into the program and these variables for it."""
    site = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_site")
    path = [site, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(path)}


def check_collector(text: str) -> None:
    """Raises what would make the program run without the collector that this text of GOMEM_GC asks for."""
    from gomem import gc

    reason = gc.unsupported()
    if reason:
        raise UnsupportedError(reason)
    try:
        gc._read(**gc.parse(text))
    except ValueError as error:
        raise UsageError(str(error)) from None
