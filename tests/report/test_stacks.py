"""Stacks for other tools: collapsed text and speedscope's JSON."""

from __future__ import annotations

import json

from generate import make_profile
from oracle import run_ours

from gomem.pprof import ProfileBuilder
from gomem.pprof.fetch import parse_profile
from gomem.report.config import Config
from gomem.report.make import make_report, report_lines


def lines_of(profile, command, **options):
    return list(report_lines(make_report(profile, command, None, Config(**options), print), command))


def test_collapsed():
    builder = ProfileBuilder([("space", "bytes")])
    leaf, root = (builder.location(0, 0, [(builder.function(name, "", "a.py", 1), 2)]) for name in ("le;af", "root"))
    builder.sample([leaf, root], [5])
    builder.sample([leaf, root], [6])
    builder.sample([root], [0])
    assert lines_of(builder.build(), "collapsed") == ["root;le:af 11"]
    assert lines_of(builder.build(), "collapsed", granularity="lines") == ["root a.py:2;le:af a.py:2 11"]


def test_speedscope_agrees_with_collapsed():
    for seed in (1, 2, 4, 5):
        profile = make_profile(seed)
        made = json.loads(lines_of(profile, "speedscope")[0])
        frames, body = made["shared"]["frames"], made["profiles"][0]
        assert all(index < len(frames) for stack in body["samples"] for index in stack)
        assert len(body["samples"]) == len(body["weights"])
        collapsed = [line.rpartition(" ") for line in lines_of(profile, "collapsed")]
        assert sum(body["weights"]) == body["endValue"] == sum(max(0, int(value)) for _, _, value in collapsed)


def test_as_flags(tmp_path):
    make_profile(1).write(tmp_path / "p.pb.gz")
    assert run_ours(["-speedscope", str(tmp_path / "p.pb.gz")]).out.startswith(b'{"$schema"')
    assert run_ours(["-collapsed", f"-output={tmp_path}/out.txt", str(tmp_path / "p.pb.gz")]).code == 0
    assert (tmp_path / "out.txt").read_text()


def test_an_unchanged_profile_is_written_as_it_was_and_a_changed_one_is_not(tmp_path):
    path = tmp_path / "p.pb.gz"
    make_profile(10).write(path)
    plain = run_ours(["-proto", "-symbolize=none", str(path)])
    assert plain.code == 0
    for option in ("-add_comment=x", "-sample_index=0", "-divide_by=2", "-focus=main", "-tagroot=thread", "-noinlines"):
        made = parse_profile(run_ours(["-proto", "-symbolize=none", option, str(path)]).out)
        assert (made == parse_profile(plain.out)) == (option == "-sample_index=0"), option
