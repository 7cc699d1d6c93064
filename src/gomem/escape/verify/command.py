"""Runs a program instrumented, in processes of its own, and collects what they have seen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gomem.errors import UnsupportedError, UsageError
from gomem.escape.verify.hook import VARIABLE
from gomem.escape.verify.truth import Truth, merged

_HERE = Path(__file__).parent


def run(
    argv: Sequence[str],
    roots: Sequence[str | os.PathLike[str]],
    *,
    audit: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float | None = None,
) -> Truth:
    """Run a program and return what its instrumented modules were seen to do.

    ``argv`` is ``[script.py, args...]``, ``["-m", module, args...]`` or a command such as ``["pytest", "-q"]`` whose script
    is run by this or another Python that has gomem. ``roots`` are the files and directories to instrument; what lies in a
    ``site-packages`` below them is left out. The program has our standard streams and ``Truth.exit_code`` is its exit
    code. Child processes that inherit the environment are watched too; one that ends by ``os._exit`` or a signal tells
    nothing. ``audit`` checks lists, dicts and tuples a second time, very slowly. The program runs 2 to 20 times slower,
    what it allocates may live a little longer within its frame, and its modules' bytecode is made anew.

    Raises UsageError if there is no such program or root, UnsupportedError if nothing was instrumented,
    ``subprocess.TimeoutExpired`` after ``timeout_s`` seconds.
    """
    paths = [os.path.realpath(root) for root in roots]
    missing = [path for path in paths if not os.path.exists(path)]
    if missing or not paths:
        raise UsageError(f"root: got {missing[0] if missing else 'none'!r}, want an existing file or directory")
    command = _command(list(argv), cwd)
    with tempfile.TemporaryDirectory(prefix="gomem-escape-") as into:
        settings = json.dumps({"roots": paths, "into": into, "audit": audit})
        environment = dict(os.environ if env is None else env) | {VARIABLE: settings}
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(_HERE / "_site"), *([inherited] if inherited else [])])
        sys.stdout.flush()
        done = subprocess.run(command, env=environment, cwd=cwd, timeout=timeout_s, check=False)
        truth = merged(Truth.load(path) for path in sorted(Path(into).glob("truth.*.json")))
    truth.exit_code = done.returncode
    if not truth.files:
        raise UnsupportedError(_nothing_seen(truth, done.returncode, paths))
    return truth


def _nothing_seen(truth: Truth, code: int, paths: list[str]) -> str:
    where = ", ".join(paths)
    if truth.skipped:
        path, why = next(iter(truth.skipped.items()))
        return f"escape --verify: none of {len(truth.skipped)} modules under {where} could be instrumented; {path}: {why}"
    return f"escape --verify: the program (exit {code}, {truth.processes} processes reported) imported nothing under {where}"


def _command(argv: list[str], cwd: str | os.PathLike[str] | None) -> list[str]:
    """The command that runs this program so that it is instrumented."""
    python = shutil.which(argv[0]) if argv and os.path.basename(argv[0]).startswith("python") else None
    if python is not None:
        if not os.path.samefile(python, sys.executable):
            return argv
        argv = argv[1:]
    if not argv:
        raise UsageError("program: got none, want script.py, -m module or a command")
    if argv[0].startswith("-"):
        return [sys.executable, *argv]
    script = os.path.join(cwd or "", argv[0])
    if argv[0].endswith(".py") or (os.path.isfile(script) and not os.access(script, os.X_OK)):
        if not os.path.isfile(script):
            raise UsageError(f"program: no such file: {argv[0]!r}")
        return [sys.executable, str(_HERE / "launch.py"), *argv]
    beside = os.path.dirname(sys.executable)
    found = shutil.which(argv[0], path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise UsageError(f"program: no such command: {argv[0]!r}, want script.py, -m module or a command on PATH")
    return [found, *argv[1:]]
