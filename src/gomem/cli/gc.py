"""``gomem gc``: a program twice, with CPython's collector and with gomem's, and what became of its pauses and its memory.

Each run is a process of its own, as ``python script args`` would start it. Pauses are recorded inside (gomem/_gcrecord),
resident memory is read from outside through /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path

from gomem import _gcrecord, gc
from gomem.cli import program
from gomem.errors import UsageError
from gomem.report import pauses, pauses_page
from gomem.report.pauses import Pause, Run

EXAMPLES = """\
examples:
  gomem gc app.py --port 8080             run it twice and compare
  gomem gc --html gc.html -m mypkg.job    plots of both runs on one page
  gomem gc --settings limit=1GiB app.py   the concurrent collector with a memory limit
  gomem gc --seconds 60 server.py         interrupt each run after a minute, as Ctrl-C would
  gomem gc --json app.py > gc.json        everything as data

The program's standard output goes to stderr, or nowhere with --quiet. Its standard input is the terminal or a file,
which is read twice; a pipe cannot be and is left closed. Young objects' collections are in both columns.
exit status: 0, or the program's if it is another (that of the first run which fails), or 2.
"""
SAMPLE_S = 0.02  # between looks at resident memory: a read of /proc costs some 20 us
_VALUES = {"--settings", "--html", "--seconds"}


def _parser() -> argparse.ArgumentParser:
    parser = program.Parser(
        prog="gomem gc",
        usage="gomem gc [options] (script.py | -m module) [arguments ...]",
        description="Runs a Python program twice, with CPython's garbage collector and with gomem's concurrent one, and "
        "compares pauses and memory.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--settings", default="1", metavar="TEXT", help="of the concurrent collector, as GOMEM_GC: percent=50,limit=80%%,pause=2")
    parser.add_argument("--seconds", type=float, metavar="N", help="interrupt each run after so long")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quiet", action="store_true", help="drop the program's standard output")
    return parser


def _read(path: str, begun: float) -> tuple[list[Pause], int, float | None]:
    """Pauses, cycles and the longest slice in a record's file; times since begun."""
    values = array("d")
    with open(path, "rb") as file:
        data = file.read()
    values.frombytes(data[: len(data) // (8 * _gcrecord.WIDTH) * 8 * _gcrecord.WIDTH])
    found, cycles, slice_max = [], 0, None
    for i in range(0, len(values), _gcrecord.WIDTH):
        at, kind, a, b = values[i : i + _gcrecord.WIDTH]
        if kind == _gcrecord.LONGEST:
            slice_max, cycles = a, int(b)
        elif kind == _gcrecord.SLICES:
            found.append(Pause(at - begun, "slice", a, None, int(b)))
        else:
            found.append(Pause(at - begun, "full" if kind == 2 else "young", a, b))
    return found, cycles, slice_max


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _wait(process: subprocess.Popen, begun: float, seconds: float | None) -> tuple[int, float, list[tuple[float, int]]]:
    """Its status, its CPU seconds and its resident memory over time; it is interrupted when its seconds are over."""
    memory: list[tuple[float, int]] = []
    interrupted = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        now = time.perf_counter() - begun
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return (0 if interrupted else process.returncode), usage.ru_utime + usage.ru_stime, memory
        size = _resident(process.pid)
        if size:
            memory.append((now, size))
        if seconds is not None and now > seconds and not interrupted:
            interrupted = True
            process.send_signal(signal.SIGINT)
        time.sleep(SAMPLE_S)


def _standard_input():
    """What both runs read: the terminal, or a file from its beginning, else nothing."""
    try:
        if os.isatty(0):
            return None
        os.lseek(0, 0, os.SEEK_SET)
    except OSError:
        return subprocess.DEVNULL
    return None


def _run(name: str, command: list[str], options: argparse.Namespace) -> Run:
    with tempfile.TemporaryDirectory(prefix="gomem-gc-") as folder:
        path = os.path.join(folder, "record")
        Path(path).touch()
        variables = {_gcrecord.VARIABLE: path, gc.VARIABLE: options.settings if name == "concurrent" else "0"}
        output = subprocess.DEVNULL if options.quiet else sys.stderr
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=program.environment(**variables), stdin=_standard_input(), stdout=output)
        status, cpu, memory = _wait(process, begun, options.seconds)
        wall = time.perf_counter() - begun
        found, cycles, slice_max = _read(path, begun)
    return Run(name, status, wall, cpu, found, memory, cycles, slice_max)


def _check(options: argparse.Namespace) -> None:
    program.check_collector(options.settings)
    program.check_interpreter()
    if options.seconds is not None and not options.seconds > 0:
        raise UsageError(f"--seconds: got {options.seconds}, want more than 0")
    if options.html is not None:
        folder = os.path.dirname(os.path.abspath(options.html))
        if os.path.isdir(options.html) or not os.access(folder, os.W_OK):
            raise UsageError(f"--html: cannot write {options.html!r}, want a file in a writable directory")


def main(verb: str, args: list[str]) -> int:
    ours, words = program.split(args, _VALUES)
    if "-h" in ours or "--help" in ours:
        _parser().print_help()
        return 0
    options = _parser().parse_args(ours)
    _check(options)
    words = program.parse(words, "gc")
    command = [sys.executable, *program.interpreter_options(sys.orig_argv[1:]), *words]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C ends the run, not the comparison
    runs = []
    for name in ("stock", "concurrent"):
        print(f"gomem gc: {name}: {' '.join(words)}", file=sys.stderr, flush=True)
        runs.append(_run(name, command, options))
    if options.html is not None:
        with open(options.html, "w") as file:
            file.write(pauses_page.draw(runs, " ".join(words)))
    print(json.dumps([pauses.as_json(run) for run in runs]) if options.json else pauses.text(runs))
    status = next((run.status for run in runs if run.status), 0)
    return status if status >= 0 else 128 - status
