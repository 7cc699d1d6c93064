"""Profiles fetched over TLS: whom the client trusts, and who it says it is. The certificates are made by openssl."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from shutil import which

import pytest

from gomem.errors import ProfileError
from gomem.pprof.fetch import Sources, fetch_profile

pytestmark = [pytest.mark.once, pytest.mark.skipif(which("openssl") is None, reason="openssl is not installed")]



@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate of 127.0.0.1 signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    words = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", *words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def serve(pair, profile_bytes):
    servers = []

    def start(asks_clients=False):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(profile_bytes)

            def log_message(self, *words):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if asks_clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(pair[0])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_port}/debug/pprof/heap"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def profile_bytes(tmp_path):
    import gomem

    path = tmp_path / "one.prof"
    with gomem.profile(str(path), rate=1):
        kept = [bytes(100) for _ in range(10)]
    assert kept
    return path.read_bytes()


@pytest.fixture(autouse=True)
def kept_where(monkeypatch, tmp_path):
    monkeypatch.setenv("PPROF_TMPDIR", str(tmp_path))


def read(url, **options):
    return fetch_profile(Sources([url], **options), lambda text: None)


def test_an_unknown_certificate_is_refused(serve):
    with pytest.raises(ProfileError):
        read(serve())


def test_a_named_authority_is_trusted(serve, pair):
    assert read(serve(), tls_ca=pair[0])


def test_insecure_trusts_anybody(serve):
    assert read(serve().replace("https:", "https+insecure:"))


def test_a_server_that_asks_who_we_are(serve, pair):
    url = serve(asks_clients=True)
    with pytest.raises(ProfileError):
        read(url, tls_ca=pair[0])
    assert read(url, tls_ca=pair[0], tls_cert=pair[0], tls_key=pair[1])


@pytest.mark.parametrize("option", ["tls_ca", "tls_cert"])
def test_a_file_that_holds_no_certificate(serve, tmp_path, option):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    said = []
    with pytest.raises(ProfileError):
        fetch_profile(Sources([serve()], **{option: str(wrong)}), said.append)
    assert f"-{option}: got {wrong}" in "".join(said), said
