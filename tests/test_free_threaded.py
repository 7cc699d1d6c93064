"""A free-threaded build of CPython is refused by the compiler, in one sentence."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

CORE = Path(__file__).parents[1] / "core"


@pytest.mark.once
@pytest.mark.skipif(shutil.which("cc") is None or not CORE.is_dir(), reason="wants a C compiler and the sources")
@pytest.mark.parametrize("source", ["lru.c", "pool.c", "builder.c", "heap.c", "collector.c"])
def test_free_threaded_builds_are_refused(source):
    command = ["cc", "-fsyntax-only", "-std=c11", f"-I{CORE}", f"-I{sysconfig.get_paths()['include']}", str(CORE / source)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    refused = subprocess.run([*command, "-DPy_GIL_DISABLED=1"], capture_output=True, text=True)
    assert refused.returncode != 0 and "does not support free-threaded builds of CPython" in refused.stderr
