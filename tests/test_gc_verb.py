"""``gomem gc`` compares two runs of a program; ``gomem run --gc`` and GOMEM_GC bring the collector into one."""

from __future__ import annotations

import json
import sys

import pytest

import gomem.gc
from gomem.report import pauses, pauses_page
from gomem.report.pauses import Pause, Run

supported = pytest.mark.skipif(gomem.gc.unsupported() is not None, reason=str(gomem.gc.unsupported()))

# Old garbage enough for a full collection of CPython's, and for a cycle of ours.
CHURN = """
import gc, sys
gc.set_threshold(200, 5, 5)

class Node:
    def __init__(self, i):
        self.me = self
        self.items = [self, {"i": i}]

old = [{"i": [i]} for i in range(30000)]
slots = [None] * 500
for i in range(25000):
    slots[i % 500] = Node(i)
print("arguments", *sys.argv[1:])
"""
ASK = "import gomem.gc, os; s = gomem.gc.stats(); print(s.enabled, s.goal, sorted(n for n in os.environ if 'GCRECORD' in n))"


@pytest.fixture
def gomem_on(run_fresh, tmp_path):
    """Runs a gomem verb on a program's text."""

    def run(text: str, *words: str, args: tuple[str, ...] = (), **more: str):
        (tmp_path / "program.py").write_text(text)
        return run_fresh("-m", "gomem", *words, "program.py", *args, cwd=tmp_path, **more)

    return run


@supported
def test_both_runs_side_by_side(gomem_on, tmp_path):
    done = gomem_on(CHURN, "gc", "--json", "--html", "page.html", args=("--port", "80"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("arguments --port 80\n") == 2
    stock, concurrent = json.loads(done.stdout)
    assert (stock["name"], concurrent["name"]) == ("stock", "concurrent")
    kinds = [{pause["kind"] for pause in run["pauses"]} for run in (stock, concurrent)]
    assert kinds == [{"young", "full"}, {"young", "slice"}]
    assert stock["cycles"] == 0 < concurrent["cycles"]
    for run in (stock, concurrent):
        assert run["peak_bytes"] > 10_000_000 and len(run["memory"]) > 2
        assert sum(run["pauses_us"].values()) == sum(pause["count"] for pause in run["pauses"])
        assert 0 < run["longest_cpu_s"]["any"] < run["wall_s"]
        assert all(0 <= pause["at"] <= run["wall_s"] for pause in run["pauses"])
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 2 and page.count("<polyline") == 2 and "http" not in page


@supported
def test_text_for_a_terminal(gomem_on):
    done = gomem_on(CHURN, "gc", "--quiet")
    assert done.returncode == 0 and "arguments" not in done.stderr + done.stdout
    for line in ("longest pause, CPU", "  full collection", "peak memory", "pauses by CPU time", "resident memory over"):
        assert line in done.stdout


@supported
@pytest.mark.parametrize("ending, status", [("sys.exit(7)", 7), ("1 / 0", 1), ("import os; os.kill(os.getpid(), 15)", 128 + 15)])
def test_the_program_s_exit_status(gomem_on, ending, status):
    done = gomem_on(f"import sys\n{ending}\n", "gc")
    assert done.returncode == status
    assert f"{'exit status':<22}" in done.stdout


@supported
def test_what_dies_without_python_s_exit_leaves_its_records(gomem_on):
    done = gomem_on(CHURN + "\nimport os; os._exit(3)", "gc", "--json")
    stock, concurrent = json.loads(done.stdout)
    assert done.returncode == 3 and len(stock["pauses"]) >= 50 and concurrent["pauses"]


@supported
def test_interrupted_after_some_seconds(gomem_on):
    done = gomem_on("import time\nwhile True: time.sleep(0.01)\n", "gc", "--seconds", "0.5")
    assert done.returncode == 0, done.stderr


@supported
def test_standard_input_from_a_file_is_read_twice(gomem_on, tmp_path):
    import subprocess

    (tmp_path / "program.py").write_text("import sys; print('got', len(sys.stdin.read()))")
    (tmp_path / "input").write_text("12345")
    with open(tmp_path / "input") as file:
        words = [sys.executable, "-m", "gomem", "gc", "program.py"]
        done = subprocess.run(words, stdin=file, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr.count("got 5\n") == 2


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["gc"], "program: got none"),
        (["gc", "no.py"], "no such file: 'no.py'"),
        (["gc", "-m", "no_such"], "no module named 'no_such'"),
        (["gc", "--nonsense", "x.py"], "--nonsense"),
        (["gc", "--seconds", "0", "x.py"], "--seconds: got 0.0"),
        (["gc", "--html", "/no/such/x.html", "x.py"], "--html: cannot write"),
        (["gc", "--settings", "speed=9", "x.py"], "got 'speed=9'"),
        (["gc", "--settings", "percent=0", "x.py"], "percent: got 0.0"),
        (["run", "--gc=limit=much", "x.py"], "size: got 'much'"),
        (["run", "--no-profile", "x.py"], "--no-profile: got it without --gc"),
    ],
)
@supported
def test_bad_input_costs_one_line(run_fresh, tmp_path, words, complaint):
    (tmp_path / "x.py").write_text("")
    done = run_fresh("-m", "gomem", *words, cwd=tmp_path)
    assert done.returncode == 2 and complaint in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.py"]


def test_help_has_examples(run_fresh):
    done = run_fresh("-m", "gomem", "gc", "--help")
    assert done.returncode == 0 and "examples:" in done.stdout and "exit status" in done.stdout


@supported
def test_run_with_the_collector(gomem_on, tmp_path):
    done = gomem_on(ASK, "run", "--no-summary", "--gc=percent=50")
    assert done.returncode == 0 and done.stdout.startswith("True "), done.stderr
    assert (tmp_path / "mem.prof").exists()


@supported
def test_run_with_the_collector_alone(gomem_on, tmp_path):
    done = gomem_on(ASK, "run", "--gc", "--no-profile")
    assert done.stdout.startswith("True ") and done.stdout.rstrip().endswith("[]"), done.stderr
    assert not (tmp_path / "mem.prof").exists()


@supported
def test_run_without_it_leaves_the_collector_alone(gomem_on):
    assert gomem_on(ASK, "run", "--no-summary").stdout.startswith("False ")


@supported
@pytest.mark.parametrize("words", [("-c", f"import gomem.auto; {ASK}"), ("-m", "gomem", "run", "--no-summary", "ask.py")])
def test_the_environment_variable(run_fresh, tmp_path, words):
    (tmp_path / "ask.py").write_text(ASK)
    assert run_fresh(*words, cwd=tmp_path, GOMEM_GC="1").stdout.startswith("True ")
    assert run_fresh(*words, cwd=tmp_path, GOMEM_GC="0").stdout.startswith("False ")
    wrong = run_fresh(*words, cwd=tmp_path, GOMEM_GC="speed=9")
    assert wrong.returncode == 0 and wrong.stdout.startswith("False ") and "got 'speed=9'" in wrong.stderr


@supported
def test_a_trace_line_a_cycle(run_fresh, tmp_path):
    (tmp_path / "churn.py").write_text(CHURN)
    done = run_fresh("-m", "gomem", "run", "--gc", "--no-profile", "churn.py", cwd=tmp_path, GOMEM_GCTRACE="1")
    assert done.returncode == 0 and done.stderr.startswith("gc 1 @"), done.stderr


def test_reports_of_runs_made_by_hand():
    stock = Run("stock", 0, 2.0, 1.0, [Pause(1.0, "full", 0.5, 0.6), Pause(0.5, "young", 0.0001, 0.0001)], [(0.1, 1 << 20), (1.9, 4 << 20)])
    ours = Run("concurrent", 0, 2.0, 1.0, [Pause(1.0, "slice", 0.001024, None, 7)], [(0.1, 2 << 20)], 3, 0.0009)
    assert (stock.longest(), stock.longest("young"), ours.longest(), ours.longest("slice"), stock.peak) == (0.5, 0.0001, 0.0009, 0.0009, 4 << 20)
    assert pauses.buckets(stock.pauses) == {128: 1, 1 << 19: 1} and pauses.buckets(ours.pauses) == {1024: 7}
    shown = pauses.text([stock, ours])
    assert "500ms" in shown and "900us" in shown and "4MB" in shown
    assert "full: 500ms of CPU" in pauses_page.draw([stock, ours], "app.py <x>") and "<x>" not in pauses_page.draw([stock, ours], "app.py <x>")
    nothing = Run("stock", 0, 0.0, 0.0, [], [])
    assert "no collection ran" in pauses.text([nothing, nothing]) and pauses_page.draw([nothing, nothing], "x")
