"""``gomem list --escape``: what becomes of the objects that each listed line allocates, beside its weight.

The listed files are analysed with the packages that they are in and those that they import.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from gomem.cli.escape import analyse_as_asked, parser
from gomem.escape import Verdict
from gomem.escape.files import find_files, package_of
from gomem.escape.installed import ALL_LINES
from gomem.escape.report.text import sentence

_ROUTINE = re.compile(r"ROUTINE =+ .* in (?P<file>.*)$")
_LINE = re.compile(r" *\S+ +\S+ +(?P<number>\d+):")
_MARGIN = 30  # columns before the source text of a listing


def with_verdicts(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a listing, and below each that allocates one for each of its sites. Files that cannot be read have none."""
    listed = list(lines)
    files = {match["file"] for match in map(_ROUTINE.match, listed) if match}
    verdicts = _by_line(sorted(file for file in files if Path(file).is_file()))
    file = ""
    for line in listed:
        yield line
        routine, numbered = _ROUTINE.match(line), _LINE.match(line)
        if routine:
            file = routine["file"]
        elif numbered:
            for verdict in verdicts.get((file, int(numbered["number"])), ()):
                yield f"{'':{_MARGIN}}^ {sentence(verdict)}"


def _by_line(files: list[str]) -> dict[tuple[str, int], list[Verdict]]:
    found: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    if files:
        analysis = analyse_as_asked(parser("escape").parse_args([]), [*map(Path, files), *_packages(files)])
        for verdict in analysis.verdicts:
            found[verdict.site.path, verdict.site.line].append(verdict)
    return found


def _packages(files: list[str]) -> list[Path]:
    """The packages that the files are in, until they are too much to wait for."""
    found, lines = [], 0
    for package in dict.fromkeys(package_of(Path(file)) for file in files):
        lines += sum(path.read_bytes().count(b"\n") for path in find_files([package]))
        if lines <= ALL_LINES:
            found.append(package)
    return found
