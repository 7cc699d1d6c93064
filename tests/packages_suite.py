"""The test suites of packages from PyPI with the heap profiler on and off: the results must be the same.

    pip install networkx numpy sqlalchemy greenlet pytest hypothesis meson ninja
    python tests/packages_suite.py                  all of them: an hour or so
    python tests/packages_suite.py networkx numpy   only these
    python tests/packages_suite.py --slice numpy    a part that takes a minute

networkx is pure Python and large; numpy is C and C++, with threads; SQLAlchemy's compiled half and its tests, which make
code as they go, come from its source package. Each suite runs under ``pytest`` plain and under ``gomem run --rate 4096``,
child processes included, and the outcome of every test is compared. A test that differs is run again by itself, plain,
three times: one that does not give the same result each time by itself is named as unsteady and not held against
the profiler. Prints what differs; exits with 1 if anything does, with 2 if a package is not there.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cpython_suite import outcomes

STEADY = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-o", "junit_family=xunit1"]
PROFILED = ["-m", "gomem", "run", "--rate", "4096", "--no-summary"]


@dataclass(frozen=True)
class Suite:
    package: str
    tests: tuple[str, ...]  # arguments of pytest
    slice: tuple[str, ...]
    from_source: bool = False  # the tests are in the source package only


SUITES = {
    suite.package: suite
    for suite in (
        Suite("networkx", ("--pyargs", "networkx"), ("--pyargs", "networkx.classes")),
        Suite(
            "numpy",
            ("--pyargs", "numpy", "-m", "not slow"),  # as numpy.test() does
            ("--pyargs", "numpy.lib", "-m", "not slow"),
        ),
        Suite(  # as its own tox.ini runs it, without what measures memory and time
            "sqlalchemy",
            ("test", "-m", "not memory_intensive and not mypy and not timing_intensive"),
            ("test/base",),
            from_source=True,
        ),
    )
}


def source_of(package: str, directory: Path) -> Path:
    """The unpacked source package of the version that is installed."""
    version = importlib.metadata.version(package)
    words = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", f"{package}=={version}", "-d", str(directory)]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    archive = next(directory.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(directory, filter="data")
    return next(path for path in directory.iterdir() if path.is_dir())


def run(arguments: tuple[str, ...], profiled: bool, source: Path | None) -> tuple[dict[str, str], int, float, int]:
    """(outcome of every test, exit status, CPU seconds of it all, profiles written)."""
    with tempfile.TemporaryDirectory() as directory:
        junit = Path(directory) / "results.xml"
        words = [*PROFILED, "-o", f"{directory}/mem.{{pid}}.prof"] if profiled else []
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # meson, for numpy.f2py's tests
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "0", "PATH": path}
        before = sum(os.times()[2:4])
        done = subprocess.run(
            [sys.executable, *words, "-m", "pytest", *STEADY, "--junitxml", str(junit), *arguments],
            cwd=source or directory,
            env=environment,
            capture_output=True,
            text=True,
        )
        seconds = sum(os.times()[2:4]) - before
        if not junit.exists():
            print(done.stdout[-1500:], done.stderr[-1500:])
        return outcomes(junit), done.returncode, seconds, len(list(Path(directory).glob("mem.*.prof")))


def compare(suite: Suite, arguments: tuple[str, ...], source: Path | None) -> bool:
    plain, plain_status, plain_seconds, _ = run(arguments, False, source)
    profiled, status, seconds, profiles = run(arguments, True, source)
    names = sorted(name for name in plain.keys() | profiled.keys() if plain.get(name) != profiled.get(name))
    unsteady = {name for name in names if not steady(name, arguments, source)} if len(names) <= 20 else set()
    differing = [name for name in names if name not in unsteady]
    counts = {kind: list(plain.values()).count(kind) for kind in ("passed", "failed", "error", "skipped")}
    ran = counts["passed"] > 0 and plain_status in (0, 1) and profiles > 0  # pytest's 2 to 5: it could not run them
    same = ran and not differing and (plain_status == status or bool(unsteady))
    print(
        f"{suite.package} {importlib.metadata.version(suite.package)}: {len(plain)} tests ({counts}), "
        f"{plain_seconds:.0f} s of CPU plain, {seconds:.0f} s profiled, exit {plain_status} and {status}, "
        f"{profiles} profiles: {'same' if same else 'DIFFERENT'}",
        flush=True,
    )
    for name in names:
        kind = " (unsteady without the profiler too)" if name in unsteady else ""
        print(f"  {name}: {plain.get(name, 'did not run')} plain, {profiled.get(name, 'did not run')} profiled{kind}", flush=True)
    return same


def steady(name: str, arguments: tuple[str, ...], source: Path | None) -> bool:
    """Whether a test, picked by the last part of its name, ends the same way three times without the profiler."""
    pick = name.rpartition("::")[2].partition("[")[0]
    ends = [run((*arguments, "-k", pick), False, source)[0].get(name) for _ in range(3)]
    return len(set(ends)) == 1


def main(words: list[str]) -> int:
    names = [word for word in words if word != "--slice"] or list(SUITES)
    missing = [name for name in names if name not in SUITES or importlib.util.find_spec(name) is None]
    if missing:
        print(f"packages_suite: got {', '.join(missing)}, want some of {', '.join(SUITES)}, installed")
        return 2
    same = []
    for name in names:
        suite = SUITES[name]
        with tempfile.TemporaryDirectory() as directory:
            source = source_of(name, Path(directory)) if suite.from_source else None
            same.append(compare(suite, suite.slice if "--slice" in words else suite.tests, source))
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
