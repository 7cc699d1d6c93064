"""``gomem list --escape``: what becomes of the objects that each listed line allocates, beside its weight.

Only the listed files are analysed, so calls into other files count as unknown; ``gomem escape --profile`` sees whole programs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from gomem.escape import Verdict, analyse
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
    for verdict in analyse(files).verdicts if files else ():
        found[verdict.site.path, verdict.site.line].append(verdict)
    return found
