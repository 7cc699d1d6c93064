"""What is kept on disk between runs: pieces of bytes by the digest of all that they were made of.

A piece is written beside and renamed, and has a digest of itself before it: a reader sees all of it or nothing, and what is
damaged is as good as not there. What other versions of this package or of Python have kept is never found. The least recently
used goes when there is too much.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

LIMIT = 1 << 30  # bytes, of all pieces together
_DIGEST = 32
_OFTEN = 64  # pieces written by one process before it looks how much there is
_written = count()  # of this process: one that reads files gets its cache anew with each of them


class DiskCache:
    """``directory`` None: nothing is kept. A directory that cannot be written is no error."""

    def __init__(self, directory: str | Path | None) -> None:
        self.directory = None if directory is None else Path(directory)

    def load(self, *made_of: bytes) -> bytes | None:
        if self.directory is None:
            return None
        path = self.path(made_of)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        body = data[_DIGEST:]
        return body if _digest(body) == data[:_DIGEST] else None

    def keep(self, data: bytes, *made_of: bytes) -> None:
        if self.directory is None:
            return
        path = self.path(made_of)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(_digest(data))
                    out.write(data)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError:
            return
        if next(_written) % _OFTEN == 0:
            self.prune(LIMIT)

    def path(self, made_of: tuple[bytes, ...]) -> Path:
        digest = hashlib.sha256(own_version())
        for part in made_of:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        name = digest.hexdigest()
        assert self.directory is not None
        return self.directory / name[:2] / name[2:]

    def prune(self, limit: int) -> None:
        """Removes what was used least recently until the rest is at most nine tenths of the limit, if there is more than that."""
        found = []
        try:
            for sub in os.scandir(self.directory):
                if sub.is_dir() and len(sub.name) == 2:
                    found += [(status.st_mtime, status.st_size, entry.path) for entry in os.scandir(sub.path) for status in [entry.stat()]]
        except OSError:
            return
        total = sum(size for _, size, _ in found)
        if total <= limit:
            return
        for _, size, path in sorted(found):
            if total <= limit * 0.9:
                break
            try:
                os.unlink(path)
            except OSError:
                continue
            total -= size


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


@cache
def own_version() -> bytes:
    """A digest of this package's code and library texts, the version of Python and the order of bytes: what others have kept is made again."""
    digest = hashlib.sha256(repr((sys.version_info[:3], sys.byteorder)).encode())
    package = Path(__file__).parent
    for path in sorted([*package.glob("*.py"), *package.glob("library/*.txt")]):
        digest.update(path.read_bytes())
    return digest.digest()
