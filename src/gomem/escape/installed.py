"""Installed packages that the analysed files import: which there are, where their source is, in which order they are analysed.

Nothing is imported or run: names are looked for in the directories of a search path, as Python's own finder would. A unit is one
top-level package or module, with those of its files that somebody imports. Of what a unit's functions import for themselves
only the unit's own files are read. Units that import each other are one group.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gomem.errors import UsageError
from gomem.escape import ir
from gomem.escape.files import find_module

UNIT_LINES = 40_000  # what is larger stays unknown
ALL_LINES = 60_000  # of all units together: the nearest to the analysed files come first
NO_SOURCE = "no Python source"
Read = Callable[[list[Path]], Iterator[ir.Module]]


@dataclass(slots=True)
class Unit:
    """``needs`` are the names of the units that its files import."""

    name: str
    modules: list[ir.Module] = field(default_factory=list)
    lines: int = 0
    needs: set[str] = field(default_factory=set)


def search_path(python: str | Path | None = None) -> list[str]:
    """Where imports are looked for: of the running interpreter, or of ``python``, an interpreter or the directory of an
    environment, whose files alone are looked at. Raises UsageError if that is neither."""
    if python is None or os.path.abspath(python) in (sys.prefix, sys.executable):
        return [entry for entry in sys.path[1:] if Path(entry).is_dir()]
    path = Path(python)
    root = path if path.is_dir() else path.parent.parent
    libraries = sorted(root.glob("lib/python3.*"))
    if not libraries:
        raise UsageError(f"python: got {str(python)!r}, want an interpreter or the directory of an environment, with lib/python3.* below it")
    found = [str(library) for library in libraries if (library / "os.py").exists()]
    config = root / "pyvenv.cfg"
    if not found and config.exists():
        settings = dict(line.replace(" ", "").split("=", 1) for line in config.read_text().splitlines() if "=" in line)
        home = Path(settings.get("home", "")).parent
        found = [str(home / "lib" / library.name) for library in libraries]
        if settings.get("include-system-site-packages") == "true":
            libraries += map(Path, found)
    return found + [str(place) for library in libraries for place in _with_links(library / "site-packages")]


def _with_links(site: Path) -> list[Path]:
    """The directory, and those that its .pth files name (of packages that are installed from where they are written)."""
    found = [site]
    for link in sorted(site.glob("*.pth")):
        for line in link.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.strip() and not line.startswith(("import ", "import\t", "#")):
                found.append(site / line.strip())
    return [place for place in found if place.is_dir()]


def gather(own: Sequence[ir.Module], search: Sequence[str], told: Collection[str], read: Read) -> tuple[list[Unit], dict[str, str]]:
    """The units that the files import and what those import, the nearest first, until there are enough; and the names of those
    that stay unknown, with the reason. ``told``: modules of which a library text tells; ``read`` gives the files' operations."""
    units: dict[str, Unit] = {}
    left: dict[str, str] = {}
    ours = {_top(module.name) for module in own}
    seen: set[str] = set()
    wanted = {name for module in own for name in imported(module, told)}
    while wanted:
        files: dict[Path, None] = {}
        known = set(units)
        for name in sorted(wanted):
            if _top(name) not in ours and _top(name) not in left:
                _find(name, search, seen, units, left, files)
        modules = list(read(list(files)))
        for module in modules:
            unit = units[_top(module.name)]
            unit.modules.append(module)
            unit.lines += module.lines
        _limit(units, known, left)
        wanted = set()
        for module in modules:
            if _top(module.name) in units:
                unit = units[_top(module.name)]
                names = imported(module, told, unit.name)
                unit.needs |= {_top(name) for name in names} - {unit.name}
                wanted |= names
    return list(units.values()), {name: why for name, why in left.items() if not (name.startswith("_") or (why == NO_SOURCE and name in sys.stdlib_module_names))}


def _find(name: str, search: Sequence[str], seen: set[str], units: dict[str, Unit], left: dict[str, str], files: dict[Path, None]) -> None:
    """Adds the files of a module, and of the packages that it is in."""
    top = _top(name)
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        whole = ".".join(parts[:end])
        if whole in seen:
            continue
        seen.add(whole)
        path = find_module(whole, search)
        if path is not None:
            units.setdefault(top, Unit(top))
            files[path] = None
        elif whole == top:
            left[top] = NO_SOURCE
            return


def _limit(units: dict[str, Unit], known: set[str], left: dict[str, str]) -> None:
    """Takes out what is too large, and of those that are not ``known`` yet the largest until all together are not."""
    for unit in [unit for unit in units.values() if unit.lines > UNIT_LINES]:
        left[unit.name] = f"more than {UNIT_LINES} lines"
        del units[unit.name]
    total = sum(unit.lines for unit in units.values())
    for unit in sorted((unit for name, unit in units.items() if name not in known), key=lambda unit: -unit.lines):
        if total > ALL_LINES:
            left[unit.name] = f"with it, more than {ALL_LINES} lines"
            total -= unit.lines
            del units[unit.name]


def imported(module: ir.Module, told: Collection[str], inside: str | None = None) -> set[str]:
    """Full names of modules that a file imports and of which no text tells. Within the unit ``inside``, other units' ones only if
    the import stands at the top."""
    sources: dict[str, list[str]] = {}
    at_top = set(module.stars)
    for bindings in module.names.values():
        for how, what in bindings:
            source, _, name = what.partition(":")
            if how == "from":
                sources.setdefault(source, []).append(f"{source}.{name}")
            if how in ("from", "import"):
                at_top.update((source, _top(source)))
    found = set()
    for source in module.imports:
        top = _top(source)
        names = sources.get(source, [])
        if not source or source in told or (inside not in (None, top) and source not in at_top and top not in at_top):
            continue
        if not names or any(name not in told for name in names):
            found.add(source)
            found.update(name for name in names if name not in told)
    return found


def _top(name: str) -> str:
    return name.partition(".")[0]


def groups(units: Iterable[Unit]) -> list[list[Unit]]:
    """Units that import each other together, what is imported before what imports it, by name where that does not matter."""
    named = {unit.name: unit for unit in units}
    reached = {name: _reached(name, named) for name in named}
    found: dict[str, list[Unit]] = {}
    for name in sorted(named):
        first = min([name, *(other for other in reached[name] if name in reached[other])])
        found.setdefault(first, []).append(named[name])
    return [found[first] for first in sorted(found, key=lambda first: (len(reached[first]), first))]


def _reached(name: str, units: dict[str, Unit]) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        for other in units[stack.pop()].needs:
            if other in units and other not in found:
                found.add(other)
                stack.append(other)
    return found
