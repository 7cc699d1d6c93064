"""Builds a ``Profile`` from samples as they come, giving equal things one id.

Uses the standard library only: the heap profiler calls it inside other people's processes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from gomem.errors import ProfileError
from gomem.pprof.model import (
    NO_LABELS,
    Function,
    LabelSet,
    Line,
    Location,
    Mapping,
    Profile,
    Samples,
    ValueType,
)
from gomem.pprof.names import looks_like_cpp
from gomem.record import replace

Label = str | tuple[int, str]

_UINT64 = (1 << 64) - 1


class ProfileBuilder:
    """Collects mappings, functions, locations and samples into a ``Profile``.

    Ids count from 1, as in the file, and equal calls give equal ids; 0 stands for "none". ``sample_types`` and
    ``period_type`` are (type, unit) pairs, times are nanoseconds since 1970, ``drop_frames`` and ``keep_frames`` are
    regular expressions for viewers. Not safe for threads.
    """

    def __init__(
        self,
        sample_types: Iterable[tuple[str, str]],
        default_sample_type: str = "",
        period_type: tuple[str, str] | None = None,
        period: int = 0,
        time_nanos: int = 0,
        duration_nanos: int = 0,
        comments: Iterable[str] = (),
        drop_frames: str = "",
        keep_frames: str = "",
        doc_url: str = "",
    ) -> None:
        types = [ValueType(*pair) for pair in sample_types]
        if not types:
            raise ProfileError("profile: sample_types is empty, want at least one (type, unit)")
        self._starts, self._stacks = array("Q", [0]), array("I")
        self._values, self._sample_label_sets = array("q"), array("I")
        self._profile = Profile(
            sample_types=types,
            samples=Samples(len(types)),
            default_sample_type=default_sample_type,
            drop_frames=drop_frames,
            keep_frames=keep_frames,
            time_nanos=time_nanos,
            duration_nanos=duration_nanos,
            period_type=None if period_type is None else ValueType(*period_type),
            period=period,
            comments=list(comments),
            doc_url=doc_url,
        )
        self._mapping_ids: dict[Mapping, int] = {}
        self._function_ids: dict[Function, int] = {}
        self._location_ids: dict[tuple[int, int, tuple[tuple[int, ...], ...]], int] = {}
        self._label_set_indexes: dict[tuple[tuple[str, Label], ...], int] = {(): 0}
        self._label_sets: list[LabelSet] = [NO_LABELS]

    def mapping(self, start: int, limit: int, offset: int, file: str, build_id: str = "") -> int:
        """The id of an object file mapped at [start, limit), marked as symbolized in full so that viewers don't look
        for the binary."""
        mapping = Mapping(start, limit, offset, file, build_id, True, True, True, True)
        return self._mapping_ids.setdefault(mapping, len(self._mapping_ids) + 1)

    def function(self, name: str, system_name: str, filename: str, start_line: int) -> int:
        """The id of a function; ``start_line`` counts from 1, 0 is unknown.

        Viewers take names with ``<>``, ``[]`` or ``::`` that equal their system name for C++ and shorten them,
        ``<module>`` to nothing; such a system name is left out to keep them whole.
        """
        if system_name == name and looks_like_cpp(name):
            system_name = ""
        function = Function(name, system_name, filename, start_line)
        return self._function_ids.setdefault(function, len(self._function_ids) + 1)

    def location(self, mapping_id: int, address: int, lines: Iterable[tuple[int, int]]) -> int:
        """The id of a code address; ``lines`` are (function_id, line), the innermost inlined call first.

        Without addresses (Python) give 0: the lines tell locations apart. Raises ProfileError for ids that the
        builder did not give.
        """
        key = (mapping_id, address, tuple(lines))
        known = self._location_ids.get(key)
        if known is not None:
            return known
        if not 0 <= mapping_id <= len(self._mapping_ids):
            raise ProfileError(f"profile: location: mapping {mapping_id}, want 0 to {len(self._mapping_ids)}")
        for function_id, _ in key[2]:
            if not 0 < function_id <= len(self._function_ids):
                raise ProfileError(f"profile: location: function {function_id}, want 1 to {len(self._function_ids)}")
        self._location_ids[key] = len(self._location_ids) + 1
        return len(self._location_ids)

    def sample(
        self, location_ids: Sequence[int], values: Sequence[int], labels: dict[str, Label] | None = None
    ) -> None:
        """Adds a sample: its stack leaf first, one value for each sample type, and labels (text, or number and unit).

        Samples with the same stack are kept apart; viewers add them up. Raises ProfileError when the number of values
        is wrong or a location is unknown.
        """
        if len(values) != len(self._profile.sample_types):
            raise ProfileError(f"profile: sample has {len(values)} values, want {len(self._profile.sample_types)}")
        if location_ids and not 0 < min(location_ids) <= max(location_ids) <= len(self._location_ids):
            raise ProfileError(f"profile: sample: location outside 1 to {len(self._location_ids)}")
        self._stacks.extend([i - 1 for i in location_ids])
        self._starts.append(len(self._stacks))
        self._values.extend(values)
        self._sample_label_sets.append(self._label_set(labels) if labels else 0)

    def _label_set(self, labels: dict[str, Label]) -> int:
        key = tuple(sorted(labels.items()))
        known = self._label_set_indexes.get(key)
        if known is None:
            texts = {k: [v] for k, v in key if isinstance(v, str)}
            numbers = {k: [v[0]] for k, v in key if not isinstance(v, str)}
            units = {k: [v[1]] for k, v in key if not isinstance(v, str)}
            known = self._label_set_indexes[key] = len(self._label_sets)
            self._label_sets.append(LabelSet(texts, numbers, units))
        return known

    def build(self) -> Profile:
        """The profile; the builder may go on, and a later ``build`` sees what came in between."""
        return replace(
            self._profile,
            samples=Samples(
                len(self._profile.sample_types),
                array("Q", self._starts),
                array("I", self._stacks),
                array("q", self._values),
                array("I", self._sample_label_sets),
            ),
            locations=[
                Location(mapping - 1, address & _UINT64, tuple(Line(function - 1, line) for function, line in lines))
                for mapping, address, lines in self._location_ids
            ],
            functions=list(self._function_ids),
            mappings=list(self._mapping_ids),
            label_sets=list(self._label_sets),
        )
