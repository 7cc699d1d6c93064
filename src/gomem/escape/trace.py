"""What came of every solving in a run, kept for the next one.

A later run of the same files goes the same way: the same order, the same sweeps. Where a function is the same and sees the same
as it did then, the same comes of it, and is taken from here. So the verdicts are those of a run that solves everything, whatever
has changed in between. All that stands on other grounds than what is seen in cells (names, classes, which attributes
are assigned: shape.py) has to look the same to the functions that are, else nothing here is used.
"""

from __future__ import annotations

import marshal
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from gomem.escape.entities import NO_TYPES, Function, united
from gomem.escape.order import functions_of
from gomem.escape.outcome import JOINED, Cell, Outcome, value_of
from gomem.escape.record import Plain, Unpacker, pack_cell, pack_summary, pack_types
from gomem.escape.shape import Plain as Shape
from gomem.escape.shape import differing, mentioned
from gomem.escape.summary import Summary
from gomem.escape.universe import Universe

_CONTENTS = ("leaks", "stores", "returns", "fresh", "calls")
_ROUNDS = 20  # runs that add to a trace before it is begun anew: what is no longer used stays in it as long


class KnownSummary(Summary):
    """A summary of which only the digest is known before somebody needs more."""

    __slots__ = ("load",)
    load: Callable[[], Summary]

    def __getattr__(self, name: str) -> Any:
        if name not in _CONTENTS:
            raise AttributeError(name)
        whole = self.load()
        for content in _CONTENTS:
            setattr(self, content, getattr(whole, content))
        return getattr(self, name)


def known_summary(unpack: Unpacker, plain: bytes, digest: bytes) -> Summary:
    """What ``pack_summary`` made plain, and ``marshal`` wrote."""
    made = KnownSummary.__new__(KnownSummary)
    made.digested, made.planned, made.used = digest, None, None
    made.load = lambda: unpack.summary(marshal.loads(plain))
    return made


class Table:
    """Values by number, each once."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.numbers: dict[Any, int] | None = None

    def number(self, value: Any) -> int:
        if self.numbers is None:
            self.numbers = {value: number for number, value in enumerate(self.values)}
        number = self.numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Trace:
    """``plain`` is what ``pack`` returned in another run, None if there was none; ``elsewhere`` has what mentions names beside the
    files."""

    def __init__(self, universe: Universe, shape: Shape, plain: Plain, elsewhere: Callable[[], Sequence[bytes]]) -> None:
        self.universe = universe
        self.shape = shape
        self.unpack = Unpacker(universe)
        if plain is None or plain[1] >= _ROUNDS or not self.looks_the_same(plain[0], plain[5], elsewhere):
            plain = (shape, 0, [], [], [], {}, {}, 0, (), [])
        _, self.rounds, cells, values, summaries, self.records, merged, self.patched, self.order, self.batches = plain
        self.tables = tuple(map(Table, (cells, values, summaries)))
        self.cells: list[Any] = [None] * len(cells)
        self.values: list[Any] = [None] * len(values)
        self.cell_numbers: dict[Cell, int] = {}
        self.value_numbers: dict[Any, int] = {}
        self.summary_numbers: dict[bytes, int] = {}
        self.used: dict[Function, list[Plain]] = {}
        self.turns: dict[Function, int] = {}  # the record that is likely to fit when the function is next asked for
        self.waiting: deque[Callable[[], None]] = deque()  # what is to be noted
        self.news = False
        self.merged = merged
        self.fresh_merges: list[tuple[bytes, bytes, bytes]] = []  # made in this process since somebody took them
        self.merge, universe.merge_one = universe.merge_one, self.merge_one

    def looks_the_same(self, before: Shape, records: Plain, elsewhere: Callable[[], Sequence[bytes]]) -> bool:
        """Whether nothing of the shape is different that a function which is the same could see."""
        names = differing(before, self.shape)
        if not names:
            return names is not None
        same = (function.code for function in functions_of(self.universe) if function.code and records.get(function.key, (b"",))[0] == function.code.digest)
        return not mentioned(names, self.shape, same, elsewhere)

    # from an earlier run

    def find(self, function: Function, stage: int, how: int) -> Outcome | None:
        """What came of it when it saw what it would see now."""
        kept = self.records.get(function.key)
        if self.records and self.waiting:  # what is used again is noted in the order of use
            self.catch_up()
        if kept is None or kept[0] != function.code.digest:  # type: ignore[union-attr]
            return None
        before = function.summary.digest() if stage >= JOINED else b""
        records = kept[1]
        turn = self.turns.get(function, 0)  # those records are in the order in which they were made or used
        for place in range(turn, turn + len(records)):
            record, findings = records[place % len(records)]
            try:
                seen = self.fits(record) if record[:3] == (stage, how, before) else None
            except LookupError:  # it saw what is no longer there
                continue
            if seen is not None:
                self.turns[function] = place % len(records) + 1
                self.use(function, record, findings)
                return self.outcome(record, findings, seen)
        return None

    def use(self, function: Function, record: Plain, findings: bytes) -> None:
        """Notes that the record is what came of the function last, and what is reported of it if it stays the last."""
        used = self.used.setdefault(function, [])
        used[:] = [(other, b"") for other, _ in used if other != record]  # seen again what it saw once before
        used.append((record, findings))

    def fits(self, record: Plain) -> dict[Cell, Any] | None:
        """What is seen, if it is the same as then."""
        own = record[5]
        known_cells, known_values = self.cells, self.values
        seen = {}
        for number, expected in zip(numbers(record[3]), numbers(record[4])):
            cell, value = known_cells[number] or self.cell(number), known_values[expected] or self.value(expected)
            now = cell[0].attributes.get(cell[1], NO_TYPES) if type(cell) is tuple else value_of(self.universe, cell)
            if now != value and (number not in own or united(now, self.value(own[number])) != value):
                return None
            seen[cell] = value
        return seen

    def cell(self, number: int) -> Cell:
        cell = self.cells[number]
        if cell is None:
            cell = self.cells[number] = self.unpack.cell(self.tables[0].values[number])
        return cell

    def value(self, number: int) -> Any:
        value = self.values[number]
        if value is None:
            plain = self.tables[1].values[number]
            value = self.values[number] = plain[1:] if plain[0] == "call" else frozenset(map(self.unpack.type, plain[1:]))
        return value

    def outcome(self, record: Plain, findings: bytes, seen: dict[Cell, Any]) -> Outcome:
        _, how, *_, summary, tangled, effort, types, patched = record
        return Outcome(
            self.summary(summary),
            tangled,
            how,
            effort,
            seen,
            {self.cell(cell): self.value(kinds) for cell, kinds in types},
            [self.unpack.by_key[key] for key in patched],
            findings,
        )

    def summary(self, number: int) -> Summary:
        digest, plain = self.tables[2].values[number]
        return known_summary(self.unpack, plain, digest)

    # for a later run

    def note_later(self, function: Function, stage: int, before: bytes, outcome: Outcome) -> None:
        """Keeps what came of solving the function, when there is time: nobody asks for it in this run."""
        self.news = True
        self.waiting.append(lambda: self.use(function, self.record(stage, before, outcome), outcome.findings))

    def catch_up(self, left: int = 0) -> None:
        """Does what was put off, but for so many of the last."""
        while len(self.waiting) > left:
            self.waiting.popleft()()

    def record(self, stage: int, before: bytes, outcome: Outcome) -> Plain:
        cells, values = [], []
        own: dict[int, int] = {}
        for cell, value in outcome.seen.items():
            number = self.cell_number(cell)
            cells.append(number)
            if cell in outcome.strict:
                value = outcome.strict[cell]
            elif cell in outcome.own:
                own[number] = self.value_number(outcome.own[cell])
            values.append(self.value_number(value))
        types = tuple((self.cell_number(cell), self.value_number(kinds)) for cell, kinds in outcome.types.items())
        patched = tuple(function.key for function in outcome.patched)
        return (stage, outcome.how, before, array("I", cells).tobytes(), array("I", values).tobytes(), own, self.summary_number(outcome.summary), outcome.tangled, outcome.effort, types, patched)

    def note_findings(self, function: Function, findings: bytes) -> None:
        """What is reported of the function, as it was solved last."""
        records = self.used[function]
        record, known = records[-1]
        if known != findings:
            records[-1] = (record, findings)
            self.news = True

    def begin(self, functions: list[Function]) -> None:
        """A run that solves functions, or asks for each what came of it before: they are told by their places in that list."""
        self.rounds += 1
        self.order = (schedule(functions), tuple(function.key for function in functions))
        self.batches = []

    def log_later(self, changes: list[tuple[Function, list[Cell]]]) -> None:
        """What a batch has changed: of each function the cells that are different now."""
        values = [[(cell, cell[0].attributes[cell[1]]) for cell in cells if type(cell) is not Function] for _, cells in changes]
        self.waiting.append(lambda: self.log(changes, values))

    def log(self, changes: list[tuple[Function, list[Cell]]], values: list[list[tuple[Cell, Any]]]) -> None:
        batch = []
        for (function, cells), known in zip(changes, values, strict=True):
            types = tuple((self.cell_number(cell), self.value_number(value)) for cell, value in known)
            batch.append((function.order, self.used[function][-1][0], function in cells, types))
        self.batches.append(batch)

    def cell_number(self, cell: Cell) -> int:
        number = self.cell_numbers.get(cell)
        if number is None:
            number = self.cell_numbers[cell] = self.tables[0].number(pack_cell(cell))
            if number == len(self.cells):
                self.cells.append(cell)
        return number

    def value_number(self, value: Any) -> int:
        number = self.value_numbers.get(value)
        if number is None:
            plain = ("types", *pack_types(value)) if type(value) is frozenset else ("call", *value)
            number = self.value_numbers[value] = self.tables[1].number(plain)
            if number == len(self.values):
                self.values.append(value)
        return number

    def summary_number(self, summary: Summary) -> int:
        number = self.summary_numbers.get(summary.digest())
        if number is None:
            plain = marshal.dumps(pack_summary(summary), 0)
            number = self.summary_numbers[summary.digest()] = self.tables[2].number((summary.digest(), plain))
        return number

    def merge_one(self, merged: Function) -> Summary:
        """The methods made one; taken from before if each of them did then what it does now."""
        members = b"".join(member.summary.digest() + b"01"[member.opaque : member.opaque + 1] for member in merged.members)
        key = blake2b(merged.key.encode() + members, digest_size=16).digest()
        number = self.merged.get(key)
        if number is not None:
            return self.summary(number)
        made = self.merge(merged)
        plain = marshal.dumps(pack_summary(made), 0)
        self.fresh_merges.append((key, made.digest(), plain))
        self.note_merge(key, made.digest(), plain)
        return made

    def note_merge(self, key: bytes, digest: bytes, plain: bytes) -> None:
        self.news = True
        self.merged[key] = self.tables[2].number((digest, plain))

    def pack(self) -> Plain:
        records = {function.key: (function.code.digest, tuple(records)) for function, records in self.used.items() if function.code is not None}
        tables = (table.values for table in self.tables)
        return (self.shape, self.rounds, *tables, records or self.records, self.merged, self.patched, self.order, self.batches)


def numbers(plain: bytes) -> Sequence[int]:
    """Numbers of cells or values in a record: there are many."""
    return memoryview(plain).cast("I")


def schedule(functions: list[Function]) -> bytes:
    """A digest of all that the order of work depends on beside the shape."""
    named = sorted((function.key, function.code.named) for function in functions if function.code is not None)
    return blake2b(marshal.dumps(named, 0), digest_size=16).digest()
