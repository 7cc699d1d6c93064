"""CPython's own tests with the heap profiler, or the collector, on and off: the results must be the same.

    python tests/cpython_suite.py                 the modules that touch memory, threads and processes: some minutes
    python tests/cpython_suite.py --slice         a few of them: what CI has time for
    python tests/cpython_suite.py test_gc ...     any others
    python tests/cpython_suite.py --gc [...]      with the collector instead, cycles running without a pause
    python tests/cpython_suite.py --gc --all      every module there is but those that need a screen: an hour or more

Runs ``python -m test`` plain and under ``gomem run --rate 4096``, child processes included, and compares the outcome of
every single test by the JUnit files that both write. With ``--gc`` both run in a Python of their own (driven.py), whose
every process enables the collector in one of them; the cycles that were run are counted and printed. Tests that differ are
run again by themselves, three times both ways: an outcome that was never seen without counts as different. Exits with 1 if
anything differs, with 2 if this interpreter comes without its tests.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import driven

SLICE = ["test_gc", "test_generators", "test_list", "test_memoryio"]
MODULES = [
    *SLICE,
    "test_weakref",
    "test_dict",
    "test_fork1",
    "test_capi",
    "test_threading",
    "test_asyncio",
    "test_coroutines",
    "test_bytes",
    "test_io",
    "test_json",
    "test_pickle",
    "test_zlib",
    "test_atexit",
    "test_signal",
    "test_subprocess",
    "test_concurrent_futures",
    "test_interpreters",
    "test_tracemalloc",
    "test_faulthandler",
]
GC_SLICE = ["test_gc", "test_weakset", "test_generators"]
GC_MODULES = [
    *GC_SLICE,
    "test_weakref",
    "test_finalization",
    "test_io",
    "test_asyncio",
    "test_threading",
    "test_concurrent_futures",
    "test_multiprocessing_fork",
    "test_multiprocessing_forkserver",
    "test_multiprocessing_spawn",
    "test_subprocess",
    "test_capi",
]
NOT_HERE = {"test_idle", "test_tkinter", "test_ttk", "test_turtle"}  # a screen
OPTIONS = ["-m", "test", "-j1", "--timeout", "900", "-u", "none"]
REPEATS = 3
NO_TESTS = 4  # exit status of "python -m test" when all were skipped


class Run(NamedTuple):
    """One run of a module."""

    outcomes: dict[str, str]
    status: int
    seconds: float
    note: str  # what shows that profiler or collector were at work


def outcomes(junit: Path) -> dict[str, str]:
    """Test -> passed, skipped, failed or error."""
    found: dict[str, str] = {}
    if not junit.exists():
        return found
    for case in ElementTree.parse(junit).iter("testcase"):
        kinds = {child.tag for child in case}
        worst = "error" if "error" in kinds else "failed" if "failure" in kinds else "skipped" if "skipped" in kinds else "passed"
        found["::".join(filter(None, (case.get("classname"), case.get("name"))))] = worst
    return found


def run_profiled(module: str, on: bool, only: Sequence[str] = ()) -> Run:
    """With the profiler, or without."""
    with tempfile.TemporaryDirectory() as directory:
        words = ["-m", "gomem", "run", "--rate", "4096", "--no-summary", "-o", f"{directory}/mem.{{pid}}.prof"]
        run = _run([sys.executable, *(words if on else [])], module, directory, only)
        profiles = len(list(Path(directory).glob("mem.*.prof")))
        if on and profiles < 2:  # the runner's and the module's
            return Run({}, -1, run.seconds, f"no profile was written: {run.note}")
        return run._replace(note=f"{profiles} profiles" if on else "")


def run_collected(module: str, on: bool, only: Sequence[str] = ()) -> Run:
    """With the collector, or without."""
    with tempfile.TemporaryDirectory() as directory:
        python = driven.make(Path(directory) / "python", on)
        run = _run([str(python)], module, directory, only)
        counts = driven.counts(Path(directory) / "python")
        if on and counts.cycles == 0:
            return Run({}, -1, run.seconds, f"no cycle was run: {run.note}")
        return run._replace(note=str(counts) if on else "")


def _run(command: list[str], module: str, directory: str, only: Sequence[str]) -> Run:
    junit = Path(directory) / "results.xml"
    matches = [word for name in only for word in ("-m", name)]
    work = Path(directory) / "work"
    work.mkdir()
    began = time.monotonic()
    done = subprocess.run(
        [*command, *OPTIONS, *matches, "--junit-xml", str(junit), module],
        cwd=work, env={**os.environ, "TMPDIR": str(work)}, capture_output=True,
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode(errors="replace")
    if log := os.environ.get("GOMEM_SUITE_LOG"):
        with open(log, "a") as file:
            file.write(f"==== {module} {command}\n{said}\n")
    return Run(outcomes(junit), done.returncode, time.monotonic() - began, said[-500:])


def compare(module: str, collector: bool = False) -> bool:
    """Runs one module both ways; prints a line, and one more for each difference. True if there is none."""
    run = run_collected if collector else run_profiled
    word = "collected" if collector else "profiled"
    plain, watched = run(module, False), run(module, True)
    if plain.status == watched.status and plain.status in (0, NO_TESTS) and not plain.outcomes and not watched.outcomes:
        print(f"{module}: skipped as a whole")
        return True
    names = sorted(name for name in plain.outcomes.keys() | watched.outcomes.keys() if plain.outcomes.get(name) != watched.outcomes.get(name))
    same = (bool(plain.outcomes) and plain.status == watched.status) or (bool(names) and bool(watched.outcomes))
    lines = []
    for name in names:
        seen = [_again(run, module, name, on, (watched if on else plain).outcomes.get(name, "did not run")) for on in (False, True)]
        unsteady = set(seen[1]) <= set(seen[0])
        same = same and unsteady
        lines.append(f"  {name}: {', '.join(seen[0])} plain; {', '.join(seen[1])} {word}{': unsteady by itself' if unsteady else ''}")
    print(
        f"{module}: {len(plain.outcomes)} tests, {plain.seconds:.1f} s plain, {watched.seconds:.1f} s {word}, "
        f"exit {plain.status} and {watched.status}, {watched.note}: {'same' if same else 'DIFFERENT'}",
        *lines, sep="\n", flush=True,
    )  # fmt: skip
    return same


def _again(run, module: str, name: str, on: bool, first: str) -> list[str]:
    """The outcomes of one test that differed: in the whole module, then by itself."""
    return [first, *(run(module, on, [name]).outcomes.get(name, "did not run") for _ in range(REPEATS))]


def all_modules() -> list[str]:
    from test.libregrtest import findtests

    names = {name.removeprefix("test.").split(".")[0] for name in findtests.findtests()}  # packages come in parts
    return sorted(names - NOT_HERE)


def main(words: list[str]) -> int:
    unknown = [word for word in words if word.startswith("-") and word not in ("--gc", "--slice", "--all")]
    if unknown:
        print(__doc__ if unknown[0] in ("-h", "--help") else f"cpython_suite: option: got {unknown[0]}, want --gc, --slice, --all or --help")
        return 0 if unknown[0] in ("-h", "--help") else 2
    collector = "--gc" in words
    if importlib.util.find_spec("test.test_gc") is None:
        print(f"cpython_suite: {sys.executable} comes without its tests, want one with Lib/test")
        return 2
    whole, part = (GC_MODULES, GC_SLICE) if collector else (MODULES, SLICE)
    modules = [word for word in words if not word.startswith("--")] or (part if "--slice" in words else whole)
    if "--all" in words:
        modules = all_modules()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would the tests
    there = [module for module in modules if importlib.util.find_spec(f"test.{module}")]
    for module in sorted(set(modules) - set(there)):
        print(f"{module}: not in this version")
    return 0 if all([compare(module, collector) for module in there]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
