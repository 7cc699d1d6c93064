"""Whole runs: programs in processes of their own, what comes back, and what is said when nothing does."""

import io
import subprocess
import sys
from dataclasses import dataclass

import pytest
from gomem.cli import main
from gomem.errors import ProfileError, UnsupportedError, UsageError
from gomem.escape.sites import Site
from gomem.escape.verify import Truth, compare, run, write_comparison

LIB = """
CACHE = {}

def work(i):
    x = [i]
    CACHE[i] = x
    return {i: 2}[i]
"""
APP = """
import sys
from lib import work

assert __name__ == "__main__" and sys.argv[1:] == ["a", "b"], sys.argv
work(1)
sys.exit(3)
"""


@dataclass
class Verdict:
    site: Site
    verdict: str
    reason: str = ""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "lib.py").write_text(LIB)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def fates(truth, kind):
    found = [(site, seen) for site, seen in truth.sites.items() if site.kind == kind and seen.fates]
    return {(site.line, site.text): dict(seen.fates) for site, seen in found if site.path.endswith("lib.py")}


def test_a_script(app):
    truth = run([str(app / "app.py"), "a", "b"], [app])
    assert truth.exit_code == 3
    assert fates(truth, "list") == {(5, "[i]"): {"escaped": 1}}
    assert fates(truth, "dict")[7, "{i: 2}"] == {"frame": 1}
    assert set(truth.files) == {str(app / "lib.py"), str(app / "app.py")}


def test_a_module_and_child_processes(app):
    (app / "app.py").write_text(f"import subprocess, lib\nlib.work(1)\nsubprocess.run([{sys.executable!r}, '-c', 'import lib; lib.work(2)'])\n")
    truth = run(["-m", "app"], [app], cwd=app)
    assert truth.processes == 2
    assert fates(truth, "list") == {(5, "[i]"): {"escaped": 2}}


@pytest.mark.once
def test_pytest_as_a_command(app):
    (app / "test_lib.py").write_text("import lib\ndef test_work():\n    assert lib.work(1) == 2\n")
    truth = run(["pytest", "-q", "-p", "no:cacheprovider", str(app)], [app])
    assert truth.exit_code == 0
    assert fates(truth, "dict")[7, "{i: 2}"] == {"frame": 1}


def test_truth_is_the_same_after_saving(app, tmp_path):
    truth = run([str(app / "app.py"), "a", "b"], [app])
    truth.save(tmp_path / "truth.json")
    again = Truth.load(tmp_path / "truth.json")
    assert again == truth
    assert [site.text for site in again.sites] == [site.text for site in truth.sites]


def test_relative_paths(app, monkeypatch, capfd):
    monkeypatch.chdir(app)
    assert main(["escape", "--no-cache", "--no-installed", "--verify", "lib.py", "--", "app.py", "a", "b"]) == 0
    out = capfd.readouterr().out
    assert "sites seen" in out and "no verdict" not in out


def test_comparison(app):
    truth = run([str(app / "app.py"), "a", "b"], [app / "lib.py"])
    sites = {site.text: site for site in truth.sites}
    verdicts = [Verdict(sites["[i]"], "frame"), Verdict(sites["{i: 2}"], "returned", "by work"), Verdict(sites["{}"], "global")]
    comparison = compare(truth, verdicts)
    assert (comparison.precision, comparison.recall, comparison.right_leaves) == (0, 0, 1)
    out = io.StringIO()
    assert write_comparison(truth, comparison, out) == 1
    lines = out.getvalue().splitlines()
    assert lines[0] == f"error: {app}/lib.py:5:9: [i] was said to stay in its frame, but escaped (1 of 1 times), held by dict[1] of lib.CACHE"
    assert lines[1] == f"imprecise: {app}/lib.py:7:12: {{i: 2}} was said to leave (returned: by work), but never did in 1 runs"
    assert "analysis: no verdict for 1 sites that were seen" in lines
    verdicts[0].verdict = "global"
    assert write_comparison(truth, compare(truth, verdicts), io.StringIO()) == 0


@pytest.mark.parametrize(
    ("argv", "roots", "error", "text"),
    [
        ([], ["."], UsageError, "program: got none"),
        (["no-such-command"], ["."], UsageError, "program: no such command: 'no-such-command'"),
        (["no_such.py"], ["."], UsageError, "program: no such file: 'no_such.py'"),
        (["-c", "pass"], ["/no/such"], UsageError, "root: got '/no/such'"),
        (["-c", "pass"], [], UsageError, "root: got 'none'"),
        (["-c", "pass"], ["tests"], UnsupportedError, "imported nothing under"),
    ],
)
def test_bad_input(argv, roots, error, text):
    with pytest.raises(error, match=text):
        run(argv, roots)


def test_not_a_truth(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(ProfileError, match="want a file of gomem escape --verify"):
        Truth.load(tmp_path / "x.json")


def test_syntax_errors_and_odd_modules_run_as_python_runs_them(app):
    (app / "bad.py").write_text("def f(:\n")
    (app / "latin.py").write_bytes("# -*- coding: latin-1 -*-\nx = ['\xe9']\n".encode("latin-1"))
    (app / "app.py").write_text("import latin\nassert latin.x == ['é']\ntry:\n    import bad\nexcept SyntaxError as e:\n    assert e.lineno == 1\n")
    truth = run([str(app / "app.py")], [app])
    assert truth.exit_code == 0
    assert [dict(seen.fates) for site, seen in truth.sites.items() if site.path.endswith("latin.py")] == [{"escaped": 1}]


def test_finalisers_run_at_the_end_of_the_interpreter(app, capfd):
    (app / "app.py").write_text("class A:\n    def __del__(self):\n        print('gone', len([self]))\nlast = A()\n")
    assert run([str(app / "app.py")], [app]).exit_code == 0
    said = capfd.readouterr()
    assert said.out == "gone 1\n" and not said.err


def test_what_runs_in_the_program_needs_the_standard_library_alone():
    code = "import sys; import gomem.escape.verify.hook, gomem.escape.verify.truth; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"], capture_output=True, text=True)
    names = set(eval(loaded.stdout))
    assert names <= sys.stdlib_module_names | {"gomem", "__main__"}, loaded
