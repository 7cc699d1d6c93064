"""An interpreter whose internals nobody has tried is refused in one sentence, and nothing is touched."""

from __future__ import annotations

import sys

import pytest

from gomem import _core

BUILT = f"{sys.version_info.major}.{sys.version_info.minor}"
KNOWN = {"3.11": 0x030B00F0, "3.12": 0x030C00F0, "3.13": 0x030D00F0}
# what the extension of another version would say when the package is imported: the sentence comes from C, as it would there
PRETEND = """
import importlib.util, sys, sysconfig
place = importlib.util.find_spec("gomem").submodule_search_locations[0]
spec = importlib.util.spec_from_file_location("gomem._core", place + "/_core" + sysconfig.get_config_var("EXT_SUFFIX"))
core = sys.modules["gomem._core"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
sentence = core.heap_unsupported(0x030E00F0)
core.heap_unsupported = lambda: sentence
"""


@pytest.mark.parametrize("version, name", [(0x030A00F0, "3.10"), (0x030E00A1, "3.14"), (0x030F00F0, "3.15"), (0x040000F0, "4.0")])
def test_versions_that_nobody_has_tried(version, name):
    assert _core.heap_unsupported(version) == f"heap profiler: got CPython {name}, want 3.11, 3.12 or 3.13"


def test_the_version_it_was_built_for_and_the_others():
    assert _core.heap_unsupported() is None and _core.heap_unsupported(KNOWN[BUILT] | 0x1200) is None
    for name in KNOWN.keys() - {BUILT}:
        wanted = f"heap profiler: got CPython {name}, want {BUILT} that gomem was built for; install it again"
        assert _core.heap_unsupported(KNOWN[name]) == wanted


def test_the_command_refuses_before_anything_is_run_or_written(run_fresh, tmp_path):
    script = tmp_path / "app.py"
    script.write_text("open('ran', 'w')")
    code = PRETEND + "from gomem.cli import main\nsys.exit(main(['run', '-o', 'mem.prof', 'app.py']))"
    done = run_fresh("-c", code, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "gomem run: heap profiler: got CPython 3.14, want 3.11, 3.12 or 3.13\n"
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]


def test_the_functions_refuse_and_the_types_work(run_fresh, tmp_path):
    code = PRETEND + (
        "import gomem\n"
        "from gomem.errors import UnsupportedError\n"
        "for call in (gomem.start, gomem.heap_profile, lambda: gomem.write_heap_profile('x.prof')):\n"
        "    try:\n        call()\n"
        "    except UnsupportedError as error:\n        assert str(error) == sentence, error\n"
        "    else:\n        raise AssertionError(call)\n"
        "assert gomem.LRUCache(3).put(1, 2) is False and not gomem.is_running()\n"
    )
    done = run_fresh("-c", code, cwd=tmp_path)
    assert done.returncode == 0 and list(tmp_path.iterdir()) == [], done.stderr
