"""Runs the programs of this directory in fresh interpreters, under Python's own allocator and under its debug one."""

import pytest

PROGRAMS = [
    "reentry.py",
    "code_death.py",
    "earlier_blocks.py",
    "start_stop_load.py",
    "fork_under_load.py",
    "native_threads.py",
    "thread_exit.py",
    "names.py",
    "export_under_load.py",
    "other_tools.py",
    "counts_kept.py",
]


@pytest.mark.parametrize("allocator", ["pymalloc", "pymalloc_debug"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(run_fresh, program, allocator):
    done = run_fresh(program, PYTHONMALLOC=allocator)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]
    assert done.returncode == 0
