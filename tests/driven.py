"""A Python of its own, in which the collector runs cycle after cycle in every process; or, for comparison, does not."""

from __future__ import annotations

import shutil
import site
import struct
import venv
from pathlib import Path
from typing import NamedTuple

import gomem

DRIVE = Path(__file__).parent / "gc" / "drive" / "gomem_drive.py"


class Counts(NamedTuple):
    """What the collectors of all processes have done together; objects and cycles."""

    cycles: int
    aborted: int
    proposed: int
    freed: int
    processes: int  # that enabled it, forked children not counted
    apart: int  # components freed in slices

    def __str__(self) -> str:
        return f"{self.cycles} cycles ({self.aborted} more given up) in {self.processes} processes, {self.freed} of {self.proposed} proposed objects freed, {self.apart} components taken apart"


def _packages(directory: Path) -> Path:
    return next(directory.glob("lib/python3.*/site-packages"))


def make(directory: Path, on: bool) -> Path:
    """Its executable, in a new virtual environment that also sees the packages of this one."""
    venv.create(directory, symlinks=True, with_pip=False)
    packages = _packages(directory)
    shutil.copy(DRIVE, packages)
    if on:
        (packages / "on").touch()
    seen = dict.fromkeys([str(Path(gomem.__file__).parents[1]), *site.getsitepackages()])
    (packages / "drive.pth").write_text("\n".join([*seen, "import gomem_drive", ""]))
    return directory / "bin" / "python"


def counts(directory: Path) -> Counts:
    path = _packages(directory) / "counts"
    return Counts(*struct.unpack("6Q", path.read_bytes())) if path.exists() else Counts(0, 0, 0, 0, 0, 0)
