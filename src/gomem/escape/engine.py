"""The fixed point: solves every function until nothing that any of them looked at has changed.

The work goes in sweeps, a sweep level by level, each of which is brought to rest, and a level in batches. The functions of a
batch are solved with what is known when it begins, each by itself; what comes of them is made known at its end. So it does not
matter who solves them in which order, and what has been solved once with the same things seen need not be solved again.

A function that does not settle is described less and less exactly, and in the end as the worst that there is. One that takes
too much work is given up: all it touches escapes.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from gomem.escape.entities import BOTTOM, Function
from gomem.escape.order import arrange, functions_of
from gomem.escape.outcome import JOINED, PLAIN, WIDENED, WORST, Cell, Outcome, attempt, solve, value_of
from gomem.escape.replay import findings_as_before
from gomem.escape.trace import Trace
from gomem.escape.universe import Universe
from gomem.escape.workers import FEW, Task, Workers, can_fork

PATIENCE = 2  # times that a function's summary changes before it may only grow
COARSE = 6  # times before less is told apart
ROUNDS = 10  # times before its callers take the worst for granted; what it makes itself is judged all the same
_WINDOW = 128  # functions looked at for a batch
Places = dict[int, set[int]]  # of functions in the order of work, by level


class Engine:
    """Solves all functions of a universe; then ``verdicts`` has those of every function's sites."""

    def __init__(self, universe: Universe, jobs: int = 1, trace: Trace | None = None) -> None:
        self.universe = universe
        self.jobs = jobs
        self.trace = trace
        self.functions: list[Function] = []
        self.callees: list[set[int]] = []
        self.levels: list[int] = []
        self.lookers: dict[Cell, Function | set[Function]] = {}  # most cells have one
        self.seen: dict[Function, dict[Cell, Any]] = {}
        self.times: dict[Function, int] = defaultdict(int)
        self.findings: dict[Function, bytes] = {}  # what came of its last solving,
        self.how: dict[Function, int] = {}  # and how it was attempted
        self.workers: Workers | None = None
        self.patched = 0  # functions that some code replaces
        self.solved = 0

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        if self.trace is not None:
            known = findings_as_before(self.universe, self.trace, functions_of(self.universe))
            if known is not None:
                self.findings, self.patched = known, self.trace.patched
                return
        self.functions, self.callees, self.levels = arrange(self.universe)
        if self.trace is not None:
            self.trace.begin(self.functions)
        try:
            self.sweeps(progress)
            self.find()
            if self.trace is not None:
                self.trace.patched = self.patched
        finally:
            if self.workers is not None:
                self.workers.close()

    def forget(self) -> None:
        """Gives back the memory of what only solving needs."""
        self.lookers.clear()
        self.seen.clear()
        self.how.clear()

    def sweeps(self, progress: Callable[[int, int], None] | None) -> None:
        now: Places = defaultdict(set)
        last = max(self.levels, default=0)
        self.wake(range(len(self.functions)), now)
        while now:
            later: Places = defaultdict(set)
            while now:
                level = min(now)
                if level == last and later:  # nobody looks at those: they wait until all others are at rest
                    later[level] |= now.pop(level)
                    continue
                self.settle(level, now.pop(level), now, later)
                if progress is not None:
                    left = sum(map(len, (*now.values(), *later.values())))
                    progress(len(self.functions) - left, len(self.functions))
            self.wake(self.merged(), later)
            now = later

    def wake(self, places: Iterable[int], waiting: Places) -> None:
        for place in places:
            waiting[self.levels[place]].add(place)

    def settle(self, level: int, places: set[int], now: Places, later: Places) -> None:
        """Solves what waits on one level until it is at rest; notes who else has to be solved: above in this sweep, below in the
        next one."""
        while places:
            here = sorted(places)  # a heap: each once, more or less in order
            again: Places = defaultdict(set)
            while here:
                batch = self.batch(here)
                places.difference_update(batch)
                for place, looker in self.commit(batch, self.solve(batch)):
                    if looker in places:
                        continue
                    if self.levels[looker] != level or looker <= place or looker in batch:
                        again[self.levels[looker]].add(looker)
                    else:
                        places.add(looker)
                        heapq.heappush(here, looker)
            if not again[level]:
                self.wake(self.merged(), again)
            places = again.pop(level)
            for other, woken in again.items():
                (now if other > level else later)[other] |= woken

    def batch(self, here: list[int]) -> list[int]:
        """The next places to be solved, taken off the heap: none calls another one of them, as far as names tell, or one before
        it that has to wait."""
        batch: list[int] = []
        before: set[int] = set()
        waiting: list[int] = []
        while here and len(before) < _WINDOW:
            place = heapq.heappop(here)
            (batch if before.isdisjoint(self.callees[place]) else waiting).append(place)
            before.add(place)
        for place in waiting:
            heapq.heappush(here, place)
        return batch

    def solve(self, batch: list[int]) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        tasks = []
        for place in batch:
            function = self.functions[place]
            stage = self.stage(function)
            known = None if self.trace is None else self.trace.find(function, stage, attempt(function))
            if known is None:
                tasks.append((place, stage))
            else:
                found[place] = known
        if tasks:
            found = self.solve_anew(tasks, found)
        elif self.workers is not None:
            self.workers.tell(found, [])
        return [found[place] for place in batch]

    def solve_anew(self, tasks: list[Task], known: dict[int, Outcome]) -> dict[int, Outcome]:
        """What came of all of them, with what is known already of the same batch."""
        self.solved += len(tasks)
        if self.workers is None and self.jobs > 1 and self.solved > FEW and can_fork():
            self.workers = Workers(self.jobs - 1, self.universe, self.solve_one, self.apply, self.trace)
        if self.workers is None:
            found = known | {place: self.solve_one(place, stage) for place, stage in tasks}
            if self.trace is not None:
                self.trace.catch_up()
        else:
            found = self.workers.solve(tasks, [self.functions[place].code.size for place, _ in tasks], known)  # type: ignore[union-attr]
        if self.trace is not None:
            for place, stage in tasks:
                function = self.functions[place]
                self.trace.note_later(function, stage, function.summary.digest() if stage >= JOINED else b"", found[place])
        return found

    def solve_one(self, place: int, stage: int) -> Outcome:
        function = self.functions[place]
        return solve(self.universe, function, stage, attempt(function))

    def find(self) -> None:
        """What is reported of each function that another run has solved, and did not keep that: it sees now what it saw then."""
        if self.trace is not None:
            self.trace.catch_up()
        for function, findings in self.findings.items():
            if not findings:
                findings = self.findings[function] = solve(self.universe, function, self.stage(function), self.how[function]).findings
                if self.trace is not None:
                    self.trace.note_findings(function, findings)

    def apply(self, place: int, outcome: Outcome) -> None:
        """The part of ``commit`` that changes what others can see."""
        self.make_known(self.functions[place], outcome)

    def stage(self, function: Function) -> int:
        times = self.times[function]
        return WORST if times > ROUNDS else WIDENED if times > COARSE else JOINED if times > PATIENCE else PLAIN

    def commit(self, batch: list[int], outcomes: list[Outcome]) -> list[tuple[int, int]]:
        """Makes known what came of a batch; the places of those that have to be solved again for it, and of who changed that."""
        changed: dict[Cell, int] = {}
        changes = []
        for place, outcome in zip(batch, outcomes, strict=True):
            function = self.functions[place]
            before, self.seen[function] = self.seen.get(function, {}), outcome.seen
            if before.keys() != outcome.seen.keys():
                for cell in outcome.seen:
                    self.note_looker(cell, function)
            cells = self.make_known(function, outcome)
            self.findings[function], self.how[function] = outcome.findings, outcome.how
            changes.append((function, cells))
            for cell in cells:
                changed.setdefault(cell, place)
        if self.trace is not None:
            self.trace.log_later(changes)
        return [(place, looker) for cell, place in changed.items() for looker in self.misled(cell)]

    def make_known(self, function: Function, outcome: Outcome) -> list[Cell]:
        """The cells that are different now."""
        changed: list[Cell] = [cell for cell, kinds in outcome.types.items() if cell[0].add_types(cell[1], kinds)]
        function.tangled = outcome.tangled
        function.effort += outcome.effort
        for replaced in outcome.patched:
            if replaced.replaced():
                self.patched += 1
                self.universe.stale(replaced)
                changed.append(replaced)
        if function.summary is BOTTOM or not outcome.summary.like(function.summary):
            function.summary = outcome.summary
            self.times[function] += 1
            self.universe.stale(function)
            changed.append(function)
        if self.universe.frozen is not None:
            changed += self.universe.frozen.disturb(changed)
        return changed

    def note_looker(self, cell: Cell, function: Function) -> None:
        known = self.lookers.setdefault(cell, function)
        if isinstance(known, set):
            known.add(function)
        elif known is not function:
            self.lookers[cell] = {known, function}

    def misled(self, cell: Cell) -> list[int]:
        """Those who have seen something else there than there is now."""
        found = self.lookers.get(cell, set())
        lookers = found if isinstance(found, set) else {found}
        value = value_of(self.universe, cell)
        return [looker.order for looker in lookers if not looker.tangled and self.seen[looker].get(cell, value) != value]

    def merged(self) -> list[int]:
        """Brings methods known by name up to date; who has seen them otherwise."""
        unsettled, self.universe.unsettled = self.universe.unsettled, {}
        return [looker for merged in unsettled if merged in self.lookers for looker in self.misled(merged)]
