"""Imported packages analysed, each group by itself with what it imports, and kept on disk by the digest of all their sources."""

from __future__ import annotations

import gc
import marshal
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from gomem.escape import ir
from gomem.escape.disk import DiskCache
from gomem.escape.engine import Engine
from gomem.escape.frozen import Frozen, changes, freeze
from gomem.escape.installed import Unit, gather, groups
from gomem.escape.merge import merge
from gomem.escape.reading import read_files
from gomem.escape.record import Plain
from gomem.escape.summary import LibraryModule
from gomem.escape.universe import Universe

Progress = Callable[[str, int, int], None]


@dataclass
class Packages:
    """``frozen`` is what was kept of each group, ``digest`` of all that it was made of. ``units`` are the names of what was read,
    ``left`` the imported ones that stay unknown, with the reason."""

    frozen: list[Plain] = field(default_factory=list)
    digest: bytes = b""
    units: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


@dataclass
class Context:
    """What every group is analysed with. ``libraries`` makes the texts' modules anew, ``told`` are their names, ``texts`` the user's
    own texts."""

    libraries: Callable[[], dict[str, LibraryModule]]
    told: Collection[str]
    texts: bytes
    search: Sequence[str]
    jobs: int
    disk: DiskCache
    progress: Progress | None


def load_packages(own: Sequence[ir.Module], context: Context) -> Packages:
    """Everything that the files import and that there is Python source of, within the limits."""

    def read(paths: list[Path]) -> Iterator[ir.Module]:
        return read_files(paths, context.jobs, context.disk, [], context.progress)

    units, left = gather(own, context.search, context.told, read)
    packages = Packages(units=[unit.name for unit in units], left=left)
    digests: list[bytes] = []
    place: dict[str, int] = {}
    below: list[set[int]] = []  # the groups that a group imports, and what those import
    done, all_ = 0, sum(unit.lines for unit in units)
    for group in groups(units):
        needs = {place[name] for unit in group for name in unit.needs if name in place}
        needs |= {number for need in needs for number in below[need]}
        digests.append(_digest(group, [digests[need] for need in sorted(needs)], context))
        kept = context.disk.load(b"package", digests[-1])
        size = sum(unit.lines for unit in group)
        if kept is None:
            kept = marshal.dumps(_analyse(group, [packages.frozen[need] for need in sorted(needs)], context, (done, size, all_)))
            context.disk.keep(kept, b"package", digests[-1])
        packages.frozen.append(marshal.loads(kept))
        place.update((unit.name, len(below)) for unit in group)
        below.append(needs)
        done += size
    packages.digest = blake2b(b"".join(digests), digest_size=16).digest()
    return packages


def _digest(group: list[Unit], needs: list[bytes], context: Context) -> bytes:
    made_of = [(module.name, module.shape, [code.digest for code in module.codes]) for unit in group for module in unit.modules]
    return blake2b(marshal.dumps((made_of, needs, context.texts), 0), digest_size=32).digest()


def _analyse(group: list[Unit], needs: list[Plain], context: Context, lines: tuple[int, int, int]) -> Plain:
    """``lines``: how many are done, in this group, in all."""

    def tell(solved: int, of: int) -> None:
        if context.progress is not None:
            context.progress("packages", lines[0] + lines[1] * solved // max(of, 1), lines[2])

    universe = Universe(context.libraries(), merge)
    for unit in group:
        for module in unit.modules:
            universe.add_file(module, own=True)
    thaw(universe, needs)
    before = changes(universe)
    engine = Engine(universe, context.jobs)
    engine.run(tell)
    made = freeze(engine, before)
    del engine, universe
    gc.collect(1)  # it is full of cycles, and who calls may have switched the collector off; what was there before the first group is looked at once
    return made


def thaw(universe: Universe, packages: Sequence[Plain]) -> None:
    """Links the universe, with the packages in it."""
    frozen = Frozen(universe)
    for package in packages:
        frozen.add(package)
    universe.link()
    if packages:
        frozen.thaw()
        universe.frozen = frozen
