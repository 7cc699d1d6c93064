"""Several profiles into one: common sample types, common units, equal things joined, a base subtracted.

Locations, functions and mappings are joined by what they say, not by their ids, and get new ids in the order in which
samples first use them; mappings of one object file at different addresses become one, and addresses move along.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from gomem import _core
from gomem.errors import ProfileError
from gomem.pprof import measurement
from gomem.pprof.model import NO_LABELS, Function, LabelSet, Line, Location, Mapping, Profile, Samples, ValueType
from gomem.record import replace

BASE_LABEL = "pprof::base"

_PAGE = 0x1000


def samples_of(width: int, columns: tuple[Any, Any, Any, Any]) -> Samples:
    """``Samples`` over what a function of ``gomem._core`` returned."""
    starts, stacks, values, label_sets = columns
    return Samples(width, memoryview(starts), memoryview(stacks), memoryview(values), memoryview(label_sets))


def combine(profiles: list[Profile]) -> Profile:
    """One profile of several: of the sample types that all have, in the finest of their units.

    A single profile comes back with its own ids. Raises ProfileError when nothing is common or types do not agree.
    """
    profiles = _with_common_types(profiles)
    if len(profiles) > 1:
        profiles = _with_common_units(profiles)
    return profiles[0] if len(profiles) == 1 else merge(profiles)


def _with_common_types(profiles: list[Profile]) -> list[Profile]:
    counts: dict[str, int] = {}
    for profile in profiles:
        for kind in profile.sample_types:
            counts[kind.type] = counts.get(kind.type, 0) + 1
    common = [kind.type for kind in profiles[0].sample_types if counts[kind.type] == len(profiles)]
    if not common:
        raise ProfileError("profiles have empty common sample type list")
    return [_with_types(profile, common) for profile in profiles]


def _with_types(profile: Profile, common: list[str]) -> Profile:
    names = [kind.type for kind in profile.sample_types]
    for name in common:
        if name not in names:
            raise ProfileError(f'"{name}" sample type is not found in profile')
    picks = [names.index(name) for name in common]
    if picks == list(range(len(names))):
        return profile
    width = len(names)
    old = array("q", profile.samples.values)
    values = array("q", bytes(8 * len(picks) * len(profile.samples)))
    for index, pick in enumerate(picks):
        values[index :: len(picks)] = old[pick::width]
    return replace(
        profile,
        sample_types=[profile.sample_types[pick] for pick in picks],
        default_sample_type=profile.default_sample_type if profile.default_sample_type in common else common[0],
        samples=replace(profile.samples, width=len(picks), values=values),
    )


def _with_common_units(profiles: list[Profile]) -> list[Profile]:
    period_types = [p.period_type for p in profiles if p.period_type is not None]
    period_type = _finest(period_types or [ValueType()], "period type")
    width = len(profiles[0].sample_types)
    for profile in profiles[1:]:
        if len(profile.sample_types) != width:
            raise ProfileError(f"inconsistent samples type count: {width} != {len(profile.sample_types)}")
    types = [_finest([p.sample_types[i] for p in profiles], "sample types") for i in range(width)]
    return [_in_units(profile, period_type, types) for profile in profiles]


def _finest(types: list[ValueType], what: str) -> ValueType:
    finest = types[0]
    for kind in types[1:]:
        same_name = finest.type.removesuffix("s") == kind.type.removesuffix("s")
        if not same_name or not (finest.unit == kind.unit or measurement.same_kind(finest.unit, kind.unit)):
            raise ProfileError(f"{what}: incompatible types: {_go_text(finest)} {_go_text(kind)}")
        if measurement.scale(1, kind.unit, finest.unit)[0] < 1:
            finest = kind
    return finest


def _go_text(kind: ValueType) -> str:
    return f"{{{kind.type} {kind.unit} 0 0}}"


def _in_units(profile: Profile, period_type: ValueType, types: list[ValueType]) -> Profile:
    own = profile.period_type or period_type
    period = measurement.scale(profile.period, own.unit, period_type.unit)[0]
    pairs = list(zip(profile.sample_types, types, strict=True))
    ratios = [measurement.scale(1, kind.unit, wanted.unit)[0] for kind, wanted in pairs]
    return replace(
        profile,
        period=measurement.truncate(period),
        period_type=ValueType(own.type, period_type.unit),
        sample_types=[ValueType(kind.type, wanted.unit) for kind, wanted in pairs],
        samples=scale_samples(profile.samples, ratios),
    )


def scale_samples(samples: Samples, ratios: Sequence[float]) -> Samples:
    """Samples with each type's values times its ratio, rounded; those that become 0 altogether are dropped."""
    if all(ratio == 1 for ratio in ratios):
        return samples
    return samples_of(samples.width, _core.samples_scale(samples.columns(), array("d", ratios), True))


def subtract(profile: Profile, base: Profile, *, label: bool, normalize: bool) -> Profile:
    """The profile less the base. With ``label`` base samples carry ``pprof::base``, so that reports show shares of the
    base; with ``normalize`` the profile is first scaled to the base's totals, type by type."""
    if label:
        base = replace(base, label_sets=[_with_text(labels, BASE_LABEL, "true") for labels in base.label_sets])
    if normalize:
        profile = _normalized(profile, base)
    base = replace(base, samples=scale_samples(base.samples, [-1.0] * base.samples.width))
    return combine([profile, base])


def _with_text(labels: LabelSet, key: str, text: str) -> LabelSet:
    return LabelSet({**labels.texts, key: [text]}, labels.numbers, labels.units)


def _normalized(profile: Profile, base: Profile) -> Profile:
    _check_compatible(profile, base)
    sums, base_sums = (_wrapped_sums(p.samples) for p in (profile, base))
    ratios = [want / have if have else 0.0 for want, have in zip(map(float, base_sums), map(float, sums), strict=True)]
    return replace(profile, samples=scale_samples(profile.samples, ratios))


def _wrapped_sums(samples: Samples) -> list[int]:
    zeros = bytes(4 * len(samples))
    one_set = (samples.starts, samples.stacks, samples.values, memoryview(zeros).cast("I"), samples.width)
    return list(memoryview(_core.samples_totals(one_set, 1)))[::2]


def _check_compatible(one: Profile, other: Profile) -> None:
    if (one.period_type or ValueType()) != (other.period_type or ValueType()):
        first, second = (_go_text(p.period_type or ValueType()) for p in (one, other))
        raise ProfileError(f"incompatible period types &{first} and &{second}")
    if one.sample_types != other.sample_types:
        first, second = (" ".join(map(_go_text, p.sample_types)) for p in (one, other))
        raise ProfileError(f"incompatible sample types [{first}] and [{second}]")


def merge(profiles: list[Profile]) -> Profile:
    """The sum of profiles with equal sample types and period types. Samples of zeros and unused tables are dropped."""
    for profile in profiles[1:]:
        _check_compatible(profiles[0], profile)
    merger = _Merger(_merged_header(profiles))
    merged = merger.merge(profiles)
    if _has_zero_sample(merged.samples):
        return merge([merged])
    return merged


def _has_zero_sample(samples: Samples) -> bool:
    width = samples.width
    values = memoryview(samples.values).cast("B")
    zero = bytes(8 * width)
    if width == 0 or zero not in bytes(values):
        return False
    return any(values[i : i + 8 * width] == zero for i in range(0, len(values), 8 * width))


def _merged_header(profiles: list[Profile]) -> Profile:
    time_nanos = period = 0
    for profile in profiles:
        if time_nanos == 0 or profile.time_nanos < time_nanos:
            time_nanos = profile.time_nanos
        if period == 0 or period < profile.period:
            period = profile.period
    first = profiles[0]
    return Profile(
        sample_types=list(first.sample_types),
        samples=Samples(len(first.sample_types)),
        default_sample_type=next((p.default_sample_type for p in profiles if p.default_sample_type), ""),
        drop_frames=first.drop_frames,
        keep_frames=first.keep_frames,
        time_nanos=time_nanos,
        duration_nanos=sum(p.duration_nanos for p in profiles),
        period_type=first.period_type,
        period=period,
        comments=list(dict.fromkeys(comment for p in profiles for comment in p.comments)),
        doc_url=next((p.doc_url for p in profiles if p.doc_url), ""),
    )


class _Merger:
    """Joins the tables of profiles into one header's, remembering by content what it has met."""

    def __init__(self, into: Profile) -> None:
        self.into = into
        self.mappings: dict[tuple[int, int, str], int] = {}
        self.functions: dict[Function, int] = {}
        self.locations: dict[Any, int] = {}
        self.label_sets: dict[Any, int] = {_label_key(NO_LABELS): 0}

    def merge(self, profiles: Iterable[Profile]) -> Profile:
        sources = tuple(self._source(profile) for profile in profiles)
        columns = _core.samples_merge(sources)
        return replace(self.into, samples=samples_of(self.into.samples.width, columns))

    def _source(self, profile: Profile) -> tuple[Any, array[int], array[int]]:
        columns = profile.samples.columns()
        used, used_sets = _core.samples_first_use(columns, len(profile.locations), len(profile.label_sets))
        mapped: dict[int, tuple[int, int]] = {}
        if not self.mappings and profile.mappings:
            self._mapping(profile, 0, mapped)
        function_map: dict[int, int] = {}
        location_map = array("I", bytes(4 * len(profile.locations)))
        for index in memoryview(used):
            location_map[index] = self._location(profile, index, mapped, function_map)
        set_map = array("I", bytes(4 * len(profile.label_sets)))
        for index in memoryview(used_sets):
            set_map[index] = self._label_set(profile.label_sets[index])
        return columns, location_map, set_map

    def _location(
        self, profile: Profile, index: int, mapped: dict[int, tuple[int, int]], function_map: dict[int, int]
    ) -> int:
        source = profile.locations[index]
        mapping, moved = self._mapping(profile, source.mapping, mapped) if source.mapping >= 0 else (-1, 0)
        lines = tuple(
            Line(self._function(profile, line.function, function_map), line.line, line.column) for line in source.lines
        )
        location = Location(mapping, (source.address + moved) & (1 << 64) - 1, lines, source.is_folded)
        start = self.into.mappings[mapping].start if mapping >= 0 else 0
        # Of the columns only the innermost caller's last one takes part, as in the real tool.
        last_column = lines[-1].column if lines else 0
        where = (location.address - start, mapping, tuple(line[:2] for line in lines), last_column, location.is_folded)
        known = self.locations.setdefault(where, len(self.locations))
        if known == len(self.into.locations):
            self.into.locations.append(location)
        return known

    def _mapping(self, profile: Profile, index: int, mapped: dict[int, tuple[int, int]]) -> tuple[int, int]:
        if index in mapped:
            return mapped[index]
        mapping: Mapping = profile.mappings[index]
        size = (mapping.limit - mapping.start + _PAGE - 1) & (1 << 64) - 1
        key = (size - size % _PAGE, mapping.offset, mapping.build_id or mapping.file)
        known = self.mappings.setdefault(key, len(self.mappings))
        if known == len(self.into.mappings):
            self.into.mappings.append(mapping)
        mapped[index] = known, self.into.mappings[known].start - mapping.start
        return mapped[index]

    def _function(self, profile: Profile, index: int, function_map: dict[int, int]) -> int:
        known = function_map.get(index)
        if known is None:
            function = profile.functions[index]
            known = function_map[index] = self.functions.setdefault(function, len(self.functions))
            if known == len(self.into.functions):
                self.into.functions.append(function)
        return known

    def _label_set(self, labels: LabelSet) -> int:
        known = self.label_sets.setdefault(_label_key(labels), len(self.label_sets))
        if known == len(self.into.label_sets):
            self.into.label_sets.append(labels)
        return known


def _label_key(labels: LabelSet) -> Any:
    texts = tuple((key, tuple(values)) for key, values in sorted(labels.texts.items()))
    numbers = tuple((k, tuple(v), tuple(labels.units.get(k, ()))) for k, v in sorted(labels.numbers.items()))
    return texts, numbers
