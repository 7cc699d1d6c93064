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
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection
from typing import Any

from gomem.escape.outcome import Outcome
from gomem.escape.record import Numbers, Plain, Unpacker, pack_outcome
from gomem.escape.trace import Trace
from gomem.escape.universe import Universe

FEW = 1000  # functions that one process solves before it starts others
_SHARE = 0.002  # seconds of work that are worth a message
_GUESS = 0.00002  # seconds that an operation takes
_LOOK = 0.002  # seconds of work before this process looks whether another one has done its part
_AHEAD = 2  # parts that a process has got at a time: it need not wait for this one
_PARTS = 3  # of what is left, a process gets this part of its share at a time
_NOTES = 4  # things noted for the next run, while an answer is waited for, before looking again whether it has come
_BEHIND = 1000  # things to be noted that may wait for such a time
_NEWS = 64  # outcomes that are sent even to a process that has nothing to solve
Task = tuple[int, int]  # a function's place, and how exactly it is described
Solve = Callable[[int, int], Outcome]
Apply = Callable[[int, Outcome], None]
Answer = dict[int, tuple[Plain, float]]  # what came of each place, and the seconds that it took


def can_fork() -> bool:
    """A fork beside other threads may hang; processes that end with their parent may have none of their own."""
    return threading.active_count() == 1 and threading.current_thread() is threading.main_thread() and not current_process().daemon


class Workers:
    """``count`` processes beside this one. ``solve`` and ``apply`` are those of the engine, which is in every process as it was when they were started."""

    def __init__(self, count: int, universe: Universe, solve: Solve, apply: Apply, trace: Trace | None) -> None:
        self.trace = trace
        self.unpack = Unpacker(universe)
        self.solve_here = solve
        self.costs: dict[int, float] = {}
        self.workers: list[_Worker] = []
        for _ in range(count):
            others = [worker.pipe for worker in self.workers]
            try:
                self.workers.append(_Worker(others, (universe, solve, apply, trace)))
            except OSError:  # no process or no memory to be had: fewer do it, too
                break

    def solve(self, tasks: Sequence[Task], sizes: Sequence[int], known: dict[int, Outcome]) -> dict[int, Outcome]:
        """The outcomes by place, with those that are known already, of which the other processes have to be told as well."""
        costs = {task: self.costs.get(task[0], _GUESS * size) for task, size in zip(tasks, sizes, strict=True)}
        left = deque(sorted(tasks, key=costs.__getitem__, reverse=True))
        busy = [worker for worker in self.workers if worker.alive] if sum(costs.values()) > _SHARE else []
        for worker in busy * _AHEAD:
            self.hand_out(worker, left, costs)
        if self.trace is not None:
            self.trace.catch_up(_BEHIND)
        own = dict(known)
        found: dict[int, Outcome] = {}
        answers: list[tuple[_Worker, Answer]] = []
        spent = 0.0
        while left or any(worker.shares for worker in busy):
            if left:
                task = left.popleft()
                own[task[0]] = self.solve_one(*task)
                spent += self.costs[task[0]]
                if left and spent < _LOOK:
                    continue
            spent = 0.0
            for worker in busy:
                while worker.shares and (not left or worker.ready()):
                    answers += self.take(worker, left)
                    self.hand_out(worker, left, costs)
                    if left:  # else who waits is told of what was found here first
                        self.unpack_all(answers, found)
        self.tell(own, answers, busy)
        self.unpack_all(answers, found)
        return {**own, **found}

    def solve_one(self, place: int, stage: int) -> Outcome:
        start = time.perf_counter()
        outcome = self.solve_here(place, stage)
        outcome.seen = self.unpack.share(outcome.seen)
        self.costs[place] = time.perf_counter() - start
        return outcome

    def hand_out(self, worker: _Worker, left: deque[Task], costs: dict[Task, float]) -> None:
        """Sends it a part of what is left, the dearest first."""
        part = sum(map(costs.__getitem__, left)) / (_PARTS * (len(self.workers) + 1))
        share: list[Task] = []
        cost = 0.0
        while left and cost <= max(part, _LOOK) and worker.alive:
            share.append(left.popleft())
            cost += costs[share[-1]]
        if share and worker.send(share):
            worker.shares.append(share)
        else:
            left.extendleft(reversed(share))

    def take(self, worker: _Worker, left: deque[Task]) -> list[tuple[_Worker, Answer]]:
        """The answer to the first share that it has not answered yet; if the process is lost, all that it had is left to others."""
        while self.trace is not None and self.trace.waiting and not worker.ready():
            self.trace.catch_up(max(len(self.trace.waiting) - _NOTES, 0))
        answer = worker.receive()
        if answer is None:
            left.extend(task for share in worker.shares for task in share)
            worker.shares.clear()
            return []
        worker.shares.popleft()
        outcomes, merges = answer
        if self.trace is not None:
            for merge in merges:
                self.trace.note_merge(*merge)
        return [(worker, outcomes)]

    def unpack_all(self, answers: list[tuple[_Worker, Answer]], found: dict[int, Outcome]) -> None:
        for worker, outcomes in answers:
            for place, (plain, cost) in outcomes.items():
                if place not in found:
                    found[place] = self.unpack.outcome(plain, worker.told)
                    self.costs[place] = cost

    def tell(self, own: dict[int, Outcome], answers: list[tuple[_Worker, Answer]], busy: Sequence[_Worker] = ()) -> None:
        """What every other process has to make known before it solves the next; who took part does that now."""
        news = [(place, pack_outcome(outcome)) for place, outcome in own.items()] if self.workers else []
        for worker in self.workers:
            worker.news += news
            for solver, outcomes in answers:
                worker.news += [(place, None if solver is worker else _part(plain)) for place, (plain, _) in outcomes.items()]
            if worker.alive and (worker in busy or len(worker.news) > _NEWS):
                worker.send(None)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def _part(plain: Plain) -> Plain:
    """What other processes have to make known of it."""
    summary, tangled, how, effort, _, types, patched, *_ = plain
    return (summary, tangled, how, effort, [], types, patched, [], [], b"")


class _Worker:
    """One process, seen from the first one."""

    def __init__(self, others: list[Connection], work: tuple[Any, ...]) -> None:
        context = get_context("fork")
        self.pipe, end = context.Pipe()
        self.news: list[tuple[int, Plain]] = []
        self.told: list[Any] = []  # what it has seen in cells, by its numbers
        self.shares: deque[list[Task]] = deque()  # not answered yet
        self.alive = True
        self.process = context.Process(target=_work, args=(end, [*others, self.pipe], *work), daemon=True)
        self.process.start()
        end.close()

    def send(self, share: list[Task] | None) -> bool:
        """Something to be solved; None: only the news, which nothing is answered to."""
        news, self.news = self.news, []
        return self.say((news, share))

    def say(self, message: Any) -> bool:
        try:
            self.pipe.send_bytes(marshal.dumps(message))
        except OSError:
            self.alive = False
        return self.alive

    def ready(self) -> bool:
        """Whether ``receive`` would not wait."""
        try:
            return self.pipe.poll(0)
        except OSError:
            return True

    def receive(self) -> Any:
        """The answer; None if the process is lost."""
        try:
            return marshal.loads(self.pipe.recv_bytes())
        except (OSError, EOFError):
            self.alive = False
            return None

    def close(self) -> None:
        self.pipe.close()  # it ends when there is nothing more to read
        self.process.join(timeout=5)
        if self.process.exitcode is None:
            self.process.terminate()
            self.process.join()


def _work(pipe: Connection, others: list[Connection], universe: Universe, solve: Solve, apply: Apply, trace: Trace | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    gc.disable()
    for other in others:
        other.close()
    unpack = Unpacker(universe)
    kept: dict[int, Outcome] = {}  # until the first process has them made known
    numbers = Numbers()
    while True:
        try:
            news, work = marshal.loads(pipe.recv_bytes())
            for place, plain in news:
                apply(place, kept.pop(place) if plain is None else unpack.outcome(plain))
            if work is None:
                continue
            pipe.send_bytes(marshal.dumps((_solve_all(work, solve, kept, numbers), _take_merges(trace))))
        except (EOFError, OSError):
            os._exit(0)  # what it has need not be taken apart


def _solve_all(work: list[Task], solve: Solve, kept: dict[int, Outcome], numbers: Numbers) -> dict[int, Plain]:
    answer = {}
    for place, stage in work:
        start = time.perf_counter()
        kept[place] = solve(place, stage)
        answer[place] = (pack_outcome(kept[place], numbers), time.perf_counter() - start)
    return answer


def _take_merges(trace: Trace | None) -> Plain:
    if trace is None:
        return []
    merges, trace.fresh_merges = trace.fresh_merges, []
    return merges
