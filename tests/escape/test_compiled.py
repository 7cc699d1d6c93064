"""The solver, which is compiled where gomem is installed, beside the same modules as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml
from pathlib import Path

import pytest

import gomem
from gomem.escape import analyse, solve

PACKAGE = Path(gomem.__file__).parent
DEEP = 20_000
NESTED = {
    "a sum": "+".join(["a"] * DEEP),
    "attributes": "a" + ".b" * DEEP,
    "calls": "a" + ".b()" * DEEP,
    "lists": "[" * 150 + "a" + "]" * 150,
    "conditions": "a if a else " * DEEP + "a",
}


@pytest.mark.skipif(not str(solve.__file__).endswith(".so"), reason="the solver is not compiled")
def test_both_forms_say_the_same(tmp_path: Path) -> None:
    def leave_out(directory: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(directory).name == "escape" and name.endswith(".so")]

    shutil.copytree(PACKAGE, tmp_path / "plain" / "gomem", ignore=leave_out)
    program = (
        "import sys; from gomem.escape import analyse, disk, solve; found = analyse([sys.argv[1]])\n"
        "print(found.verdicts, found.leaks, disk.own_version())\n"
        "print(solve.__file__, file=sys.stderr)"
    )
    said = {}
    for path in (str(PACKAGE.parent), str(tmp_path / "plain")):
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", program, Path(xml.__file__).parent], cwd=tmp_path, env=environment, capture_output=True, text=True)
        said[done.stderr.rstrip().rpartition(".")[2]] = done.stdout
    assert said.keys() == {"so", "py"}
    assert said["so"] == said["py"] != ""


@pytest.mark.parametrize("what", NESTED)
def test_what_is_nested_deep_is_solved_or_skipped(what: str, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def f(a):\n    return [a]\n")
    (tmp_path / "nested.py").write_text(f"def f(a):\n    return {NESTED[what]}\n")
    found = analyse([tmp_path])
    assert [Path(verdict.site.path).name for verdict in found.verdicts].count("plain.py") == 2
    assert len(found.skipped) == (what != "lists")


def test_names_that_lead_far(tmp_path: Path) -> None:
    """What C would go deep for: names that are imported from module to module, and classes that derive from each other."""
    for number in range(200):
        (tmp_path / f"m{number}.py").write_text(f"from m{number + 1} import *\n")
    classes = "".join(f"class C{number}(C{number - 1}):\n    pass\n" for number in range(1, 200))
    (tmp_path / "m200.py").write_text(f"class C0:\n    def f(self, x):\n        self.x = x\n{classes}")
    (tmp_path / "last.py").write_text("from m0 import C199\n\ndef f():\n    C199().f([])\n")
    found = {verdict.site.text: verdict.verdict for verdict in analyse([tmp_path]).verdicts if verdict.site.path.endswith("last.py")}
    assert found["[]"] == "frame"
