"""What a function too tangled to analyse may do is not forgotten."""

from pathlib import Path

import pytest

from gomem.escape import analyse, solve

PROGRAM = """
KEPT = []
class Quiet:
    def put(self, item): pass
class Loud:
    def put(self, item): KEPT.append(item)
class Box:
    other = Quiet()
    def __init__(self): self.sink = Quiet()
    def attribute(self, n): self.sink.put([n])
    def of_the_class(self, n): self.other.put([n])
SINK = Quiet()
def of_the_module(n): SINK.put([n])
def quiet(item): pass
def replaced(n): quiet([n])
def tangled(box: Box, n):
    global SINK, quiet
    sink = Quiet()
    def variable(n): sink.put([n])
    rows = [n]
    for row in rows:
        {work}
    box.sink = Box.other = SINK = sink = Loud()
    quiet = KEPT.append
    return variable
"""


def test_what_it_assigns_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("{work}", "; ".join(f"rows.append([rows, {number}, row])" for number in range(40))))
    monkeypatch.setattr(solve, "BUDGET", 60)
    monkeypatch.setattr(solve, "BUDGET_OPERATION", 1)
    found = {verdict.site.function: verdict for verdict in analyse([path]).verdicts if verdict.site.text in ("[n]", "Loud()")}
    assert "too tangled" in found.pop("tangled").reason
    assert len(found) == 5
    assert not [function for function, verdict in found.items() if verdict.verdict == "frame"]


def test_a_long_chain_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    classes = ["class C0:\n    def put(self, n): return [n]\n", *(f"class C{number}(C{number - 1}): pass\n" for number in range(1, 1500))]
    path.write_text("".join(classes) + "def put_by_the_last(n): C1499().put([n])\n")
    found = {verdict.site.text: verdict.verdict for verdict in analyse([path]).verdicts}
    assert found["C1499()"] == "frame"
