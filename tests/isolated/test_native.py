"""Programs that need a C compiler: a library of our own, and Python embedded in a program linked in unusual ways."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CC = shutil.which("cc") or shutil.which("gcc")
LIBPYTHON = Path(sysconfig.get_config_var("LIBDIR") or "/", sysconfig.get_config_var("LDLIBRARY") or "-")

pytestmark = pytest.mark.skipif(CC is None, reason="no C compiler")


def compile_c(out: Path, *words: str) -> str:
    subprocess.run([CC, "-O1", "-o", str(out), *words], check=True)
    return str(out)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    out = tmp_path_factory.mktemp("native") / "library.so"
    return compile_c(out, "-shared", "-fPIC", str(HERE / "native_library.c"))


@pytest.mark.parametrize("binding", ["", "1"])
def test_library(run_fresh, library, binding):
    done = run_fresh("native_library.py", library, LD_BIND_NOW=binding)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]


def test_fork_handlers_of_others(run_fresh, tmp_path):
    library = compile_c(tmp_path / "handlers.so", "-shared", "-fPIC", str(HERE / "fork_handlers.c"), "-lpthread")
    done = run_fresh("fork_handlers.py", library)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]


def test_forks_where_the_system_cannot_empty_pages(run_fresh, tmp_path):
    preloaded = compile_c(tmp_path / "no_wipe.so", "-shared", "-fPIC", str(HERE / "no_wipe.c"))
    done = run_fresh("fork_under_load.py", LD_PRELOAD=preloaded)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]


EMBEDDING = """
#include <Python.h>
#include <dlfcn.h>
#include <stdlib.h>
void *(*volatile keep)(size_t) = malloc;
void (*volatile keep_free)(void *) = free;
void *load_plugin(const char *name) { return dlopen(name, RTLD_NOW); }
int main(int count, char **words) { return Py_BytesMain(count, words); }
"""


@pytest.mark.skipif(not LIBPYTHON.is_file() or ".so" not in LIBPYTHON.name, reason="no shared libpython")
def test_program_at_a_fixed_address(run_fresh, library, tmp_path):
    """malloc resolves to a stub of the program, and what it loads is searched along its own RUNPATH."""
    (tmp_path / "program.c").write_text(EMBEDDING)
    (tmp_path / "plugins").mkdir()
    shutil.copy(library, tmp_path / "plugins" / "plugin.so")
    program = compile_c(
        tmp_path / "program",
        str(tmp_path / "program.c"),
        "-no-pie",
        "-fno-pic",
        "-rdynamic",
        f"-I{sysconfig.get_path('include')}",
        str(LIBPYTHON),
        f"-Wl,-rpath,{LIBPYTHON.parent}:$ORIGIN/plugins,--enable-new-dtags",
    )
    code = (
        "import ctypes, gomem, sys; gomem.start(rate=1 << 20); own = ctypes.CDLL(None).load_plugin;"
        "own.restype = ctypes.c_void_p; assert own(b'plugin.so'), 'not found'; print('found')"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}
    done = subprocess.run([program, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout == "found\n", done.stderr[-2000:]
    words = [program, str(HERE / "native_library.py"), library]
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.stdout == "fine\n" and not done.stderr, done.stderr[-2000:]
