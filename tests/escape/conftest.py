"""What tests of what is solved again share."""

from __future__ import annotations

import pytest

from gomem.escape import outcome


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the functions that were solved."""
    names: list[str] = []
    run = outcome.Interpreter.run

    def note(self: outcome.Interpreter, how: int) -> None:
        names.append(self.code.name)
        run(self, how)

    monkeypatch.setattr(outcome.Interpreter, "run", note)
    return names
