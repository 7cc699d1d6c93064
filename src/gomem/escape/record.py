"""Summaries and outcomes as plain values that ``marshal`` writes, with names in place of functions, classes and modules."""

from __future__ import annotations

from typing import Any

from gomem.escape.entities import Function
from gomem.escape.outcome import Cell, Outcome
from gomem.escape.summary import WORLD, Summary, source_order, store_order, type_order
from gomem.escape.universe import Universe

Plain = Any  # tuples, lists, dicts, text, numbers


def pack_type(what: Any) -> Plain:
    return what if what is None or type(what) is tuple else what.key


def _pack_source(source: Any) -> Plain:
    return (WORLD, pack_type(source[1])) if source[0] == WORLD else source


def pack_summary(summary: Summary) -> Plain:
    return (
        [(_pack_source(source), cause) for source, cause in summary.leaks.items()],
        [(target, name, _pack_source(source)) for target, name, source in sorted(summary.stores, key=store_order)],
        [_pack_source(source) for source in sorted(summary.returns, key=source_order)],
        [
            (pack_type(what), [(name, [_pack_source(source) for source in sorted(sources, key=source_order)]) for name, sources in fields])
            for what, fields in summary.fresh
        ],
        [(_pack_source(target), [_pack_source(argument) for argument in arguments], into) for target, arguments, into in summary.calls],
    )


def pack_types(kinds: frozenset[Any]) -> Plain:
    return [pack_type(kind) for kind in sorted(kinds, key=type_order)]


def pack_cell(cell: Cell) -> Plain:
    return cell.key if type(cell) is Function else (cell[0].key, cell[1])


class Numbers:
    """What is seen in cells, for another process: told once, and from then on by its number. There is much of it."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def pack(self, seen: dict[Cell, Any]) -> Plain:
        known = self.known
        packed: list[Plain] = []
        for cell, value in seen.items():
            number = known.get(cell)
            if number is None:
                known[cell] = len(known)
            packed.append(pack_cell(cell) if number is None else number)
            number = known.get(value)
            if number is None:
                known[value] = len(known)
            packed.append(number if number is not None else value if type(value) is tuple else pack_types(value))
        return packed


def pack_outcome(outcome: Outcome, numbers: Numbers | None = None) -> Plain:
    """Without what was seen if there are no numbers for that."""
    return (
        pack_summary(outcome.summary),
        outcome.tangled,
        outcome.how,
        outcome.effort,
        [] if numbers is None else numbers.pack(outcome.seen),
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.types.items()],
        [function.key for function in outcome.patched],
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.own.items()],
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.strict.items()],
        outcome.findings,
    )


class Unpacker:
    """The inverse, in one universe. Raises KeyError for a name that it does not have. What is seen in cells is the same object for
    all who saw it: there are many."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.by_key = universe.by_key
        self.known: dict[Any, Any] = {}  # cells, and what is seen in them, each by itself

    def type(self, plain: Plain) -> Any:
        return plain if plain is None or type(plain) is tuple else self.by_key[plain]

    def source(self, plain: Plain) -> Any:
        return (WORLD, self.type(plain[1])) if plain[0] == WORLD else plain

    def sources(self, plain: Plain) -> frozenset[Any]:
        return frozenset(map(self.source, plain))

    def summary(self, plain: Plain) -> Summary:
        leaks, stores, returns, fresh, calls = plain
        return Summary(
            {self.source(source): cause for source, cause in leaks},
            frozenset((target, name, self.source(source)) for target, name, source in stores),
            self.sources(returns),
            tuple((self.type(what), tuple((name, self.sources(sources)) for name, sources in fields)) for what, fields in fresh),
            tuple((self.source(target), tuple(map(self.source, arguments)), into) for target, arguments, into in calls),
        )

    def types(self, plain: Plain) -> frozenset[Any]:
        kinds = frozenset(map(self.type, plain))
        return self.known.setdefault(kinds, kinds)

    def cell(self, plain: Plain) -> Cell:
        if type(plain) is tuple:
            made = (self.by_key[plain[0]], plain[1])
            return self.known.setdefault(made, made)
        if plain.startswith(("any ", "plain ")):
            how, name, numbers = plain.split(" ")
            return self.universe.merged_of(name, tuple(map(int, numbers.split(","))), how == "plain")
        return self.by_key[plain]

    def seen(self, plain: Plain, told: list[Any]) -> dict[Cell, Any]:
        """What ``Numbers`` packed; ``told`` is what they have told so far."""
        known = self.known
        seen: dict[Cell, Any] = {}
        for place in range(0, len(plain), 2):
            cell, value = plain[place], plain[place + 1]
            if type(cell) is int:
                cell = told[cell]
            else:
                cell = self.cell(cell)
                told.append(cell)
            if type(value) is int:
                value = told[value]
            else:
                value = known.setdefault(value, value) if type(value) is tuple else self.types(value)
                told.append(value)
            seen[cell] = value
        return seen

    def share(self, seen: dict[Cell, Any]) -> dict[Cell, Any]:
        """The same, of objects that others who saw them have, too."""
        share = self.known.setdefault
        return {share(cell, cell): share(value, value) for cell, value in seen.items()}

    def outcome(self, plain: Plain, told: list[Any] | None = None) -> Outcome:
        summary, tangled, how, effort, seen, types, patched, own, strict, findings = plain
        return Outcome(
            self.summary(summary),
            tangled,
            how,
            effort,
            {} if told is None else self.seen(seen, told),
            self.cells(types),
            [self.by_key[key] for key in patched],
            findings,
            self.cells(own),
            self.cells(strict),
        )

    def cells(self, plain: Plain) -> dict[Cell, frozenset[Any]]:
        return {self.cell(cell): self.types(kinds) for cell, kinds in plain}
