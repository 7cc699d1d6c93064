"""The pages inside a web application: a WSGI and an ASGI callable that wrap another, or stand alone.

Both look at the path first, so what the wrapped application gets costs one string comparison. The ASGI one makes pages
in a thread of the event loop's pool, for ``seconds=N`` waits and encoding takes its time; under a loop that is not
asyncio's it makes them on the spot.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from gomem.endpoint import pages

_NOT_FOUND = pages.text(404, f"no such page, want {pages.ROOT}/")
_NOT_ALLOWED = pages.text(405, "method: want GET or HEAD")


def _answer(method: str, name: str | None, query: str, closing: threading.Event | None = None) -> pages.Response:
    if name is None:
        return _NOT_FOUND
    if method not in ("GET", "HEAD"):
        return _NOT_ALLOWED
    return pages.respond(name, query, closing)


class Wsgi:
    """See ``gomem.endpoint.wsgi``."""

    def __init__(self, app: Any = None) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        mounted_at = environ.get("SCRIPT_NAME", "")
        name = pages.name_of(mounted_at + environ.get("PATH_INFO", ""), mounted_at)
        if name is None and self._app is not None:
            return self._app(environ, start_response)
        method = environ.get("REQUEST_METHOD", "GET")
        response = _answer(method, name, environ.get("QUERY_STRING", ""))
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", response.headers())
        return [] if method == "HEAD" else [response.body]


class Asgi:
    """See ``gomem.endpoint.asgi``."""

    def __init__(self, app: Any = None) -> None:
        self._app = app
        self._pool: ThreadPoolExecutor | None = None
        self._pool_pid = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        name = None
        if scope["type"] == "http":
            mounted_at = scope.get("root_path", "")
            name = pages.name_of(scope["path"], mounted_at)
        if name is None and self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send, name)
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    async def _serve(self, scope: dict[str, Any], receive: Any, send: Any, name: str | None) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        response = await self._make(scope["method"], name, query, receive)
        if response is None:
            return
        headers = [(key.lower().encode(), value.encode()) for key, value in response.headers()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def _make(self, method: str, name: str | None, query: str, receive: Any) -> pages.Response | None:
        """The page, made in a thread; None if the client went away, which also ends its wait for ``seconds``."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return _answer(method, name, query)
        if self._pool_pid != os.getpid():  # none yet, or of the parent; our own, to leave the application's alone
            self._pool, self._pool_pid = ThreadPoolExecutor(pages.REQUESTS_MAX, "gomem-serve"), os.getpid()
        closing = threading.Event()
        made = asyncio.ensure_future(loop.run_in_executor(self._pool, _answer, method, name, query, closing))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({made, gone}, return_when=asyncio.FIRST_COMPLETED)
            return made.result() if made.done() else None
        finally:
            closing.set()
            gone.cancel()


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _live(receive: Any, send: Any) -> None:
    """The lifespan protocol of an application that has nothing to set up."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
