"""Batches solved by several processes.

Every process has the whole universe, and makes known what came of each batch in the same order: they do not differ. So it
makes no difference to the verdicts who solves what, or whether a process is lost: then its part is solved again here.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from gomem.escape.outcome import Outcome
from gomem.escape.record import Plain, Unpacker, pack_outcome, pack_verdicts, unpack_verdicts
from gomem.escape.universe import Universe
from gomem.escape.verdicts import Found

FEW = 1500  # functions that one process solves: starting others takes longer
_SHARE = 0.002  # seconds of work that are worth a message
_GUESS = 0.00002  # seconds that an operation takes
Task = tuple[int, int]  # a function's place, and how exactly it is described
Solve = Callable[[int, int], Outcome]
Apply = Callable[[int, Outcome], None]


def can_fork() -> bool:
    """A fork beside other threads may hang."""
    return hasattr(os, "fork") and threading.active_count() == 1 and threading.current_thread() is threading.main_thread()


class Workers:
    """``count`` processes beside this one. ``solve`` and ``apply`` work on the universe as it is when they are started."""

    def __init__(self, count: int, universe: Universe, solve: Solve, apply: Apply) -> None:
        self.unpack = Unpacker(universe)
        self.solve_here = solve
        self.costs: dict[int, float] = {}
        self.verdicts_of: dict[int, _Worker] = {}  # place -> who solved it last, if that was not this process
        self.workers: list[_Worker] = []
        for _ in range(count):
            self.workers.append(_Worker(universe, solve, apply, [worker.pipe for worker in self.workers]))

    def solve(self, tasks: Sequence[Task], sizes: Sequence[int]) -> list[Outcome]:
        """The outcomes in the order of the tasks."""
        shares = self.share(tasks, sizes)
        busy = [(worker, share) for worker, share in zip(self.workers, shares[1:], strict=True) if share and worker.send(share)]
        sent = {place for _, share in busy for place, _ in share}
        found: dict[int, Outcome] = {}
        for place, stage in tasks:
            if place not in sent:
                self.solve_one(place, stage, found)
        for worker, share in busy:
            answer = worker.receive()
            for place, stage in share:
                if answer is None:
                    self.solve_one(place, stage, found)
                else:
                    plain, self.costs[place] = answer[place]
                    found[place] = self.unpack.outcome(plain)
                    self.verdicts_of[place] = worker
        self.note(found, sent)
        return [found[place] for place, _ in tasks]

    def solve_one(self, place: int, stage: int, found: dict[int, Outcome]) -> None:
        start = time.perf_counter()
        found[place] = self.solve_here(place, stage)
        self.costs[place] = time.perf_counter() - start
        self.verdicts_of.pop(place, None)

    def share(self, tasks: Sequence[Task], sizes: Sequence[int]) -> list[list[Task]]:
        """Who gets which: the dearest first, each to whoever has least to do. The first share is this process's own."""
        costs = {task: self.costs.get(task[0], _GUESS * size) for task, size in zip(tasks, sizes, strict=True)}
        alive = [number for number, worker in enumerate(self.workers, 1) if worker.alive]
        shares: list[list[Task]] = [[] for _ in range(len(self.workers) + 1)]
        loads = dict.fromkeys([0, *alive], 0.0)
        if sum(costs.values()) < _SHARE:
            alive = []
        for task in sorted(tasks, key=costs.__getitem__, reverse=True):
            least = min([0, *alive], key=loads.__getitem__)
            shares[least].append(task)
            loads[least] += costs[task]
        return shares

    def note(self, found: dict[int, Outcome], sent: set[int]) -> None:
        """What every other process has to make known before it solves the next."""
        plain: dict[int, Plain] = {}
        for worker in self.workers:
            if worker.alive:
                for place, outcome in found.items():
                    own = self.verdicts_of.get(place) is worker
                    if not own and place not in plain:
                        plain[place] = pack_outcome(_without_seen(outcome))
                    worker.news.append((place, None if own else plain[place]))

    def verdicts(self) -> dict[int, dict[int, Found]]:
        """Those of functions that another process has solved, by their places; of a process that was lost none."""
        found: dict[int, dict[int, Found]] = {}
        for worker in self.workers:
            wanted = [place for place, owner in self.verdicts_of.items() if owner is worker]
            answer = worker.ask(wanted)
            for place in wanted if answer is not None else ():
                found[place] = unpack_verdicts(answer[place])
        return found

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def _without_seen(outcome: Outcome) -> Outcome:
    return Outcome(outcome.summary, outcome.tangled, {}, outcome.types, outcome.patched, {})


class _Worker:
    """One process, seen from the first one."""

    def __init__(self, universe: Universe, solve: Solve, apply: Apply, others: list[Connection]) -> None:
        context = get_context("fork")
        self.pipe, end = context.Pipe()
        self.news: list[tuple[int, Plain]] = []
        self.alive = True
        self.process = context.Process(target=_work, args=(end, [*others, self.pipe], universe, solve, apply), daemon=True)
        self.process.start()
        end.close()

    def send(self, share: list[Task]) -> bool:
        news, self.news = self.news, []
        return self.say((news, share))

    def say(self, message: Any) -> bool:
        try:
            self.pipe.send_bytes(marshal.dumps(message))
        except OSError:
            self.alive = False
        return self.alive

    def receive(self) -> Any:
        """The answer; None if the process is lost."""
        try:
            return marshal.loads(self.pipe.recv_bytes())
        except (OSError, EOFError):
            self.alive = False
            return None

    def ask(self, places: list[int]) -> Any:
        return self.receive() if self.alive and self.say(places) else None

    def close(self) -> None:
        self.pipe.close()  # it ends when there is nothing more to read
        self.process.join(timeout=5)
        if self.process.exitcode is None:
            self.process.terminate()
            self.process.join()


def _work(pipe: Connection, others: list[Connection], universe: Universe, solve: Solve, apply: Apply) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    gc.disable()
    for other in others:
        other.close()
    unpack = Unpacker(universe)
    kept: dict[int, Outcome] = {}
    while True:
        try:
            message = marshal.loads(pipe.recv_bytes())
            if type(message) is list:
                pipe.send_bytes(marshal.dumps({place: pack_verdicts(kept[place].verdicts) for place in message}))
                continue
            news, share = message
            for place, plain in news:
                apply(place, kept[place] if plain is None else unpack.outcome(plain))
            answer = {}
            for place, stage in share:
                start = time.perf_counter()
                kept[place] = solve(place, stage)
                answer[place] = (pack_outcome(kept[place]), time.perf_counter() - start)
            pipe.send_bytes(marshal.dumps(answer))
        except (EOFError, OSError):
            return
