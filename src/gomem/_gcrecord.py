"""Every collection of this process into a file, for ``gomem gc``: set the environment variable GOMEM_GCRECORD to its name.

A record is four doubles: monotonic time in seconds, kind, and two values.

- kind 0, 1, 2: a collection of CPython's of that generation; its CPU and wall time in seconds;
- kind 3: slices of the concurrent collector since the last look; an upper bound of their CPU time in seconds, how many;
- kind 4: the longest slice so far, in seconds; cycles completed so far.

Records are written by the hundred and at exit, so what dies by a signal leaves nearly all of them. A forked child records
nothing. Standard library only.
"""

from __future__ import annotations

import atexit
import gc
import os
import time
from array import array

VARIABLE = "GOMEM_GCRECORD"
WIDTH = 4
SLICES, LONGEST = 3, 4
_FLUSH = 100 * WIDTH


class _Recorder:
    def __init__(self, path: str) -> None:
        self._path, self._pid = path, os.getpid()
        self._values = array("d")
        self._begun = (0.0, 0.0)
        self._seen: dict[int, int] = {}
        self._stats = None
        self._free = -1

    def watch_slices(self) -> None:
        from gomem import _core
        from gomem.gc import PHASES

        self._stats = _core.gc_stats
        self._free = PHASES.index("free")  # in which batches are freed, by collections of their own that are no stop of CPython's

    def note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = (time.thread_time(), time.perf_counter())
            return
        stats = self._stats() if self._stats is not None else None
        if stats is None or info["generation"] or stats["phase"] != self._free:
            now, cpu = time.perf_counter(), time.thread_time()
            self._add(now, info["generation"], cpu - self._begun[0], now - self._begun[1])
        if stats is not None:
            self._note_slices(stats)

    def _note_slices(self, stats: dict) -> None:
        now = time.perf_counter()
        for bucket, count in enumerate(stats["pauses"]):
            new = count - self._seen.get(bucket, 0)
            if new > 0:
                self._add(now, SLICES, (1 << bucket) / 1e6, new)
            self._seen[bucket] = count

    def _add(self, *record: float) -> None:
        self._values.extend(record)
        if len(self._values) >= _FLUSH:
            self.flush()

    def flush(self) -> None:
        if os.getpid() == self._pid and self._values:
            values, self._values = self._values, array("d")
            try:
                with open(self._path, "ab") as file:
                    file.write(values)
            except OSError:
                pass  # the folder is gone: gomem gc has given up

    def finish(self) -> None:
        if self._stats is not None:
            stats = self._stats()
            self._note_slices(stats)
            self._add(time.perf_counter(), LONGEST, stats["pause_max_ns"] / 1e9, stats["cycles"])
        self.flush()


def begin() -> None:
    """Records from now on, if the variable names a file, and lets the collector be enabled if GOMEM_GC says so."""
    path = os.environ.pop(VARIABLE, "")
    if not path:
        return
    recorder = _Recorder(path)
    gc.callbacks.append(recorder.note)  # before the collector's, so that its slices are not in a collection's time
    if os.environ.get("GOMEM_GC", "0") not in ("", "0"):
        import gomem.gc

        gomem.gc.enable_from_environment()
        if gomem.gc.is_enabled():
            recorder.watch_slices()
    atexit.register(recorder.finish)  # after the collector's, so that it runs before
