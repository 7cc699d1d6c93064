"""Runs in a fresh interpreter without threads: several processes give the verdicts of one, even if they are lost."""

from __future__ import annotations

import email
import os
import signal
import sys
import threading
from pathlib import Path

from gomem.escape import analyse, engine, workers

MAIL = Path(email.__file__).parent
FILES = [MAIL / "mime", MAIL / "message.py", MAIL / "charset.py", MAIL / "header.py"]

started: list[workers.Workers] = []
calls: list[int] = []
start, solve = workers.Workers.__init__, workers.Workers.solve


def note(self: workers.Workers, *args: object) -> None:
    started.append(self)
    start(self, *args)  # type: ignore[arg-type]


def kill(self: workers.Workers, *args: object) -> object:
    calls.append(1)
    if len(calls) in (5, 9):
        os.kill(self.workers[len(calls) == 9].process.pid or 0, signal.SIGKILL)
    return solve(self, *args)  # type: ignore[arg-type]


def same(jobs: int) -> None:
    assert analyse(FILES, jobs=jobs) == analyse(FILES)
    (used,) = started
    assert len(used.workers) == jobs - 1
    assert any(worker.told for worker in used.workers), "no other process took part"
    assert all(worker.process.exitcode == 0 for worker in used.workers)


def lost() -> None:
    workers.Workers.solve = kill  # type: ignore[method-assign,assignment]
    assert analyse(FILES, jobs=3) == analyse(FILES)
    (used,) = started
    assert [worker.alive for worker in used.workers] == [False, False]


def threads() -> None:
    done = threading.Event()
    threading.Thread(target=done.wait).start()
    assert analyse(FILES, jobs=2) == analyse(FILES)
    assert not started
    done.set()


engine.FEW = 0
workers._SHARE = 0
workers.Workers.__init__ = note  # type: ignore[method-assign,assignment]
{"two": lambda: same(2), "four": lambda: same(4), "lost": lost, "threads": threads}[sys.argv[1]]()
