"""Fixtures for every part: running programs in a fresh interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "isolated"
# A shell without job control starts its background jobs with SIGINT ignored, and that would be handed down.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HANG_SECONDS = 120  # far above what any of the programs takes: reaching it means a deadlock


@pytest.fixture
def run_fresh() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program of tests/isolated, or ``-c`` and code, in a fresh interpreter; a hang fails the test."""

    def run(*words: str, cwd: Path | None = None, stdin: str = "", **environment: str):
        if (PROGRAMS / words[0]).is_file():
            words = (str(PROGRAMS / words[0]), *words[1:])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOMEM", "PYTHONMALLOC", "PYTHONDEVMODE"))}
        return subprocess.run(
            [sys.executable, "-X", "faulthandler", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            cwd=cwd,
            env={**kept, **environment},
        )

    return run


def pytest_collection_modifyitems(config, items):
    """Long tests run where ``-m`` names them."""
    if "slow" not in config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
