"""docs/web.md: its commands and its Python run, its pictures are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from web_profiles import shop

from gomem.cli import main, web
from gomem.pprof.fetch import Sources, fetch_profile
from gomem.report.config import URL_PARAMETERS

pytestmark = pytest.mark.once

DOCUMENT = Path(__file__).parents[2] / "docs" / "web.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


COMMANDS = [
    *(line for block in blocks("sh") for line in block.splitlines()),
    *(command for command in re.findall(r"`(gomem (?:web|svg|flame) [^`|]+)`", TEXT)),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, after in (
        ("mem", True),
        ("before", False),
        ("after", True),
        ("a", True),
        ("b", True),
        ("index.010", False),
        ("index.060", True),
    ):
        shop(after=after).write(f"{name}.prof")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_command(folder, monkeypatch, command):
    served = []
    monkeypatch.setattr(web, "serve_store", lambda store, *_, **__: served.append(store) or 0)
    args = [
        arg
        for word in shlex.split(command)[1:]
        for arg in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    assert main(args) == 0
    if args[0] == "web":
        assert len(served) == 1
    else:
        assert (folder / args[args.index("-o") + 1]).stat().st_size > 1000


@pytest.mark.parametrize("code", blocks("python"))
def test_python(folder, code):
    names = {}
    exec(code, names)
    assert names["html"].startswith("<iframe")


def test_pictures_and_links_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 8 and all((DOCUMENT.parent / link).exists() for link in links)


def test_the_parameters_it_names_exist():
    named = re.search(r"`(si f i [^`]*)` \.\.\.", TEXT)[1].split()
    assert set(named) <= set(URL_PARAMETERS.values()) and {"tr", "tl"} <= set(URL_PARAMETERS.values())


def test_the_example_leaves_a_series(tmp_path):
    example = DOCUMENT.parents[1] / "examples" / "code_index.py"
    done = subprocess.run(
        [sys.executable, example, "6", tmp_path / "index"], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("6 files, ")
    profiles = [fetch_profile(Sources([str(path)]), print) for path in sorted(tmp_path.glob("index.*.prof"))]
    assert len(profiles) == 6 and all(len(profile.samples) for profile in profiles)
