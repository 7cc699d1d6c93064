"""Verdicts beside a heap profile, in programs of their own: ``gomem escape --profile``, ``gomem list --escape``, ``--verify``."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
KEPT = []

def work(n):
    for i in range(n):
        KEPT.append([i] * 100)
        scratch = [i, i]
    return len(scratch)

if __name__ == "__main__":
    work(200)
"""


def gomem(directory, *args):
    command, env = [sys.executable, "-m", "gomem", *map(str, args)], os.environ | {"XDG_CACHE_HOME": str(directory / "cache")}
    return subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    directory = tmp_path_factory.mktemp("profiled")
    (directory / "program.py").write_text(PROGRAM)
    done = gomem(directory, "run", "--rate=1", "-o", "mem.prof", "program.py")
    assert done.returncode == 0, done.stderr
    return directory


def test_the_heaviest_line_stands_first_with_its_verdicts(profiled):
    done = gomem(profiled, "escape", "--no-cache", "--profile", "mem.prof", "program.py")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.endswith("program.py:6")
    assert rest[:3] == [f"{'':20}{text}" for text in (
        "KEPT.append([i] * 100) does not escape",
        "[i] * 100 escapes: stored in KEPT (global)",
        "[i] does not escape",
    )]  # fmt: skip


def test_a_wrong_sample_index_is_named(profiled):
    done = gomem(profiled, "escape", "--no-cache", "--profile", "mem.prof", "--sample-index", "nonsense", "program.py")
    assert done.returncode == 2 and "nonsense" in done.stderr


def test_list_shows_verdicts_only_when_asked(profiled):
    plain = gomem(profiled, "list", "work", "mem.prof")
    asked = gomem(profiled, "list", "--escape", "work", "mem.prof")
    assert asked.returncode == plain.returncode == 0, asked.stderr
    added = [line for line in asked.stdout.splitlines() if line not in plain.stdout.splitlines()]
    assert [line for line in asked.stdout.splitlines() if line not in added] == plain.stdout.splitlines()
    assert f"{'':30}^ [i, i] does not escape" in added
    assert f"{'':30}^ [i] * 100 escapes: stored in KEPT (global)" in added


def test_verify_runs_the_program_and_agrees(profiled):
    done = gomem(profiled, "escape", "--no-cache", "--verify", "program.py", "--", "program.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout


def test_list_reads_the_package_of_a_listed_file(tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "prices.py").write_text("def total(rows):\n    return sum(rows)\n")
    (package / "__main__.py").write_text("from shop.prices import total\n\ndef bill():\n    return total([1.5] * 50_000)\n\nbill()\n")
    done = gomem(tmp_path, "run", "--rate=1", "-o", "mem.prof", "-m", "shop")
    assert done.returncode == 0, done.stderr
    done = gomem(tmp_path, "list", "--escape", "-sample_index=alloc_space", "bill", "mem.prof")
    assert f"{'':30}^ [1.5] * 50_000 does not escape" in done.stdout.splitlines(), done.stdout + done.stderr
