"""Fetches the packages, unpacks them, and runs them instrumented; what was seen is kept, so that it is run only once."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

from gomem.escape.verify import Truth, run

from bench.escape.packages import Package

DRIVERS = Path(__file__).parent / "drivers"
STDLIB = sysconfig.get_path("stdlib")
TIMEOUT_S = 3600.0


class Prepared:
    """A package on disk: ``source`` is where it was unpacked, ``truth_file`` where what was seen is kept."""

    def __init__(self, package: Package, work: Path):
        self.package = package
        self.source = work / "source" / f"{package.name}-{package.version or 'any'}"
        self.needs = work / "needs" / package.name
        self.downloads = work / "downloads"
        self.truth_file = work / "truth" / f"{package.name}.json"

    @property
    def roots(self) -> list[Path]:
        return [self.source / root.format(stdlib=STDLIB) for root in self.package.roots]

    def fetch(self) -> None:
        """Download and unpack, unless that was done."""
        if not self.source.exists() and self.package.name == "stdlib":
            self.source.mkdir(parents=True)
        elif not self.source.exists() and self.package.wheel:
            requirement = self.package.name + (f"=={self.package.version}" if self.package.version else "")
            _pip("install", "--no-deps", "--target", str(self.source), requirement)
        elif not self.source.exists():
            self._unpack()
        if self.package.needs and not self.needs.exists():
            _pip("install", "--target", str(self.needs), *self.package.needs)

    def _unpack(self) -> None:
        package = self.package
        _pip("download", "--no-deps", "--no-binary", package.name, "-d", str(self.downloads), f"{package.name}=={package.version}")
        (archive,) = self.downloads.glob(f"{package.name}-{package.version}*.tar.gz")
        self.source.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as tar:
            tar.extractall(self.source.parent, filter="data")
        (self.source.parent / archive.name.removesuffix(".tar.gz")).rename(self.source)

    def truth(self, again: bool = False) -> Truth:
        """What was seen; runs the package if it has not been run, or ``again``."""
        if again or not self.truth_file.exists():
            self.fetch()
            command = [word.format(drivers=DRIVERS, stdlib=STDLIB) for word in self.package.command]
            path = [str(self.source / self.package.path), *([str(self.needs)] if self.package.needs else [])]
            env = os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}
            print(f"bench.escape: running {self.package.name}", file=sys.stderr)
            truth = run(command, self.roots, env=env, cwd=self.source, timeout_s=TIMEOUT_S)
            self.truth_file.parent.mkdir(parents=True, exist_ok=True)
            truth.save(self.truth_file)
        return Truth.load(self.truth_file)


def _pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *words], check=True, stdout=sys.stderr)
