"""explain: whose code a frame is, and paths folded to one's own calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gomem.pprof import Function, ProfileBuilder
from gomem.report.explain import (
    NATIVE,
    STANDARD,
    THIRD_PARTY,
    YOURS,
    explain,
    group_of,
    print_explain,
)


@pytest.mark.parametrize(
    ("name", "file", "group"),
    [
        ("handler", "/home/me/app/server.py", YOURS),
        ("main.main", "/home/me/go/src/app/main.go", YOURS),
        ("requests.get", "/home/me/venv/lib/python3.12/site-packages/requests/api.py", THIRD_PARTY),
        ("github.com/acme/x.Do", "/root/go/pkg/mod/github.com/acme/x@v1.0.0/x.go", THIRD_PARTY),
        ("gomem.auto.begin", "/src/gomem/auto.py", THIRD_PARTY),
        ("json.loads", "/usr/lib/python3.12/json/__init__.py", STANDARD),
        ("importlib._bootstrap", "<frozen importlib._bootstrap>", STANDARD),
        ("encoding/json.Marshal", "/usr/local/go/src/encoding/json/encode.go", STANDARD),
        ("encoding/json.Marshal", "/venv/lib/python3.12/site-packages/go/src/encoding/json/encode.go", STANDARD),
        ("encoding/json_test.TestBig.func5", "/x/site-packages/go/src/encoding/json/big_test.go", STANDARD),
        ("runtime.mallocgc", "/home/me/sdk/go1.27.3/src/runtime/malloc.go", STANDARD),
        ("acme/x.Do", "/home/me/acme/x/x.go", YOURS),
        ("malloc", "/build/glibc/malloc.c", NATIVE),
        ("PyList_New", "/usr/lib/libpython3.12.so.1.0", NATIVE),
        ("", "", NATIVE),
    ],
)
def test_groups(name, file, group):
    assert group_of(Function(name, name, file, 1)) == group


def make_profile():
    builder = ProfileBuilder([("inuse_objects", "count"), ("inuse_space", "bytes")])

    def frame(name, file, line):
        return builder.location(0, 0, [(builder.function(name, "", file, 1), line)])

    main = frame("main", "/app/main.py", 9)
    load = frame("load", "/app/load.py", 3)
    loads = frame("json.loads", "/usr/lib/python3.12/json/__init__.py", 346)
    decode = frame("decode", "/usr/lib/python3.12/json/decoder.py", 355)
    builder.sample([decode, loads, load, main], [10, 7000])
    builder.sample([loads, load, main], [1, 1000])
    builder.sample([load, main], [1, 500])
    builder.sample([decode], [1, 1500])
    return builder.build()


def test_paths_are_folded_to_your_call():
    found = explain(make_profile())
    assert found.total == 10_000
    assert found.groups == {YOURS: 500, THIRD_PARTY: 0, STANDARD: 9500, NATIVE: 0}
    assert [(path.function, path.value, path.count) for path in found.paths] == [("load", 8500, 12)]
    assert found.paths[0].leaves == {"decode (json/decoder.py:355)": 7000, "json.loads (json/__init__.py:346)": 1000}
    assert found.without_path == 1500


def test_the_text_is_one_screen_and_its_commands_run(tmp_path):
    path = tmp_path / "mem.pb.gz"
    make_profile().write(path)
    lines = list(print_explain(make_profile(), [str(path)]))
    assert len(lines) < 40
    assert lines[0] == "9.77kB in use, in 4 stacks."
    assert any(line.split()[:2] == ["8.30kB", "85.00%"] and "load (app/load.py:3), 12 objects" in line for line in lines)
    command = next(line for line in lines if "gomem peek" in line).split("  ")[1]
    done = subprocess.run(f"{sys.executable} -m {command}", shell=True, capture_output=True, text=True, check=True)
    assert "| load" in done.stdout


def test_the_verb(tmp_path, capfdbinary):
    from gomem.cli import main

    path = tmp_path / "mem.pb.gz"
    make_profile().write(path)
    assert main(["explain", "-sample_index=inuse_objects", str(path)]) == 0
    assert capfdbinary.readouterr().out.startswith(b"13 objects in use")
    assert main(["explain"]) == 2
    assert main(["explain", "-sample_index=x", str(path)]) == 2


def test_a_default_type_without_values_gives_way_to_memory(tmp_path):
    """As ddtrace's profiles have it, whose last type counts what a GPU does."""
    builder = ProfileBuilder([("heap-space", "bytes"), ("gpu-flops", "count")])
    builder.sample([builder.location(0, 0, [(builder.function("load", "", "/app/load.py", 1), 3)])], [1 << 20, 0])
    path = tmp_path / "dd.pprof"
    builder.build().write(path)
    lines = list(print_explain(builder.build(), [str(path)]))
    assert lines[0] == "1MB in use, in 1 stack."
    command = next(line for line in lines if "gomem top" in line).split("  ")[1]
    done = subprocess.run(f"{sys.executable} -m {command}", shell=True, capture_output=True, text=True, check=True)
    assert "1MB   100%   100%        1MB   100%  load" in done.stdout
    empty = list(print_explain(builder.build(), ["x"], "gpu-flops"))
    assert empty[1] == "Nothing to see here; the profile has: heap-space (-sample_index=NAME)."
