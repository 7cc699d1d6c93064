"""Source files: which there are below the paths given, what their modules are called, where imported ones are found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gomem.errors import UsageError

_SKIPPED = {"__pycache__", ".git", ".hg", ".tox", ".nox", ".venv", "venv", "node_modules", "site-packages", "build", "dist"}


def find_files(paths: Sequence[str | Path]) -> list[Path]:
    """The Python files named, and those in the directories named, sorted. Raises UsageError if a path does not exist."""
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif path.exists():
            found[path] = None
        else:
            raise UsageError(f"path: got {str(path)!r}, which does not exist, want a Python file or a directory")
    return list(found)


def _below(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.is_dir():
            if path.name not in _SKIPPED and not path.name.startswith("."):
                yield from _below(path)
        elif path.suffix == ".py":
            yield path


def module_name(path: Path) -> tuple[str, bool]:
    """The dotted name under which a file is imported, and whether it is a package: by the ``__init__.py`` files round it."""
    path = path.resolve()
    package = path.name == "__init__.py"
    parts = path.relative_to(package_of(path).parent).with_suffix("").parts
    return ".".join(parts[:-1] if package else parts), package


def package_of(path: Path) -> Path:
    """The directory of the outermost package that a file is in, or the file itself if it is in none."""
    found = path
    while (found.parent / "__init__.py").exists():
        found = found.parent
    return found


def find_module(name: str, search: Iterable[str] | None = None) -> Path | None:
    """The file of an importable pure-Python module, found without importing anything; None if there is none."""
    relative = name.replace(".", "/")
    for entry in sys.path if search is None else search:
        base = Path(entry or ".") / relative
        for candidate in (base / "__init__.py", base.with_name(base.name + ".py")):
            if candidate.is_file():
                return candidate
    return None
