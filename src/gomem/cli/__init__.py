"""The command line: ``gomem VERB [options] ...``, one verb a file.

Exit codes: 0 fine, 1 found something, 2 could not run.
"""

from __future__ import annotations

import importlib
import sys

from gomem.errors import GomemError

# verb -> (module under gomem.cli, what it does); the module has a function main(verb, args) -> exit code.
VERBS: dict[str, tuple[str, str]] = {
    "run": ("run", "run a program with the heap profiler on and write a pprof file"),
    "gc": ("gc", "run a program with CPython's collector and with ours, and compare pauses and memory"),
    "pprof": ("pprof", "look at profiles: the command line of go tool pprof"),
    "top": ("pprof", "heaviest entries of a profile"),
    "list": ("pprof", "source lines with their weight"),
    "peek": ("pprof", "callers and callees of a function"),
    "tree": ("pprof", "call graph as text"),
    "traces": ("pprof", "every sample with its stack"),
    "raw": ("pprof", "a profile's contents as text"),
    "tags": ("pprof", "labels with their shares"),
    "comments": ("pprof", "comments of a profile"),
    "dot": ("pprof", "call graph for Graphviz"),
    "svg": ("picture", "call graph as a picture, without Graphviz"),
    "flame": ("picture", "flame graph as one HTML file"),
    "web": ("web", "all of it in a browser: flame graph, top, graph, source, comparison"),
    "explain": ("explain", "where the memory is, on one screen"),
    "diff": ("pprof", "what grew from one profile to another"),
    "escape": ("escape", "for every allocation: does it die with its frame, and if not, why"),
    "cache-sim": ("cache_sim", "hit ratios of cache policies on a trace of keys"),
}


def usage() -> str:
    width = max(map(len, VERBS), default=0)
    lines = [f"  {verb:<{width}}  {what}" for verb, (_, what) in VERBS.items()]
    return "\n".join(["usage: gomem VERB [options] ...", "", *lines, "", "gomem VERB --help tells more."])


def main(argv: list[str] | None = None) -> int:
    args = sys.argv[1:] if argv is None else argv
    if args in (["-h"], ["--help"], ["help"]):
        print(usage())
        return 0
    if args in (["--version"], ["-V"]):
        from gomem import __version__

        print(f"gomem {__version__}")
        return 0
    if not args or args[0] not in VERBS:
        got = repr(args[0]) if args else "nothing"
        print(f"gomem: verb: got {got}, want one of {', '.join(VERBS)}; see gomem --help", file=sys.stderr)
        return 2
    try:
        module = importlib.import_module(f"gomem.cli.{VERBS[args[0]][0]}")
        return module.main(args[0], args[1:])
    except GomemError as error:
        print(f"gomem {args[0]}: {error}", file=sys.stderr)
        return 2
    except (MemoryError, SystemError) as error:
        # CPython 3.13 may say "returned a result with an exception set" when a tuple's memory runs out.
        if isinstance(error, SystemError) and not isinstance(error.__cause__, MemoryError):
            raise
        print(f"gomem {args[0]}: out of memory", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
