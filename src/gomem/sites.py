"""Allocation sites as short tables: which lines of code hold the bytes. For summaries, notebooks and plain-text pages.

The full reports are in gomem.report; this is what runs inside the profiled process, where a table must be had without
loading much.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gomem.pprof.model import Profile
from gomem.units import format_bytes

SITES_SHOWN = 8
_SHARE_MIN = 0.005  # of the total; smaller sites are not worth a line


def sites(profile: Profile, sample_type: str) -> list[tuple[int, str]]:
    """(value, place) of each allocation site, largest first; sites with nothing are left out.

    A site is a line of code; where that is a library's, the line of the program that called the library belongs to it.
    Raises ValueError if the profile has no such sample type. Costs a pass over the samples.
    """
    samples = profile.samples
    column = _column(profile, sample_type)
    totals: dict[tuple[int, int], int] = {}
    for i in range(len(samples)):
        size = samples.values[i * samples.width + column]
        if size:
            site = _site(profile, samples.stacks[samples.starts[i] : samples.starts[i + 1]])
            totals[site] = totals.get(site, 0) + size
    found = [(size, _place(profile, *site)) for site, size in totals.items() if size != 0]
    return sorted(found, key=lambda site: (-site[0], site[1]))


def _column(profile: Profile, sample_type: str) -> int:
    return [kind.type for kind in profile.sample_types].index(sample_type)


def _site(profile: Profile, stack: Sequence[int]) -> tuple[int, int]:
    """The leaf of a stack, and its nearest line of the program's own code (the leaf again if there is none)."""
    for location in stack:
        if _is_own(_file(profile, location)):
            return stack[0], location
    return stack[0], stack[0]


def _file(profile: Profile, location: int) -> str:
    return profile.functions[profile.locations[location].lines[0].function].filename


_LIBRARIES = tuple({os.path.join(prefix, "lib") + os.sep for prefix in (sys.prefix, sys.base_prefix)})


def _is_own(file: str) -> bool:
    """Whether a file is the program's own and not of an installed package, the standard library or the interpreter."""
    return bool(file) and file[0] not in "<[" and not file.startswith(_LIBRARIES)


def _place(profile: Profile, leaf: int, caller: int) -> str:
    return _line(profile, leaf) + ("" if caller == leaf else f" <- {_line(profile, caller)}")


def _line(profile: Profile, location: int) -> str:
    line = profile.locations[location].lines[0]
    function = profile.functions[line.function]
    return f"{function.name} {_short(function.filename)}:{line.line}" if function.filename else function.name


def _short(path: str) -> str:
    """The last two parts of a file's path, or one for the program's own: enough to know it by."""
    return path.rpartition("/")[2] if _is_own(path) else "/".join(path.rsplit("/", 2)[-2:])


def size_table(title: str, profile: Profile, sample_type: str, limit: int = SITES_SHOWN) -> list[str]:
    """The lines of a table of sites, in bytes: a title with the total, a line for each of at most ``limit`` sites that
    are worth one, and what is left."""
    found = sites(profile, sample_type)
    total = sum(size for size, _ in found)
    shown = [site for site in found[:limit] if site[0] >= total * _SHARE_MIN]
    lines = [f"{title}: {format_bytes(total)}"]
    lines += [f"{format_bytes(size):>10} {_percent(size, total)}  {where}" for size, where in shown]
    if len(found) > len(shown):
        rest = sum(size for size, _ in found[len(shown) :])
        lines.append(f"{format_bytes(rest):>10} {_percent(rest, total)}  ({len(found) - len(shown)} other lines)")
    return lines


def _percent(size: int, total: int) -> str:
    return f"{100 * size / total:5.1f}%" if total > 0 else "     -"


def largest_stacks(profile: Profile, sample_type: str, shown: int | None) -> list[str]:
    """The lines of a list of samples with their stacks, largest first, the line that allocated on top.

    ``shown`` is how many, None for all.
    """
    samples = profile.samples
    width, column = samples.width, _column(profile, sample_type)
    order = sorted(range(len(samples)), key=lambda i: -samples.values[i * width + column])
    order = [i for i in order if samples.values[i * width + column]]
    lines: list[str] = []
    for i in order[:shown]:
        values = samples.values[i * width : (i + 1) * width]
        lines += ["", *_head(profile, values, samples.label_sets[i])]
        lines += [f"    {_line(profile, location)}" for location in samples.stacks[samples.starts[i] : samples.starts[i + 1]]]
    if shown is not None and len(order) > shown:
        lines += ["", f"({len(order) - shown} smaller ones are not shown)"]
    return lines


def _head(profile: Profile, values, label_set: int) -> list[str]:
    sizes = [
        f"{kind.type} {format_bytes(value) if kind.unit == 'bytes' else value}"
        for kind, value in zip(profile.sample_types, values, strict=True)
        if value
    ]
    texts = profile.label_sets[label_set].texts
    labels = [f"{key}={value}" for key, all_of_it in sorted(texts.items()) for value in all_of_it]
    return ["  ".join(sizes + labels)]
