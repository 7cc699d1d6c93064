"""The sampling heap profiler: where memory is allocated, what of it is in use, and what was in use at the peak.

- ``start`` puts sampling hooks on CPython's allocators and, unless told not to, on the native libraries' ``malloc``;
  from then on about one allocation in ``rate`` bytes is recorded with its Python stack.
- ``heap_profile`` makes a pprof profile of what is known at that moment, ``write_heap_profile`` writes it to a file that
  ``gomem top`` and ``go tool pprof`` read, and sampling goes on.
- ``stop`` takes the hooks off; the profile stays readable until the next ``start``.

Source of the sampling: docs/design/sampling.md.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from gomem.errors import GomemError, UnsupportedError

if TYPE_CHECKING:
    from gomem.pprof.model import Profile

try:
    from gomem import _core
except ImportError as error:  # another platform, or built for another interpreter
    _core = None
    _missing = f"heap profiler: needs CPython 3.11 to 3.13 on Linux with gomem's extension module, got {error}"
else:
    _missing = _core.heap_unsupported() or ""
    if _missing:
        _core = None

DEPTH_MAX = 127
RATE_AUTO = 0.0

_restart_in_child = True
_settings: dict[str, Any] = {}
_original_set_ident = threading.Thread._set_ident if hasattr(threading.Thread, "_set_ident") else None


class HeapStats(NamedTuple):
    """Counters of the profiler at one moment; bytes and objects are estimates unless ``rate_bytes`` is 1."""

    running: bool
    rate_bytes: float  # mean bytes between samples now; 1: every allocation
    samples: int  # taken since start
    samples_lost: int  # due but not recorded, for want of memory
    samples_live: int  # of blocks not yet freed
    frees_missed: int  # sampled blocks whose free was not seen: their address was handed out again
    stacks: int  # distinct stacks known
    stacks_folded: int  # stacks that were reduced to their leaf, to bound memory
    hooks_lost: int  # times another tool took the hooks off; they were put back, in-use figures began anew
    inuse_objects: int
    alloc_objects: int
    inuse_bytes: int
    peak_bytes: int
    alloc_bytes: int
    own_bytes: int  # memory that the profiler's tables take
    before_bytes: int  # anonymous memory that was resident at the start, and so is not in the profile
    started_ns: int  # since 1970
    stopped_ns: int  # since 1970; now while running


def parse_rate(rate: float | str) -> float:
    """The mean number of bytes between samples that ``rate`` asks for; 0.0 for ``"auto"``.

    ``rate`` is ``"auto"``, a number of at least 1, or text such as ``"64k"``. Raises ValueError for anything else.
    """
    if rate == "auto":
        return RATE_AUTO
    try:
        if isinstance(rate, str):
            from gomem.units import parse_bytes

            rate = parse_bytes(rate)
        wanted = float(rate)
    except (TypeError, ValueError):
        wanted = 0.0
    if not 1 <= wanted <= 1 << 50:
        raise ValueError(f'rate: got {rate!r}, want "auto" or the mean bytes between samples, 1 or more')
    return wanted


def start(
    rate: float | str = "auto", *, native: bool = True, depth: int = DEPTH_MAX, seed: int | None = None
) -> None:
    """Starts a heap profile of this process; what was allocated before is not in it.

    ``rate`` is the mean number of bytes between samples: ``"auto"`` (finer while the heap is small, coarser as it
    grows or while samples come too fast), or a number, or text such as ``"64k"``; 1 records every allocation exactly
    and slows the program several times. ``native`` also samples ``malloc`` and its kin in native libraries.
    ``depth`` is the number of frames kept of a stack, 1 to 127, from the leaf up. ``seed`` makes the choice of samples
    repeatable. A forked child begins a profile of its own with the same settings.

    Raises GomemError if a profile is running, UnsupportedError where the interpreter or platform cannot do it,
    ValueError for arguments out of range. Costs about 0.1 ms now, and at ``"auto"`` one or two per cent from then on.
    """
    wanted = parse_rate(rate)
    if not 1 <= depth <= DEPTH_MAX:
        raise ValueError(f"depth: got {depth!r}, want 1 to {DEPTH_MAX} frames")
    core = _require_core()
    if core.heap_stats()["active"]:
        raise GomemError("heap profiler: is running already, want it stopped first")
    _settings.update(rate=wanted, native=bool(native), depth=depth, seed=seed)
    _begin(core)
    _watch_process()


def stop() -> None:
    """Stops sampling and takes the hooks off; the profile taken so far stays readable. Does nothing if none runs."""
    if _core is not None and _core.heap_stop():
        _unname_threads()


def is_running() -> bool:
    """Whether a heap profile is being taken."""
    return _core is not None and _core.heap_stats()["active"]


def stats() -> HeapStats:
    """The profiler's counters. Costs a microsecond or two. Raises UnsupportedError where there is no profiler."""
    got = _require_core().heap_stats()
    return HeapStats(
        running=got["active"],
        rate_bytes=got["rate"],
        samples=got["samples"],
        samples_lost=got["lost"],
        samples_live=got["live_samples"],
        frees_missed=got["vanished"],
        stacks=got["stacks"],
        stacks_folded=got["folded"],
        hooks_lost=got["hooks_lost"],
        inuse_objects=round(got["inuse_objects"]),
        alloc_objects=round(got["alloc_objects"]),
        inuse_bytes=round(got["inuse_bytes"]),
        peak_bytes=round(got["peak_bytes"]),
        alloc_bytes=round(got["alloc_bytes"]),
        own_bytes=got["own_bytes"],
        before_bytes=_settings.get("before_bytes", 0),
        started_ns=got["started_ns"],
        stopped_ns=got["stopped_ns"],
    )


def window_peak_bytes() -> int:
    """The most bytes that were in use at once since the last call of this function, or since the start.

    Begins anew at what is in use now; there is one such window a process. Costs less than a microsecond.
    """
    return round(_require_core().heap_window())


@contextlib.contextmanager
def unsampled() -> Iterator[None]:
    """Leaves what the calling thread allocates in the body out of the profile. For work on the profile itself: making or
    encoding one takes memory for a moment, and that must not become the peak."""
    core = _require_core()
    before = core.heap_own(True)
    try:
        yield
    finally:
        core.heap_own(before)


def heap_profile(*, default_sample_type: str = "inuse_space", types: bool = False) -> Profile:
    """The heap profile as of now, or of the moment it was stopped.

    Its sample types are alloc_objects, alloc_space, inuse_objects, inuse_space, peak_objects and peak_space (what was
    in use when the sampled heap stood highest); ``default_sample_type`` names the one that viewers show first. With
    ``types``, what is in use carries the label ``type``: the type of the object that each sampled block holds; blocks
    without one hold what belongs to an object, such as the items of a list.
    Raises GomemError if no profile was started. Costs some ten milliseconds for ten thousand distinct stacks; its own
    allocations are not sampled.
    """
    core = _require_core()
    got = core.heap_stats()
    if not got["started_ns"]:
        raise GomemError("heap profile: none was started, want gomem.start() first")
    core.heap_mend()
    with unsampled():
        from gomem._profile import all_types, build

        known = all_types() if types else None
        return build(core.heap_export(known), core.heap_stats(), default_sample_type, known or [])


def write_heap_profile(
    path: str | os.PathLike[str], *, default_sample_type: str = "inuse_space", types: bool = False
) -> None:
    """Writes ``heap_profile(...)`` to a file in pprof's format; ``{pid}`` in its name becomes the process id.

    The profile goes to a temporary name beside it and is then renamed: a reader sees the old file or the new one.
    Raises OSError when it cannot be written.
    """
    profile = heap_profile(default_sample_type=default_sample_type, types=types)
    with unsampled():
        profile.write(os.fspath(path).replace("{pid}", str(os.getpid())))


@contextlib.contextmanager
def profile(
    path: str | os.PathLike[str],
    rate: float | str = "auto",
    *,
    native: bool = True,
    depth: int = DEPTH_MAX,
    seed: int | None = None,
) -> Iterator[None]:
    """Profiles the body of a ``with`` statement into a file whose default view is the peak. Arguments as for ``start``.

    The file is written also when the body raises.
    """
    start(rate, native=native, depth=depth, seed=seed)
    try:
        yield
    finally:
        stop()
        write_heap_profile(path, default_sample_type="peak_space")


def _require_core():
    if _core is None:
        raise UnsupportedError(_missing)
    return _core


def _begin(core) -> None:
    _settings["before_bytes"] = memory_status().get("RssAnon", 0)
    seed = _settings["seed"]
    if seed is None:
        seed = int.from_bytes(os.urandom(8), "little")
    known = [(t.ident, t.name.encode(errors="replace")) for t in threading.enumerate() if t.ident is not None]
    try:
        core.heap_start(_settings["rate"], seed, _settings["depth"], _settings["native"], known[:200])
    except RuntimeError as error:
        raise GomemError(str(error)) from None
    _name_threads()


def memory_status() -> dict[str, int]:
    """The sizes in /proc/self/status by name (VmHWM, RssAnon, RssFile, ...), in bytes; empty where there is none."""
    try:
        with open("/proc/self/status", encoding="utf-8", errors="replace") as status:
            fields = (line.split() for line in status)
            return {field[0].rstrip(":"): int(field[1]) * 1024 for field in fields if field[-1] == "kB"}
    except OSError:
        return {}


def _name_threads() -> None:
    """Has each new thread tell its name to the core as it starts; at run time the core cannot ask."""
    if _original_set_ident is not None:
        threading.Thread._set_ident = _set_ident_and_name


def _unname_threads() -> None:
    if _original_set_ident is not None and threading.Thread._set_ident is _set_ident_and_name:
        threading.Thread._set_ident = _original_set_ident


def _set_ident_and_name(self: threading.Thread) -> None:
    _original_set_ident(self)
    _core.heap_name_thread(self._name.encode(errors="replace"))


_watching = False


def _watch_process() -> None:
    """Once: stop before the interpreter is torn down, and begin anew in forked children."""
    global _watching
    if not _watching:
        import atexit

        _watching = True
        atexit.register(stop)
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    if not _core.heap_forked():
        return
    if _restart_in_child:
        _begin(_core)
    else:
        stop()


def set_restart_in_child(restart: bool) -> None:
    """Whether a forked child begins a profile of its own (the default) or goes unprofiled."""
    global _restart_in_child
    _restart_in_child = restart
