"""``analyse``: files in, verdicts out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gomem.errors import UsageError
from gomem.escape import ir
from gomem.escape.engine import Engine
from gomem.escape.files import find_files
from gomem.escape.merge import merge
from gomem.escape.reading import read_files
from gomem.escape.sites import Site
from gomem.escape.summary import FRESH, LibraryModule, Source, Summary, parse_library, store_order
from gomem.escape.universe import Function, ModuleInfo, Universe
from gomem.escape.verdicts import Found, Step

LIBRARY = Path(__file__).parent / "library"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
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
    functions that some code replaces, so that nobody knows what a call of them does."""

    verdicts: list[Verdict] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    dynamic: int = 0
    patched: int = 0


def analyse(
    paths: Sequence[str | Path],
    *,
    jobs: int = 1,
    cache: str | Path | None = None,
    libraries: Sequence[str | Path] = (),
    progress: Progress | None = None,
) -> Analysis:
    """Judges every allocation site of the files, and of the files below the directories, in ``paths``.

    Nothing is imported or run. ``jobs`` processes read the files (a script that asks for more than one needs the usual
    ``if __name__ == "__main__"``) and solve (if this is the only thread of the process; the verdicts are the same); ``cache`` is a directory in which what was read is kept by
    the hash of the source (None: nowhere). ``libraries`` are summaries of functions that cannot be read, in the format of
    docs/escape.md. ``progress`` is called with a stage and how much of it is done. Files that are no Python are skipped and
    listed. Costs 0.2 to 1 millisecond of CPU time a line, the more the
    more its classes refer to each other. Raises UsageError if a path does not exist or a library
    summary cannot be read.
    """
    universe = Universe(load_libraries(libraries), merge)
    analysis = Analysis()
    for module in read_files(find_files(paths), jobs, cache, analysis.skipped, progress):
        universe.add_file(module, own=True)
        analysis.files += 1
        analysis.lines += module.lines
    universe.link()
    engine = Engine(universe, jobs)
    engine.run(None if progress is None else lambda done, all_: progress("solving", done, all_))
    analysis.patched = len(engine.patched)
    for info in list(universe.modules.values()):
        if info.own and info.file is not None:
            _add_module(engine, info, info.file, analysis)
    return analysis


def _add_module(engine: Engine, info: ModuleInfo, file: ir.Module, analysis: Analysis) -> None:
    found: dict[int, Found] = {}
    for function in info.functions.values():
        if function.code is not None:
            found.update(engine.verdicts[function])
            analysis.dynamic += function.code.dynamic
            analysis.leaks += _leaks(info.path, function, function.summary)
    for number, row in enumerate(file.sites):
        verdict, reason, flow, kind = found.get(number, ("unknown", "in code that nothing reaches", (), ""))
        analysis.verdicts.append(Verdict(Site(info.path, *row), verdict, reason, flow, kind))


def _leaks(path: str, function: Function, summary: Summary) -> list[Leak]:
    code = function.code
    assert code is not None
    found: dict[tuple[str, bool], str] = {}
    names = [param[0] for param in code.params]

    def note(source: tuple[int, str], to: str) -> None:
        number, inner = source
        if 0 <= number < len(names):
            found.setdefault((names[number], bool(inner)), to)

    for source, cause in summary.leaks.items():
        note(source, _cause_text(cause))
    for target, name, source in sorted(summary.stores, key=store_order):
        for inner in _within(summary, [source]) if 0 <= target[0] < len(names) else ():
            if inner[0] != target[0]:
                note(inner, names[target[0]] + _shown(target[1]) + _shown(name))
    for source in _within(summary, summary.returns):
        note(source, "result")
    return [Leak(path, code.line, code.name, name, to, content) for (name, content), to in found.items()]


def _shown(name: str) -> str:
    return f".{name.partition('@')[0]}" if name and name[0] not in "*?&=0123456789" else ""


def _within(summary: Summary, sources: Iterable[Source]) -> list[Source]:
    """Parameters, and what they hold, among the sources and in the new objects among them."""
    found: dict[Source, None] = {}
    todo = list(sources)
    while todo:
        source = todo.pop()
        if source not in found:
            found[source] = None
            if source[0] == FRESH:
                todo += [inner for _, sources in summary.fresh[source[1]][1] for inner in sources]
    return sorted((source for source in found if source[0] >= 0), key=str)


def _cause_text(cause: str) -> str:
    kind, _, rest = cause.partition(" ")
    if kind == "unknown":
        return f"unknown call ({rest})"
    return {"raised": "an exception", "library": "a library", "task": "a task"}.get(kind, f"{kind} {rest}".strip())


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
