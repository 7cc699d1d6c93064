"""Files read and lowered, in several processes if that pays, and kept on disk by the hash of their source."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from gomem.escape import ir
from gomem.escape.files import module_name
from gomem.escape.lower import lower

_BATCH = 8  # files that one process reads at a time
_FEW = 24  # files that are read here: starting processes would take longer
Read = tuple[str, bytes | None, str]  # path, what was read, why it was not


def read_files(
    paths: list[Path], jobs: int, directory: str | Path | None, skipped: list[tuple[str, str]], progress: Callable[[str, int, int], None] | None
) -> Iterator[ir.Module]:
    """The files' operations in their order; what cannot be read is added to ``skipped``."""
    work = [(str(path), None if directory is None else str(directory)) for path in paths]
    for done, (path, data, why) in enumerate(_results(work, jobs), 1):
        if progress is not None:
            progress("reading", done, len(paths))
        if data is None:
            skipped.append((path, why))
        else:
            yield ir.unpack(marshal.loads(data))


def _results(work: list[tuple[str, str | None]], jobs: int) -> Iterator[Read]:
    if jobs <= 1 or len(work) < _FEW:
        yield from map(_read, work)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("forkserver")) as pool:  # a fork beside threads may hang
        yield from pool.map(_read, work, chunksize=_BATCH)


def _read(task: tuple[str, str | None]) -> Read:
    path, directory = task
    try:
        source = Path(path).read_bytes()
        kept = None if directory is None else _kept_path(directory, path, source)
        data = None if kept is None else _load(kept)
        if data is None:
            name, package = module_name(Path(path))
            data = marshal.dumps(ir.pack(lower(source, path, name, package)))
            if kept is not None:
                _keep(kept, data)
        return path, data, ""
    except (SyntaxError, ValueError, OSError) as error:
        return path, None, f"{type(error).__name__}: {error}"
    except RecursionError:
        return path, None, "nested too deep"


@cache
def _own_sources() -> str:
    """A digest of this package's code: what another version of it kept is read again."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept_path(directory: str, path: str, source: bytes) -> Path:
    version = f"{_own_sources()} {sys.version_info[:2]} {path}\0".encode()
    name = hashlib.sha256(version + source).hexdigest()
    return Path(directory) / name[:2] / name[2:]


def _load(path: Path) -> bytes | None:
    """What was kept, if it is whole: a digest stands before it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, body = data[:32], data[32:]
    return body if hashlib.sha256(body).digest() == digest else None


def _keep(path: Path, data: bytes) -> None:
    """Writes beside and renames, so that a reader sees all or nothing; a cache that cannot be written is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(hashlib.sha256(data).digest() + data)
        os.replace(temporary, path)
    except OSError:
        return
