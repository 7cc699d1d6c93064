"""The heap profile of a running program over HTTP, at ``/debug/pprof/``, as Go's net/http/pprof serves it.

- ``serve`` answers on a port of its own, from a daemon thread; ``wsgi`` and ``asgi`` put the same pages into a web
  application. ``go tool pprof http://localhost:6060/debug/pprof/heap`` reads any of them.
- ``pages`` makes the answers, ``server`` and ``gateway`` carry them.

The function is ``gomem.serve``; a package of that name would take its place, so the package is called endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gomem.endpoint.server import Server

__all__ = ["asgi", "serve", "wsgi"]


def serve(port: int = 6060, host: str = "127.0.0.1", *, rate: float | str = "auto") -> Server:
    """Serves the heap profile at ``http://host:port/debug/pprof/`` from a daemon thread, and starts one if none runs.

    ``port`` 0 takes a free one, see the server's ``port``; ``rate`` is as for ``gomem.start`` and matters only if no
    profile runs. The default ``host`` answers this machine alone. Whoever can reach the port sees function and file
    names and the command line, and can make the process spend time: do not open it to the world. A forked child does
    not inherit the server, call it there again (docs/heap.md has it for gunicorn).

    Returns the server, which has ``url``, ``port`` and ``close()``. Raises OSError if the port is taken, ValueError
    for a port or rate out of range, UnsupportedError where there is no profiler. Costs a waiting thread; see
    docs/heap.md for what a request costs.
    """
    from gomem import heap
    from gomem.endpoint.server import Server

    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"port: got {port!r}, want 0 to 65535")
    heap.parse_rate(rate)
    server = Server(host, port)
    try:
        if not heap.is_running():
            heap.start(rate)
    except BaseException:
        server.close()
        raise
    return server


def wsgi(app: Any = None) -> Any:
    """A WSGI application that answers below ``/debug/pprof/`` and hands every other request to ``app``.

    Without ``app`` it answers 404 to the rest, and may be mounted at ``/debug/pprof`` or at the root. It is as open as
    the application it is put into: guard the path there. The profiler must be started apart, with ``gomem.start()`` or
    ``import gomem.auto``.
    """
    from gomem.endpoint.gateway import Wsgi

    return Wsgi(app)


def asgi(app: Any = None) -> Any:
    """An ASGI application like ``wsgi``: pages are made in a thread, so the event loop goes on meanwhile."""
    from gomem.endpoint.gateway import Asgi

    return Asgi(app)
