"""Memory maps at the end of older profiles: which object file lies at which addresses.

Understands lines of ``/proc/PID/maps`` and the brief ``start-end file (@offset) build-id``, with log prefixes taken off
and ``$name`` replaced by what a line ``name=value`` said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gomem.pprof.model import Mapping

SENTINELS = ("--- Memory map: ---", "MAPPED_LIBRARIES:")

_HEX = r"(?:0x)?([0-9a-fA-F]+)"
_RANGE = rf"\s*{_HEX}[\s-]?\s*{_HEX}:?"
_PERMISSIONS = r"(?:\s+([-rwxp]+))?"
_PROC_LINE = re.compile(
    rf"{_RANGE}{_PERMISSIONS}(?:\s+([0-9a-fA-F]+))?\s+[0-9a-fA-F]+:[0-9a-fA-F]+\s+[0-9]+(?:\s+(\S+))?", re.ASCII
)
_BRIEF_LINE = re.compile(
    rf"{_RANGE}{_PERMISSIONS}(?:\s+(\S+))?(?:\s+\(@([0-9a-fA-F]+)\))?(?:\s+([0-9a-fA-F]+))?", re.ASCII
)
_LOG_PREFIX = re.compile(r"[^\[\]]+:[0-9]+\]\s", re.ASCII)
_LIBRARY = re.compile(r"([.]so$|[.]so[._][0-9]+)")
_UINT64 = (1 << 64) - 1


def is_sentinel(line: str) -> bool:
    """True for the line that a memory map follows."""
    return any(sentinel in line for sentinel in SENTINELS)


def parse_map(lines: Iterable[str]) -> list[Mapping]:
    """The executable mappings in the lines, the main program first; other lines are passed over."""
    found: list[Mapping] = []
    names: dict[str, str] = {}
    for line in lines:
        line = _LOG_PREFIX.sub("", line, count=1) if _LOG_PREFIX.match(line) else line
        for name, value in names.items():
            line = line.replace(name, value)
        entry = _entry(line)
        if entry is None and "=" in line:
            name, _, value = line.partition("=")
            names[f"${name.strip()}"] = value.strip()
        elif isinstance(entry, Mapping):
            found.append(entry)
    return _main_first(_joined(found))


def _entry(line: str) -> Mapping | bool | None:
    """The mapping in a line, True for one that is not executable, None for another line."""
    build_id = ""
    match = _PROC_LINE.match(line)
    if match:
        start, limit, permissions, offset, file = match.groups()
    else:
        match = _BRIEF_LINE.match(line)
        if not match:
            return None
        start, limit, permissions, file, offset, build_id = match.groups()
    if permissions and "x" not in permissions:
        return True
    first, last, skipped = (int(text, 16) for text in (start, limit, offset or "0"))
    if max(first, last, skipped) > _UINT64:
        return None
    return Mapping(first, last, skipped, file or "", build_id or "")


def _joined(mappings: list[Mapping]) -> list[Mapping]:
    """Neighbouring pieces of one file as one mapping."""
    found: list[Mapping] = []
    for mapping in mappings:
        if found and _are_adjacent(found[-1], mapping):
            last = found[-1]
            found[-1] = last._replace(
                limit=mapping.limit, file=mapping.file or last.file, build_id=mapping.build_id or last.build_id
            )
        else:
            found.append(mapping)
    return found


def _are_adjacent(one: Mapping, other: Mapping) -> bool:
    if one.file and other.file and one.file != other.file:
        return False
    if one.build_id and other.build_id and one.build_id != other.build_id:
        return False
    if one.limit != other.start:
        return False
    return not (one.offset and other.offset) or one.offset + one.limit - one.start == other.offset


def _main_first(mappings: list[Mapping]) -> list[Mapping]:
    for index, mapping in enumerate(mappings):
        file = mapping.file.replace("(deleted)", "").strip()
        if file and not _LIBRARY.search(file) and file[0] != "[":
            mappings[0], mappings[index] = mappings[index], mappings[0]
            break
    return mappings


def assign(addresses: list[int], mappings: list[Mapping]) -> tuple[list[int], list[Mapping]]:
    """For each address the index of its mapping (-1 for address 0), and the mappings, corrected and with one for all
    other addresses added where needed."""
    mappings = list(mappings)
    if len(mappings) > 1 and mappings[0].file.startswith("/anon_hugepage") and mappings[0].limit == mappings[1].start:
        del mappings[0]
    if mappings and (mappings[0].start - mappings[0].offset) & _UINT64 == 0x400000:
        mappings[0] = mappings[0]._replace(start=0x400000, offset=0)
    fake = -1
    found = []
    for address in addresses:
        index = _find(address, mappings) if address else -1
        if index is None:
            if fake < 0:
                fake = len(mappings)
                mappings.append(Mapping(limit=_UINT64))
            index = fake
        found.append(index)
    return found, mappings


def _find(address: int, mappings: list[Mapping]) -> int | None:
    for index, mapping in enumerate(mappings):
        if mapping.start <= address < mapping.limit:
            return index
    for index, mapping in enumerate(mappings):
        # Some handlers leave out the first part of a mapping that is split in two.
        first = (mapping.start - mapping.offset) & _UINT64
        if mapping.offset and first <= address < mapping.start:
            mappings[index] = mapping._replace(start=first, offset=0)
            return index
    return None
