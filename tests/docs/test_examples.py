"""The examples of the README and of the heap profiler's pages run and print what the page says; others have tests of
their own, and no page with examples has none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fenced import Block, blocks, commands, difference

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / name
    for name in (
        *("README.md", "docs/heap.md", "docs/design/sampling.md", "docs/escape.md", "docs/gc.md"),
        *("docs/lesson/01-stack-and-heap.md", "docs/lesson/02-garbage-collection.md", "docs/lesson/03-profiling.md"),
        "docs/lesson/06-escape-analysis.md",
    )
]


def scene(directory):
    """A directory with the examples, and an environment in which python and gomem are those of this interpreter."""
    (directory / "examples").symlink_to(ROOT / "examples")
    (directory / "docs").symlink_to(ROOT / "docs")
    programs = directory / ".bin"
    programs.mkdir()
    for name in ("python", "python3"):
        (programs / name).symlink_to(sys.executable)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(programs), os.environ["PATH"]])
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GOMEM"))},
        "PATH": path,
        "PPROF_TMPDIR": str(directory / "pprof"),
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }


def output(words, directory, environment, text=None):
    done = subprocess.run(
        words, cwd=directory, env=environment, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    return done.stdout.splitlines()


def run_document(path, directory):
    """Complaints about a document's examples, each with its place."""
    environment = scene(directory)
    complaints = []
    printed: list[str] | None = None
    for block in blocks(path):
        where = f"{path.relative_to(ROOT)}:{block.line}"
        if block.note.startswith("skip"):
            printed = None
        elif block.note.startswith("file "):
            (directory / block.note.split()[1]).write_text(block.body)
        elif block.language == "console":
            for command, wanted in commands(block.body):
                got = output(["bash", "-c", command], directory, environment)
                problem = difference(wanted, got)
                if problem:
                    complaints.append(f"{where}: $ {command}: {problem}\n" + "\n".join(got[:60]))
        elif block.language == "python":
            printed = output([sys.executable, "-"], directory, environment, block.body)
            if any(line.startswith("Traceback") for line in printed):
                complaints.append(f"{where}: " + "\n".join(printed))
            continue
        elif block.language == "text" and printed is not None:
            problem = difference(block.body.splitlines(), printed)
            if problem:
                complaints.append(f"{where}: {problem}\n" + "\n".join(printed[:60]))
        printed = None
    return complaints


@pytest.mark.parametrize("path", [DOCUMENTS[0], *(pytest.param(path, marks=pytest.mark.once) for path in DOCUMENTS[1:])], ids=lambda path: str(path.relative_to(ROOT)))
def test_document(path, tmp_path):
    complaints = run_document(path, tmp_path)
    assert not complaints, "\n".join(complaints)


def test_every_page_with_examples_is_run_by_some_test():
    tests = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))
    pages = [path for path in ROOT.glob("docs/**/*.md") if any(b.language in ("python", "console") for b in blocks(path))]
    assert not [path for path in pages if path not in DOCUMENTS and path.stem not in tests]


def test_the_runner_finds_blocks_and_notes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text\n\n<!-- test: skip because -->\n```console\n$ x\n```\n\n```python\nprint(1)\n```\n```text\n1\n```\n")
    assert blocks(page) == [
        Block("console", "$ x\n", "skip because", 5),
        Block("python", "print(1)\n", "", 9),
        Block("text", "1\n", "", 12),
    ]


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("  10.0MB 50.0%  f app.py:7", "9.1MB 45.5% f app.py:7"),
        ("1MB in all", "900kB in all"),
        ("wrote mem...", "wrote mem.prof"),
        ("5 samples", "17 samples"),
    ],
)
def test_the_runner_allows_for_sampling(wanted, got):
    assert not difference([wanted], [got])


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        (["10MB f"], ["4MB f"]),
        (["10MB f"], ["10MB g"]),
        (["f app.py:7"], ["f app.py:8"]),
        (["50.0% f"], ["10.0% f"]),
        (["a", "b"], ["a"]),
        (["a"], ["a", "b"]),
        (["a", "...", "c"], ["a", "b"]),
    ],
)
def test_the_runner_can_fail(wanted, got):
    assert difference(wanted, got)
