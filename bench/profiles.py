"""What the accuracy and coverage benchmarks read from a profile: one sample type summed by its leaf function, or under one."""

from __future__ import annotations

from collections import Counter

from gomem.pprof.model import Line, Profile


def column(profile: Profile, sample_type: str) -> int:
    return [kind.type for kind in profile.sample_types].index(sample_type)


def own_name(profile: Profile, line: Line) -> str:
    """A function's name without its module and class."""
    return profile.functions[line.function].name.rpartition(".")[2]


def flat_by_function(profile: Profile, sample_type: str) -> Counter[str]:
    """Function name as in the source (no module) -> the values of samples whose innermost frame it is."""
    rows, which, sums = profile.samples, column(profile, sample_type), Counter()
    for i in range(len(rows)):
        leaf = profile.locations[rows.stacks[rows.starts[i]]] if rows.starts[i] < rows.starts[i + 1] else None
        if leaf and leaf.lines:
            sums[own_name(profile, leaf.lines[0])] += rows.values[i * rows.width + which]
    return sums


def under_function(profile: Profile, sample_type: str, name: str) -> int:
    """The values of samples with a function of this name, without its module, anywhere in their stack."""
    rows, which, sum_ = profile.samples, column(profile, sample_type), 0
    inside = {at for at, place in enumerate(profile.locations) if any(own_name(profile, part) == name for part in place.lines)}
    for i in range(len(rows)):
        if not inside.isdisjoint(rows.stacks[rows.starts[i] : rows.starts[i + 1]]):
            sum_ += rows.values[i * rows.width + which]
    return sum_


def total(profile: Profile, sample_type: str) -> int:
    which = column(profile, sample_type)
    return sum(profile.samples.values[which :: profile.samples.width])
