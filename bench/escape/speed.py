"""``python -m bench.escape.speed``: what ``gomem escape`` costs, from cold, once more, and with one file changed.

Works on a copy of the running Python's standard library, or of the directory given. One JSON line a run, a table at the end:
wall and CPU seconds of all processes from start to end, memory of the largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.runs import table

HEAD = ("run", "lines", "wall s", "cpu s", "largest process MB")
_TESTS = ("test", "tests", "idle_test")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.escape.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(os.__file__).parent, help="default: the standard library")
    parser.add_argument("--without-tests", action="store_true", help="leave out test, tests and idle_test")
    parser.add_argument("--changed", metavar="FILE", help="the file below the directory that is changed; default: one of middle size")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        sources = Path(made) / options.directory.name
        left_out = ("site-packages", "__pycache__", *(_TESTS if options.without_tests else ()))
        shutil.copytree(options.directory, sources, ignore=shutil.ignore_patterns(*left_out))
        files = sorted(sources.rglob("*.py"), key=lambda path: path.stat().st_size)
        lines = sum(path.read_bytes().count(b"\n") for path in files)
        changed = sources / options.changed if options.changed else files[len(files) // 2]
        rows = [_run("cold", sources, options.jobs, lines), _run("again", sources, options.jobs, lines)]
        text = changed.read_bytes()
        changed.write_bytes(b"\n" + text)  # every function of it is another one, by its lines
        rows.append(_run(f"changed {changed.relative_to(sources)}, {text.count(10)} lines", sources, options.jobs, lines))
    print(table(HEAD, rows), file=sys.stderr)
    return 0


def _run(name: str, sources: Path, jobs: int, lines: int) -> list[object]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(sources.parent / "cache")}
    command = [sys.executable, "-m", "gomem", "escape", "--summary", "module", "--jobs", str(jobs), str(sources)]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench.escape.speed: {' '.join(command)} exited with {process.returncode}")
    row = [name, lines, round(wall, 2), round(usage.ru_utime + usage.ru_stime, 2), usage.ru_maxrss // 1024]
    print(json.dumps(dict(zip(HEAD, row, strict=True))), flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
