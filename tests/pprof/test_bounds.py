"""What is too large: sources without an end, compressed files that grow out of all proportion, profiles that do not fit."""

from __future__ import annotations

import gzip
import http.server
import random
import resource
import subprocess
import sys
import threading

import pytest

from gomem.errors import ProfileError
from gomem.pprof import available, files
from gomem.pprof.wire import varint


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


HEAD = message(1, number(1, 1) + number(2, 2)) + b"".join(message(6, text) for text in (b"", b"space", b"bytes"))


def gomem(*args: str, memory: int | None = None) -> subprocess.CompletedProcess:
    """A fresh ``gomem`` with that much address space."""

    def limit():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    return subprocess.run([sys.executable, "-m", "gomem", *args], capture_output=True, text=True, preexec_fn=limit, timeout=120)


def test_a_device_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(files, "MAX_SOURCE_BYTES", 1 << 22)
    with open("/dev/zero", "rb") as file, pytest.raises(ProfileError, match="read /dev/zero: more than 4194304 bytes"):
        files.read_source(file.read, "/dev/zero")


def test_a_bomb_is_refused_by_what_was_read_of_it():
    """Not by the whole file's size, which junk behind the bomb could make as large as one likes."""
    bomb = gzip.compress(bytes(1 << 26)) + random.Random(1).randbytes(1 << 20)
    with pytest.raises(ProfileError, match="more than 200-fold: refused"):
        files.inflate(bomb)


@pytest.mark.parametrize("kind", ["functions", "lines", "labels", "samples", "zeros"])
def test_profiles_that_do_not_fit_end_in_one_line(kind, tmp_path):
    count = 400_000
    sample = message(2, number(2, 1))
    data = {
        "functions": lambda: b"".join(message(5, number(1, i)) for i in range(1, count)),
        "lines": lambda: message(5, number(1, 1)) + message(4, number(1, 1) + b"".join(message(4, number(1, 1) + number(2, i)) for i in range(count))),
        "labels": lambda: b"".join(message(2, number(2, 1) + message(3, number(1, 1) + number(3, i))) for i in range(1, count)),
        "samples": lambda: sample * 15_000_000,
        "zeros": lambda: bytes(1 << 30),
    }[kind]()  # fmt: skip
    path = tmp_path / "big"
    path.write_bytes(data if kind in ("samples", "zeros") else HEAD + data)
    done = gomem("top", str(path), memory=80 << 20)
    assert done.returncode == 2, done
    assert not done.stdout
    assert "Traceback" not in done.stderr
    assert "out of memory" in done.stderr or "malformed" in done.stderr or "inflate" in done.stderr, done.stderr


def test_the_bound_is_what_is_available_and_is_taken_off_again(monkeypatch):
    monkeypatch.setattr(available, "available_bytes", lambda: 1 << 28)
    before = resource.getrlimit(resource.RLIMIT_AS)
    with available.bounded(), pytest.raises(MemoryError):
        bytearray(1 << 29)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_what_is_available(tmp_path, monkeypatch):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 99 kB\nMemAvailable:    1000 kB\nSwapFree:  24 kB\n")
    monkeypatch.setattr(available.pressure, "read", lambda: available.pressure.Reading(100, None))
    assert available.available_bytes(str(meminfo)) == 1024 * 1024
    monkeypatch.setattr(available.pressure, "read", lambda: available.pressure.Reading(100, 5000))
    assert available.available_bytes(str(meminfo)) == 4900
    monkeypatch.setattr(available.pressure, "read", lambda: available.pressure.Reading(100, None))
    assert available.available_bytes(str(tmp_path / "missing")) is None


class Endless(http.server.BaseHTTPRequestHandler):
    """A body that never ends: fast, or a byte now and then."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        pace = threading.Event()
        try:
            while not self.server.stopped.is_set():
                self.wfile.write(b"x" if "slow" in self.path else bytes(1 << 20))
                pace.wait(0.05 if "slow" in self.path else 0)
        except OSError:
            pass

    def log_message(self, *args):
        pass


@pytest.fixture
def endless():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.daemon_threads, server.stopped = True, threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_body_without_an_end_is_refused(endless, monkeypatch):
    from gomem.pprof.fetch import Sources, fetch_profile

    monkeypatch.setattr(files, "MAX_SOURCE_BYTES", 1 << 24)
    said: list[str] = []
    with pytest.raises(ProfileError, match="failed to fetch any source profiles"):
        fetch_profile(Sources([f"{endless}/fast"]), said.append)
    assert "more than 16777216 bytes: refused" in said[-1]


def test_a_body_that_trickles_ends_with_the_time_that_was_given(endless, monkeypatch):
    from gomem.pprof import fetch

    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(fetch.time, "monotonic", lambda: next(clock))
    said: list[str] = []
    with pytest.raises(ProfileError, match="failed to fetch any source profiles"):
        fetch.fetch_profile(fetch.Sources([f"{endless}/slow"], timeout=10), said.append)
    assert "timed out while reading the body" in said[-1]
