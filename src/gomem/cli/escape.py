"""``gomem escape``: for every allocation, does it die with its frame, and if not, why."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from gomem.errors import UsageError
from gomem.escape import Analysis, analyse
from gomem.escape.files import find_module
from gomem.escape.installed import search_path

EXAMPLES = """examples:
  gomem escape app.py                     one line per allocation: does it die with its frame, and if not, why
  gomem escape --escapes --why src/       only what escapes, with the way it takes, step by step
  gomem escape -m json --summary          the share of sites that stay, function by function of an installed package
  gomem escape --html page.html src/      the source with verdicts beside it
  gomem escape --profile mem.prof src/    the lines that allocated most, with their verdicts
  gomem escape --verify src/ -- pytest    run the tests and hold every verdict against what really happens

exit status: 0 fine, 1 --verify found a wrong verdict, 2 nothing could be read or run
"""


def parser(verb: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"gomem {verb}",
        description="Says of every allocation site whether its objects die with their frame, and if not, where they go.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("paths", nargs="*", help="Python files and directories")
    made.add_argument("-m", dest="modules", action="append", default=[], metavar="MODULE", help="an importable package, or with =2 the same as --why")
    made.add_argument("--why", action="store_true", help="print the steps of each way out (also -m=2)")
    made.add_argument("--escapes", action="store_true", help="leave out the sites that stay in their frame")
    made.add_argument("--definitions", action="store_true", help="also the functions and classes that modules and classes define")
    made.add_argument("--summary", nargs="?", const="function", choices=("function", "module"), help="shares instead of lines")
    made.add_argument("--json", action="store_true", help="one JSON object per site and line")
    made.add_argument("--sarif", metavar="FILE", help="write what escapes as SARIF 2.1.0 (- for standard output)")
    made.add_argument("--html", metavar="FILE", help="write the source with verdicts as one HTML file")
    made.add_argument("--profile", metavar="FILE", help="a heap profile: list the lines that allocated most")
    made.add_argument("--sample-index", default="", help="the profile's value to rank by (default: alloc_space if it is there)")
    made.add_argument("--top", type=int, default=30, help="lines to list with --profile (default: %(default)s)")
    made.add_argument("--library", action="append", default=[], metavar="FILE", help="summaries of functions that cannot be read")
    made.add_argument("--no-installed", action="store_true", help="leave imported packages that are not given unknown")
    made.add_argument("--python", metavar="PATH", help="the interpreter or virtual environment whose packages are imported (default: $VIRTUAL_ENV, this one)")
    made.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that read files and solve (default: one per processor)")
    made.add_argument("--no-cache", action="store_true", help="neither use nor keep what was read before")
    made.add_argument("--verify", action="store_true", help="run the program behind -- and hold the verdicts against what happens")
    return made


def main(verb: str, args: list[str]) -> int:
    own, program = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
    why = any(arg in ("-m=2", "--m=2") for arg in own)
    try:
        options = parser(verb).parse_args([arg for arg in own if arg not in ("-m=2", "--m=2", "-m=1")])
    except SystemExit as stop:
        return int(stop.code or 0)
    options.why |= why
    paths = _paths(options)
    if options.verify:
        paths = [Path(os.path.realpath(path)) for path in paths]  # as what is seen at run time is named
    if program and not options.verify:
        raise UsageError(f"program: got {program[0]!r} behind --, want --verify before it")
    analysis = analyse_as_asked(options, paths)
    for path, reason in analysis.skipped:
        print(f"gomem {verb}: {path}: skipped: {reason}", file=sys.stderr)
    for name, reason in sorted(analysis.left.items()) if options.why else ():
        print(f"gomem {verb}: import {name}: left unknown: {reason}", file=sys.stderr)
    if not analysis.files:
        raise UsageError("paths: got no file that could be read, want at least one Python file")
    if options.verify:
        return _verify(analysis, paths, program)
    _write(analysis, options)
    return 0


def _paths(options: argparse.Namespace) -> list[Path]:
    paths = [Path(path) for path in options.paths]
    for name in options.modules:
        found = find_module(name, search_path(options.python) if options.python else None)
        if found is None:
            raise UsageError(f"module: got {name!r}, which has no Python source on sys.path")
        paths.append(found.parent if found.name == "__init__.py" else found)
    if not paths:
        raise UsageError("paths: got none, want Python files, directories or -m PACKAGE; see gomem escape --help")
    return paths


def cache_directory() -> Path:
    """Where what was read is kept: ``gomem/escape`` in the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "gomem" / "escape"


def analyse_as_asked(options: argparse.Namespace, paths: list[Path]) -> Analysis:
    """The analysis that the options of ``parser`` ask for, with a bar; for a process that does nothing else."""
    bar = _Bar() if sys.stderr.isatty() else None
    gc.disable()  # nearly all that the analysis makes is needed until its end, and looking for cycles takes a sixth of its time
    try:
        return analyse(
            paths,
            jobs=max(options.jobs, 1),
            cache=None if options.no_cache else cache_directory(),
            libraries=options.library,
            search=() if options.no_installed else search_path(options.python or os.environ.get("VIRTUAL_ENV")),
            progress=bar,
        )
    finally:
        gc.freeze()  # else the next object made would have all of them looked at
        gc.enable()
        if bar is not None:
            bar.clear()


class _Bar:
    """A progress bar on a terminal, from a second on, ten times a second."""

    WIDTH = 30

    def __init__(self) -> None:
        self.started = self.drawn = time.monotonic()

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self.started < 1 or now - self.drawn < 0.1:
            return
        self.drawn = now
        filled = self.WIDTH * done // max(of, 1)
        print(f"\r{stage:<8} [{'#' * filled}{' ' * (self.WIDTH - filled)}] {done}/{of} ", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.drawn > self.started:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write(analysis: Analysis, options: argparse.Namespace) -> None:
    from gomem import __version__
    from gomem.escape.report import data, page, text

    if options.html:
        _to_file(options.html, page.page(analysis))
    if options.sarif:
        _to_file(options.sarif, [json.dumps(data.as_sarif(analysis, __version__), indent=1), "\n"])
    if options.profile:
        _print(_weighed(analysis, options))
    elif options.json:
        chosen = (verdict for verdict in analysis.verdicts if not (options.escapes and verdict.verdict == "frame"))
        _print(json.dumps(data.as_json(verdict), ensure_ascii=False) for verdict in chosen)
    elif options.summary:
        _print(text.summary(analysis, options.summary))
    elif not (options.html or options.sarif):
        _print(text.lines(analysis, why=options.why, escapes_only=options.escapes, definitions=options.definitions))
    print(text.totals(analysis), file=sys.stderr)


def _print(lines: Iterable[str]) -> None:
    out = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    sys.stdout.flush()
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()


def _to_file(name: str, pieces: Iterable[str]) -> None:
    if name == "-":
        for piece in pieces:
            sys.stdout.write(piece)
        return
    try:
        with open(name, "w", encoding="utf-8") as out:
            out.writelines(pieces)
    except OSError as error:
        raise UsageError(f"file: got {name!r}, {error.strerror}") from error


def _weighed(analysis: Analysis, options: argparse.Namespace) -> list[str]:
    from gomem.escape.report import weight

    amounts, total = _amounts(options.profile, options.sample_index)
    found = weight.weigh(analysis, amounts)
    return list(weight.lines(found, total, options.top)) or ["no line of these files has a sample in the profile"]


def _amounts(profile_path: str, wanted: str) -> tuple[dict[tuple[str, int], int], int]:
    """What each line allocated itself, and the sum over the whole profile."""
    from gomem.cli.pprof import say
    from gomem.pprof.fetch import Sources, fetch_profile

    profile = fetch_profile(Sources([profile_path], []), say)
    names = [kind.type for kind in profile.sample_types]
    name = wanted or ("alloc_space" if "alloc_space" in names else profile.default_sample_type or names[-1])
    if name not in names:
        raise UsageError(f"sample-index: got {name!r}, want one of {', '.join(names)}")
    samples, column = profile.samples, names.index(name)
    amounts: dict[tuple[str, int], int] = defaultdict(int)
    total = 0
    for number in range(len(samples)):
        value = samples.values[number * samples.width + column]
        total += value
        begin, end = samples.starts[number], samples.starts[number + 1]
        lines = profile.locations[samples.stacks[begin]].lines if begin < end else ()
        if lines and lines[0].function >= 0:
            amounts[profile.functions[lines[0].function].filename, lines[0].line] += value
    return amounts, total


def _verify(analysis: Analysis, paths: list[Path], program: list[str]) -> int:
    from gomem.escape.verify import compare, run, write_comparison

    if not program:
        raise UsageError("program: got none, want -- and a script, -m module or command, as in --verify src/ -- pytest -q")
    truth = run(program, paths)
    return write_comparison(truth, compare(truth, analysis.verdicts), sys.stdout)
