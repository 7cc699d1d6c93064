"""The drawn graph says what the dot report says, and is well-formed whatever names hold."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from gomem.pprof import ProfileBuilder
from gomem.report.config import Config
from gomem.report.make import make_report, report_lines
from gomem.report.svg import print_svg

SPACE = "{http://www.w3.org/2000/svg}"
MB = 1 << 20


def profile(stacks, labels=None):
    builder = ProfileBuilder([("inuse_space", "bytes")])
    for number, (names, size) in enumerate(stacks):
        functions = [builder.function(name, name, f"/srv/{name[:3]}.py", 1) for name in names]
        locations = [builder.location(0, 0, [(function, 7)]) for function in functions]
        builder.sample(locations[::-1], [size], labels[number] if labels else None)
    return builder.build()


STACKS = [
    (["main", "load", "parse"], 30 * MB),
    (["main", "load", "decode & <check>"], 20 * MB),
    (["main", "save"], 5 * MB),
    (["main", "walk", "walk", 'say "hi"'], MB),
    (["main", "walk", "load", "parse"], 2 * MB),
]


def drawn(made, **options):
    lines = list(print_svg(make_report(made, "dot", None, Config(**options), print)))
    return ElementTree.fromstring("\n".join(lines[1:]))


def dot_of(made, **options):
    return list(report_lines(make_report(made, "dot", None, Config(**options), print), "dot"))


def groups(root, kind):
    return [group for group in root.iter(f"{SPACE}g") if group.get("class") == kind]


@pytest.mark.parametrize(
    "options", [{}, {"focus": "load"}, {"nodecount": 3}, {"granularity": "lines"}, {"call_tree": True}], ids=str
)
def test_same_nodes_edges_and_weights_as_dot(options):
    root, dot = drawn(profile(STACKS), **options), dot_of(profile(STACKS), **options)
    nodes = [
        re.search(r'tooltip="(.*?[^\\])"', line)[1].replace('\\"', '"') for line in dot if re.match(r"N\d+ \[", line)
    ]
    edges = [
        re.search(r' tooltip="(.*?[^\\])" label', line)[1].replace('\\"', '"')
        for line in dot
        if re.match(r"N\d+ -> N\d+ ", line)
    ]
    assert sorted(group.find(f"{SPACE}title").text for group in groups(root, "node")) == sorted(nodes)
    assert sorted(group.find(f"{SPACE}title").text for group in groups(root, "edge")) == sorted(edges)
    assert nodes and edges


def test_boxes_hold_the_figures_and_their_text_fits():
    root = drawn(profile(STACKS))
    for group in groups(root, "node"):
        box = group.find(f"{SPACE}rect")
        left, right = float(box.get("x")), float(box.get("x")) + float(box.get("width"))
        texts = group.findall(f"{SPACE}text")
        assert any("%" in text.text for text in texts)
        for text in texts:
            half = 0.5 * float(text.get("font-size")) * len(text.text) * 0.5
            assert left < float(text.get("x")) - half * 0.9 and float(text.get("x")) + half * 0.9 < right
    load = next(group for group in groups(root, "node") if group.get("data-name") == "load")
    assert [text.text for text in load.findall(f"{SPACE}text")] == ["load", "0 of 52MB (89.66%)"]


def test_labels_are_shown_when_they_tell_something_apart():
    same = drawn(profile(STACKS, [{"thread": "main"}] * 5))
    apart = drawn(profile(STACKS, [{"thread": f"worker-{index}"} for index in range(5)]))
    assert "thread:main" not in "".join(same.itertext())
    assert "thread:worker-0 30MB" in "".join(apart.itertext())


def test_an_empty_report_is_still_a_picture():
    root = drawn(profile(STACKS), focus="nothing like this")
    assert groups(root, "node") == [] and "Showing nodes accounting for 0" in "".join(root.itertext())


def test_names_of_any_kind():
    root = drawn(profile([(["<b>&amp;</b>", "x\udc80y", "\u202emirror", "a" * 300], MB)]))
    assert len(groups(root, "node")) == 4
