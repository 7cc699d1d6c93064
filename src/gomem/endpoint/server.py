"""The pages on a port of their own: a small threaded HTTP server in daemon threads.

It never keeps the process alive. Bound to a loopback address it answers only requests that name this machine in
``Host``: a web page in a browser here could otherwise point a host name of its own at 127.0.0.1 and read the profile.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
import weakref
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gomem.endpoint import pages

_IDLE_S = 30  # a connection that sends nothing for so long is closed
_CONNECTIONS_MAX = 64  # each has a thread; more are closed at once
_LOCAL_NAMES = ("localhost", "")


def _is_local(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name in _LOCAL_NAMES or name.endswith(".localhost")


def _name_in(host_header: str) -> str:
    """The host in a Host header, without the port and the brackets of an IPv6 address."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.rpartition(":")[0] if ":" in host_header else host_header


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    server_version = "gomem"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        name = pages.name_of(path)
        if self.server.only_local and not _is_local(_name_in(self.headers.get("Host", "")).lower()):
            response = pages.text(403, "host: this server answers only requests to this machine by a name of its own")
        elif name is None:
            response = pages.text(404, f"{path[:80]!r}: no such page, want {pages.ROOT}/")
        else:
            response = pages.respond(name, query, self.server.closing)
        self._send(response)

    do_HEAD = do_GET

    def _send(self, response: pages.Response) -> None:
        self.send_response(response.status)
        for header in response.headers():
            self.send_header(*header)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a profiled program's stderr is its own."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)
        self.only_local = _is_local(self.server_address[0])
        self.closing = threading.Event()
        self._connections = threading.BoundedSemaphore(_CONNECTIONS_MAX)

    def process_request(self, request, client_address) -> None:
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def server_bind(self) -> None:
        """As the base class does, but without its look-up of the host's full name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no news; anything else is a fault of ours and said."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Server:
    """A running server of ``/debug/pprof/``. ``close()`` ends it; so does the end of the process, without waiting."""

    def __init__(self, host: str, port: int) -> None:
        self._http = _HttpServer(host, port)
        self._pid = os.getpid()
        self.host = host
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, name="gomem-serve", daemon=True)
        self._thread.start()
        _open.add(self)

    @property
    def url(self) -> str:
        """The address of the index page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{pages.ROOT}/"

    def close(self) -> None:
        """Stops answering and gives the port back; requests that wait for their seconds end early. May be repeated."""
        if self in _open:
            _open.discard(self)
            self._http.closing.set()
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()

    def __repr__(self) -> str:
        return f"<gomem server at {self.url}>"


_open: weakref.WeakSet[Server] = weakref.WeakSet()


def _close_in_child() -> None:
    """A forked child has no serving thread, but the listening socket: held open, it would keep the parent's port taken."""
    for server in list(_open):
        server._http.socket.close()
        _open.discard(server)


os.register_at_fork(after_in_child=_close_in_child)
