"""The pages inside web applications: the protocols called by hand, then gunicorn and uvicorn as they are run."""

import asyncio
import gzip
import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import gomem
from gomem.endpoint import asgi, pages, wsgi
from gomem.pprof.wire import decode


@pytest.fixture
def profile():
    gomem.start(rate=4096)
    yield
    gomem.stop()


def call_wsgi(app, path, mounted_at="", query="", method="GET"):
    """(status, headers, body), with the protocol checked by the standard library's validator."""
    environ = {"PATH_INFO": path, "SCRIPT_NAME": mounted_at, "QUERY_STRING": query, "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    started = []
    body = validator(app)(environ, lambda status, headers, exc_info=None: started.append((status, dict(headers))))
    try:
        content = b"".join(body)
    finally:
        body.close()
    return *started[0], content


def call_asgi(app, path, mounted_at="", query=b"", method="GET", received=()):
    scope = {"type": "http", "method": method, "path": path, "root_path": mounted_at, "query_string": query}
    waiting, sent = list(received), []

    async def receive():
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


async def hello_asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


# (path, mounted at) as servers and frameworks give them
PLACES = [("/debug/pprof/heap", ""), ("/heap", "/debug/pprof"), ("/debug/pprof/heap", "/api"), ("/heap", "/api/debug/pprof")]


@pytest.mark.parametrize(("path", "mounted_at"), PLACES)
def test_wsgi_answers_where_it_is_mounted(profile, path, mounted_at):
    status, headers, body = call_wsgi(wsgi(), path, mounted_at)
    assert status == "200 OK" and int(headers["Content-Length"]) == len(body)
    assert decode(gzip.decompress(body)).default_sample_type == "inuse_space"


@pytest.mark.parametrize(("path", "mounted_at"), [*PLACES, ("/api/debug/pprof/heap", "/api/debug/pprof")])
def test_asgi_answers_where_it_is_mounted(profile, path, mounted_at):
    start, body = call_asgi(asgi(), path, mounted_at)
    assert start["status"] == 200
    assert decode(gzip.decompress(body["body"])).default_sample_type == "inuse_space"


def test_other_paths_are_the_applications(profile):
    for path in ("/", "/debug/pprofile", "/debug", "/heap"):
        assert call_wsgi(wsgi(hello), path)[2] == b"hello"
        assert call_asgi(asgi(hello_asgi), path)[1]["body"] == b"hello"
        assert call_wsgi(wsgi(), path)[0] == "404 Not Found"
        assert call_asgi(asgi(), path)[0]["status"] == 404


def test_only_get_and_head(profile):
    assert call_wsgi(wsgi(), "/debug/pprof/heap", method="POST")[0] == "405 Method Not Allowed"
    assert call_asgi(asgi(), "/debug/pprof/heap", method="POST")[0]["status"] == 405
    status, headers, body = call_wsgi(wsgi(), "/debug/pprof/cmdline", method="HEAD")
    assert status == "200 OK" and body == b""


def test_asgi_answers_the_lifespan_protocol():
    sent = []
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(asgi()({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_asgi_ends_a_wait_when_the_client_goes_away(profile):
    sent = call_asgi(asgi(), "/debug/pprof/heap", query=b"seconds=3600", received=[{"type": "http.disconnect"}])
    assert sent == []
    assert pages.respond("cmdline", "").status == 200


def test_asgi_leaves_the_loop_free_while_it_waits(profile):
    async def run():
        done = asyncio.Event()

        async def receive():
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError("the client is gone")

        scope = {"type": "http", "method": "GET", "path": "/debug/pprof/heap", "query_string": b"seconds=3600"}
        request = asyncio.ensure_future(asgi()(scope, receive, send))
        for _ in range(100):
            await asyncio.sleep(0)  # turns of the loop that would not come if the request blocked it
        done.set()
        await request

    asyncio.run(run())


APP = """
import os
import gomem.endpoint

kept = []


def hold(size):
    kept.append(bytearray(size))


def application(environ, start_response):
    hold(1_000_000)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


app = gomem.endpoint.wsgi(application)


async def plain(scope, receive, send):
    if scope["type"] == "http":
        hold(1_000_000)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


asgi_app = gomem.endpoint.asgi(plain)
"""


@pytest.fixture
def run_server(tmp_path):
    """Starts a server on a socket that listens already, so that requests may be sent at once; ends it after the test."""
    (tmp_path / "service.py").write_text(APP)
    listening = socket.create_server(("127.0.0.1", 0))
    started = []

    def run(*words, **environment):
        words = [word.replace("{fd}", str(listening.fileno())) for word in words]
        output = open(tmp_path / "log", "w+")  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env={**os.environ, **environment},
            pass_fds=[listening.fileno()],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        started.append((process, output))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    def stop():
        while started:
            process, output = started.pop()
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            output.close()

    run.stop = stop
    yield run
    stop()
    listening.close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def held_bytes(profile):
    """What the service's own function holds, by the profile."""
    column = [kind.type for kind in profile.sample_types].index("inuse_space")
    samples = profile.samples
    leaf = [profile.functions[profile.locations[samples.stacks[start]].lines[0].function].name for start in samples.starts[:-1]]
    return sum(samples.values[i * samples.width + column] for i in range(len(samples)) if leaf[i].endswith("hold"))


def pid_of(profile):
    return int(profile.comments[0].removeprefix("heap profile of pid ").partition(",")[0])


GUNICORN_HOOKS = {
    "post_fork": "def post_fork(server, worker):\n    import gomem\n    gomem.start(rate=4096)\n",
    "preload": "preload_app = True\nimport gomem\ngomem.start(rate=4096)\n",
    "environment": "import gomem.auto\n",
}


@pytest.mark.parametrize("how", GUNICORN_HOOKS)
def test_gunicorn_workers_have_profiles_of_their_own(run_server, tmp_path, how):
    (tmp_path / "gunicorn.conf.py").write_text(GUNICORN_HOOKS[how])
    settings = {"GOMEM": f"heap,rate=4096,out={tmp_path}/mem.{{pid}}.prof"} if how == "environment" else {}
    url = run_server("gunicorn", "--bind=fd://{fd}", "--workers=2", "service:app", **settings)
    profiles, requests = {}, {}
    for _ in range(200):  # either worker may take a connection; go on until both have been seen at work
        pid = int(fetch(url + "/"))
        requests[pid] = requests.get(pid, 0) + 1
        profile = decode(gzip.decompress(fetch(url + "/debug/pprof/heap")))
        profiles[pid_of(profile)] = (profile, dict(requests))
        if len(requests) > 1 and set(requests) <= set(profiles):
            break
    for pid, (profile, so_far) in profiles.items():
        held = so_far.get(pid, 0) * 1_000_000
        assert 0.9 * held <= held_bytes(profile) <= 1.1 * held + 100_000
    run_server.stop()
    if how == "environment":
        for pid in requests:
            written = decode(gzip.decompress((tmp_path / f"mem.{pid}.prof").read_bytes()))
            assert pid_of(written) == pid and held_bytes(written) >= 0.9 * requests[pid] * 1_000_000


def test_uvicorn(run_server):
    url = run_server("uvicorn", "--fd={fd}", "--log-level=warning", "service:asgi_app", GOMEM="")
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(url + "/debug/pprof/heap")
    assert caught.value.code == 503  # nobody started a profile


def test_uvicorn_with_the_environment_variable(run_server, tmp_path):
    (tmp_path / "service.py").write_text(APP + textwrap.dedent("import gomem.auto\n"))
    out = f"heap,rate=4096,out={tmp_path}/mem.{{pid}}.prof"
    url = run_server("uvicorn", "--fd={fd}", "--log-level=warning", "service:asgi_app", GOMEM=out)
    pids = {int(fetch(url + "/")) for _ in range(3)}
    profile = decode(gzip.decompress(fetch(url + "/debug/pprof/heap")))
    assert pids == {pid_of(profile)}
    assert 2_700_000 <= held_bytes(profile) <= 3_300_000


@pytest.mark.parametrize("workers", [(), ("--workers=2",)], ids=["one process", "workers"])
def test_uvicorn_writes_its_profiles_when_it_is_stopped(run_server, tmp_path, workers):
    (tmp_path / "service.py").write_text(APP + textwrap.dedent("import gomem.auto\n"))
    out = f"heap,rate=4096,out={tmp_path}/mem.{{pid}}.prof"
    url = run_server("uvicorn", "--fd={fd}", "--log-level=warning", *workers, "service:asgi_app", GOMEM=out)
    pids = [int(fetch(url + "/")) for _ in range(6)]
    run_server.stop()
    for pid in set(pids):
        written = decode(gzip.decompress((tmp_path / f"mem.{pid}.prof").read_bytes()))
        assert pid_of(written) == pid and held_bytes(written) >= 0.9 * pids.count(pid) * 1_000_000
