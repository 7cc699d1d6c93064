"""The test suites of packages from PyPI with the heap profiler, or the collector, on and off: the results must be the same.

    pip install networkx numpy lxml sqlalchemy greenlet pytest hypothesis meson ninja
    python tests/packages_suite.py                  all of them: an hour or so
    python tests/packages_suite.py networkx numpy   only these
    python tests/packages_suite.py --slice numpy    a part that takes a minute
    python tests/packages_suite.py --gc [...]       with the collector instead, cycles running without a pause

networkx is pure Python and large; numpy is C and C++, with threads; lxml is Cython, with proxies that come and go; SQLAlchemy's
compiled half and its tests, which make code as they go, come from its source package. Each suite runs under ``pytest`` plain
and under ``gomem run --rate 4096``, child processes included, or in a Python whose processes enable the collector
(driven.py), and the outcome of every test is compared. A test that differs is run again by itself, plain,
three times: one that does not give the same result each time by itself is named as unsteady and not held against
the profiler. Prints what differs; exits with 1 if anything does, with 2 if a package is not there.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import driven
from cpython_suite import outcomes

STEADY = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-o", "junit_family=xunit1"]
PROFILED = ["-m", "gomem", "run", "--rate", "4096", "--no-summary"]


@dataclass(frozen=True)
class Suite:
    package: str
    tests: tuple[str, ...]  # arguments of pytest
    slice: tuple[str, ...]
    from_source: bool = False  # the tests are in the source package only
    folder: str = ""  # ... and there; copied to own_tests, beside which the package's sources are not importable
    parts: tuple[str, ...] = ()  # run and compared one after the other, each with those arguments: the whole takes hours

    def whole(self) -> list[tuple[str, ...]]:
        return [(*([part] if part else []), *self.tests) for part in self.parts or ("",)]


SUITES = {
    suite.package: suite
    for suite in (
        Suite("networkx", ("--pyargs", "networkx"), ("--pyargs", "networkx.classes")),
        Suite(
            "numpy",
            ("--pyargs", "numpy", "-m", "not slow"),  # as numpy.test() does
            ("--pyargs", "numpy.lib", "-m", "not slow"),
        ),
        Suite("lxml", ("own_tests",), ("own_tests/test_etree.py",), from_source=True, folder="src/lxml/tests"),
        Suite(  # as its own tox.ini runs it, without what measures memory and time
            "sqlalchemy",
            ("-m", "not memory_intensive and not mypy and not timing_intensive"),
            ("test/base",),
            from_source=True,
            parts=("test/aaa_profiling", "test/base", "test/engine", "test/ext", "test/sql", "test/orm", "test/dialect"),
        ),
    )
}


def source_of(suite: Suite, directory: Path) -> Path:
    """The unpacked source package of the version that is installed."""
    package = suite.package
    version = importlib.metadata.version(package)
    words = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", f"{package}=={version}", "-d", str(directory)]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    archive = next(directory.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    source = next(path for path in directory.iterdir() if path.is_dir())
    if suite.folder:
        shutil.copytree(source / suite.folder, source / "own_tests")
    return source


def run(arguments: tuple[str, ...], on: bool, collector: bool, source: Path | None) -> tuple[dict[str, str], int, float, str]:
    """(outcome of every test, exit status, CPU seconds of it all, what shows that profiler or collector were at work)."""
    with tempfile.TemporaryDirectory() as directory:
        junit = Path(directory) / "results.xml"
        own = Path(directory) / "python"
        python = str(driven.make(own, on)) if collector else sys.executable
        words = [*PROFILED, "-o", f"{directory}/mem.{{pid}}.prof"] if on and not collector else []
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # meson, for numpy.f2py's tests
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "0", "PATH": path}
        before = sum(os.times()[2:4])
        done = subprocess.run(
            [python, *words, "-m", "pytest", *STEADY, "--junitxml", str(junit), *arguments],
            cwd=source or directory,
            env=environment,
            capture_output=True,
            text=True,
        )
        seconds = sum(os.times()[2:4]) - before
        if not junit.exists():
            print(done.stdout[-1500:], done.stderr[-1500:])
        profiles, counts = len(list(Path(directory).glob("mem.*.prof"))), driven.counts(own) if collector else None
        shown = f"{profiles} profiles" if profiles else str(counts) if counts and counts.cycles else ""
        return outcomes(junit), done.returncode, seconds, shown


def compare(suite: Suite, arguments: tuple[str, ...], collector: bool, source: Path | None) -> bool:
    word = "collected" if collector else "profiled"
    plain, plain_status, plain_seconds, _ = run(arguments, False, collector, source)
    watched, status, seconds, shown = run(arguments, True, collector, source)
    names = sorted(name for name in plain.keys() | watched.keys() if plain.get(name) != watched.get(name))
    unsteady = {name for name in names if not steady(name, arguments, collector, source)} if len(names) <= 20 else set()
    differing = [name for name in names if name not in unsteady]
    counts = {kind: list(plain.values()).count(kind) for kind in ("passed", "failed", "error", "skipped")}
    ran = counts["passed"] > 0 and plain_status in (0, 1) and shown != ""  # pytest's 2 to 5: it could not run them
    same = ran and not differing and (plain_status == status or bool(unsteady))
    what = next(word for word in arguments if not word.startswith("-"))
    print(
        f"{suite.package} {importlib.metadata.version(suite.package)}, {what}: {len(plain)} tests ({counts}), "
        f"{plain_seconds:.0f} s of CPU plain, {seconds:.0f} s {word}, exit {plain_status} and {status}, "
        f"{shown or 'nothing seen of it'}: {'same' if same else 'DIFFERENT'}",
        flush=True,
    )
    for name in names:
        kind = " (unsteady without it too)" if name in unsteady else ""
        print(f"  {name}: {plain.get(name, 'did not run')} plain, {watched.get(name, 'did not run')} {word}{kind}", flush=True)
    return same


def steady(name: str, arguments: tuple[str, ...], collector: bool, source: Path | None) -> bool:
    """Whether a test, picked by the last part of its name, ends the same way three times without the profiler or collector."""
    pick = name.rpartition("::")[2].partition("[")[0]
    ends = [run((*arguments, "-k", pick), False, collector, source)[0].get(name) for _ in range(3)]
    return len(set(ends)) == 1


def main(words: list[str]) -> int:
    names = [word for word in words if not word.startswith("--")] or list(SUITES)
    missing = [name for name in names if name not in SUITES or importlib.util.find_spec(name) is None]
    if missing:
        print(f"packages_suite: got {', '.join(missing)}, want some of {', '.join(SUITES)}, installed")
        return 2
    same = []
    for name in names:
        suite = SUITES[name]
        with tempfile.TemporaryDirectory() as directory:
            source = source_of(suite, Path(directory)) if suite.from_source else None
            for arguments in [suite.slice] if "--slice" in words else suite.whole():
                same.append(compare(suite, arguments, "--gc" in words, source))
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
