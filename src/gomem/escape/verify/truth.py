"""What was seen at run time, as data: per site how often which fate was met, and a file format for it (JSON)."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gomem.errors import ProfileError
from gomem.escape.sites import Site

FORMAT = 1
STAYS = ("frame", "cycle")
LEAVES = ("returned", "yielded", "raised", "escaped")


@dataclass(slots=True)
class Seen:
    """One site at run time.

    ``looks``: executions that were looked at (at most 64 a process); ``fates``: how many fresh objects met which end, by
    ``frame``, ``cycle`` (unreachable when the frame had gone, but waiting for the collector), ``returned``, ``yielded``,
    ``raised``, ``escaped``, ``unknown``; ``type`` of the first fresh object; ``holder``: what held the first that escaped.
    """

    looks: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    type: str = ""
    holder: str = ""

    @property
    def fate(self) -> str:
        """``stays`` if every fresh object died with its frame, ``leaves`` if one did not, ``mixed`` if some did and some
        did not, ``unknown`` if none was fresh or none could be decided."""
        stays = sum(self.fates[name] for name in STAYS)
        leaves = sum(self.fates[name] for name in LEAVES)
        if stays and leaves:
            return "mixed"
        if leaves:
            return "leaves"
        # Objects that could not be decided may have been the ones that left.
        return "stays" if stays and not self.fates["unknown"] else "unknown"

    def add(self, other: Seen) -> None:
        self.looks += other.looks
        self.fates.update(other.fates)
        self.type = self.type or other.type
        self.holder = self.holder or other.holder


@dataclass(slots=True)
class Truth:
    """What one or more runs have shown. ``sites`` holds every site of the instrumented modules, also those never executed.

    ``files``: path -> sha256 of the source that ran; ``skipped``: path -> why it was not instrumented; ``checked`` and
    ``disagreements``: how many decisions a weak reference could check, and site -> what the two said where they differed;
    ``unjudged``: objects whose frame ended unseen; ``exit_code`` of the program.
    """

    sites: dict[Site, Seen] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    disagreements: dict[str, str] = field(default_factory=dict)
    checked: int = 0
    unjudged: int = 0
    processes: int = 1
    exit_code: int = 0
    python: str = field(default_factory=lambda: sys.version.split()[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write JSON; the file appears whole or not at all."""
        rows = [
            [*(getattr(site, name) for name in _SITE), seen.looks, dict(seen.fates), seen.type, seen.holder]
            for site, seen in self.sites.items()
        ]
        plain = {name: getattr(self, name) for name in _PLAIN}
        text = json.dumps({"format": FORMAT, **plain, "columns": [*_SITE, *_SEEN], "sites": rows})
        draft = Path(f"{path}.{os.getpid()}.tmp")
        draft.write_text(text)
        draft.replace(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Truth:
        """Read what ``save`` wrote. Raises ProfileError if it is something else."""
        try:
            data = json.loads(Path(path).read_text())
            if data["format"] != FORMAT:
                raise ProfileError(f"truth: {path}: got format {data['format']!r}, want {FORMAT}")
            truth = cls(**{name: data[name] for name in _PLAIN})
            for row in data["sites"]:
                looks, fates, kind, holder = row[len(_SITE) :]
                truth.sites[Site(*row[: len(_SITE)])] = Seen(looks, Counter(fates), kind, holder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ProfileError(f"truth: {path}: got {type(error).__name__}: {error}, want a file of gomem escape --verify") from None
        return truth

    def add(self, other: Truth) -> None:
        """Take in what another run or process has seen."""
        for site, seen in other.sites.items():
            self.sites.setdefault(site, Seen()).add(seen)
        for name in ("files", "skipped", "disagreements"):
            getattr(self, name).update(getattr(other, name))
        self.checked += other.checked
        self.unjudged += other.unjudged
        self.processes += other.processes
        self.exit_code = self.exit_code or other.exit_code


_SITE = ("path", "line", "column", "end_line", "end_column", "kind", "function", "text")
_SEEN = ("looks", "fates", "type", "holder")
_PLAIN = ("files", "skipped", "disagreements", "checked", "unjudged", "processes", "exit_code", "python")


def merged(truths: Iterable[Truth]) -> Truth:
    """All of them as one."""
    result = Truth(processes=0)
    for truth in truths:
        result.add(truth)
    return result


def seen() -> Truth:
    """What the recorder of this process has seen so far."""
    from gomem.escape.verify.hook import instrumented, skipped
    from gomem.escape.verify.recorder import tables

    truth = Truth(
        files={path: hashlib.sha256(source).hexdigest() for path, source in instrumented.items()},
        skipped=dict(skipped),
        disagreements={str(tables.sites[number]): text for number, text in tables.disagreements.items()},
        checked=tables.checked,
        unjudged=tables.unjudged,
    )
    for number, site in enumerate(tables.sites):
        if site.path in truth.files:
            counts = Counter(tables.counts[number])
            other = Seen(tables.looks[number], counts, tables.types.get(number, ""), tables.holders.get(number, ""))
            truth.sites.setdefault(site, Seen()).add(other)
    return truth
