"""``gomem run``: a program with the heap profiler on, otherwise as Python would run it.

The verb replaces itself with ``python script args``: arguments, ``__main__``, exit status, tracebacks, signals and
standard input are the program's own, and so are the interpreter's options (``python -O -X utf8 -m gomem run app.py``) and
PYTHON* variables: the program gets those that this process was started with. The profiler comes in through the environment variable GOMEM and a
``sitecustomize`` that gets out of the way (gomem/_site).
"""

from __future__ import annotations

import argparse
import os
import sys

from gomem.cli import program
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
  gomem run --gc=limit=1GiB app.py         with the concurrent collector and a memory limit
  gomem run --gc --no-profile app.py       the collector alone
  gomem top mem.prof                       then look at it
"""


def _parser() -> argparse.ArgumentParser:
    parser = program.Parser(
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
    parser.add_argument(
        "--gc", nargs="?", const="1", metavar="SETTINGS", help="with the concurrent collector, as GOMEM_GC: percent=50,limit=80%%,pause=2,trace=1"
    )
    parser.add_argument("--no-profile", action="store_true", help="with --gc: the collector alone")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    return parser


def _check_output(path: str) -> str:
    """The absolute path; raises UsageError if a file could not be made there."""
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise UsageError(f"output: no such directory: {directory!r}")
    if os.path.isdir(path) or not os.access(directory, os.W_OK):
        raise UsageError(f"output: cannot write {path!r}, want a file in a writable directory")
    return path


def _check_collector(options: argparse.Namespace) -> None:
    """Raises what would make the program run without the collector that was asked for."""
    if options.gc is None:
        if options.no_profile:
            raise UsageError("--no-profile: got it without --gc, want both: there is nothing else to run the program with")
        return
    program.check_collector(options.gc)


def main(verb: str, args: list[str]) -> int:
    ours, words = program.split(args, {"-o", "--output", "--rate", "--depth"})
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
    _check_collector(options)
    from gomem import gc, heap

    if heap._core is None:
        raise UnsupportedError(heap._missing)
    program.check_interpreter()
    command = [*program.interpreter_options(sys.orig_argv[1:]), *program.parse(words, "run")]
    settings = HeapSettings(
        rate=options.rate,
        native=not options.no_native,
        depth=options.depth,
        summary=not options.no_summary,
        pid=os.getpid(),
        out=_check_output(options.output),
    )
    variables = {} if options.no_profile else {VARIABLE: str(settings)}
    if options.gc is not None:
        variables[gc.VARIABLE] = options.gc
    environment = program.environment(**variables)
    if not options.no_native:
        # Arrow's own allocator takes 1 GiB at once and tells nobody what it does with it; the system's can be seen.
        environment.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *command], environment)
