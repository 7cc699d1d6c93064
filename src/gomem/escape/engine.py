"""From files to verdicts: read, lower, link, solve every function to a fixed point, judge.

Order of work: each function after those it calls, as far as names tell; a function whose summary changes puts those back on
the list that have looked at it. A function that does not settle is described less and less exactly, and in the end as the
worst that there is. One that takes too much work is given up: all it touches escapes.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from gomem.escape import ir
from gomem.escape.effects import give_up, join, summarize, widen
from gomem.escape.interpret import Interpreter
from gomem.escape.universe import BOTTOM, ClassInfo, Function, Universe

PATIENCE = 2  # times that a function's summary changes before it may only grow
COARSE = 6  # times before less is told apart
ROUNDS = 10  # times before its callers take the worst for granted; what it makes itself is judged all the same


class Engine:
    """Solves all functions of a universe."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.functions: list[Function] = []
        self.dependents: dict[Any, set[Function]] = defaultdict(set)
        self.times: dict[Function, int] = defaultdict(int)
        self.solved = 0
        self.patched: set[Function] = set()

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        self.functions = self.order()
        for number, function in enumerate(self.functions):
            function.order = number
        now, later = list(range(len(self.functions))), set[int]()  # a sweep takes each function once, in order
        while now:
            waiting = set(now)
            while now:
                number = heapq.heappop(now)
                waiting.discard(number)
                for changed in self.solve(self.functions[number]):
                    if changed.order <= number:
                        later.add(changed.order)
                    elif changed.order not in waiting:
                        waiting.add(changed.order)
                        heapq.heappush(now, changed.order)
                if progress is not None:
                    progress(len(self.functions) - len(waiting | later), len(self.functions))
            for name in self.universe.remerge():
                later.update(function.order for function in self.dependents[name])
            now, later = sorted(later), set()

    def solve(self, function: Function) -> Iterable[Function]:
        """Solves one function; who has to be solved again for it."""
        if function.tangled:
            return ()
        solved = Interpreter(self.universe, function)
        self.solved += 1
        solved.run()
        function.tangled = solved.tangled
        if function.tangled or self.times[function] > ROUNDS:
            summary = give_up(len(function.params))
        else:
            summary = summarize(solved)
            if self.times[function] > PATIENCE:
                summary = join(function.summary, summary)
            if self.times[function] > COARSE:
                summary = widen(summary)
        for dependency in solved.deps:
            self.dependents[dependency].add(function)
        again: set[Function] = set()
        for replaced in solved.patched:
            self.patched.add(replaced)
            self.universe.stale(replaced)
            again |= self.dependents[replaced]
        for attribute in solved.attributes_changed:
            again |= self.dependents[attribute]
        for name in self.universe.news():
            again |= self.dependents[name]
        if not summary.same(function.summary) or function.summary is BOTTOM:
            function.summary = summary
            self.times[function] += 1
            self.universe.stale(function)
            again |= self.dependents[function]
        return again

    def order(self) -> list[Function]:
        """All functions with code, callees before callers where names tell who is called."""
        functions = [
            function
            for module in self.universe.modules.values()
            if module.file is not None
            for function in module.functions.values()
            if function.code is not None
        ]
        placed: dict[Function, None] = {}
        seen: set[Function] = set()
        for start in functions:
            if start in seen:
                continue
            seen.add(start)
            stack = [(start, iter(self.callees(start)))]
            while stack:
                function, rest = stack[-1]
                for callee in rest:
                    if callee not in seen:
                        seen.add(callee)
                        stack.append((callee, iter(self.callees(callee))))
                        break
                else:
                    placed[function] = None
                    stack.pop()
        return list(placed)

    def callees(self, function: Function) -> list[Function]:
        """Functions that it names: nested ones, globals, methods that few classes define. And those which assign most of the
        attributes and global names that it reads: the initialiser of its class, its module's body."""
        code = function.code
        assert code is not None
        found: list[Function] = [function.module.functions["<module>"]] if "<module>" in function.module.functions else []
        init = function.cls.find("__init__") if function.cls is not None else None
        if init is not None:
            found.append(init)
        for op in code.ops:
            if op[0] == ir.CALL_METHOD:
                named = self.universe.by_name.get(op[3], ())
                if len(named) <= 8:
                    found += named
            elif op[0] == ir.GLOBAL:
                found += _callable(self.universe.lookup(function.module, op[2]))
            elif op[0] == ir.CLOSURE:
                found.append(function.module.functions[op[3]])
        return [callee for callee in found if callee.code is not None]


def _callable(kinds: list[Any]) -> list[Function]:
    found = []
    for kind in kinds:
        if isinstance(kind, ClassInfo):
            kind = kind.find("__init__")
        if isinstance(kind, Function):
            found.append(kind)
    return found
