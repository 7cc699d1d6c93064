"""``analyse``: files in, verdicts out."""

from __future__ import annotations

import hashlib
import marshal
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gomem.errors import UsageError
from gomem.escape import ir
from gomem.escape.disk import DiskCache
from gomem.escape.engine import Engine
from gomem.escape.entities import ModuleInfo
from gomem.escape.files import find_files
from gomem.escape.findings import unpack_findings
from gomem.escape.merge import merge
from gomem.escape.packages import Context, Packages, load_packages, thaw
from gomem.escape.reading import read_files
from gomem.escape.sites import Site
from gomem.escape.summary import LibraryModule, parse_library
from gomem.escape.trace import Trace
from gomem.escape.universe import Universe
from gomem.escape.verdicts import Found, Step

LIBRARY = Path(__file__).parent / "library"
Progress = Callable[[str, int, int], None]


@dataclass(unsafe_hash=True, slots=True)
class Verdict:
    """What becomes of the objects that one site allocates.

    ``verdict`` is one of frame, returned, argument, instance, closure, generator, task, global, class, module, raised, unknown.
    ``reason`` says where they go, in words; empty for ``frame``. ``flow`` has the steps of the way there. ``type`` is the
    class of the object, "" if unknown.
    """

    site: Site
    verdict: str
    reason: str = ""
    flow: tuple[Step, ...] = ()
    type: str = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A parameter that leaves its function: itself, or (``content``) only what it holds; ``to`` says where."""

    path: str
    line: int
    function: str
    name: str
    to: str
    content: bool


@dataclass
class Analysis:
    """Verdicts of all sites and leaks of all parameters in the order of the files; ``skipped``: (path, why) of files that
    could not be read; ``dynamic``: functions whose frame is read by ``locals()``, ``eval`` and the like; ``patched``:
    functions that some code replaces, so that nobody knows what a call of them does; ``packages``: what was read of installed
    packages; ``left``: imported ones that were not, and why."""

    verdicts: list[Verdict] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    dynamic: int = 0
    patched: int = 0
    packages: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def analyse(
    paths: Sequence[str | Path],
    *,
    jobs: int = 1,
    cache: str | Path | None = None,
    libraries: Sequence[str | Path] = (),
    search: Sequence[str] = (),
    progress: Progress | None = None,
) -> Analysis:
    """Judges every allocation site of the files, and of the files below the directories, in ``paths``.

    Nothing is imported or run. ``jobs`` processes read the files (a script that asks for more than one needs the usual
    ``if __name__ == "__main__"``) and solve (if this is the only thread of the process; the verdicts are the same); ``cache`` is a directory in which what was read is kept by
    the hash of the source (None: nowhere). ``libraries`` are summaries of functions that cannot be read, in the format of
    docs/escape.md. Packages that the files import and that are found in the directories ``search`` are analysed, too, and their
    summaries kept in ``cache``; nothing is reported of them. ``progress`` is called with a stage and how much of it is done. Files that are no Python are skipped and
    listed. Costs 0.2 to 1 millisecond of CPU time a line, the more the
    more its classes refer to each other. Raises UsageError if a path does not exist or a library
    summary cannot be read.
    """
    told = load_libraries(libraries)
    universe = Universe(told, merge)
    analysis = Analysis()
    disk = DiskCache(cache)
    texts = b"".join(Path(library).read_bytes() for library in libraries)
    modules = list(read_files(find_files(paths), jobs, disk, analysis.skipped, progress))
    for module in modules:
        universe.add_file(module, own=True)
        analysis.files += 1
        analysis.lines += module.lines
    context = Context(lambda: load_libraries(libraries), told.keys(), texts, search, jobs, disk, progress)
    packages = load_packages(modules, context) if search else Packages()
    analysis.packages, analysis.left = packages.units, packages.left
    thaw(universe, packages.frozen)
    name = repr([*(os.path.abspath(path) for path in [*paths, *libraries]), *search]).encode()
    plain = disk.load(name)
    rest = hashlib.blake2b(packages.digest + texts, digest_size=16).digest()
    shape = (rest, [(module.name, module.shape, module.facts) for module in modules])
    trace = None if cache is None else Trace(universe, shape, None if plain is None else marshal.loads(plain), lambda: [*_texts(libraries), marshal.dumps(packages.frozen)])
    engine = Engine(universe, jobs, trace)
    engine.run(None if progress is None else lambda done, all_: progress("solving", done, all_))
    if trace is not None and trace.news:
        engine.forget()
        disk.keep(marshal.dumps(trace.pack()), name)
    analysis.patched = engine.patched
    for info in list(universe.modules.values()):
        if info.own and info.file is not None:
            _add_module(engine, info, info.file, analysis)
    return analysis


def _texts(extra: Sequence[str | Path]) -> list[bytes]:
    return [Path(path).read_bytes() for path in [*LIBRARY.glob("*.txt"), *extra]]


def _add_module(engine: Engine, info: ModuleInfo, file: ir.Module, analysis: Analysis) -> None:
    found: dict[int, Found] = {}
    for function in info.functions.values():
        if function.code is not None:
            code = function.code
            verdicts, leaks = unpack_findings(engine.findings[function], code)
            found.update(verdicts)
            if "?" in code.name:  # a part of another one
                continue
            analysis.dynamic += code.dynamic
            analysis.leaks += [Leak(info.path, code.line, code.name, name, to, content) for name, content, to in leaks]
    for number, row in enumerate(file.sites):
        verdict, reason, flow, kind = found.get(number, ("unknown", "in code that nothing reaches", (), ""))
        analysis.verdicts.append(Verdict(Site(info.path, *row), verdict, reason, flow, kind))


def load_libraries(extra: Sequence[str | Path] = ()) -> dict[str, LibraryModule]:
    """The summaries that come with gomem, then those of the user, which may replace them. Raises UsageError."""
    found: dict[str, LibraryModule] = {}
    for path in [*sorted(LIBRARY.glob("*.txt")), *map(Path, extra)]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"library: got {os.fspath(path)!r}, {error}") from error
        found.update(parse_library(text, str(path)))
    return found
