"""The collector beside what else a program may do; beside.py has the programs, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import beside
import pytest

import gomem.gc

PROGRAM = Path(beside.__file__)
NAMES = [part.__name__ for part in beside.PARTS]
STATUS = {0: 3, 1: 1, 2: 0}  # what leave() leaves with, by phase modulo 3

pytestmark = pytest.mark.skipif(gomem.gc.unsupported() is not None, reason=str(gomem.gc.unsupported()))


def run(*words):
    return subprocess.run([sys.executable, "-X", "faulthandler", PROGRAM, *words], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("name", NAMES)
def test_a_program(name):
    done = run(name, "0.2")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_program_for_long(name):
    done = run(name, "30")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("phase", range(1, len(gomem.gc.PHASES)))
def test_the_interpreter_ends_in_mid_cycle(phase):
    done = run("leave", str(phase))
    assert done.returncode == STATUS[phase % 3], done.stderr
    assert sorted(map(int, done.stdout.split())) == list(range(700)), len(done.stdout.split())
    assert (done.stderr == "") == (phase % 3 != 1), done.stderr
