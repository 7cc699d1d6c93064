"""The pages below ``/debug/pprof/``: from a path and a query to a response, whatever carries them.

- ``heap`` and ``allocs`` are the same profile with another first view, as in Go; ``seconds=N`` gives the difference over
  N seconds, ``gc=1`` runs the garbage collector first, ``types=1`` adds object types, ``debug=1`` is for reading.
- One page is made at a time, and at most ``REQUESTS_MAX`` requests are taken at once: more are told to come back.
- Nothing that others must wait for is held while encoding: the tables are copied under the profiler's lock, the rest is
  ordinary Python that gives way to other threads, and compression runs without the GIL.
"""

from __future__ import annotations

import gc
import html
import io
import os
import sys
import threading
import time
from array import array
from typing import NamedTuple
from urllib.parse import parse_qs

from gomem import _profile as _builder  # noqa: F401  loaded now, so that the first request allocates no modules
from gomem import heap
from gomem.endpoint import metrics
from gomem.errors import GomemError
from gomem.pprof import wire as _wire  # noqa: F401
from gomem.pprof.merge import subtract
from gomem.pprof.model import Profile
from gomem.record import replace
from gomem.sites import largest_stacks, size_table
from gomem.units import format_bytes

ROOT = "/debug/pprof"
REQUESTS_MAX = 16
SECONDS_MAX = 3600
_STACKS_SHOWN = 100
_DEFAULT_TYPES = {"heap": "inuse_space", "allocs": "alloc_space"}
_PAGES = {
    "heap": "what is in use now, by the line that allocated it",
    "allocs": "the same profile, beginning with all that was ever allocated",
    "gc": "the garbage collectors' counters and pauses, for Prometheus",
    "cmdline": "the command line, its words separated by NUL",
}


class Response(NamedTuple):
    """A status, headers and a body to send."""

    status: int
    content_type: str
    body: bytes
    file_name: str = ""  # under which a browser is to save it
    location: str = ""  # where to look instead

    def headers(self) -> list[tuple[str, str]]:
        headers = [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        if self.location:
            headers.append(("Location", self.location))
        if self.file_name:
            headers.append(("Content-Disposition", f'attachment; filename="{self.file_name}"'))
        return headers


class _Refusal(Exception):
    """A request that cannot be served: the status and one line of why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Query(NamedTuple):
    seconds: int = 0
    gc: int = 0
    debug: int = 0
    types: int = 0


_LIMITS = _Query(seconds=SECONDS_MAX, gc=1, debug=2, types=1)

_requests = threading.BoundedSemaphore(REQUESTS_MAX)
_making = threading.Lock()


def _unlock_in_child() -> None:
    """A fork may come while another thread, which the child does not have, makes a page."""
    global _requests, _making
    _requests, _making = threading.BoundedSemaphore(REQUESTS_MAX), threading.Lock()


os.register_at_fork(after_in_child=_unlock_in_child)


def text(status: int, body: str) -> Response:
    return Response(status, "text/plain; charset=utf-8", body.encode() + b"\n")


def name_of(path: str, mounted_at: str = "") -> str | None:
    """The page that a path asks for, "" being the index, "/" its path without the slash that its links need.

    None if it is not below /debug/pprof/.
    ``mounted_at`` is the prefix, of the whole path, under which the application is mounted; it may hold /debug/pprof.
    """
    if mounted_at and path.startswith(mounted_at):
        path = path[len(mounted_at) :]
    if mounted_at.endswith(ROOT) and not path.startswith(ROOT):
        path = ROOT + path
    if path == ROOT:
        return "/"
    if path.startswith(ROOT + "/"):
        return path[len(ROOT) + 1 :]
    return None


def respond(name: str, query: str, closing: threading.Event | None = None) -> Response:
    """The answer to a GET of the page ``name``; waits ``seconds`` if the query asks for it, or until ``closing`` is set."""
    requests = _requests
    if not requests.acquire(blocking=False):
        return text(503, f"busy: {REQUESTS_MAX} requests are being served, want fewer at a time")
    try:
        return _page(name, query, closing or threading.Event())
    except _Refusal as refusal:
        return text(refusal.status, str(refusal))
    except GomemError as error:
        return text(503, str(error))
    finally:
        requests.release()


def _page(name: str, query: str, closing: threading.Event) -> Response:
    if name == "":
        return Response(200, "text/html; charset=utf-8", _index().encode())
    if name == "/":
        return text(301, "pprof/")._replace(location="pprof/")
    if name == "cmdline":
        words = [os.fsencode(word) for word in sys.orig_argv]
        return Response(200, "text/plain; charset=utf-8", b"\0".join(words))
    if name == "gc":
        return Response(200, metrics.CONTENT_TYPE, metrics.text().encode())
    if name not in _DEFAULT_TYPES:
        raise _Refusal(404, f"{ROOT}/{name}: no such page, want one of {', '.join(_PAGES)}")
    asked = _parse(query)
    if asked.gc:
        gc.collect()
    profile = _over(name, asked, closing) if asked.seconds else _profile(name, asked)
    if asked.debug:
        with heap.unsampled():
            return text(200, _readable(profile, _STACKS_SHOWN if asked.debug == 1 else None))
    body = io.BytesIO()
    with _making, heap.unsampled():
        profile.write(body)
    return Response(200, "application/octet-stream", body.getvalue(), name)


def _parse(query: str) -> _Query:
    """The numbers in a query; names that mean nothing to us are for others, such as proxies, and pass."""
    numbers: dict[str, int] = {}
    for name, values in parse_qs(query, keep_blank_values=True).items():
        if name in _Query._fields:
            limit = getattr(_LIMITS, name)
            if not values[-1].isascii() or not values[-1].isdecimal() or not 0 <= int(values[-1][:9]) <= limit:
                raise _Refusal(400, f"{name}: got {values[-1][:40]!r}, want a whole number from 0 to {limit}")
            numbers[name] = int(values[-1])
    return _Query(**numbers)


def _profile(name: str, asked: _Query) -> Profile:
    with _making:
        return heap.heap_profile(default_sample_type=_DEFAULT_TYPES[name], types=bool(asked.types))


def _over(name: str, asked: _Query, closing: threading.Event) -> Profile:
    """What changed in the seconds asked for: allocations, and in-use amounts that may be negative. It has no peak."""
    started_ns = heap.stats().started_ns
    base = _without_peak(_profile(name, asked))
    if closing.wait(asked.seconds):
        raise _Refusal(503, "the server is being closed")
    now = _profile(name, asked)
    if heap.stats().started_ns != started_ns:
        raise _Refusal(503, "the profile was started anew in between, want one that runs for all of the seconds")
    with _making, heap.unsampled():
        delta = subtract(now, base, label=False, normalize=False)
    return replace(delta, time_nanos=now.time_nanos, duration_nanos=now.time_nanos - base.time_nanos)


def _without_peak(profile: Profile) -> Profile:
    width = profile.samples.width
    kept = [i for i, kind in enumerate(profile.sample_types) if not kind.type.startswith("peak_")]
    values = array("q", bytes(8 * len(kept) * len(profile.samples)))
    for to, column in enumerate(kept):
        values[to :: len(kept)] = array("q", profile.samples.values)[column::width]
    return replace(
        profile,
        sample_types=[profile.sample_types[i] for i in kept],
        samples=replace(profile.samples, width=len(kept), values=values),
    )


def _readable(profile: Profile, limit: int | None) -> str:
    lines = [*profile.comments, f"time: {time.strftime('%Y-%m-%d %H:%M:%S %z', time.localtime(profile.time_nanos / 1e9))}"]
    for kind in profile.sample_types:
        if kind.unit == "bytes":
            lines += ["", *size_table(kind.type, profile, kind.type)]
    lines += ["", "stacks, largest first"]
    lines += largest_stacks(profile, profile.default_sample_type, limit)
    return "\n".join(lines)


def _index() -> str:
    rows = "".join(f"<tr><td><a href='{name}'>{name}</a></td><td>{what}</td></tr>" for name, what in _PAGES.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{ROOT}/</title>
<style>body {{ font: 15px/1.5 sans-serif; margin: 2em; max-width: 50em }} td {{ padding-right: 1.5em }}</style></head>
<body><h1>{ROOT}/</h1>
<p>{html.escape(_state())}</p>
<table>{rows}</table>
<p>Read it here: <a href="heap?debug=1">heap?debug=1</a>. Or, with this page's address before it:</p>
<pre>go tool pprof {ROOT}/heap
gomem top {ROOT}/heap</pre>
<p><code>seconds=N</code> gives the difference over N seconds, <code>gc=1</code> runs the garbage collector first,
<code>types=1</code> adds the types of objects in use, <code>debug=1</code> is for reading.</p>
</body></html>
"""


def _state() -> str:
    stats = heap.stats()
    if not stats.started_ns:
        return f"Process {os.getpid()}: no heap profile was started; gomem.start() does."
    how = "is running" if stats.running else "was stopped"
    return (
        f"Process {os.getpid()}: the heap profile {how}; in use {format_bytes(stats.inuse_bytes)}, at the peak"
        f" {format_bytes(stats.peak_bytes)}, allocated {format_bytes(stats.alloc_bytes)};"
        f" {stats.samples} samples, {stats.samples_lost} lost."
    )
