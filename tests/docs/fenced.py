"""The examples in documents: fenced blocks, run in order, compared with the output that the document shows.

- ```` ```console ````: lines after ``$ `` are commands for a shell, what follows is what they print (both streams).
- ```` ```python ````: a program. A ```` ```text ```` block right after it is what it prints.
- A line ``...`` stands for any lines, also at the end of a line for any rest.
- ``<!-- test: NAME ... -->`` before a block: ``skip`` leaves it out and says why; ``file NAME`` writes the block there.

Sizes and counts of a sampling profiler differ from run to run. So text must be equal, spaces apart; a number must be
within 40 % of that of the document, a share within 12 points; small amounts, which are noise, within 256 kB or 20; a line
number (after a colon) exactly the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?:<!-- test: (?P<note>.*?) -->\n+)?^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_NUMBER = re.compile(r"(?P<before>:?)(?P<digits>-?\d+(?:\.\d+)?)(?P<unit>%|kB|MB|GB|B|ms|s)?(?![\w.])")
_UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_RATIO, _SHARE, _SMALL_BYTES, _SMALL_COUNT = 0.4, 12, 2 << 20, 20


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the note before it, and the line of the document it begins at."""

    language: str
    body: str
    note: str
    line: int


def blocks(path: Path) -> list[Block]:
    text = path.read_text()
    return [
        Block(m["language"], m["body"], m["note"] or "", text.count("\n", 0, m.start("body")) + 1)
        for m in _FENCE.finditer(text)
    ]


def commands(body: str) -> list[tuple[str, list[str]]]:
    """(command, lines that it should print) of a console block; a backslash continues a command."""
    found: list[tuple[str, list[str]]] = []
    continued = False
    for line in body.splitlines():
        if continued:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
        continued = line.endswith("\\") and not found[-1][1]
    return found


def difference(wanted: list[str], got: list[str]) -> str:
    """What first differs, in words; empty if the output is as the document says."""
    at = 0
    skipping = False
    for line in wanted:
        if line.strip() == "...":
            skipping = True
            continue
        while skipping and at < len(got) and not same(line, got[at]):
            at += 1
        if at >= len(got):
            return f"want {line!r}, got no more lines"
        if not same(line, got[at]):
            return f"want {line!r}, got {got[at]!r}"
        at += 1
        skipping = False
    return "" if skipping or at == len(got) else f"got more lines: {got[at]!r}"


def same(wanted: str, got: str) -> bool:
    wanted, got = (_NOTHING.sub("0", _SAMPLES_TAKEN.sub("some samples", " ".join(line.split()))) for line in (wanted, got))
    if wanted.endswith("..."):
        return bool(_pattern(wanted[:-3]).match(got)) and _numbers_agree(wanted[:-3], got)
    return bool(re.fullmatch(_pattern(wanted), got)) and _numbers_agree(wanted, got)


_NOTHING = re.compile(r"(?<!\S)\.(?!\S)")  # how a source listing writes 0
_SAMPLES_TAKEN = re.compile(r"\d+ samples taken")  # at rate auto the faster the machine, the fewer


def _pattern(text: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _split(text)]
    return re.compile(_NUMBER_PATTERN.join(parts))


_NUMBER_PATTERN = r":?-?\d+(?:\.\d+)?(?:%|kB|MB|GB|B|ms|s)?(?![\w.])"


def _split(text: str) -> list[str]:
    """The text between the numbers."""
    parts, at = [], 0
    for match in _NUMBER.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
    return [*parts, text[at:]]


def _numbers_agree(wanted: str, got: str) -> bool:
    pairs = zip(_NUMBER.finditer(wanted), _NUMBER.finditer(got), strict=False)
    return all(_near(a, b) for a, b in pairs)


def _near(wanted: re.Match[str], got: re.Match[str]) -> bool:
    if wanted["before"] or got["before"]:
        return wanted[0] == got[0]
    a, b = (float(m["digits"]) * _UNITS.get(m["unit"] or "", 1) for m in (wanted, got))
    if wanted["unit"] in ("ms", "s"):
        return True
    if wanted["unit"] == "%":
        return abs(a - b) <= _SHARE
    small = _SMALL_BYTES if wanted["unit"] else _SMALL_COUNT
    return abs(a - b) <= max(_RATIO * max(abs(a), abs(b)), small)
