"""The profiles a page is about: one, or a series in time, each decoded once, any of them against any other.

Compared pairs and call trees are kept in small caches, for the page asks for the same few again and again. Safe for
threads: a lock guards the caches, and profiles are never changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from gomem import _core
from gomem.errors import ProfileError
from gomem.pprof.merge import combine, subtract
from gomem.pprof.model import Profile

ALL = "all"


class Source(NamedTuple):
    """A profile and the name to show for it."""

    name: str
    profile: Profile


class Cache:
    """The results of the last few calls by key, each made once even when several threads ask at the same time."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.Lock()
        self._made: OrderedDict[Hashable, tuple[threading.Lock, list[Any]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            lock, made = self._made.setdefault(key, (threading.Lock(), []))
            self._made.move_to_end(key)
            while len(self._made) > self._size:
                self._made.popitem(last=False)
        with lock:
            if not made:
                made.append(make())
            return made[0]


class Store:
    """Profiles in the order given, which for a series is that of time."""

    def __init__(self, sources: Sequence[Source]) -> None:
        if not sources:
            raise ProfileError("no profiles to show")
        self.sources = list(sources)
        self._pairs: Cache = Cache(4)
        self._totals: Cache = Cache(32)

    def profile(self, at: str = "", against: str = "", normalize: bool = False) -> Profile:
        """The profile at an index ("" is the last, ``all`` the sum of all), less the one at ``against`` when given.

        Raises ProfileError for other indexes and for profiles that cannot be compared.
        """
        if not against:
            return self._one(at)
        return self._pairs.get(
            (at, against, normalize),
            lambda: subtract(self._one(at), self._one(against), label=True, normalize=normalize),
        )

    def _one(self, at: str) -> Profile:
        if at == ALL:
            return self._pairs.get(ALL, lambda: combine([source.profile for source in self.sources]))
        return self.sources[self.index(at)].profile

    def index(self, at: str) -> int:
        """The number in a URL parameter as an index. Raises ProfileError when there is no such profile."""
        count = len(self.sources)
        if at in ("", ALL):
            return count - 1
        if not (at.isascii() and at.isdigit() and int(at) < count):
            raise ProfileError(f"profile: got {at!r}, want 0 to {count - 1} or {ALL}")
        return int(at)

    def totals(self, sample_type: str) -> list[int | None]:
        """The sum of a sample type in each profile; None where a profile lacks it."""
        return self._totals.get(sample_type, lambda: [_sum(source.profile, sample_type) for source in self.sources])


def _sum(profile: Profile, sample_type: str) -> int | None:
    names = [kind.type for kind in profile.sample_types]
    if sample_type not in names:
        return None
    sums = memoryview(_core.samples_totals(profile.samples.columns(), len(profile.label_sets)))
    return sum(sums[names.index(sample_type) * 2 :: len(names) * 2])
