"""``gomem escape`` from the outside: lines, JSON, SARIF, HTML, libraries, what it refuses."""

import json

import pytest

from gomem.cli import main
from gomem.errors import UsageError
from gomem.escape import analyse
from gomem.escape.summary import parse_library

PROGRAM = "def keep(box, n):\n    box.value = [n]\n    return len([n])\n"


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def run(capsys, *args):
    code = main(["escape", "--no-cache", *map(str, args)])
    return code, *capsys.readouterr()


def test_lines(program, capsys):
    code, out, err = run(capsys, program)
    assert code == 0
    assert out.splitlines() == [
        f"{program}:1: leaking param: n to box.value",
        f"{program}:2:17: [n] escapes: stored in box.value (argument)",
        f"{program}:3:12: len([n]) escapes: returned",
        f"{program}:3:16: [n] does not escape",
    ]
    assert err.startswith("1 files, 4 lines, 4 sites: 1 stay in their frame; ")


def test_json_has_an_object_per_site(program, capsys):
    _, out, _ = run(capsys, "--json", program)
    found = [json.loads(line) for line in out.splitlines()]
    assert [(item["line"], item["kind"], item["verdict"], item["type"]) for item in found[1:]] == [
        (2, "list", "argument", "list"),
        (3, "call", "returned", None) if found[2]["type"] is None else (3, "call", "returned", "int"),
        (3, "list", "frame", "list"),
    ]


def test_sarif_has_what_escapes_and_its_flow(program, capsys, tmp_path):
    run(capsys, "--sarif", tmp_path / "found.sarif", program)
    log = json.loads((tmp_path / "found.sarif").read_text())
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert "frame" not in {result["ruleId"] for result in results}
    assert results[1]["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert results[1]["codeFlows"][0]["threadFlows"][0]["locations"]


def test_html_is_the_source_with_verdicts(program, capsys, tmp_path):
    run(capsys, "--html", tmp_path / "page.html", program)
    page = (tmp_path / "page.html").read_text()
    assert "box.value = [n]" in page and "[n] does not escape" in page
    assert "<script" not in page and "http" not in page


def test_what_cannot_be_read_is_skipped_and_said(program, capsys):
    (program.parent / "broken.py").write_text("def (")
    (program.parent / "bytes.py").write_bytes(b"x = '\xff'")
    code, out, err = run(capsys, program.parent)
    assert code == 0 and err.count("skipped") == 2 and "does not escape" in out


def test_nothing_readable_is_exit_2(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("def (")
    code, _, err = run(capsys, tmp_path)
    assert code == 2 and "no file that could be read" in err
    assert run(capsys, tmp_path / "missing")[0] == 2


def test_a_library_of_the_user_is_believed(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("import fast\n\ndef f(n):\n    q = fast.Queue([n])\n    q.put([n, n])\n    fast.keep({n})\n    return 1\n")
    library = tmp_path / "fast.txt"
    library.write_text(
        "module fast\nclass Queue\n  def __init__(self, items=): self.* <- items.*\n  def put(self, item): self.* <- item\n"
        "def keep(x): leaks x\n"
    )
    verdicts = {v.site.text: v.verdict for v in analyse([path], libraries=[library]).verdicts}
    assert verdicts["[n, n]"] == verdicts["[n]"] == "frame" and verdicts["{n}"] == "global"
    assert {v.site.text: v.verdict for v in analyse([path]).verdicts}["[n, n]"] != "frame"


@pytest.mark.parametrize("line", ["def f(x) -> y", "  nonsense", "def f(x): calls x", "class ("])
def test_a_wrong_library_line_is_named(line):
    with pytest.raises(UsageError, match="lib.txt:2: "):
        parse_library(f"module m\n{line}\n", "lib.txt")


def test_several_processes_read_the_same(tmp_path):
    for number in range(30):
        (tmp_path / f"m{number}.py").write_text(PROGRAM)
    assert analyse([tmp_path], jobs=2).verdicts == analyse([tmp_path]).verdicts


def test_steps_stand_where_they_happen(tmp_path):
    path = tmp_path / "steps.py"
    path.write_text("x = 1\n\n\ndef f(rows):\n    class Local:\n        pass\n\n    rows.append(Local())\n")
    (local,) = [verdict for verdict in analyse([path]).verdicts if verdict.site.text == "class Local"]
    assert [step.line for step in local.flow] == [4, 8]
