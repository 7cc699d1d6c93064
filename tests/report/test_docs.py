"""docs/pprof.md says what happens: its examples run, its tables name every report and option."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples import examples, make_profiles, run
from gomem.cli.pprof import GRAPHVIZ, PICTURES
from gomem.report.config import CHOICES, GROUP_OF, TYPES
from gomem.report.make import COMMANDS

PAGE = (Path(__file__).parents[2] / "docs" / "pprof.md").read_text()


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("examples")
    make_profiles(path)
    return path


@pytest.mark.parametrize(("command", "output"), examples(PAGE))
def test_examples(command, output, directory):
    assert run(command, directory).rstrip("\n") == output.rstrip("\n")


def test_the_page_names_everything():
    assert len(examples(PAGE)) >= 8
    for name in [*COMMANDS, *PICTURES, *GRAPHVIZ, *(set(TYPES) - set(CHOICES)), *GROUP_OF]:
        assert f"`-{name}" in PAGE, name
