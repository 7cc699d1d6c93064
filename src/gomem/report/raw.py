"""raw: the whole profile as text, for looking at a file's contents."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from gomem.pprof.model import LabelSet, Location, Profile
from gomem.report.report import Report, format_time


def print_raw(report: Report) -> Iterator[str]:
    """The lines of raw: header, samples with labels, locations and mappings, under their ids."""
    profile = report.profile
    yield from _header(profile)
    yield from _samples(profile)
    yield "Locations"
    function_names = [_function_text(index, profile) for index in range(len(profile.functions))]
    for id_, location in zip(_ids(profile.location_ids, profile.locations), profile.locations, strict=True):
        yield _location(id_, location, profile, function_names)
    yield "Mappings"
    for id_, mapping in zip(_ids(profile.mapping_ids, profile.mappings), profile.mappings, strict=True):
        flags = (mapping.has_functions, mapping.has_filenames, mapping.has_line_numbers, mapping.has_inline_frames)
        bits = "".join(name for name, on in zip(("[FN]", "[FL]", "[LN]", "[IN]"), flags, strict=True) if on)
        where = f"{mapping.start:#x}/{mapping.limit:#x}/{mapping.offset:#x}"
        yield f"{id_}: {where} {mapping.file} {mapping.build_id} {bits}"


def _ids(ids: Sequence[int] | None, items: Sequence[object]) -> Sequence[int]:
    return ids if ids is not None else range(1, len(items) + 1)


def _header(profile: Profile) -> Iterator[str]:
    for comment in profile.comments:
        yield f"Comment: {comment}"
    if profile.doc_url:
        yield f"Doc: {profile.doc_url}"
    if profile.period_type is not None:
        yield f"PeriodType: {profile.period_type.type} {profile.period_type.unit}"
    yield f"Period: {profile.period}"
    if profile.time_nanos:
        yield f"Time: {go_time(profile.time_nanos)}"
    if profile.duration_nanos:
        yield f"Duration: {go_duration(profile.duration_nanos)[:4]}"
    yield "Samples:"
    default = profile.default_sample_type
    kinds = [f"{t.type}/{t.unit}{'[dflt]' if t.type == default else ''}" for t in profile.sample_types]
    yield " ".join(kinds).strip()


def _samples(profile: Profile) -> Iterator[str]:
    samples, width = profile.samples, profile.samples.width
    ids = [f"{id_} " for id_ in _ids(profile.location_ids, profile.locations)]
    labels = [_label_lines(labels) for labels in profile.label_sets]
    starts, stacks, values, sets = samples.starts, samples.stacks, samples.values, samples.label_sets
    for index in range(len(samples)):
        numbers = "".join(f" {value:10d}" for value in values[index * width : (index + 1) * width])
        stack = "".join([ids[location] for location in stacks[starts[index] : starts[index + 1]]])
        yield f"{numbers}: {stack}{labels[sets[index]]}"


def _label_lines(labels: LabelSet) -> str:
    texts = sorted(f"{key}:[{' '.join(values)}]" for key, values in labels.texts.items())
    numbers = []
    for key, values in labels.numbers.items():
        units = labels.units.get(key, [])
        if len(units) == len(values):
            numbers.append(f"{key}:[{' '.join(f'{v} {unit}' for v, unit in zip(values, units, strict=True))}]")
        else:
            numbers.append(f"{key}:[{' '.join(map(str, values))}]")
    lines = [" ".join(part) for part in (texts, sorted(numbers)) if part]
    return "".join(f"\n{'':16}{line}" for line in lines)


def _function_text(index: int, profile: Profile) -> tuple[str, str]:
    function = profile.functions[index]
    tail = f" s={function.start_line}"
    if function.name != function.system_name:
        tail += f"({function.system_name})"
    return f"{function.name} {function.filename}", tail


def _location(id_: int, location: Location, profile: Profile, functions: list[tuple[str, str]]) -> str:
    head = f"{id_:6d}: {location.address:#x} "
    if location.mapping >= 0:
        head += f"M={_ids(profile.mapping_ids, profile.mappings)[location.mapping]} "
    if location.is_folded:
        head += "[F] "
    if not location.lines:
        return head
    lines = []
    for line in location.lines:
        name, tail = functions[line.function] if line.function >= 0 else ("??", "")
        lines.append(f"{head}{name}:{line.line}:{line.column}{tail}")
        head = " " * 13
    return "\n".join(lines)


def go_time(nanos: int) -> str:
    """A time as Go prints it: ``2006-01-02 15:04:05.999999999 -0700 MST``."""
    fraction = f".{nanos % 10**9:09d}".rstrip("0").rstrip(".")
    zone = time.localtime(nanos // 10**9)
    offset = time.strftime("%z", zone)
    return f"{format_time(nanos, '%Y-%m-%d %H:%M:%S')}{fraction} {offset} {zone.tm_zone}"


def go_duration(nanos: int) -> str:
    """A duration as Go prints it: ``1h2m3.5s``, ``1.5ms``, ``0s``."""
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    if nanos == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if nanos < size * 1000:
            return f"{sign}{_decimal(nanos, size)}{unit}"
    seconds = nanos % (60 * 10**9)
    minutes = nanos // (60 * 10**9)
    text = f"{_decimal(seconds, 10**9)}s"
    if minutes:
        text = f"{minutes % 60}m{text}"
    if minutes >= 60:
        text = f"{minutes // 60}h{text}"
    return sign + text


def _decimal(value: int, size: int) -> str:
    digits = len(str(size)) - 1
    fraction = f"{value % size:0{digits}d}".rstrip("0") if digits else ""
    return f"{value // size}.{fraction}" if fraction else str(value // size)
