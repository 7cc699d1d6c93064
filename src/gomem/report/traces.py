"""traces, comments: every stack with its labels; the profile's comments."""

from __future__ import annotations

from collections.abc import Iterator

from gomem.pprof.graph import GraphOptions, GraphSource
from gomem.pprof.measurement import divide, label
from gomem.pprof.model import LabelSet
from gomem.report.report import Report

_SEPARATOR = "-----------+-------------------------------------------------------"


def print_traces(report: Report) -> Iterator[str]:
    """The lines of traces: for each sample with a stack its labels, its value and its frames, leaf first."""
    profile, options = report.profile, report.options
    yield "\n".join(report.profile_labels())
    source = GraphSource(profile, GraphOptions())
    frames = [_frame_lines(source, index) for index in range(len(profile.locations))]
    labels = [_label_lines(labels, options.number_units) for labels in profile.label_sets]
    samples = profile.samples
    starts, stacks, values, sets = samples.starts, samples.stacks, samples.values, samples.label_sets
    for index in range(len(samples)):
        stack = stacks[starts[index] : starts[index + 1]]
        if not len(stack):
            continue
        at = index * samples.width
        value = values[at + options.value]
        if options.divisor >= 0:
            value = divide(value, values[at + options.divisor])
        lines = [line for location in stack for line in frames[location]]
        yield "\n".join([_SEPARATOR, *labels[sets[index]], f"{report.format(value):>10}{lines[0][10:]}", *lines[1:]])
    yield _SEPARATOR


def _frame_lines(source: GraphSource, index: int) -> list[str]:
    names = [info.printable() for info in source.location_nodes(index)]
    inlined = [f"{'':>10}   {name} (inline)" for name in names[:-1]]
    return [*inlined, f"{'':>10}   {names[-1]}"]


def _label_lines(labels: LabelSet, units: dict[str, str]) -> list[str]:
    texts = sorted(f"{key:>10}:  {' '.join(values)}" for key, values in labels.texts.items())
    numbers = sorted(
        f"{key:>10}:  {' '.join(label(value, units.get(key, '')) for value in values)}"
        for key, values in labels.numbers.items()
    )
    return texts + numbers


def print_comments(report: Report) -> Iterator[str]:
    """The profile's comments, one a line."""
    yield from report.profile.comments
