"""The HTTP server behind ``gomem web`` and ``gomem pprof -http``.

- ``/ui/`` and ``/ui/PAGE`` are the page, ``/data/PAGE`` its JSON, ``/static/`` its files, ``/download`` the profile,
  ``/export`` the flame graph as one file. Only GET and HEAD, and nothing is ever changed.
- It binds to localhost unless told otherwise, and then also refuses requests that name another host: without that a
  web page could reach it through a name that resolves to 127.0.0.1 and read the profile.
- One thread a request; the work is done in C or on shared, cached results.
"""

from __future__ import annotations

import json
import sys
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from gomem.errors import GomemError, UsageError
from gomem.pprof.model import Profile
from gomem.report.config import Config
from gomem.web.pages import Pages, Parameters
from gomem.web.store import Source, Store

STATIC = Path(__file__).parent / "static"
PAGES = ("flamegraph", "top", "graph", "peek", "source", "tags")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def parse_address(text: str) -> tuple[str, int]:
    """Host and port from ``[host]:[port]``; a missing host is localhost, a missing port any free one.

    Raises UsageError.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not (port == "" or (port.isascii() and port.isdigit() and int(port) < 65536)):
        raise UsageError(f"http: got {text!r}, want host:port such as localhost:8080 or :0")
    return host.strip("[]") or "localhost", int(port or 0)


class Server(ThreadingHTTPServer):
    """Serves a store's pages on an address; ``url`` is where. Stop it with ``shutdown()``. Raises OSError."""

    daemon_threads = True

    def __init__(self, store: Store, config: Config | None = None, host: str = "localhost", port: int = 0) -> None:
        self.pages = Pages(store, config)
        if ":" in host:
            import socket

            self.address_family = socket.AF_INET6
        self.host = host
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_address[1]}/ui/"

    def allows(self, host: str) -> bool:
        """Whether a request's Host header may be answered: any when bound beyond this machine."""
        if self.host not in _LOOPBACK:
            return True
        return host.rpartition(":")[0].strip("[]") in _LOOPBACK or host in _LOOPBACK

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers hang up all the time; everything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self.server.allows(self.headers.get("Host", "")):
            self._send(403, b"host not allowed\n", "text/plain")
            return
        parts = urlsplit(self.path)
        parameters = dict(parse_qsl(parts.query, errors="surrogateescape"))
        head, _, rest = parts.path.lstrip("/").partition("/")
        routes: dict[str, Callable[[str, Parameters], None]] = {
            "": self._home,
            "ui": self._page,
            "static": self._static,
            "data": self._data,
            "download": self._download,
            "export": self._export,
        }
        route = routes.get(head)
        if route is None:
            self._send(404, b"no such page\n", "text/plain")
            return
        route(rest, parameters)

    do_HEAD = do_GET

    def _home(self, _: str, __: Parameters) -> None:
        query = urlencode(self.server.pages.config.url())
        self.send_response(302)
        self.send_header("Location", "/ui/" + (f"?{query}" if query else ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _page(self, rest: str, parameters: Parameters) -> None:
        if rest == "download":  # where the real tool has it
            return self._download(rest, parameters)
        if rest and rest not in PAGES:
            self._send(404, b"no such page\n", "text/plain")
            return
        self._send(200, (STATIC / "page.html").read_bytes(), "text/html")

    def _static(self, rest: str, _: Parameters) -> None:
        path = STATIC / rest
        if "/" in rest or not path.is_file():
            self._send(404, b"no such file\n", "text/plain")
            return
        self._send(200, path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream"))

    def _data(self, rest: str, parameters: Parameters) -> None:
        def make() -> bytes:
            return json.dumps(self.server.pages.answer(rest, parameters), separators=(",", ":")).encode()

        self._answer(make, "application/json")

    def _download(self, _: str, parameters: Parameters) -> None:
        self._answer(lambda: self.server.pages.download(parameters), "application/octet-stream", "profile.pb.gz")

    def _export(self, _: str, parameters: Parameters) -> None:
        from gomem.web.export import document_of

        def make() -> bytes:
            report, tree, _ = self.server.pages.flame_tree(parameters)
            return document_of(report, tree, view=parameters).encode("utf-8", "replace")

        self._answer(make, "text/html", "flame.html")

    def _answer(self, make: Callable[[], bytes], kind: str, file: str = "") -> None:
        try:
            body = make()
        except (GomemError, ValueError) as error:
            self._send(400, json.dumps({"error": str(error)}).encode(), "application/json")
            return
        self._send(200, body, kind, file)

    def _send(self, status: int, body: bytes, kind: str, file: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind if kind == "application/octet-stream" else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        if file:
            self.send_header("Content-Disposition", f'attachment; filename="{file}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the terminal belongs to whoever started the server."""


def serve(profile: Profile, config: Config, http: str, *, open_browser: bool = True, page: str = "") -> int:
    """Serves one profile on ``[host]:[port]`` until interrupted; see ``serve_store``."""
    return serve_store(Store([Source("", profile)]), config, http, open_browser=open_browser, page=page)


def serve_store(store: Store, config: Config, http: str, *, open_browser: bool = True, page: str = "") -> int:
    """Serves the store's profiles on ``[host]:[port]`` until interrupted, telling where on stderr. Returns 0.

    ``page`` is what the browser opens, below ``/ui/``. Raises UsageError for other addresses and OSError when the port
    is taken.
    """
    host, port = parse_address(http)
    with Server(store, config, host, port) as server:
        print(f"Serving web UI on {server.url}", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(server.url + page if page else server.url.removesuffix("ui/"))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0
