"""The stubs: they say what the package has (mypy's stubtest), and a checker finds the mistakes of typed_use.py."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gomem

pytest.importorskip("mypy")
pytestmark = pytest.mark.once
HERE = Path(__file__).parent
STUBS = Path(gomem.__file__).parent


def run(module, tmp_path, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)


def test_stubs_agree_with_the_package(tmp_path):
    modules = [f"gomem.{path.stem}" for path in STUBS.glob("*.pyi") if path.stem not in ("__init__", "_core")]
    assert len(modules) == 4
    done = run("mypy.stubtest", tmp_path, *sorted(modules))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_exports_what_its_stub_does():
    tree = ast.parse((STUBS / "__init__.pyi").read_text())
    imported = {name.asname for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    listed = next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert listed == gomem.__all__
    assert imported == {*gomem.__all__, *gomem._MODULES, "load_ipython_extension", "unload_ipython_extension"}


def test_a_checker_finds_the_mistakes_and_no_others(tmp_path):
    source = HERE / "typed_use.py"
    wanted = {number for number, line in enumerate(source.read_text().splitlines(), 1) if line.endswith("# error")}
    done = run("mypy", tmp_path, "--strict", "--no-error-summary", "--hide-error-context", str(source))
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert found == wanted, done.stdout


def test_the_escape_analysis_agrees_with_its_annotations(tmp_path):
    sources = HERE.parent / "src" / "gomem" / "escape"  # installed, mypy takes all that lies beside it for sources
    done = run("mypy", tmp_path, "--follow-imports=silent", "--no-error-summary", str(sources))
    assert done.returncode == 0, done.stdout + done.stderr
