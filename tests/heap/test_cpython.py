"""A bounded slice of CPython's own tests under the profiler; tests/cpython_suite.py runs more of them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(importlib.util.find_spec("test.test_gc") is None, reason="this Python comes without its tests")
def test_cpython_s_own_tests_give_the_same_results():
    suite = Path(__file__).parent.parent / "cpython_suite.py"
    done = subprocess.run([sys.executable, str(suite), "--slice"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": same") == 4
