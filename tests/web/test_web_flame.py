"""The call tree against a slow, obvious one; what is cut; the exported file."""

import json
import re

import pytest
from web_profiles import shop, wide

from gomem.pprof.merge import subtract
from gomem.report.config import Config
from gomem.report.make import make_report
from gomem.web import flame_html
from gomem.web.export import flame_document
from gomem.web.flame import FlameTree


def tree_of(profile, *, inverted=False, **options):
    config = Config(granularity="filefunctions", **options)
    return FlameTree(make_report(profile, "flamegraph", None, config, print), inverted=inverted)


def slow_weights(profile, value, *, inverted):
    """path of names -> (own weight, weight of everything below), one dict entry a prefix."""
    samples, weights = profile.samples, {}
    for row in range(len(samples)):
        stack = list(samples.stacks[samples.starts[row] : samples.starts[row + 1]])
        names = [profile.functions[line.function].name for at in stack for line in profile.locations[at].lines]
        path = tuple(names if inverted else names[::-1])
        number = samples.values[row * samples.width + value]
        for end in range(1, len(path) + 1):
            flat, cum = weights.get(path[:end], (0, 0))
            weights[path[:end]] = (flat + (number if end == len(path) else 0), cum + number)
    return weights


def fast_weights(tree):
    answer = tree.answer(min_share=0, max_nodes=10**9)
    nodes, paths, weights = answer["nodes"], [], {}
    for index, parent in enumerate(nodes["parent"]):
        paths.append((paths[parent] if parent >= 0 else ()) + (answer["frames"][nodes["frame"][index]][0],))
        weights[paths[-1]] = (nodes["flat"][index], nodes["cum"][index])
    return weights


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("profile", [shop(), wide(300)], ids=["shop", "wide"])
def test_tree_equals_the_slow_one(profile, inverted):
    value = len(profile.sample_types) - 1
    assert fast_weights(tree_of(profile, inverted=inverted)) == slow_weights(profile, value, inverted=inverted)


def test_comparison_has_both_sides_and_the_change_adds_up():
    before, after = shop(after=False), shop()
    answer = tree_of(subtract(after, before, label=True, normalize=False)).answer()
    nodes = answer["nodes"]
    old, new = slow_weights(before, 3, inverted=False), slow_weights(after, 3, inverted=False)
    paths = []
    for index, parent in enumerate(nodes["parent"]):
        path = (paths[parent] if parent >= 0 else ()) + (answer["frames"][nodes["frame"][index]][0],)
        paths.append(path)
        assert (nodes["cumBefore"][index], nodes["cum"][index]) == (old[path][1], new[path][1])
        stacks = {stack for stack in old if stack[: len(path)] == path}
        assert nodes["change"][index] == sum(abs(new[stack][0] - old[stack][0]) for stack in stacks)
    assert len(paths) == len(new)


def test_narrow_nodes_are_cut_and_come_back_when_zoomed():
    tree = tree_of(wide(5000))
    whole = tree.answer()
    shown = set(whole["nodes"]["id"])
    assert 100 < len(shown) < len(tree)
    limit = whole["sums"]["cum"] / 3000
    assert min(whole["nodes"]["cum"]) >= limit
    assert all(parent == -1 or parent < index for index, parent in enumerate(whole["nodes"]["parent"]))
    cut = next(row + 1 for row in range(len(tree)) if row + 1 not in shown and tree.parents[row] in shown)
    parent = tree.parents[cut - 1]
    zoomed = tree.answer(parent)
    above = len(zoomed["path"])
    assert cut in zoomed["nodes"]["id"] and zoomed["nodes"]["id"][above] == parent
    assert zoomed["nodes"]["id"][:above] == zoomed["path"]
    assert zoomed["nodes"]["parent"][: above + 1] == list(range(-1, above))


def test_no_more_nodes_than_asked_for():
    tree = tree_of(wide(5000))
    rows = tree.visible(0, min_share=0, max_nodes=200)
    assert len(rows) == 200
    assert all(tree.parents[row] == 0 or tree.parents[row] - 1 in set(rows) for row in rows)


@pytest.mark.parametrize("zoom", [10**9, -3])
def test_a_node_that_is_not_there_shows_everything(zoom):
    assert tree_of(shop()).answer(zoom)["root"] == 0


def test_empty_profile_gives_an_empty_tree():
    answer = tree_of(shop(), focus="no such function").answer()
    assert answer["nodes"]["id"] == [] and answer["sums"] == {"cum": 0}


def test_the_exported_file_needs_nothing_else_and_escapes_names():
    text = flame_document(shop(source="/srv/</script><script>alert(1)</script>.py"), config=Config(focus="render"))
    assert "<script>alert" not in text
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", text) and "/*data*/" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert "render<T>" in {frame[0] for frame in data["body"]["frames"]}
    assert data["head"]["filters"] == ["focus=render"]


def test_notebook_frame():
    text = flame_html(shop(), sample_type="alloc_space", height=400)
    assert text.startswith("<iframe srcdoc=") and 'height="400"' in text and "&lt;canvas" not in text
    assert "<script" not in text  # all of it is inside the attribute, escaped
