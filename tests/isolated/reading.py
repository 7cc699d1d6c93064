"""Reads numbers off a heap profile, for the tests: totals, and sums by function, line and thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from gomem.pprof.model import Profile


class Row(NamedTuple):
    value: int
    frames: list[tuple[str, int]]  # (qualified name, line), leaf first
    labels: dict[str, list[str]]


def rows(profile: Profile, sample_type: str) -> Iterator[Row]:
    samples = profile.samples
    column = [t.type for t in profile.sample_types].index(sample_type)
    for i in range(len(samples)):
        lines = [
            line
            for location in samples.stacks[samples.starts[i] : samples.starts[i + 1]]
            for line in profile.locations[location].lines
        ]
        functions = [(profile.functions[line.function], line.line) for line in lines]
        frames = [(function.system_name or function.name, line) for function, line in functions]
        yield Row(samples.values[i * samples.width + column], frames, profile.label_sets[samples.label_sets[i]].texts)


def total(profile: Profile, sample_type: str) -> int:
    return sum(row.value for row in rows(profile, sample_type))


def by_leaf(profile: Profile, sample_type: str) -> Counter[str]:
    """Sum by the innermost function."""
    sums: Counter[str] = Counter()
    for row in rows(profile, sample_type):
        sums[row.frames[0][0]] += row.value
    return sums


def by_line(profile: Profile, sample_type: str) -> Counter[tuple[str, int]]:
    """Sum by the innermost function and line."""
    sums: Counter[tuple[str, int]] = Counter()
    for row in rows(profile, sample_type):
        sums[row.frames[0]] += row.value
    return sums


def by_frame(profile: Profile, sample_type: str) -> Counter[str]:
    """Sum of all samples that have the function anywhere in their stack."""
    sums: Counter[str] = Counter()
    for row in rows(profile, sample_type):
        for name in {name for name, _ in row.frames}:
            sums[name] += row.value
    return sums
