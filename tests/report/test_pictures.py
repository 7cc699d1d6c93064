"""-svg, -web, -weblist and -flame: where they go, and what a browser is given to open."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from gomem.pprof import ProfileBuilder

pytestmark = pytest.mark.once


@pytest.fixture
def folder(tmp_path):
    """A profile, its source, and a browser that notes what it is asked to open."""
    source = tmp_path / "a b" / "app.py"
    source.parent.mkdir()
    source.write_text("".join(f"line_{i} = '<{i}>'\n" for i in range(1, 30)))
    builder = ProfileBuilder([("inuse_space", "bytes")])
    mapping = builder.mapping(1, 2, 0, "/usr/bin/app")
    leaf, root, lost = (
        builder.location(mapping, 0, [(builder.function(name, name, file, 5), line)])
        for name, file, line in (("load<T>", str(source), 7), ("main", str(source), 20), ("lost", "/none/gone.py", 3))
    )
    builder.sample([leaf, root], [3 << 20])
    builder.sample([lost, root], [1 << 20])
    builder.build().write(tmp_path / "mem.pb.gz")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    return tmp_path


def gomem(folder: Path, *args: str, browser: bool = True, stdin: str = "") -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": "/none", "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "BROWSER": str(folder / "browser")}
    (folder / "tmp").mkdir(exist_ok=True)
    if not browser:
        environment["BROWSER"] = "/none/browser"
    command = [sys.executable, "-m", "gomem", "pprof", *args, "mem.pb.gz"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, input=stdin, timeout=60)


def opened(folder: Path) -> list[Path]:
    return [Path(unquote(urlsplit(line).path)) for line in (folder / "opened").read_text().splitlines()]


class Texts(HTMLParser):
    """A document's text, and proof that its tags are balanced."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and not {"style", "script"} & set(self.open):
            self.cells.append(data)


def test_web_opens_the_graph_from_the_temporary_directory(folder):
    done = gomem(folder, "-web")
    assert done.returncode == 0, done.stderr
    (path,) = opened(folder)
    assert path.parent == folder / "tmp"
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert "load" in path.read_text()


def test_weblist_shows_the_lines_of_list(folder):
    done = gomem(folder, "-weblist=load|lost")
    assert done.returncode == 0, done.stderr
    (path,) = opened(folder)
    parser = Texts()
    parser.feed(path.read_text())
    assert parser.open == []
    listed = gomem(folder, "-list=load|lost").stdout
    for line in listed.splitlines():
        if ":line_" in line:  # flat, cum, number:text
            figures, text = line.split(":", 1)
            *weights, number = figures.split()
            assert number in parser.cells
            assert text in parser.cells
            assert all(weight in parser.cells for weight in weights if weight != ".")
    assert "load<T>" in parser.cells
    assert any("gone.py" in cell and cell != "/none/gone.py" for cell in parser.cells)  # why there are no lines
    assert "http" not in path.read_text()


def test_a_given_file_is_written_and_not_opened(folder):
    for report in ("-web", "-weblist=load", "-svg", "-flame"):
        done = gomem(folder, report, "-output=out")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert (folder / "out").stat().st_size > 1000
        (folder / "out").unlink()
    assert not (folder / "opened").exists()
    assert list((folder / "tmp").iterdir()) == []


def test_svg_and_flame_go_to_a_pipe(folder):
    assert gomem(folder, "-svg").stdout.startswith("<?xml")
    assert gomem(folder, "-flame").stdout.startswith("<!doctype html>")


def test_without_a_browser_the_file_is_named(folder):
    done = gomem(folder, "-web", browser=False)
    assert done.returncode == 2
    assert "web: no browser found: open " in done.stderr


def test_weblist_of_nothing(folder):
    done = gomem(folder, "-weblist=nothing_like_that")
    assert (done.returncode, done.stderr) == (2, "no matches found for regexp: nothing_like_that\n")


def test_the_shell_goes_on_behind_a_picture(folder):
    done = gomem(folder, stdin="weblist load\nweb\ncomments\ntop1\n")
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in opened(folder)] == [".html", ".svg"]
    assert "load<T>" in done.stdout
