"""``gomem run`` does what ``python`` would have done, and leaves a profile however the program ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gomem.pprof.files import inflate
from gomem.pprof.wire import decode
from reading import by_frame, total

KEEP = "def work():\n    return [bytes(1000) for _ in range(3000)]\nkept = work()\n"


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[str], directory: Path):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.files = sorted(path.name for path in directory.iterdir() if path.name != "program.py")
        self.directory = directory

    def profile(self, name="mem.prof"):
        return decode(inflate((self.directory / name).read_bytes()))


@pytest.fixture
def run(run_fresh, tmp_path):
    """Runs ``gomem run`` on the text of a program in an empty directory."""

    def run(program: str, *options: str, args: tuple[str, ...] = (), **more) -> Ran:
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        words = ("-m", "gomem", "run", "--no-summary", "--rate", "4096", *options, "program.py", *args)
        return Ran(run_fresh(*words, cwd=tmp_path, **more), tmp_path)

    return run


def worked(ran: Ran, name="mem.prof") -> bool:
    return 2_700_000 < by_frame(ran.profile(name), "peak_space")["work"] < 3_600_000


ENDINGS = {
    "the end": ("", 0, ""),
    "sys.exit": ("import sys; sys.exit(7)", 7, ""),
    "sys.exit with text": ("raise SystemExit('no luck')", 1, "no luck\n"),
    "os._exit": ("import os; os._exit(5)", 5, ""),
    "exception": ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    "interrupt": ("import os, signal; os.kill(os.getpid(), signal.SIGINT)\nwhile True: pass", -signal.SIGINT, "KeyboardInterrupt\n"),
    "terminated": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass", -signal.SIGTERM, ""),
    "a handler that puts the default back": (
        "import os, signal\ndef own(number, frame):\n    signal.signal(number, signal.SIG_DFL)\n    os.kill(os.getpid(), number)\n"
        "signal.signal(signal.SIGTERM, own)\nos.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass",
        -signal.SIGTERM,
        "",
    ),
    "a handler of its own for SIGTERM": (
        "import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass",
        9,
        "",
    ),
    "terminated in a long C call": (  # Python runs a handler when the call has ended, not before
        "import os, signal, threading\n"
        "threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGTERM)).start()\nsum(range(20_000_000))\nwhile True: pass",
        -signal.SIGTERM,
        "",
    ),
    "os._exit in a thread": ("import os, threading\nthreading.Thread(target=os._exit, args=(6,)).start()\nwhile True: pass", 6, ""),
    "sys.exit under daemon threads": (
        "import sys, threading\nfor _ in range(4): threading.Thread(target=lambda: [bytes(9999) for _ in iter(int, 1)], "
        "daemon=True).start()\nsys.exit(3)",
        3,
        "",
    ),
    "daemon thread": (
        "import threading, zlib\ndef spin():\n    while True: zlib.compress(bytes(9999))\n"
        "threading.Thread(target=spin, daemon=True).start()",
        0,
        "",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_endings(run, ending):
    code, status, stderr = ENDINGS[ending]
    ran = run(KEEP + code)
    assert ran.code == status, ran.err
    assert ran.err.endswith(stderr) and (stderr or not ran.err), ran.err
    assert ran.files == ["mem.prof"] and worked(ran)


def test_a_program_sees_what_python_would_show_it(run, run_fresh, tmp_path):
    program = """
        import atexit, json, os, pickle, sys
        class Point: pass
        again = pickle.loads(pickle.dumps(Point()))
        print(json.dumps([sys.argv, sys.path[0], __name__, __file__, type(again).__module__, sys.stdin.read(),
                          os.environ.get("GOMEM"), os.environ.get("PYTHONPATH"), __spec__ is None, sys.flags.optimize]))
        print("sitecustomize is ours:", "gomem" in getattr(sys.modules.get("sitecustomize"), "__file__", "") or "")
    """
    ran = run(program, args=("-o", "x y", "--rate"), stdin="typed\n", PYTHONPATH="a::b")
    plain = run_fresh("program.py", "-o", "x y", "--rate", cwd=tmp_path, stdin="typed\n", PYTHONPATH="a::b")
    assert ran.code == plain.returncode == 0, ran.err + plain.stderr
    assert ran.out.splitlines()[0] == plain.stdout.splitlines()[0]


OPTIONS = {
    "none": (),
    "separate": ("-O", "-X", "importtime=0", "-W", "error::UserWarning", "-b"),
    "joined": ("-OOb", "-Xdev", "-Wignore::ImportWarning", "-X", "utf8=0", "--check-hash-based-pycs", "never"),
}


@pytest.mark.parametrize("options", OPTIONS)
def test_options_of_the_interpreter_are_passed_on(tmp_path, options):
    (tmp_path / "program.py").write_text("import sys\nprint(sys.flags, sys._xoptions, sys.warnoptions, sys.orig_argv[1:])")

    def run(*words):
        environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONUNBUFFERED": "1"}
        words = [sys.executable, *OPTIONS[options], *words]
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)

    profiled, plain = run("-m", "gomem", "run", "--no-summary", "program.py"), run("program.py")
    assert profiled.stdout == plain.stdout and plain.stdout, profiled.stderr
    assert (tmp_path / "mem.prof").exists()


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_options_that_shut_the_profiler_out(tmp_path, option):
    code = "import sys; sys.path.extend(sys.argv.pop(1).split(':')); from gomem.cli import main; sys.exit(main())"
    words = [sys.executable, option, "-c", code, ":".join(sys.path), "run", __file__]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and f"interpreter option {option}" in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


def test_joined_options():
    from gomem.cli.program import interpreter_options as options

    assert options(["-Om", "gomem", "run", "-x"]) == ["-O"]
    assert options(["-bWd", "-m", "gomem"]) == ["-bWd"]
    assert options(["-X", "dev", "-W", "error", "/bin/gomem", "-O"]) == ["-X", "dev", "-W", "error"]
    assert options([]) == [] == options(["/bin/gomem", "run"])


def test_tracebacks_are_the_program_s_own(run, run_fresh, tmp_path):
    ran = run("def f():\n    raise ValueError('x')\nf()\n")
    plain = run_fresh("program.py", cwd=tmp_path)
    assert ran.err == plain.stderr


def test_a_module_runs_as_with_dash_m(run_fresh, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text("import sys\nprint(__name__, __package__, sys.argv[1:])\nsys.exit(3)")
    done = run_fresh("-m", "gomem", "run", "--no-summary", "-m", "package", "-m", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "__main__ package ['-m', 'x']\n", "")
    assert (tmp_path / "mem.prof").exists()


def test_the_profiler_adds_no_warnings(run_fresh, tmp_path):
    (tmp_path / "program.py").write_text(KEEP)
    words = ("-X", "warn_default_encoding", "-W", "always", "-m", "gomem", "run", "-o", "mem.{pid}.prof", "program.py")
    done = run_fresh(*words, cwd=tmp_path, PYTHONWARNDEFAULTENCODING="1", PYTHONWARNINGS="always", PYTHONDEVMODE="1")
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr


MULTIPROCESSING = """
    import multiprocessing, os, sys
    def work():
        return [bytes(1000) for _ in range(3000)]
    def child(n):
        kept = work()
        return n * n
    if __name__ == "__main__":
        multiprocessing.set_start_method(sys.argv[1])
        with multiprocessing.Pool(2) as pool:
            print(sum(pool.map(child, range(10))))
            pool.close()
            pool.join()
        process = multiprocessing.Process(target=child, args=(1,))
        process.start()
        process.join()
        print(process.exitcode, process.pid)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_children_leave_their_own_files(run, method):
    ran = run(MULTIPROCESSING, "-o", "mem.{pid}.prof", args=(method,))
    assert ran.code == 0 and ran.out.splitlines()[0] == "285", ran.err
    exit_code, pid = ran.out.splitlines()[1].split()
    assert exit_code == "0" and len(ran.files) >= 4, ran.files
    assert worked(ran, f"mem.{pid}.prof")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_leave_the_parent_s_file_alone(run, method):
    ran = run(MULTIPROCESSING, args=(method,))
    assert ran.code == 0 and ran.out.splitlines()[0] == "285", ran.err
    assert ran.files == ["mem.prof"]
    assert by_frame(ran.profile(), "alloc_space")["work"] == 0


def test_subprocess(run):
    program = KEEP + "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], check=True, capture_output=True).stdout)"
    ran = run(program)
    assert ran.out == "b'42\\n'\n" and ran.files == ["mem.prof"] and worked(ran)
    (ran.directory / "mem.prof").unlink()
    ran = run(program, "-o", "mem.{pid}.prof")
    assert ran.out == "b'42\\n'\n" and len(ran.files) == 2, ran.files


def test_sub_interpreters_are_left_as_they_are(run):
    """Also one that is made in a thread, which would wait for itself if more were imported in it than it asked for."""
    program = """
        import sys, threading
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        def make():
            made.append(interpreters.create())
            code = "import sys; print('gomem' in sys.modules, 'threading' in sys.modules, flush=True)"
            interpreters.exec(made[0], code) if sys.version_info >= (3, 13) else interpreters.run_string(made[0], code)
        made = []
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        interpreters.destroy(made[0])
        """
    ran = run(program, "-o", "mem.{pid}.prof")
    assert (ran.code, ran.out, ran.err) == (0, "False False\n", "") and len(ran.files) == 1, ran.files


def test_an_old_file_is_replaced_only_by_a_whole_one(run, tmp_path):
    (tmp_path / "mem.prof").write_text("old")
    ran = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert ran.code == -signal.SIGKILL and (tmp_path / "mem.prof").read_text() == "old"
    assert ran.files == ["mem.prof"]
    ran = run(KEEP)
    assert worked(ran)


def test_a_directory_that_vanishes_costs_one_line(run, tmp_path):
    (tmp_path / "out").mkdir()
    ran = run("import os; os.rmdir('out')\nraise SystemExit(4)", "-o", "out/mem.prof")
    assert ran.code == 4 and ran.err.count("\n") == 1 and ran.err.startswith("gomem: profile not written: "), ran.err


BAD = {
    "no program": ((), "program: got none"),
    "missing script": (("nothere.py",), "script: no such file: 'nothere.py'"),
    "missing module": (("-m", "no.such.module"), "no module named 'no.such.module'"),
    "module that is a package without __main__": (("-m", "json"), "json"),
    "directory without __main__": (("empty",), "empty"),
    "unknown option": (("--nonsense", "ok.py"), "--nonsense"),
    "rate 0": (("--rate", "0", "ok.py"), "rate: got 0, want"),
    "negative rate": (("--rate", "-5", "ok.py"), "rate: got '-5', want"),
    "rate that is no number": (("--rate", "fast", "ok.py"), "rate: got 'fast', want"),
    "rate nan": (("--rate", "nan", "ok.py"), "rate: got 'nan', want"),
    "depth 0": (("--depth", "0", "ok.py"), "depth: got 0, want"),
    "depth that is no number": (("--depth", "x", "ok.py"), "depth"),
    "output in no directory": (("-o", "no/such/mem.prof", "ok.py"), "output: no such directory"),
    "output is a directory": (("-o", "empty", "ok.py"), "output: cannot write"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_bad_input_costs_one_line_and_touches_nothing(run_fresh, tmp_path, mistake):
    words, said = BAD[mistake]
    (tmp_path / "empty").mkdir()
    (tmp_path / "ok.py").write_text("print('ran')")
    (tmp_path / "mem.prof").write_text("old")
    done = run_fresh("-m", "gomem", "run", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1 and said in done.stderr, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "mem.prof", "ok.py"]
    assert (tmp_path / "mem.prof").read_text() == "old"


def test_two_profilers_at_once(run):
    ran = run("import gomem\ngomem.start()")
    assert ran.code == 1 and ran.err.endswith("GomemError: heap profiler: is running already, want it stopped first\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD")
@pytest.mark.parametrize("library", ["libjemalloc.so.2", "libtcmalloc_minimal.so.4"])
def test_another_malloc(run, library):
    if not any(os.path.exists(os.path.join(d, library)) for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64")):
        pytest.skip(f"no {library} here")
    ran = run(KEEP + "import zlib, sqlite3\nsqlite3.connect(':memory:').execute('select 1')", LD_PRELOAD=library)
    assert ran.code == 0 and not ran.err and worked(ran)


@pytest.mark.parametrize("allocator", ["malloc", "debug", "pymalloc_debug", "malloc_debug"])
def test_pythonmalloc(run, allocator):
    ran = run(KEEP, PYTHONMALLOC=allocator)
    assert ran.code == 0 and not ran.err and worked(ran)
    assert total(ran.profile(), "peak_space") < 20_000_000


def test_peak_resident_memory_is_the_programs_own(run_fresh, tmp_path):
    """The kernel hands a large parent's peak on to a process that it starts, where getrusage() finds it."""
    (tmp_path / "program.py").write_text(KEEP)
    large = "import subprocess, sys; large = bytearray(b'x') * 400_000_000; subprocess.run([sys.executable, *sys.argv[1:]])"
    done = run_fresh("-c", large, "-m", "gomem", "run", "program.py", cwd=tmp_path)
    (said,) = re.findall(r"peak resident memory ([\d.]+)MB", done.stderr)
    assert 5 < float(said) < 200, done.stderr
