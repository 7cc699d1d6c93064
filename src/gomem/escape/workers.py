"""Batches solved by several processes.

Every process has the whole universe, and makes known what came of each batch in the same order: they do not differ. So it
makes no difference to the verdicts who solves what, or whether a process is lost: then its part is solved again here.
"""

from __future__ import annotations

import gc
import marshal
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection
from typing import Any

from gomem.escape.outcome import Outcome
from gomem.escape.record import Plain, Unpacker, pack_outcome
from gomem.escape.summary import Summary
from gomem.escape.trace import Trace
from gomem.escape.universe import Universe

FEW = 1000  # functions that one process solves before it starts others
_SHARE = 0.002  # seconds of work that are worth a message
_GUESS = 0.00002  # seconds that an operation takes
_NOTE = 0.0001  # seconds that it takes to note in the trace what came of a solving
Task = tuple[int, int]  # a function's place, and how exactly it is described
Solve = Callable[[int, int], Outcome]
Apply = Callable[[int, Outcome], None]
Find = Callable[[int, Summary, Any], bytes]


def can_fork() -> bool:
    """A fork beside other threads may hang; processes that end with their parent may have none of their own."""
    return threading.active_count() == 1 and threading.current_thread() is threading.main_thread() and not current_process().daemon


class Workers:
    """``count`` processes beside this one. ``solve``, ``apply`` and ``find`` are those of the engine, which
    is in every process as it was when they were started."""

    def __init__(self, count: int, universe: Universe, solve: Solve, apply: Apply, find: Find, trace: Trace | None) -> None:
        self.trace = trace
        self.unpack = Unpacker(universe)
        self.solve_here = solve
        self.costs: dict[int, float] = {}
        self.solver: dict[int, _Worker] = {}  # place -> who solved it last, if that was not this process
        self.workers: list[_Worker] = []
        for _ in range(count):
            others = [worker.pipe for worker in self.workers]
            try:
                self.workers.append(_Worker(others, (universe, solve, apply, find, trace)))
            except OSError:  # no process or no memory to be had: fewer do it, too
                break

    def solve(self, tasks: Sequence[Task], sizes: Sequence[int]) -> dict[int, Outcome]:
        """The outcomes by place."""
        shares = self.share(tasks, sizes)
        busy = [(worker, share) for worker, share in zip(self.workers, shares[1:], strict=True) if share and worker.send(share)]
        sent = {place for _, share in busy for place, _ in share}
        found: dict[int, Outcome] = {}
        if self.trace is not None:
            self.trace.catch_up()
        for place, stage in tasks:
            if place not in sent:
                self.solve_one(place, stage, found)
        for worker, share in busy:
            answer, merges = worker.receive() or (None, ())
            if self.trace is not None:
                for merge in merges:
                    self.trace.note_merge(*merge)
            for place, stage in share:
                if answer is None:
                    self.solve_one(place, stage, found)
                else:
                    plain, self.costs[place] = answer[place]
                    found[place] = self.unpack.outcome(plain)
                    self.solver[place] = worker
        return found

    def solve_one(self, place: int, stage: int, found: dict[int, Outcome]) -> None:
        start = time.perf_counter()
        found[place] = self.solve_here(place, stage)
        self.costs[place] = time.perf_counter() - start
        self.solver.pop(place, None)

    def share(self, tasks: Sequence[Task], sizes: Sequence[int]) -> list[list[Task]]:
        """Who gets which: the dearest first, each to whoever has least to do. The first share is this process's own."""
        costs = {task: self.costs.get(task[0], _GUESS * size) for task, size in zip(tasks, sizes, strict=True)}
        alive = [number for number, worker in enumerate(self.workers, 1) if worker.alive]
        shares: list[list[Task]] = [[] for _ in range(len(self.workers) + 1)]
        loads = dict.fromkeys([0, *alive], 0.0)
        loads[0] = _NOTE * (0 if self.trace is None else len(self.trace.waiting))
        if sum(costs.values()) < _SHARE:
            alive = []
        for task in sorted(tasks, key=costs.__getitem__, reverse=True):
            least = min([0, *alive], key=loads.__getitem__)
            shares[least].append(task)
            loads[least] += costs[task]
        return shares

    def note(self, found: dict[int, Outcome]) -> None:
        """What every other process has to make known before it solves the next."""
        plain: dict[int, Plain] = {}
        for worker in self.workers:
            if worker.alive:
                for place, outcome in found.items():
                    own = self.solver.get(place) is worker
                    if not own and place not in plain:
                        plain[place] = pack_outcome(_without_seen(outcome))
                    worker.news.append((place, None if own else plain[place]))

    def findings(self) -> dict[int, bytes]:
        """Of functions that another process has solved, by their places; of a process that was lost none."""
        found: dict[int, bytes] = {}
        for worker in self.workers:
            wanted = [place for place, solver in self.solver.items() if solver is worker]
            found.update(worker.ask(wanted) or {})
        return found

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def _without_seen(outcome: Outcome) -> Outcome:
    return Outcome(outcome.summary, outcome.tangled, {}, outcome.types, outcome.patched)


class _Worker:
    """One process, seen from the first one."""

    def __init__(self, others: list[Connection], work: tuple[Any, ...]) -> None:
        context = get_context("fork")
        self.pipe, end = context.Pipe()
        self.news: list[tuple[int, Plain]] = []
        self.alive = True
        self.process = context.Process(target=_work, args=(end, [*others, self.pipe], *work), daemon=True)
        self.process.start()
        end.close()

    def send(self, share: list[Task]) -> bool:
        news, self.news = self.news, []
        return self.say((news, share, False))

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
        news, self.news = self.news, []
        return self.receive() if self.alive and self.say((news, places, True)) else None

    def close(self) -> None:
        self.pipe.close()  # it ends when there is nothing more to read
        self.process.join(timeout=5)
        if self.process.exitcode is None:
            self.process.terminate()
            self.process.join()


def _work(pipe: Connection, others: list[Connection], universe: Universe, solve: Solve, apply: Apply, find: Find, trace: Trace | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    gc.disable()
    for other in others:
        other.close()
    unpack = Unpacker(universe)
    kept: dict[int, Outcome] = {}
    while True:
        try:
            news, work, last = marshal.loads(pipe.recv_bytes())
            for place, plain in news:
                apply(place, kept[place] if plain is None else unpack.outcome(plain))
            if last:
                answer: Any = {place: find(place, kept[place].summary, kept[place].verdicts) for place in work}
            else:
                answer = (_solve_all(work, solve, kept), _take_merges(trace))
            pipe.send_bytes(marshal.dumps(answer))
        except (EOFError, OSError):
            return


def _solve_all(work: list[Task], solve: Solve, kept: dict[int, Outcome]) -> dict[int, Plain]:
    answer = {}
    for place, stage in work:
        start = time.perf_counter()
        kept[place] = solve(place, stage)
        answer[place] = (pack_outcome(kept[place]), time.perf_counter() - start)
    return answer


def _take_merges(trace: Trace | None) -> Plain:
    if trace is None:
        return []
    merges, trace.fresh_merges = trace.fresh_merges, []
    return merges
