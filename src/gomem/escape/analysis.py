"""``analyse``: files in, verdicts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gomem.escape.engine import Engine
from gomem.escape.files import find_files, module_name
from gomem.escape.interpret import Interpreter
from gomem.escape.lower import lower
from gomem.escape.merge import merge
from gomem.escape.sites import Site
from gomem.escape.summary import parse_library
from gomem.escape.universe import Function, Universe
from gomem.escape.verdicts import Step, judge

LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the objects that one site allocates.

    ``verdict`` is one of frame, returned, argument, instance, closure, generator, task, global, class, module, raised, unknown.
    ``reason`` says where they go, in words; empty for ``frame``. ``flow`` has the steps of the way there.
    """

    site: Site
    verdict: str
    reason: str = ""
    flow: tuple[Step, ...] = ()


@dataclass
class Analysis:
    """Verdicts of all sites in the order of the files, and what could not be read: (path, why)."""

    verdicts: list[Verdict] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    files: int = 0
    lines: int = 0


def analyse(
    paths: Sequence[str | Path],
    *,
    jobs: int = 1,
    cache: str | Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Analysis:
    """Judges every allocation site of the files, and of the files below the directories, in ``paths``."""
    universe = Universe(load_libraries(), merge)
    analysis = Analysis()
    for path in find_files(paths):
        name, package = module_name(path)
        try:
            module = lower(path.read_bytes(), str(path), name, package)
        except (SyntaxError, ValueError, RecursionError, OSError) as error:
            analysis.skipped.append((str(path), f"{type(error).__name__}: {error}"))
            continue
        universe.add_file(module, own=True)
        analysis.files += 1
        analysis.lines += module.lines
    universe.link()
    engine = Engine(universe)
    engine.run()
    for info in universe.modules.values():
        if info.own:
            found = {}
            for function in info.functions.values():
                if function.code is not None:
                    found.update(judge_function(universe, function))
            for number, row in enumerate(info.file.sites):
                verdict, reason, flow = found.get(number, ("unknown", "in code that is never reached", ()))
                analysis.verdicts.append(Verdict(Site(info.path, *row), verdict, reason, flow))
    analysis.engine = engine
    return analysis


def judge_function(universe: Universe, function: Function):
    solved = Interpreter(universe, function)
    solved.run()
    return judge(solved)


def load_libraries():
    found = {}
    for path in sorted(LIBRARY.glob("*.txt")):
        found.update(parse_library(path.read_text(), str(path)))
    return found
