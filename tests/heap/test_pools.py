"""Libraries with allocators that no hook sees: what they tell of themselves is in the profile and in the summary.

The library is a stand-in with the two functions of pyarrow that are asked, so that the tests need not install it; the last
test asks the real one where it is installed.
"""

import importlib.util
import sys
import types

import pytest

from gomem.pools import unseen_pools
from reading import by_leaf

PROGRAM = """
    import sys, types
    class Pool:
        backend_name = "mimalloc"
        def bytes_allocated(self): return 30 << 20
        def max_memory(self): return 50 << 20
        def total_bytes_allocated(self): return 70 << 20
    sys.modules["pyarrow"] = types.SimpleNamespace(default_memory_pool=Pool)
"""


def arrow(**members):
    pool = type("Pool", (), {"backend_name": "mimalloc", "bytes_allocated": lambda self: 5, "max_memory": lambda self: 9} | members)
    return types.SimpleNamespace(default_memory_pool=pool)


def test_nothing_is_said_without_the_library(monkeypatch):
    monkeypatch.delitem(sys.modules, "pyarrow", raising=False)
    assert unseen_pools() == [] and "pyarrow" not in sys.modules


@pytest.mark.parametrize(
    "library, expected",
    [
        (arrow(), [(5, 9, 0)]),
        (arrow(total_bytes_allocated=lambda self: 20), [(5, 9, 20)]),
        (arrow(backend_name="system"), []),
        (arrow(backend_name="jemalloc"), []),
        (arrow(max_memory=lambda self: 0), []),
        (arrow(max_memory=lambda self: 1 / 0), []),
        (types.SimpleNamespace(), []),
        (None, []),
    ],
)
def test_what_a_pool_tells(monkeypatch, library, expected):
    monkeypatch.setitem(sys.modules, "pyarrow", library)
    assert [(pool.inuse_bytes, pool.peak_bytes, pool.alloc_bytes) for pool in unseen_pools()] == expected


def test_the_profile_and_the_summary_show_it(run_fresh, tmp_path):
    import textwrap

    from gomem.pprof.files import inflate
    from gomem.pprof.wire import decode

    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    done = run_fresh("-m", "gomem", "run", "program.py", cwd=tmp_path)
    assert "gomem: of the rest, pyarrow held up to 50MB in its own pool (mimalloc)" in done.stderr, done.stderr
    profile = decode(inflate((tmp_path / "mem.prof").read_bytes()))
    frame = "[pyarrow's own pool: mimalloc]"
    assert by_leaf(profile, "inuse_space")[frame] == 30 << 20
    assert by_leaf(profile, "alloc_space")[frame] == 70 << 20
    assert by_leaf(profile, "peak_space")[frame] == 0
    assert any("pyarrow's own pool (mimalloc): 31457280 bytes in use" in line for line in profile.comments)


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")
def test_the_real_one(run_fresh, tmp_path):
    (tmp_path / "program.py").write_text("import pyarrow\nkept = [pyarrow.allocate_buffer(1 << 20) for _ in range(20)]\n")
    done = run_fresh("-m", "gomem", "run", "program.py", cwd=tmp_path, ARROW_DEFAULT_MEMORY_POOL="mimalloc")
    assert "gomem: of the rest, pyarrow held up to 20MB in its own pool (mimalloc)" in done.stderr, done.stderr
