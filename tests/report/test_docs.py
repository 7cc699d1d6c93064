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


def test_the_worked_example_of_the_graph_page():
    from gomem.pprof import ProfileBuilder
    from gomem.report.config import Config
    from gomem.report.make import make_report, report_lines

    builder = ProfileBuilder([("weight", "count")])
    place = {name: builder.location(0, 0, [(builder.function(name, "", "", 0), 1)]) for name in ("main", *"abcd")}
    for path, value in (("main a b", 60), ("main a c", 5), ("main a b b", 30), ("main d", 5)):
        builder.sample([place[name] for name in reversed(path.split())], [value])

    def rows(fraction: float) -> list[list[str]]:
        report = make_report(builder.build(), "top", None, Config(nodefraction=fraction), print)
        found = [line.split() for line in report_lines(report, "top")]
        return [[words[5], words[0], words[3]] for words in found if len(words) == 6 and words[0].isdigit()]

    assert ["b", "90", "90"] in rows(0)
    assert sorted(rows(0)) == [["a", "0", "95"], ["b", "90", "90"], ["c", "5", "5"], ["d", "5", "5"], ["main", "0", "100"]]
    assert sorted(rows(0.2)) == [["a", "0", "95"], ["b", "90", "90"], ["main", "0", "100"]]
