"""An earlier run gone through again for the sake of a few functions that have changed since.

As long as everything else went as it did then, all others would be solved when they were, see what they saw, and come to the
same: nothing of that has to be looked at. What they changed is made known again, batch by batch; the changed functions are
solved where they were solved then. If the same comes of them, too (they see the same cells, and only what is reported of them is
different), so would all the rest have gone. If not, it is all taken back, and the engine does it function by function.
"""

from __future__ import annotations

from typing import Any

from gomem.escape.entities import Function, Owner
from gomem.escape.outcome import solve
from gomem.escape.record import Plain
from gomem.escape.trace import Trace, numbers, schedule
from gomem.escape.universe import Universe


def findings_as_before(universe: Universe, trace: Trace, functions: list[Function]) -> dict[Function, bytes] | None:
    """What is reported of each function, if nothing that others can see is different from the earlier run."""
    if len(functions) != len(trace.records) or not all(function.key in trace.records for function in functions):
        return None
    changed = [function for function in functions if trace.records[function.key][0] != function.code.digest]  # type: ignore[union-attr]
    if changed:
        if trace.order[0] != schedule(functions):
            return None
        before = _State(universe)
        came = _Replay(universe, trace, changed).run()
        if came is None:
            before.restore()
            return None
        for function in changed:
            _keep(trace, function, came[function])
    return {function: trace.records[function.key][1][-1][1] for function in functions}


class _State:
    """What solving changes, as it was."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        owners = [owner for owner in universe.by_key.values() if isinstance(owner, Owner)]
        self.attributes = [(owner, dict(owner.attributes)) for owner in owners]
        self.functions = [(owner, owner.summary, owner.opaque, owner.unknown, owner.tangled) for owner in owners if type(owner) is Function]

    def restore(self) -> None:
        for owner, attributes in self.attributes:
            owner.attributes = attributes
        for function, summary, opaque, unknown, tangled in self.functions:
            function.summary, function.opaque, function.unknown, function.tangled = summary, opaque, unknown, tangled
        for known in self.universe.merged_by_name.values():
            for merged in known.values():
                merged.outdated = True
        self.universe.unsettled.clear()


class _Replay:
    def __init__(self, universe: Universe, trace: Trace, changed: list[Function]) -> None:
        self.universe = universe
        self.trace = trace
        self.functions = [universe.by_key[key] for key in trace.order[1]]
        self.changed = set(changed)
        self.came: dict[Function, bytes] = {}

    def run(self) -> dict[Function, bytes] | None:
        """What is reported of the changed functions; None if something came of one of them that did not before."""
        for batch in self.trace.batches:
            for place, record, *_ in batch:
                if self.functions[place] in self.changed and not self.same(self.functions[place], record):
                    return None
            for change in batch:
                self.make_known(*change)
        return self.came

    def same(self, function: Function, record: Plain) -> bool:
        """Whether the record is what comes of solving the function now."""
        outcome = solve(self.universe, function, record[0], record[1])
        self.came[function] = outcome.findings
        return _unordered(self.trace.record(record[0], record[2], outcome)) == _unordered(record)

    def make_known(self, place: int, record: Plain, summary: bool, types: Plain) -> None:
        """As the engine does it."""
        trace = self.trace
        cells = [trace.cell(cell) for cell, _ in types]
        for (owner, name), (_, value) in zip(cells, types, strict=True):
            owner.attributes[name] = trace.value(value)
        behaving = [self.universe.by_key[key] for key in record[-1]]
        behaving = [function for function in behaving if function.replaced()]
        if summary:
            function = self.functions[place]
            function.summary = trace.summary(record[6])
            behaving.append(function)
        for function in behaving:
            self.universe.stale(function)
        if self.universe.frozen is not None:
            self.universe.frozen.disturb(cells + behaving)


def _unordered(record: Plain) -> Any:
    """A record without the order in which the function looked at things."""
    stage, how, before, cells, values, own, summary, tangled, effort, types, patched = record
    return stage, how, before, dict(zip(numbers(cells), numbers(values), strict=True)), own, summary, tangled, effort, dict(types), patched


def _keep(trace: Trace, function: Function, findings: bytes) -> None:
    assert function.code is not None
    *others, (last, _) = trace.records[function.key][1]
    records = (*((record, b"") for record, _ in others), (last, findings))
    trace.records[function.key] = (function.code.digest, records)
    trace.news = True
