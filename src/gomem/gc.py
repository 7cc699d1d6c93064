"""The concurrent collector: garbage in reference cycles among old objects is found beside the program, in short slices.

- ``enable`` takes the oldest generation over: CPython's young collections go on, its stop-the-world full collections
  no longer happen by themselves. ``disable`` gives it back.
- ``collect`` runs one whole cycle now. ``gc.collect()`` of the standard library works at any moment, as ever.
- ``stats`` tells what was done, with a histogram of pauses; ``callbacks`` are called before and after a cycle.

How it works, and why a live object cannot be freed: docs/design/collector.md. When to use it: docs/gc.md.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from gomem import pressure
from gomem.errors import UnsupportedError, UsageError
from gomem.units import parse_bytes

try:
    from gomem import _core
except ImportError as error:  # another platform, or built for another interpreter
    _core = None
    _missing = f"gomem.gc: needs CPython 3.11 to 3.13 on Linux with gomem's extension module, got {error}"
else:
    _missing = "" if hasattr(_core, "gc_stats") else _core.gc_unsupported()  # a sub-interpreter has no more of it
    _core = None if _missing else _core

VARIABLE = "GOMEM_GC"
TRACE_VARIABLE = "GOMEM_GCTRACE"
PERCENT = 25.0
PAUSE_MS = 1.0

Callback = Callable[[str, dict[str, Any]], object]

callbacks: list[Callback] = []
"""Called as ``callback(phase, info)`` on a thread of the program: phase ``"start"`` when a cycle begins, ``"stop"`` when
its garbage has been freed. ``info`` has ``cycle``, ``candidates``, ``freed``, ``rss_bytes``, ``aborted``. What one raises
is reported through ``sys.unraisablehook``."""

_settings = {"percent": PERCENT, "pause_ms": PAUSE_MS, "limit": 0, "trace": False}
_forks_watched = False


class Cycle(NamedTuple):
    """The last cycle; times in nanoseconds, memory in bytes, the rest counts of objects."""

    number: int
    walk_ns: int  # from its beginning until all old objects were counted
    mark_ns: int  # until the garbage was known
    free_ns: int  # until it was freed
    candidates: int  # objects proposed to CPython
    freed: int  # of which it found unreachable
    largest: int  # the largest batch: objects that all refer to each other are looked at together
    pause_max_ns: int  # CPU time of the longest slice or batch
    rss_before: int
    rss_after: int
    aborted: bool


class GCStats(NamedTuple):
    """What the collector has done since it was enabled."""

    enabled: bool
    phase: str  # idle, walk, mark, ... of the cycle under way
    cycles: int  # completed
    aborted: int  # ended early: gc.collect(), gc.freeze(), a fork, want of memory
    stock: int  # stop-the-world collections because cycles fell behind
    freed: int  # objects freed by cycles
    survived: int  # objects proposed to CPython that were alive after all
    apart: int  # components freed in slices, though all of their objects refer to each other
    reliefs: int  # times that caches were asked to shrink
    cpu_ns: dict[str, int]  # by who did it: callback, worker, request (collect()), batch (freeing)
    pauses: dict[int, int]  # upper bound in microseconds -> slices and batches whose CPU time was below it
    pause_sum_ns: int  # CPU time of all of them
    pause_max_ns: int  # CPU time of the longest
    wall_max_ns: int  # wall time of the longest, other processes' time included
    live: int  # old objects that survived the last cycle
    grown: int  # old objects that came in since it began
    goal: int  # growth by which the next one should have found its garbage
    rss_bytes: int  # when it was last read
    last: Cycle


PHASES = ("idle", "walk", "mark", "gather", "recount", "remark", "trim", "adopt", "link", "order", "free", "clean")


def _native():
    if _core is None:
        raise UnsupportedError(_missing)
    return _core


def unsupported() -> str | None:
    """Why the collector cannot run in this interpreter, in one sentence, or None."""
    return _missing or _core.gc_unsupported()


def is_enabled() -> bool:
    """Whether the collector has the oldest generation."""
    return _core is not None and _core.gc_stats()["enabled"] != 0


def enable(
    percent: float = PERCENT,
    memory_limit: int | str | None = None,
    pause_ms: float = PAUSE_MS,
    *,
    trace: bool | None = None,
) -> None:
    """Lets the concurrent collector have the oldest generation. A second call changes the settings.

    ``percent``: how much the generation may grow, of what survived the last cycle, until the next has found its garbage;
    above 0, default 25 (CPython's own rule is a quarter; Go's 100 halves the work for more memory). ``memory_limit``:
    see `set_memory_limit`. ``pause_ms``: CPU time of one slice, 0.05 to 1000; some slices take up to three times as long.
    ``trace``: a line a cycle on stderr; default: whether the environment has GOMEM_GCTRACE=1.

    Raises UnsupportedError where it cannot run, and CPython's collector stays as it is; ValueError for a number out of
    range. Costs a walk over all tracked objects (2 ms for 100,000), once; it starts a thread that runs no Python code.
    """
    core = _native()
    reason = core.gc_unsupported()
    if reason is None and not is_enabled():
        reason = _check_lists(core)
    if reason is not None:
        raise UnsupportedError(reason)
    _settings.update(
        _read(percent, memory_limit, pause_ms),
        trace=os.environ.get(TRACE_VARIABLE, "0") not in ("", "0") if trace is None else bool(trace),
    )
    _configure()
    if is_enabled():
        return
    core.gc_enable(callbacks, _relieve, core.gc_count_old())
    _register()
    _watch_forks()
    atexit.unregister(disable)
    atexit.register(disable)


def disable() -> None:
    """Gives the oldest generation back to CPython's collector, exactly as it was; a cycle under way is given up. Without
    an enabled collector it does nothing."""
    if _core is not None and _core.gc_disable():
        _register()


def collect() -> int:
    """Runs one whole cycle now, after the one under way if there is one; returns how many objects were freed.

    Young objects are first collected as ``gc.collect(1)`` does, and survivors become old. The calling thread works until
    the end; others may run between slices. Raises RuntimeError when the collector is not enabled, or from inside a
    finaliser or callback that it runs. Costs some 0.1 us an old object.
    """
    if not is_enabled():
        raise RuntimeError("gomem.gc: collect: got a disabled collector, want gomem.gc.enable() before")
    young = gc.collect(1)
    freed = _core.gc_collect()
    if freed == -2:  # another interpreter, no memory, another tool's hooks: CPython's own collection, then
        return young + gc.collect()
    if freed < 0:
        raise RuntimeError("gomem.gc: collect: got a call from a finaliser or callback, want one from outside")
    return young + freed


def freeze() -> None:
    """Runs a cycle, then puts what is alive out of both collectors' reach with ``gc.freeze()``: for what a program loads at
    its start and keeps. Raises what `collect` raises. ``gc.unfreeze()`` takes it back."""
    collect()
    gc.freeze()


def set_gc_percent(percent: float) -> float:
    """Sets the growth that a cycle may take (see `enable`); returns the old value. Raises ValueError out of range."""
    old = _settings["percent"]
    _settings["percent"] = _in_range("percent", percent, 0.1, 100_000)
    _configure()
    return old


def set_memory_limit(limit: int | str | None) -> int:
    """Sets the resident memory that the process should not exceed; returns the old one in bytes, 0 for none.

    ``limit``: bytes, text such as ``"1.5GiB"``, a share of the cgroup's limit such as ``"80%"``, or None for none. A soft
    limit, as Go's: from 90 % on, cycles start earlier, what is registered with `gomem.pressure` is asked to shrink at most
    twice a second, and the allocator returns free memory to the system at most once a second. Nothing is killed and
    nothing fails: a program that keeps more than the limit goes on above it, at a bounded cost. Raises ValueError for text
    that is no size, UsageError for a share where there is no cgroup limit.
    """
    old = _settings["limit"]
    _settings["limit"] = _limit_bytes(limit)
    _configure()
    return old


def set_pause_ms(pause_ms: float) -> float:
    """Sets the CPU time of one slice (see `enable`); returns the old value. Raises ValueError out of range."""
    old = _settings["pause_ms"]
    _settings["pause_ms"] = _in_range("pause_ms", pause_ms, 0.05, 1000)
    _configure()
    return old


def stats() -> GCStats:
    """What the collector has done since it was enabled. Costs a few microseconds. Raises UnsupportedError where it cannot
    run."""
    raw = _native().gc_stats()
    raw["phase"] = PHASES[raw["phase"]]
    raw["enabled"] = bool(raw["enabled"])
    raw["cpu_ns"] = dict(zip(("callback", "worker", "request", "batch"), raw["cpu_ns"], strict=True))
    raw["pauses"] = {1 << bucket: count for bucket, count in enumerate(raw["pauses"]) if count}
    raw["last"] = Cycle(*raw["last"])
    return GCStats(**raw)


def parse(text: str) -> dict[str, Any]:
    """The arguments of `enable` in the text of GOMEM_GC: ``1``, or ``percent=50,limit=80%,pause=2,trace=1`` in any order.

    Raises UsageError, naming the part that is wrong.
    """
    names = {"percent": ("percent", float), "limit": ("memory_limit", str), "pause": ("pause_ms", float)}
    arguments: dict[str, Any] = {}
    for part in filter(None, text.split(",") if text not in ("1", "on") else []):
        name, _, value = part.partition("=")
        if name == "trace" and value in ("0", "1"):
            arguments["trace"] = value == "1"
            continue
        try:
            argument, read = names[name]
            arguments[argument] = read(value)
        except (KeyError, ValueError):
            raise UsageError(f"{VARIABLE}: got {part!r}, want percent=N, limit=SIZE, pause=MS or trace=1") from None
    return arguments


def enable_from_environment() -> None:
    """Enables the collector if the environment variable GOMEM_GC is set and not 0; complains on stderr if it cannot."""
    text = os.environ.get(VARIABLE, "")
    if text in ("", "0"):
        return
    try:
        enable(**parse(text))
    except (UnsupportedError, UsageError, ValueError) as error:
        print(f"gomem: {error}", file=sys.stderr)


def _register() -> None:
    """Makes gc.callbacks agree with whether the collector is enabled. Whoever changes the list looks again: another thread
    may enable or disable between any two steps. No lock: a finaliser, a signal or a forked child may come here in the
    middle, too."""
    while (surplus := gc.callbacks.count(_core.gc_callback) - is_enabled()) != 0:
        if surplus < 0:
            gc.callbacks.append(_core.gc_callback)
            continue
        try:
            gc.callbacks.remove(_core.gc_callback)
        except ValueError:  # another thread has
            pass


def _configure() -> None:
    _native().gc_configure(
        float(_settings["percent"]), int(_settings["pause_ms"] * 1e6), int(_settings["limit"]), _settings["trace"]
    )


def _read(percent: float = PERCENT, memory_limit: int | str | None = None, pause_ms: float = PAUSE_MS, **_: object) -> dict[str, Any]:
    """The settings that arguments of `enable` ask for; raises what it raises for them."""
    return {
        "percent": _in_range("percent", percent, 0.1, 100_000),
        "pause_ms": _in_range("pause_ms", pause_ms, 0.05, 1000),
        "limit": _limit_bytes(memory_limit),
    }


def _in_range(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{name}: got {value}, want {low} to {high}")
    return float(value)


def _limit_bytes(limit: int | str | None) -> int:
    if limit is None:
        return 0
    if isinstance(limit, str) and limit.strip().endswith("%"):
        return _share_of_cgroup(limit)
    size = parse_bytes(limit) if isinstance(limit, str) else int(limit)
    if size <= 0:
        raise ValueError(f"memory_limit: got {limit}, want more than 0 bytes, or None for no limit")
    return size


def _share_of_cgroup(text: str) -> int:
    try:
        share = float(text.strip()[:-1])
    except ValueError:
        share = 0.0
    if not 0 < share <= 100:
        raise ValueError(f"memory_limit: got {text!r}, want a share such as '80%', above 0% and at most 100%")
    whole = pressure.read().limit
    if whole is None:
        raise UsageError(f"memory_limit: got {text!r}, but this process's cgroup has no memory limit: want bytes")
    return int(whole * share / 100)


def _relieve(fraction: float) -> None:
    pressure.shrink(fraction)


def _check_lists(core) -> str | None:
    """Compares CPython's lists as the collector sees them with what Python sees of them."""
    counts = core.gc_compare_lists(gc.get_objects)
    if counts is None:
        return None
    return f"gomem.gc: got {counts[0]} objects in the collector's lists where Python sees {counts[1]}; install gomem again"


def _watch_forks() -> None:
    global _forks_watched
    if not _forks_watched:
        _forks_watched = True
        os.register_at_fork(
            before=_core.gc_before_fork,
            after_in_parent=lambda: _core.gc_after_fork(False),
            after_in_child=lambda: _core.gc_after_fork(True),
        )
