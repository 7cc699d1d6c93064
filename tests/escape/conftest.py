"""What tests of what is solved again share."""

from __future__ import annotations

import pytest

from gomem.escape import engine, outcome, replay
from gomem.escape.entities import Function
from gomem.escape.outcome import Outcome
from gomem.escape.universe import Universe


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the functions that were solved."""
    names: list[str] = []

    def note(universe: Universe, function: Function, stage: int, how: int) -> Outcome:
        names.append(function.code.name)
        return outcome.solve(universe, function, stage, how)

    for module in (engine, replay):
        monkeypatch.setattr(module, "solve", note)
    return names
