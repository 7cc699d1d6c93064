"""Summaries and outcomes as plain values that ``marshal`` writes, with names in place of functions, classes and modules."""

from __future__ import annotations

import marshal
from typing import Any

from gomem.escape.entities import Function
from gomem.escape.ir import FIRST, Code
from gomem.escape.leaks import leaks_of
from gomem.escape.outcome import Cell, Outcome
from gomem.escape.summary import WORLD, Summary, source_order, store_order, type_order
from gomem.escape.universe import Universe
from gomem.escape.verdicts import MARK, Found, Step

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


def pack_verdicts(verdicts: dict[int, Found]) -> Plain:
    return [(site, verdict, reason, [(step.line, step.what) for step in flow], kind) for site, (verdict, reason, flow, kind) in verdicts.items()]


def pack_findings(function: Function, summary: Summary, verdicts: dict[int, Found]) -> bytes:
    """What is reported of a function: the verdicts of its sites, and the parameters that leak."""
    return marshal.dumps((pack_verdicts(verdicts), leaks_of(function.params, summary)))


def unpack_verdicts(plain: Plain, code: Code) -> dict[int, Found]:
    """By the sites' numbers in the file, with its lines."""
    above = code.line - FIRST
    return {
        code.sites[site]: (verdict, _placed(reason, above), tuple(Step(line + above if line else 0, _placed(what, above)) for line, what in flow), kind)
        for site, verdict, reason, flow, kind in plain
    }


def _placed(text: str, above: int) -> str:
    if MARK not in text:
        return text
    pieces = text.split(MARK)
    return "".join(str(int(piece) + above) if number % 2 else piece for number, piece in enumerate(pieces))


def pack_outcome(outcome: Outcome) -> Plain:
    """Without the verdicts, which nobody asks for before the end."""
    return (
        pack_summary(outcome.summary),
        outcome.tangled,
        outcome.how,
        outcome.effort,
        [(pack_cell(cell), value if type(cell) is Function else pack_types(value)) for cell, value in outcome.seen.items()],
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.types.items()],
        [function.key for function in outcome.patched],
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.own.items()],
        [(pack_cell(cell), pack_types(kinds)) for cell, kinds in outcome.strict.items()],
    )


class Unpacker:
    """The inverse, in one universe. Raises KeyError for a name that it does not have. What is seen in cells is the same object for
    all who saw it: there are many."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.by_key = universe.by_key
        self.known: dict[Any, Any] = {}  # cells by what they were packed as, and what is seen in them by itself

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
        found = self.known.get(plain)
        if found is None:
            found = self.known[plain] = self.new_cell(plain)
        return found

    def new_cell(self, plain: Plain) -> Cell:
        if type(plain) is tuple:
            return (self.by_key[plain[0]], plain[1])
        if plain.startswith(("any ", "plain ")):
            how, name, numbers = plain.split(" ")
            return self.universe.merged_of(name, tuple(map(int, numbers.split(","))), how == "plain")
        return self.by_key[plain]

    def outcome(self, plain: Plain) -> Outcome:
        summary, tangled, how, effort, seen, types, patched, own, strict = plain
        return Outcome(
            self.summary(summary),
            tangled,
            how,
            effort,
            {cell: self.known.setdefault(value, value) if type(cell) is Function else self.types(value) for cell, value in ((self.cell(c), v) for c, v in seen)},
            self.cells(types),
            [self.by_key[key] for key in patched],
            b"",
            self.cells(own),
            self.cells(strict),
        )

    def cells(self, plain: Plain) -> dict[Cell, frozenset[Any]]:
        return {self.cell(cell): self.types(kinds) for cell, kinds in plain}
