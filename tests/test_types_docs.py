"""The examples in the documents of the three types: each document's Python blocks run in order, as one program."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
FILES = ["lru.md", "pool.md", "builder.md", "lesson/04-pool.md", "lesson/05-optimisation.md", "lesson/07-lru-cache.md"]


@pytest.mark.parametrize("name", FILES)
def test_examples_run(name, tmp_path):
    text = (DOCS / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    program = tmp_path / "program.py"
    program.write_text("\n".join(blocks), encoding="utf-8")
    subprocess.run([sys.executable, str(program)], check=True, cwd=tmp_path)


@pytest.mark.parametrize("name", [*FILES, "design/lru.md", "design/pool.md", "design/builder.md"])
def test_no_figure_is_missing(name):
    assert "MEASURED_" not in (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_links_lead_somewhere(name):
    page = DOCS / name
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or target == "03-pprof.md", target


def test_the_example_runs():
    program = DOCS.parent / "examples" / "page_cache.py"
    run = subprocess.run([sys.executable, str(program), "200"], check=True, capture_output=True, text=True)
    assert "parsers: 1 made, 199 reused" in run.stdout and "% of requests from" in run.stdout
