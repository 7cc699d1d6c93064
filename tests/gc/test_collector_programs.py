"""The collector in processes of its own: what a program may do to it, and the first seeds of the fuzzer."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import gomem.gc

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(gomem.gc.unsupported() is not None, reason=str(gomem.gc.unsupported()))


def run(*words):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=400)


def test_hostile_programs():
    done = run("-X", "faulthandler", str(HERE / "hostile.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-1] == "counters_stay_in_range"


def test_a_slice_of_the_fuzzer():
    done = run(str(HERE / "fuzz.py"), "--seeds", "120")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    "name",
    ["fair", "large_and_young", "as_young_as_before", "recent_is_young_again", "recent_and_old_garbage", "too_many_are_old", "old_and_large", "goes_on_after_a_failure"],
)
def test_a_program(name):
    for _ in range(3 if "large" in name else 1):  # on a busy machine the worker may not run in time to see memory grow
        done = run(str(HERE / "programs.py"), name)
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr


def programs_of(file):
    done = subprocess.run([sys.executable, str(HERE / file)], capture_output=True, text=True)
    return [(file, name) for name in done.stdout.split()]


@pytest.mark.parametrize(("file", "name"), programs_of("apart.py") + programs_of("leaves.py"))
def test_what_a_component_and_its_leaves_do(file, name):
    done = run("-X", "faulthandler", "-X", "dev", str(HERE / file), name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(importlib.util.find_spec("test.test_gc") is None, reason="this Python comes without its tests")
def test_cpython_s_own_tests_give_the_same_results():
    done = run(str(HERE.parent / "cpython_suite.py"), "--gc", "--slice")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": same") == 3
