"""Several processes give the verdicts of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "isolated" / "escape_workers.py"


@pytest.mark.parametrize("case", ["two", "four", "lost", "threads"])
def test_same_verdicts(case: str) -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), case], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
