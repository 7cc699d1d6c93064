"""The profilers to compare, one entry each: how to switch it on inside a process and how to end it.

``MODES[name].start()`` begins profiling and returns the function that ends it; that function returns facts worth
recording (samples taken, the mean bytes between samples). Every mode records deep Python stacks (64 frames and
more) except tracemalloc, which is given its cheapest setting, one frame. What each peer needs to run alone, without its service:

* gomem-python is gomem without its native hooks;
* ddtrace: only its heap collector, no tracer, no upload;
* pyroscope: its memory profiler with the CPU profiler off; the server address is a closed loopback port, so its pushes
  fail at once (a real push would cost more);
* heapwise, memray, tracemalloc: as their own documents start them; memray writes its capture to a temporary file;
* scalene works through a launcher that preloads its allocator: see ``launcher``.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

Facts = dict[str, float]
Stop = Callable[[], Facts]


@dataclass(frozen=True)
class Mode:
    name: str
    start: Callable[..., Stop]
    package: str = ""  # what must be importable, nothing for the standard library
    launcher: tuple[str, ...] = ()  # interpreter arguments before the module
    auto: bool = False  # adapts its rate to the run; ``start`` then takes another rate in bytes
    progress: Callable[[], tuple[int, int]] | None = None  # samples taken and bytes they stand for, so far
    note: str = field(default="", compare=False)

    def missing(self) -> str:
        """Why this mode cannot run here, or nothing."""
        if self.package and importlib.util.find_spec(self.package) is None:
            return f"{self.name}: {self.package} is not installed for {sys.version.split()[0]}"
        return ""


def nothing() -> Facts:
    return {}


def start_off() -> Stop:
    return nothing


def start_gomem(rate: int | str, **options: object) -> Callable[..., Stop]:
    def start(rate: int | str = rate) -> Stop:
        from gomem import heap

        heap.start(rate=rate, **options)

        def stop() -> Facts:
            heap.stop()
            got = heap.stats()
            return {"samples_lost": got.samples_lost, "samples_live": got.samples_live, "own_bytes": got.own_bytes}

        return stop

    return start


def gomem_progress() -> tuple[int, int]:
    from gomem import heap

    got = heap.stats()
    return got.samples, got.alloc_bytes


def start_ddtrace() -> Stop:
    from ddtrace.internal.datadog.profiling import ddup
    from ddtrace.profiling.collector.memalloc import MemoryCollector

    folder = tempfile.mkdtemp()
    ddup.config(env="bench", service="bench", version="0", output_filename=os.path.join(folder, "heap"))
    ddup.start()
    collector = MemoryCollector(max_nframe=64, heap_sample_size=512 * 1024)
    collector.start()

    def stop() -> Facts:
        collector.snapshot()
        collector.stop()
        return {}

    return stop


def start_pyroscope() -> Stop:
    import pyroscope

    pyroscope.configure(
        application_name="bench",
        server_address="http://127.0.0.1:9",
        cpu_enabled=False,
        mem_enabled=True,
        mem_heap_sample_size=512 * 1024,
    )
    return lambda: {"stopped": float(pyroscope.shutdown())}


def start_heapwise() -> Stop:
    import heapwise

    heapwise.start(512 * 1024)

    def stop() -> Facts:
        heapwise.stop()
        return {}

    return stop


def start_memray(**options: object) -> Callable[[], Stop]:
    def start() -> Stop:
        import memray

        folder = tempfile.mkdtemp()
        tracker = memray.Tracker(os.path.join(folder, "capture"), **options)
        tracker.__enter__()

        def stop() -> Facts:
            tracker.__exit__(None, None, None)
            size = os.path.getsize(os.path.join(folder, "capture"))
            os.unlink(os.path.join(folder, "capture"))
            return {"file_bytes": size}

        return stop

    return start


def start_tracemalloc(frames: int) -> Callable[[], Stop]:
    def start() -> Stop:
        import tracemalloc

        tracemalloc.start(frames)

        def stop() -> Facts:
            tracemalloc.stop()
            return {}

        return stop

    return start


ALL = (
    Mode("off", start_off),
    Mode("off-again", start_off, note="the same as off: its distance from 1 is the noise of the table"),
    Mode("gomem", start_gomem("auto"), "gomem", auto=True, progress=gomem_progress),
    Mode("gomem-512k", start_gomem(512 * 1024), "gomem", progress=gomem_progress),
    Mode("gomem-python", start_gomem("auto", native=False), "gomem", auto=True, progress=gomem_progress),
    Mode("ddtrace", start_ddtrace, "ddtrace", note="512 KiB"),
    Mode("pyroscope", start_pyroscope, "pyroscope", note="512 KiB"),
    Mode("heapwise", start_heapwise, "heapwise", note="512 KiB"),
    Mode("memray", start_memray(), "memray"),
    Mode("memray-pymalloc", start_memray(trace_python_allocators=True), "memray"),
    Mode("tracemalloc", start_tracemalloc(1), note="1 frame"),
    Mode("scalene", start_off, "scalene", ("-m", "scalene", "run", "--memory", "-o", os.devnull)),
)
MODES = {mode.name: mode for mode in ALL}
