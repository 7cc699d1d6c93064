"""The pytest plugin: ``pytest --memprofile=mem.prof`` and ``pytest --benchmem``, after ``go test -memprofile -benchmem``.

- pytest loads this module in every run, so it imports nothing that ``import gomem`` has not; all else waits until one of
  the options is given.
- ``--memprofile`` profiles the whole run and writes one pprof file. Under pytest-xdist each worker profiles itself and
  sends its profile to the main process, which writes the sum; with ``{worker}`` or ``{pid}`` in the name each writes
  its own.
- ``--benchmem`` measures each test's call, without its fixtures, and hangs the figures on the test's
  ``user_properties``: so they reach ``--junitxml``, come over from xdist workers, and a rerun replaces them.

Documented in docs/heap.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from gomem.heap import HeapStats

PROPERTIES = ("gomem_alloc_bytes", "gomem_alloc_objects", "gomem_peak_bytes")
_SHOWN = 20
_KEY = pytest.StashKey["_Profiling"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gomem", "memory profiling by gomem")
    group.addoption(
        "--memprofile",
        metavar="FILE",
        help="write a heap profile of the run in pprof's format; {pid} and {worker} in the name are replaced",
    )
    group.addoption(
        "--memprofilerate",
        metavar="BYTES",
        default="auto",
        help='mean bytes between samples, such as 1 (every allocation, slow) or 64k; default "auto"',
    )
    group.addoption(
        "--benchmem",
        action="store_true",
        help=f"report what each test allocates, and the peak: the {_SHOWN} largest, all with -v",
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """The first hook that knows the options: what conftest files import is in the profile too."""
    options = early_config.known_args_namespace
    if options.memprofile or options.benchmem:
        _start(early_config, options)


def pytest_configure(config: pytest.Config) -> None:
    profiling = config.stash.get(_KEY, None)
    if profiling is not None:
        config.pluginmanager.register(profiling, "gomem-profiling")


def pytest_unconfigure(config: pytest.Config) -> None:
    profiling = config.stash.get(_KEY, None)
    if profiling is not None:
        profiling.stop()


def _start(config: pytest.Config, options: Any) -> None:
    from gomem import heap
    from gomem.errors import GomemError

    path = os.path.join(config.invocation_params.dir, options.memprofile) if options.memprofile else ""
    if path and (os.path.isdir(path) or not os.access(os.path.dirname(path), os.W_OK)):
        raise pytest.UsageError(f"--memprofile: cannot write {path!r}, want a file in a writable directory")
    try:
        heap.start(options.memprofilerate)
    except (GomemError, ValueError) as error:
        raise pytest.UsageError(f"gomem: {error}") from None
    config.stash[_KEY] = _Profiling(path, options.benchmem)


class _Profiling:
    """One run of pytest, or one xdist worker's share of it, under the profiler. Registered as a plugin of its own."""

    def __init__(self, path: str, benchmem: bool) -> None:
        self._path, self._benchmem = path, benchmem
        self._own_files = "{pid}" in path or "{worker}" in path
        self._on_workers = False
        self._worker_profiles: list[bytes] = []
        self._remarks: list[str] = []
        self._figures: dict[str, tuple[int, ...]] = {}
        self._kept: HeapStats | None = None

    def stop(self) -> None:
        from gomem import heap

        heap.stop()

    # ---- in the process that runs tests ----

    @pytest.hookimpl(wrapper=True, trylast=True)  # innermost: other plugins' wrappers are not measured
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        if not self._benchmem:
            return (yield)
        from gomem import heap

        before = heap.stats()
        heap.window_peak_bytes()
        try:
            return (yield)
        finally:
            peak_bytes = heap.window_peak_bytes()
            after = heap.stats()
            figures = (
                after.alloc_bytes - before.alloc_bytes,
                after.alloc_objects - before.alloc_objects,
                max(0, peak_bytes - before.inuse_bytes),
            )
            kept = [pair for pair in item.user_properties if pair[0] not in PROPERTIES]  # a rerun measures anew
            item.user_properties[:] = [*kept, *zip(PROPERTIES, figures, strict=True)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from gomem import heap

        if self._on_workers:
            self._write_merged()
            return
        heap.stop()
        self._kept = heap.stats()
        if not self._path:
            return
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is None:
            self._write(heap.heap_profile(default_sample_type="alloc_space"), self._path_of("main"))
        elif self._own_files:
            worker = session.config.workerinput["workerid"]  # type: ignore[attr-defined]
            self._write(heap.heap_profile(default_sample_type="alloc_space"), self._path_of(worker))
            worker_output["gomem_remarks"] = self._remarks
        else:
            worker_output["gomem_profile"] = heap.heap_profile(default_sample_type="alloc_space").to_bytes()

    def _path_of(self, worker: str) -> str:
        return self._path.replace("{pid}", str(os.getpid())).replace("{worker}", worker)

    def _write(self, profile: Any, path: str) -> None:
        try:
            profile.write(path)
        except OSError as error:
            self._remarks.append(f"profile not written: {error}")
        else:
            self._remarks.append(f"wrote {os.path.relpath(path)}; look at it with: gomem top {os.path.relpath(path)}")

    # ---- in the main process ----

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """xdist is about to start a worker: the tests will not run here."""
        self._on_workers = True
        self.stop()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output = getattr(node, "workeroutput", None) or {}
        self._remarks += output.get("gomem_remarks", [])
        if "gomem_profile" in output:
            self._worker_profiles.append(output["gomem_profile"])
        elif self._path and not self._own_files:
            self._remarks.append(f"worker {node.gateway.id} ended without its profile: its part is missing")

    def _write_merged(self) -> None:
        if not self._worker_profiles:
            return
        from gomem.pprof.merge import combine
        from gomem.pprof.wire import decode

        self._write(combine([decode(profile) for profile in self._worker_profiles]), self._path)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._benchmem and report.when == "call":
            figures = dict(report.user_properties)
            if PROPERTIES[0] in figures:
                self._figures[report.nodeid] = tuple(int(figures[name]) for name in PROPERTIES)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        if not self._remarks and not self._figures:
            return
        terminalreporter.section("gomem")
        if self._figures:
            for line in self._table(everything=config.get_verbosity() > 0):
                terminalreporter.write_line(line)
        if self._kept is not None:
            how = "every allocation" if self._kept.rate_bytes == 1 else "estimates"
            lost = self._kept.samples_lost
            terminalreporter.write_line(f"{self._kept.samples} samples taken, {lost} lost: figures are {how}")
        for remark in self._remarks:
            terminalreporter.write_line(remark)

    def _table(self, *, everything: bool) -> list[str]:
        from gomem.units import format_bytes

        rows = sorted(self._figures.items(), key=lambda row: (-row[1][0], row[0]))
        shown = rows if everything else rows[:_SHOWN]
        lines = [f"{'allocated':>10} {'objects':>10} {'peak':>10}  test"]
        lines += [
            f"{format_bytes(size):>10} {objects:>10} {format_bytes(peak):>10}  {test}"
            for test, (size, objects, peak) in shown
        ]
        if len(shown) < len(rows):
            lines.append(f"({len(rows) - len(shown)} tests that allocate less are not shown; -v shows them)")
        return lines
