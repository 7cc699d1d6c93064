"""Runs the programs of this directory in fresh interpreters, those about the hooks under several allocators."""

import pytest

PROGRAMS = {
    "reentry.py": ("pymalloc", "pymalloc_debug"),
    "code_death.py": ("pymalloc_debug",),
    "earlier_blocks.py": ("pymalloc", "malloc_debug"),
    "start_stop_load.py": ("pymalloc",),
    "fork_under_load.py": ("pymalloc",),
    "native_threads.py": ("pymalloc", "malloc"),
    "thread_exit.py": ("pymalloc",),
    "names.py": ("pymalloc_debug",),
    "export_under_load.py": ("pymalloc",),
    "other_tools.py": ("pymalloc", "malloc"),
    "counts_kept.py": ("pymalloc",),
    "folding.py": ("pymalloc",),
    "growth.py": ("pymalloc",),
    "realloc_race.py": ("pymalloc", "malloc"),
    "exact_sites.py": ("pymalloc", "malloc", "debug"),
    "exact_tracemalloc.py": ("pymalloc", "malloc", "debug"),
}


@pytest.mark.parametrize("program, allocator", [(p, a) for p, allocators in PROGRAMS.items() for a in allocators])
def test_program(run_fresh, program, allocator):
    done = run_fresh(program, PYTHONMALLOC=allocator)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]
    assert done.returncode == 0


@pytest.mark.parametrize("program", ["subinterpreters.py", "greenlets.py", "beside_memray.py"])
def test_program_beside_others(run_fresh, program, tmp_path):
    argument = tmp_path / "said" if program == "subinterpreters.py" else tmp_path
    done = run_fresh(program, str(argument))
    if done.stdout.startswith("skipped: "):
        pytest.skip(done.stdout.strip())
    ours = [line for line in done.stderr.splitlines() if not line.startswith("Memray WARNING: Correcting symbol")]
    assert (done.stdout, ours, done.returncode) == ("fine\n", [], 0)


@pytest.mark.once
@pytest.mark.parametrize("rate", ["4096", "1000"])
def test_estimates_are_unbiased(run_fresh, rate):
    done = run_fresh("unbiased.py", rate)
    assert done.stdout == "fine\n", done.stderr[-2000:]


def test_development_mode_has_nothing_to_say(run_fresh):
    done = run_fresh("names.py", PYTHONDEVMODE="1")
    assert (done.stdout, done.stderr) == ("fine\n", "")
