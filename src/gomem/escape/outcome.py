"""What comes of solving one function once: a value that depends on nothing but the function and what it looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gomem.escape.effects import give_up, join, summarize, widen
from gomem.escape.entities import NO_TYPES, Function
from gomem.escape.findings import pack_findings
from gomem.escape.interpret import COARSE, EXACT, GIVEN_UP, Interpreter
from gomem.escape.summary import Summary
from gomem.escape.universe import Universe
from gomem.escape.verdicts import judge

_EXACT_EFFORT = 20  # tenths of the budget that exact attempts at a function may take together,
_EFFORT = 40  # and all attempts
PLAIN, JOINED, WIDENED, WORST = range(4)  # how exactly the function is described; from JOINED on it may only grow
Cell = Any  # something that a function looks at: a function (what a call of it does), or (owner, name): the types of an attribute


@dataclass(slots=True)
class Outcome:
    """``how`` the function was attempted, and what ``effort`` that took, in tenths of the budget. ``seen``: the value of each cell
    when it was first looked at. ``types``: of attributes, as the function found them. ``patched``: functions that it replaces.
    ``findings``: what is reported of it, if that is known.

    Of attributes that the function has a part in: ``own`` are the types among those seen that it had put there itself before it
    looked; ``strict`` what was there before, if after it had looked it found more."""

    summary: Summary
    tangled: bool
    how: int
    effort: int
    seen: dict[Cell, Any]
    types: dict[tuple[Any, str], frozenset[Any]]
    patched: list[Function]
    findings: bytes = b""
    own: dict[Cell, frozenset[Any]] = field(default_factory=dict)
    strict: dict[Cell, frozenset[Any]] = field(default_factory=dict)


def attempt(function: Function) -> int:
    """How the function is to be solved next: one that has taken much work so far with less told apart, or not at all."""
    return EXACT if function.effort < _EXACT_EFFORT else COARSE if function.effort < _EFFORT else GIVEN_UP


def solve(universe: Universe, function: Function, stage: int, how: int) -> Outcome:
    """Changes nothing that another function could see."""
    solved = Interpreter(universe, function)
    solved.run(how)
    verdicts = judge(solved)
    if solved.tangled or stage == WORST:
        summary = give_up(len(function.params))
    else:
        summary = summarize(solved)
        if stage >= JOINED:
            summary = join(function.summary, summary)
        if stage >= WIDENED:
            summary = widen(summary)
    findings = pack_findings(function, summary, verdicts)
    solved.undo()
    solved.code.forget()
    seen = {cell: value_of(universe, cell) if type(cell) is Function else value for cell, value in solved.deps.items()}
    types = {cell: frozenset(kinds) for cell, kinds in solved.written.items()}
    own = {cell: frozenset(kinds) for cell, kinds in solved.own.items() if cell in seen}
    return Outcome(summary, solved.tangled, how, solved.effort, seen, types, sorted(solved.patched, key=lambda patched: patched.key), findings, own, solved.strict)


def value_of(universe: Universe, cell: Cell) -> Any:
    """What a looker sees now."""
    if type(cell) is not Function:
        return cell[0].attributes.get(cell[1], NO_TYPES)
    if cell.outdated:
        universe.merge_again(cell)
    return (cell.summary.digest(), cell.opaque)
