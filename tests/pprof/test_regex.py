"""Without google-re2: Python's expressions instead, said once to who wrote one, and not to who did not."""

import re
import sys

import pytest
from generate import make_profile

from gomem.cli import main
from gomem.pprof import regex
from gomem.record import replace


@pytest.fixture
def profile(tmp_path, monkeypatch):
    path = str(tmp_path / "p.pb.gz")
    replace(make_profile(3), drop_frames="mal+oc|run.*").write(path)
    monkeypatch.setitem(sys.modules, "re2", None)
    regex._notice.cache_clear()
    return path


def test_a_profiles_own_expressions_go_without_notice(profile, capsys):
    assert main(["top", profile]) == 0
    assert "re2" not in capsys.readouterr().err


def test_a_users_expressions_come_with_one_notice(profile, capsys):
    assert main(["top", "-focus=ma.n", "-ignore=par.e", profile]) == 0
    assert len(re.findall("google-re2 is not installed", capsys.readouterr().err)) == 1
    assert main(["top", "-focus=(", profile]) == 2
    assert "parsing focus regexp: error parsing regexp: " in capsys.readouterr().err
