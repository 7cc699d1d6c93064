"""Coarser profiles: what a report does not show (lines, files, addresses, inlined calls) taken out of the tables."""

from __future__ import annotations

from gomem.errors import ProfileError
from gomem.pprof.model import Line, Profile
from gomem.record import Record, replace


class Detail(Record):
    """What of a location stays: inlined calls, function names, file names, line and column numbers, addresses."""

    inlines: bool = True
    function: bool = True
    filename: bool = False
    line: bool = False
    column: bool = False
    address: bool = False


def detail_of(granularity: str, *, inlines: bool, columns: bool) -> Detail | None:
    """The detail behind a granularity option (functions when ""); None: everything."""
    if granularity == "addresses" and inlines:
        return None
    details = {
        "": Detail(inlines, column=columns),
        "functions": Detail(inlines, column=columns),
        "filefunctions": Detail(inlines, filename=True, column=columns),
        "files": Detail(inlines, function=False, filename=True, column=columns),
        "lines": Detail(inlines, filename=True, line=True, column=columns),
        "addresses": Detail(inlines, filename=True, line=True, column=columns, address=True),
    }
    if granularity not in details:
        raise ProfileError("unexpected granularity")
    return details[granularity]


def aggregate(profile: Profile, detail: Detail) -> Profile:
    """The profile with no more than the detail; locations and samples keep their number and order."""
    functions = profile.functions
    if not detail.function:
        functions = [f._replace(name="", system_name="") for f in functions]
    if not detail.filename:
        functions = [f._replace(filename="") for f in functions]
    coarse: dict[Line, Line] = {}
    locations = []
    for location in profile.locations:
        mapping, address, lines, folded = location
        if not detail.inlines and len(lines) > 1:
            lines = lines[-1:]
        if not detail.line or not detail.column:
            lines = tuple([coarse.get(line) or coarse.setdefault(line, _coarse(line, detail)) for line in lines])
        locations.append(location.__class__(mapping, address if detail.address else 0, lines, folded))
    mappings = [
        m._replace(
            has_inline_frames=m.has_inline_frames and detail.inlines,
            has_functions=m.has_functions and detail.function,
            has_filenames=m.has_filenames and detail.filename,
            has_line_numbers=m.has_line_numbers and detail.line,
        )
        for m in profile.mappings
    ]
    return replace(profile, functions=functions, locations=locations, mappings=mappings)


def _coarse(line: Line, detail: Detail) -> Line:
    return Line(line.function, line.line if detail.line else 0, line.column if detail.line and detail.column else 0)
