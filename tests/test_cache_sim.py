"""gomem cache-sim and the simulator behind it."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
from xml.etree import ElementTree

import pytest

from gomem import cachesim
from gomem.cli import main
from gomem.report import curves


def brute_force_optimum(trace, size):
    """Most hits any sequence of evictions can have, by trying them all."""

    def best(position, held):
        if position == len(trace):
            return 0
        key = trace[position]
        if key in held:
            return 1 + best(position + 1, held)
        if len(held) < size:
            return best(position + 1, held | {key})
        return max(best(position + 1, held - {victim} | {key}) for victim in held)

    return best(0, frozenset())


@pytest.mark.parametrize("seed", range(40))
def test_the_optimum_is_the_optimum(seed):
    pick = random.Random(seed)
    trace = [pick.randrange(5) for _ in range(11)]
    for size in (1, 2, 3):
        assert cachesim.belady(trace, size) == brute_force_optimum(trace, size)


def test_no_policy_beats_the_optimum_and_all_reach_the_ceiling():
    pick = random.Random(1)
    trace = [int(pick.paretovariate(1)) for _ in range(3000)]
    distinct = len(set(trace))
    for size, row in cachesim.hit_ratios(trace, [1, 10, 50, distinct]).items():
        assert all(ratio <= row["optimum"] for ratio in row.values())
        if size == distinct:
            assert set(row.values()) == {(3000 - distinct) / 3000}


def test_known_traces():
    loop = list(range(4)) * 5
    assert cachesim.lru(loop, 3) == cachesim.fifo(loop, 3) == 0 and cachesim.belady(loop, 3) > 8
    assert cachesim.fifo("abac", 2) == 1 and cachesim.lru("abaca", 2) == 2 and cachesim.fifo("abaca", 2) == 1
    assert cachesim.s3fifo("aaa", 1) == 2


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text("".join(f"GET /{key} 200\n\n" for key in itertools.chain("aabbc" * 20, "xyz")))
    return path


def test_table_and_plot(trace, capsys):
    assert main(["cache-sim", str(trace), "--sizes", "3,50%,1%"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "103 requests, 6 distinct keys; no cache can hit more than 94.2%"
    assert lines[2].split() == ["entries", "fifo", "lru", "s3fifo", "optimum"]
    assert [line.split()[0] for line in lines[3:5]] == ["1", "3"] and "*" in lines[3]
    assert any(line.split()[:2] == ["3", "fifo"] or "optimum |####" in line for line in lines[6:])


def test_json_columns_gzip_and_standard_input(trace, tmp_path, capsys, monkeypatch):
    packed = tmp_path / "trace.gz"
    packed.write_bytes(gzip.compress(trace.read_bytes()))
    answers = []
    for args in ([str(trace)], [str(packed)], ["-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO(trace.read_text()))
        assert main(["cache-sim", *args, "--column", "2", "--json", "--sizes", "2", "--policies", "lru,optimum"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["distinct"] == 6 and set(answers[0]["hit_ratios"][0]) == {"size", "lru", "optimum"}


@pytest.mark.parametrize(
    "args, message",
    [
        (["missing.txt"], "missing.txt"),
        (["TRACE", "--sizes", "0"], "sizes: got '0', want at least 1"),
        (["TRACE", "--sizes", "x"], "sizes: got 'x'"),
        (["TRACE", "--policies", "lru,best"], "policies: got 'best'"),
        (["TRACE", "--column", "9"], "line 1 has 3 columns, want at least 9"),
        (["TRACE", "--column", "0"], "column: got 0"),
        (["EMPTY"], "got no keys"),
        (["TRACE", "-o", "/nowhere/hits.svg"], "output: got '/nowhere/hits.svg'"),
        ([], "usage"),
    ],
)
def test_errors(args, message, trace, tmp_path, capsys):
    (tmp_path / "empty").write_text("\n")
    args = [{"TRACE": str(trace), "EMPTY": str(tmp_path / "empty")}.get(arg, arg) for arg in args]
    assert main(["cache-sim", *args]) == 2
    assert message in capsys.readouterr().err


def test_help_has_examples(capsys):
    assert main(["cache-sim", "--help"]) == 0
    assert "examples:" in capsys.readouterr().out


SVG = "{http://www.w3.org/2000/svg}"


def test_picture_has_every_ratio_at_its_place(trace, tmp_path, capsys):
    picture = tmp_path / "hits.svg"
    assert main(["cache-sim", str(trace), "--sizes", "1,2,3,40", "--json", "-o", str(picture)]) == 0
    rows = json.loads(capsys.readouterr().out)["hit_ratios"]
    root = ElementTree.parse(picture).getroot()
    tips = [tip.text for tip in root.iter(f"{SVG}title")][1:]
    want = [f"{name}, {row['size']} entries: {row[name]:.2%}" for name in list(rows[0])[1:] for row in rows]
    assert tips == want
    curves_drawn = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
    assert len(curves_drawn) == 4
    for points, name in zip(curves_drawn, list(rows[0])[1:], strict=True):  # a higher ratio lies higher, by as much
        heights = [float(point.split(",")[1]) for point in points]
        drops = [(a - heights[0]) / (rows[0][name] - row[name]) for a, row in zip(heights, rows, strict=True) if row[name] != rows[0][name]]
        assert all(abs(drop - drops[0]) < 1 for drop in drops)
        assert [float(point.split(",")[0]) for point in points] == sorted(float(point.split(",")[0]) for point in points)


def test_picture_of_one_size_of_nothing_and_of_strange_names():
    for ratios in ({5: {"lru": 0.0}}, {1: {"a<b>&": 0.001}, 10**6: {"a<b>&": 0.002}}):
        root = ElementTree.fromstring(curves.draw(ratios, "a <trace> & more"))
        assert next(root.iter(f"{SVG}title")).text == "a <trace> & more"
        assert list(next(iter(ratios.values())))[0] in [text.text for text in root.iter(f"{SVG}text")]


def test_names_at_the_curves_ends_do_not_overlap():
    places = curves.apart([100, 101, 101, 390, 392], 16, 60, 400)
    assert all(b - a >= 15.99 for a, b in itertools.pairwise(places)) and places[-1] <= 400
    assert curves.apart([100, 300], 16, 60, 400) == [100, 300]
