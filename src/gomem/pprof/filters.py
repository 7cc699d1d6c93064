"""Which samples and frames a report is about: focus, ignore, hide, show, show_from, prune_from and the label filters.

Expressions are matched once a function, mapping or label set; the rows are then kept or cut by ``core/samples.c``.
Every function returns a new profile that shares what it did not change.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence

from gomem import _core
from gomem.pprof import measurement
from gomem.pprof.measurement import scaled_label
from gomem.pprof.merge import samples_of
from gomem.pprof.model import Function, LabelSet, Line, Location, Profile
from gomem.pprof.names import simplify
from gomem.pprof.regex import Pattern, compile_pattern
from gomem.record import replace

# Modes and flags of _core.samples_filter.
_BY_NAME, _SHOW_FROM, _PRUNE, _PRUNE_FROM, _BY_LABEL = range(5)
_FOCUSED, _IGNORED, _HIDDEN = 1, 2, 4
_MATCHED, _WHOLE = 1, 2


def _filtered(profile: Profile, mode: int, flags: bytes | bytearray, locations: list[Location]) -> Profile:
    columns = _core.samples_filter(profile.samples.columns(), mode, flags)
    return replace(profile, samples=samples_of(profile.samples.width, columns), locations=locations)


class _Matcher:
    """What an expression says about a profile's functions and mappings, by index."""

    def __init__(self, profile: Profile, pattern: Pattern) -> None:
        functions = profile.functions
        self.functions = [pattern.matches(f.name) or pattern.matches(f.filename) for f in functions]
        # One more, for "no mapping", which is index -1.
        self.mappings = [pattern.matches(m.file) for m in profile.mappings] + [False]

    def matches(self, location: Location) -> bool:
        functions = self.functions
        return any(functions[line.function] for line in location.lines) or self.mappings[location.mapping]

    def without(self, location: Location) -> tuple[Line, ...]:
        """The lines that do not match."""
        if self.mappings[location.mapping]:
            return ()
        return tuple(line for line in location.lines if not self.functions[line.function])

    def only(self, location: Location) -> tuple[Line, ...]:
        """The lines that match."""
        if self.mappings[location.mapping]:
            return location.lines
        return tuple(line for line in location.lines if self.functions[line.function])


def filter_by_name(
    profile: Profile, focus: Pattern | None, ignore: Pattern | None, hide: Pattern | None, show: Pattern | None
) -> tuple[Profile, dict[str, bool]]:
    """Samples that go through ``focus`` and not through ``ignore``, their frames less ``hide`` and only of ``show``.

    The second result says which expressions matched anything, under Focus, Ignore, Hide and Show.
    """
    matched = {"Focus": False, "Ignore": False, "Hide": False, "Show": False}
    if not (focus or ignore or hide or show):
        return profile, {**matched, "Focus": True}
    focus_m, ignore_m, hide_m, show_m = (_Matcher(profile, p) if p else None for p in (focus, ignore, hide, show))
    flags = bytearray(len(profile.locations))
    locations = list(profile.locations)
    for index, location in enumerate(locations):
        if ignore_m and ignore_m.matches(location):
            matched["Ignore"] = True
            flags[index] = _IGNORED
        elif focus_m is None or focus_m.matches(location):
            matched["Focus"] = True
            flags[index] = _FOCUSED
        if hide_m and hide_m.matches(location):
            matched["Hide"] = True
            location = locations[index] = location._replace(lines=hide_m.without(location))
            if not location.lines:
                flags[index] |= _HIDDEN
        if show_m:
            location = locations[index] = location._replace(lines=show_m.only(location))
            if location.lines:
                matched["Show"] = True
            else:
                flags[index] |= _HIDDEN
    return _filtered(profile, _BY_NAME, flags, locations), matched


def show_from(profile: Profile, pattern: Pattern) -> tuple[Profile, bool]:
    """Stacks from their highest match on; those without one are dropped. Also, whether anything matched."""
    matcher = _Matcher(profile, pattern)
    flags = bytearray(len(profile.locations))
    locations = list(profile.locations)
    for index, location in enumerate(locations):
        if matcher.mappings[location.mapping]:
            flags[index] = _MATCHED
            continue
        hits = [i for i, line in enumerate(location.lines) if matcher.functions[line.function]]
        if hits:
            flags[index] = _MATCHED
            locations[index] = location._replace(lines=location.lines[: hits[-1] + 1])
    return _filtered(profile, _SHOW_FROM, flags, locations), any(flags)


def prune(profile: Profile, drop: Pattern, keep: Pattern | None) -> Profile:
    """Stacks without what lies below a frame of ``drop`` (and not of ``keep``), that frame included."""
    uninteresting = [
        bool(f.name) and drop.matches(simplify(f.name)) and not (keep and keep.matches(simplify(f.name)))
        for f in profile.functions
    ]
    if not any(uninteresting):
        return profile
    flags = bytearray(len(profile.locations))
    locations = list(profile.locations)
    for index, location in enumerate(locations):
        hits = [i for i, line in enumerate(location.lines) if uninteresting[line.function]]
        if hits and hits[-1] == len(location.lines) - 1:
            flags[index] = _MATCHED | _WHOLE
        elif hits:
            flags[index] = _MATCHED
            locations[index] = location._replace(lines=location.lines[hits[-1] + 1 :])
    return _filtered(profile, _PRUNE, flags, locations)


def prune_uninteresting(profile: Profile) -> Profile:
    """Applies the profile's own drop_frames and keep_frames; broken expressions are ignored, as in the real tool."""
    if not profile.drop_frames:
        return profile
    try:
        drop = Pattern(f"^({profile.drop_frames})$")
        keep = Pattern(f"^({profile.keep_frames})$") if profile.keep_frames else None
    except ValueError:
        return profile
    return prune(profile, drop, keep)


def prune_from(profile: Profile, pattern: Pattern) -> Profile:
    """Stacks without what lies below the match nearest to the leaf."""
    hit = [bool(f.name) and pattern.matches(simplify(f.name)) for f in profile.functions]
    flags = bytearray(len(profile.locations))
    locations = list(profile.locations)
    for index, location in enumerate(locations):
        first = next((i for i, line in enumerate(location.lines) if hit[line.function]), None)
        if first is not None:
            flags[index] = _MATCHED
            locations[index] = location._replace(lines=location.lines[first:])
    return _filtered(profile, _PRUNE_FROM, flags, locations)


LabelTest = Callable[[LabelSet], bool]

_RANGE_PART = re.compile(r"([+-]?[0-9]+)([A-Za-z]+)?", re.ASCII)


def compile_label_filter(name: str, value: str, units: dict[str, str], say: Callable[[str], None]) -> LabelTest | None:
    """The test that a tagfocus or tagignore value asks for; None when there is no value.

    ``key=`` limits it to a key; ``1kb:10kb`` and the like are ranges over numbers, anything else expressions over texts.
    """
    if not value:
        return None
    key, equals, rest = value.partition("=")
    if not equals:
        key, rest = "", value
    in_range = parse_range(rest)
    if in_range is not None:
        say(f"{name}:Interpreted '{rest}' as range, not regexp")
        return _number_test(key if equals else None, in_range, units)
    patterns = [compile_pattern(part, f"parsing {name} regexp") for part in rest.split(",")]
    if equals:
        return lambda labels: any(p.matches(text) for p in patterns for text in labels.texts.get(key, ()))
    return lambda labels: all(
        any(p.matches(f"{k}:{text}") for k, texts in labels.texts.items() for text in texts) for p in patterns
    )


def _number_test(key: str | None, in_range: Callable[[int, str], bool], units: dict[str, str]) -> LabelTest:
    def test(labels: LabelSet) -> bool:
        keys = labels.numbers if key is None else [key]
        return any(in_range(v, units.get(k, "")) for k in keys for v in labels.numbers.get(k, ()))

    return test


def parse_range(text: str) -> Callable[[int, str], bool] | None:
    """The test for ``32kb`` (equal), ``:64kb`` (at most), ``4mb:`` (at least) and ``12kb:64mb``; None for other text."""
    parts = list(_RANGE_PART.finditer(text))[:2]
    if not parts:
        return None
    low, unit = measurement.scale(int(parts[0][1]), parts[0][2] or "", parts[0][2] or "")
    lowest, highest = low, low
    if len(parts) == 2:
        high, high_unit = measurement.scale(int(parts[1][1]), parts[1][2] or "", unit)
        if text != f"{parts[0][0]}:{parts[1][0]}" or unit != high_unit:
            return None
        highest = high
    elif text == f"{parts[0][0]}:":
        highest = float("inf")
    elif text == f":{parts[0][0]}":
        lowest = float("-inf")
    elif text != parts[0][0]:
        return None

    def test(value: int, from_unit: str) -> bool:
        scaled, scaled_unit = measurement.scale(value, from_unit, unit)
        return scaled_unit == unit and lowest <= scaled <= highest

    return test


def used_label_sets(profile: Profile) -> list[int]:
    """Indexes of the label sets that samples have, in order of first use."""
    return list(dict.fromkeys(profile.samples.label_sets))


def filter_by_label(
    profile: Profile, focus: LabelTest | None, ignore: LabelTest | None
) -> tuple[Profile, dict[str, bool]]:
    """Samples whose labels pass ``focus`` and fail ``ignore``, and which of the two matched any sample."""
    if focus is None and ignore is None:
        return profile, {"TagFocus": True, "TagIgnore": False}
    flags = bytearray(len(profile.label_sets))
    matched = {"TagFocus": False, "TagIgnore": False}
    for index in used_label_sets(profile):
        focused = focus is None or focus(profile.label_sets[index])
        ignored = ignore is not None and ignore(profile.label_sets[index])
        matched["TagFocus"] |= focused
        matched["TagIgnore"] |= ignored
        flags[index] = focused and not ignored
    return _filtered(profile, _BY_LABEL, flags, profile.locations), matched


def show_labels(profile: Profile, show: Pattern | None, hide: Pattern | None) -> tuple[Profile, dict[str, bool]]:
    """Label sets with the keys of ``show`` only and none of ``hide``, and which of the two matched any."""
    matched = {"TagShow": False, "TagHide": False}

    def stays(key: str) -> bool:
        shown = show is None or show.matches(key)
        hidden = hide is not None and hide.matches(key)
        matched["TagShow"] |= shown
        matched["TagHide"] |= hidden
        return shown and not hidden

    if show is None and hide is None:
        return profile, matched
    label_sets = list(profile.label_sets)
    for index in used_label_sets(profile):
        labels = label_sets[index]
        label_sets[index] = LabelSet(
            {key: texts for key, texts in labels.texts.items() if stays(key)},
            {key: numbers for key, numbers in labels.numbers.items() if stays(key)},
            labels.units,
        )
    return replace(profile, label_sets=label_sets), matched


def add_label_frames(
    profile: Profile, root_keys: list[str], leaf_keys: list[str], unit: str
) -> tuple[Profile, bool, bool]:
    """Stacks with a frame for each label key: root keys above the root, the first on top; leaf keys below the leaf.

    A frame is named by the key's values, joined with commas, in the key as its file. Also returned: whether any sample
    has a root key, or a leaf key.
    """
    adder = _FrameAdder(profile, unit)
    runs = {}
    for index in used_label_sets(profile):
        labels = profile.label_sets[index]
        runs[index] = adder.frames(labels, root_keys), adder.frames(labels, leaf_keys)
    none: tuple[list[int], bool] = [], False
    per_set = [runs.get(index, (none, none)) for index in range(len(profile.label_sets))]
    roots, leaves = [frames for (frames, _), _ in per_set], [frames for _, (frames, _) in per_set]
    columns = _core.samples_extend(profile.samples.columns(), *_runs(leaves), *_runs(roots))
    added = replace(
        profile,
        samples=samples_of(profile.samples.width, columns),
        functions=profile.functions + adder.functions,
        locations=profile.locations + adder.locations,
        function_ids=_more_ids(profile.function_ids, len(adder.functions)),
        location_ids=_more_ids(profile.location_ids, len(adder.locations)),
    )
    return added, any(hit for (_, hit), _ in runs.values()), any(hit for _, (_, hit) in runs.values())


def _more_ids(ids: Sequence[int] | None, count: int) -> list[int] | None:
    if ids is None:
        return None
    known = list(ids)
    highest = max(known, default=0)
    return [*known, *range(highest + 1, highest + 1 + count)]


def _runs(frames: list[list[int]]) -> tuple[array[int], array[int]]:
    starts, flat = array("Q", [0]), array("I")
    for run in frames:
        flat.extend(run)
        starts.append(len(flat))
    return starts, flat


class _FrameAdder:
    """Makes the pseudo functions and locations for label values, one for each (values, key)."""

    def __init__(self, profile: Profile, unit: str) -> None:
        self.unit = unit
        self.first_function, self.first_location = len(profile.functions), len(profile.locations)
        self.functions: list[Function] = []
        self.locations: list[Location] = []
        self.known: dict[tuple[str, str], int] = {}

    def frames(self, labels: LabelSet, keys: list[str]) -> tuple[list[int], bool]:
        """Location indexes, leaf first, and whether the labels have any of the keys."""
        found, hit = [], False
        for key in reversed(keys):
            values = self._values(labels, key)
            hit |= bool(values)
            found.append(self._location(",".join(values), key))
        return found, hit

    def _values(self, labels: LabelSet, key: str) -> list[str]:
        numbers = labels.numbers.get(key, [])
        units = labels.units.get(key)
        if units and len(units) == len(numbers):
            scaled = [scaled_label(number, unit, self.unit) for number, unit in zip(numbers, units, strict=True)]
        else:
            scaled = [scaled_label(number, "", "") for number in numbers]
        return labels.texts.get(key, []) + scaled

    def _location(self, name: str, key: str) -> int:
        index = self.known.get((name, key))
        if index is None:
            index = self.known[name, key] = self.first_location + len(self.locations)
            self.locations.append(Location(lines=(Line(self.first_function + len(self.functions)),)))
            self.functions.append(Function(name, "", key))
        return index
