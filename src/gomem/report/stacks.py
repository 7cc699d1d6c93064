"""Whole stacks for other tools: collapsed text (flamegraph.pl, inferno) and speedscope's JSON.

Equal stacks are added up. ``collect_stacks`` is the data; it costs a Python step a frame, about a second for two
million frames.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from gomem.pprof.graph import NodeInfo
from gomem.pprof.measurement import divide
from gomem.record import Record
from gomem.report.report import Report

_SPEEDSCOPE_UNITS = {
    "bytes": "bytes",
    "nanoseconds": "nanoseconds",
    "microseconds": "microseconds",
    "milliseconds": "milliseconds",
    "seconds": "seconds",
}


class Stacks(Record):
    """Distinct frames, and stacks of their indexes from the root on with a value each; stacks of value 0 are left out."""

    frames: list[NodeInfo]
    stacks: dict[tuple[int, ...], int]


def collect_stacks(report: Report) -> Stacks:
    """The stacks of a report at its granularity."""
    source = report.graph_source()
    samples, options = report.profile.samples, report.options
    indexes = {info: index for index, info in enumerate(source.infos)}
    frames_of = [
        tuple(indexes[info] for info in reversed(source.location_nodes(location)))
        for location in range(len(report.profile.locations))
    ]
    stacks: dict[tuple[int, ...], int] = {}
    starts, refs, values = samples.starts, samples.stacks, samples.values
    for index in range(len(samples)):
        at = index * samples.width
        value = values[at + options.value]
        if options.divisor >= 0:
            value = divide(value, values[at + options.divisor])
        if value:
            locations = refs[starts[index] : starts[index + 1]]
            stack = tuple([frame for location in reversed(locations) for frame in frames_of[location]])
            stacks[stack] = stacks.get(stack, 0) + value
    return Stacks(source.infos, {stack: value for stack, value in stacks.items() if value})


def print_collapsed(report: Report) -> Iterator[str]:
    """A line a stack: frames from the root on, joined by semicolons, and the value."""
    found = collect_stacks(report)
    names = [info.printable().replace(";", ":").replace("\n", " ") for info in found.frames]
    for stack, value in found.stacks.items():
        yield f"{';'.join(names[frame] for frame in stack)} {value}"


def print_speedscope(report: Report) -> Iterator[str]:
    """One line of JSON in speedscope's file format; negative values, of differences, are left out."""
    found = collect_stacks(report)
    options = report.options
    frames = []
    for info in found.frames:
        frame: dict[str, object] = {"name": info.name or info.printable()}
        if info.file:
            frame["file"] = info.file
        if info.line:
            frame["line"] = info.line
        frames.append(frame)
    positive = {stack: value for stack, value in found.stacks.items() if value > 0}
    profile = {
        "type": "sampled",
        "name": options.sample_type,
        "unit": _SPEEDSCOPE_UNITS.get(options.sample_unit, "none"),
        "startValue": 0,
        "endValue": sum(positive.values()),
        "samples": [list(stack) for stack in positive],
        "weights": list(positive.values()),
    }
    yield (
        json.dumps(
            {
                "$schema": "https://www.speedscope.app/file-format-schema.json",
                "name": options.title or "profile",
                "exporter": "gomem",
                "activeProfileIndex": 0,
                "shared": {"frames": frames},
                "profiles": [profile],
            }
        )
        .encode("utf-8", "replace")
        .decode()
    )
