"""CPython's own tests with the heap profiler, or the collector, on and off: the results must be the same.

    python tests/cpython_suite.py                 the modules that touch memory, threads and processes: some minutes
    python tests/cpython_suite.py --slice         a few of them: what CI has time for
    python tests/cpython_suite.py test_gc ...     any others
    python tests/cpython_suite.py --gc [...]      with the collector instead, cycles running without a pause

Runs ``python -m test`` plain and under ``gomem run --rate 4096``, child processes included, and compares the outcome of
every single test by the JUnit files that both write. With ``--gc``, the process that runs the tests and those it starts
enable the collector (tests/gc/drive), and one thread in each starts a cycle when the last is over. Prints what differs and exits with 1 if anything does, with 2 if
this interpreter comes without its tests.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

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
GC_SLICE = ["test_weakset", "test_generators"]  # test_gc is not steady on 3.13 yet: docs/gc.md
GC_MODULES = [
    *GC_SLICE,
    "test_weakref",
    "test_gc",
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
DRIVE = Path(__file__).parent / "gc" / "drive"
OPTIONS = ["-m", "test", "-j1", "--timeout", "300", "-u", "none"]


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


def profiled(directory: str, on: bool) -> tuple[list[str], dict[str, str]]:
    """What goes before the tests' own words, and their environment: the profiler."""
    words = ["-m", "gomem", "run", "--rate", "4096", "--no-summary", "-o", f"{directory}/mem.{{pid}}.prof"]
    return words if on else [], {}


def driven(directory: str, on: bool) -> tuple[list[str], dict[str, str]]:
    """The same of the collector: a second thread in every process, which starts cycles if it is on."""
    path = os.pathsep.join(filter(None, (str(DRIVE), os.environ.get("PYTHONPATH"))))
    return [], {"PYTHONPATH": path, "GOMEM_DRIVE_DIRECTORY": directory, "GOMEM_DRIVE_CYCLES": str(int(on))}


def missing(directory: Path, collector: bool) -> str:
    """What shows that the profiler or the collector was not at work; empty if it was."""
    if collector:
        return "" if any(int(file.read_text() or 0) for file in directory.glob("cycles.*")) else "no cycle was run"
    return "" if len(list(directory.glob("mem.*.prof"))) >= 2 else "no profile was written"  # the runner's and the module's


def run_module(module: str, on: bool, collector: bool) -> tuple[dict[str, str], int, float]:
    """(outcomes, exit status, seconds) of one test module, with the profiler or the collector on or off."""
    with tempfile.TemporaryDirectory() as directory:
        junit = Path(directory) / "results.xml"
        words, environment = (driven if collector else profiled)(directory, on)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, *words, *OPTIONS, "--junit-xml", str(junit), module],
            cwd=directory, env={**os.environ, **environment}, capture_output=True,
        )  # fmt: skip
        seconds = time.monotonic() - began
        if on and (why := missing(Path(directory), collector)):
            print(f"{module}: {why}: {done.stderr.decode(errors='replace')[-500:]}")
            return {}, -1, seconds
        return outcomes(junit), done.returncode, seconds


def compare(module: str, collector: bool = False) -> bool:
    """Runs one module both ways; prints a line, and one more for each difference. True if there is none."""
    word = "collected" if collector else "profiled"
    plain, plain_status, plain_seconds = run_module(module, False, collector)
    watched, status, seconds = run_module(module, True, collector)
    names = sorted(name for name in plain.keys() | watched.keys() if plain.get(name) != watched.get(name))
    same = bool(plain) and not names and plain_status == status  # no results at all are nothing to compare
    print(
        f"{module}: {len(plain)} tests, {plain_seconds:.1f} s plain, {seconds:.1f} s {word}, "
        f"exit {plain_status} and {status}: {'same' if same else 'DIFFERENT'}",
        flush=True,
    )
    for name in names:
        print(f"  {name}: {plain.get(name, 'did not run')} plain, {watched.get(name, 'did not run')} {word}", flush=True)
    return same


def main(words: list[str]) -> int:
    collector = "--gc" in words
    words = [word for word in words if word != "--gc"]
    whole, part = (GC_MODULES, GC_SLICE) if collector else (MODULES, SLICE)
    modules = part if words == ["--slice"] else words or whole
    if importlib.util.find_spec("test.test_gc") is None:
        print(f"cpython_suite: {sys.executable} comes without its tests, want one with Lib/test")
        return 2
    there = [module for module in modules if importlib.util.find_spec(f"test.{module}")]
    for module in sorted(set(modules) - set(there)):
        print(f"{module}: not in this version")
    return 0 if all([compare(module, collector) for module in there]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
