"""``gomem run``: a program with the heap profiler on, otherwise as Python would run it.

The verb replaces itself with ``python script args``: arguments, ``__main__``, exit status, tracebacks, signals and
standard input are the program's own, and so are the interpreter's options (``python -O -X utf8 -m gomem run app.py``) and
PYTHON* variables: the program gets those that this process was started with. The profiler comes in through the environment variable GOMEM and a
``sitecustomize`` that gets out of the way (gomem/_site).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib.machinery import PathFinder

from gomem.environment import VARIABLE, HeapSettings
from gomem.errors import UnsupportedError, UsageError
from gomem.heap import DEPTH_MAX, parse_rate

_EXAMPLES = """\
examples:
  gomem run app.py --port 8080             profile into mem.prof, print a summary at the end
  gomem run -o app.prof -m pytest -q       profile a module
  gomem run -o 'mem.{pid}.prof' server.py  one file for each process that it forks or starts
  gomem run --rate 1 small.py              record every allocation exactly (slow)
  python -O -X dev -m gomem run app.py     the interpreter's options are passed on
  gomem top mem.prof                       then look at it
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message}; see gomem run --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="gomem run",
        usage="gomem run [options] (script.py | -m module) [arguments ...]",
        description="Runs a Python program with the sampling heap profiler on and writes a pprof file when it exits.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-o", "--output", default="mem.prof", metavar="FILE", help="default mem.prof; {pid} is replaced")
    parser.add_argument("--rate", default="auto", help="mean bytes between samples, 1 for all, or auto (default)")
    parser.add_argument("--depth", type=int, default=DEPTH_MAX, help=f"frames kept of a stack (default {DEPTH_MAX})")
    parser.add_argument("--no-native", action="store_true", help="leave malloc in native libraries out")
    parser.add_argument("--no-summary", action="store_true", help="write the file and print nothing")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    return parser


def _split(args: list[str]) -> tuple[list[str], list[str]]:
    """Our options, and the program with its arguments: from the first word that is no option of ours."""
    takes_value = {"-o", "--output", "--rate", "--depth"}
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


def _program(words: list[str]) -> list[str]:
    """What follows ``python``; raises UsageError if there is no such script or module."""
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise UsageError("program: got none, want script.py or -m module; see gomem run --help")
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


def _interpreter_options(words: list[str]) -> list[str]:
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


def _check_interpreter() -> None:
    """Raises UsageError where the interpreter would not let the profiler in."""
    off = [name for name, on in (("-I", sys.flags.isolated), ("-E", sys.flags.ignore_environment), ("-S", sys.flags.no_site)) if on]
    if off:
        raise UsageError(
            f"interpreter option {off[0]}: it shuts out PYTHONPATH or sitecustomize, by which the profiler comes in; want"
            " it left out, or gomem.start() in the program"
        )


def _check_output(path: str) -> str:
    """The absolute path; raises UsageError if a file could not be made there."""
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise UsageError(f"output: no such directory: {directory!r}")
    if os.path.isdir(path) or not os.access(directory, os.W_OK):
        raise UsageError(f"output: cannot write {path!r}, want a file in a writable directory")
    return path


def main(verb: str, args: list[str]) -> int:
    ours, words = _split(args)
    parser = _parser()
    if "-h" in ours or "--help" in ours:
        parser.print_help()
        return 0
    options = parser.parse_args(ours)
    try:
        parse_rate(options.rate)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not 1 <= options.depth <= DEPTH_MAX:
        raise UsageError(f"depth: got {options.depth}, want 1 to {DEPTH_MAX}")
    from gomem import heap

    if heap._core is None:
        raise UnsupportedError(heap._missing)
    _check_interpreter()
    program = [*_interpreter_options(sys.orig_argv[1:]), *_program(words)]
    settings = HeapSettings(
        rate=options.rate,
        native=not options.no_native,
        depth=options.depth,
        summary=not options.no_summary,
        pid=os.getpid(),
        out=_check_output(options.output),
    )
    site = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_site")
    path = [site, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, VARIABLE: str(settings), "PYTHONPATH": os.pathsep.join(path)}
    if not options.no_native:
        # Arrow's own allocator takes 1 GiB at once and tells nobody what it does with it; the system's can be seen.
        environment.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *program], environment)
