"""Files read and lowered, in several processes if that pays, and kept on disk by the hash of their source."""

from __future__ import annotations

import gc
import marshal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from gomem.escape import ir
from gomem.escape.disk import DiskCache
from gomem.escape.files import module_name
from gomem.escape.lower import lower

_BATCH = 8  # files that one process reads at a time
_FEW = 24  # files that are read here: starting processes would take longer
Read = tuple[bytes | None, str]  # what was read, why it was not


def read_files(
    paths: list[Path], jobs: int, disk: DiskCache, skipped: list[tuple[str, str]], progress: Callable[[str, int, int], None] | None
) -> Iterator[ir.Module]:
    """The files' operations in their order; what cannot be read is added to ``skipped``."""
    names = [str(path) for path in paths]
    known = [_known(name, disk) for name in names]
    missing = [name for name, read in zip(names, known, strict=True) if read is None]
    fresh = _results(missing, disk, jobs)
    for done, (name, read) in enumerate(zip(names, known, strict=True), 1):
        data, why = read or next(fresh)
        if progress is not None:
            progress("reading", done, len(paths))
        if data is None:
            skipped.append((name, why))
        else:
            yield ir.unpack(marshal.loads(data))


def _known(path: str, disk: DiskCache) -> Read | None:
    """What was read in another run."""
    try:
        data = disk.load(path.encode("utf-8", "surrogateescape"), Path(path).read_bytes())
    except OSError as error:
        return None, f"{type(error).__name__}: {error}"
    return None if data is None else (data, "")


def _results(paths: list[str], disk: DiskCache, jobs: int) -> Iterator[Read]:
    if jobs <= 1 or len(paths) < _FEW:
        for path in paths:
            yield _read(path, disk)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("forkserver")) as pool:  # a fork beside threads may hang
        yield from pool.map(_read, paths, [disk] * len(paths), chunksize=_BATCH)


def _read(path: str, disk: DiskCache) -> Read:
    try:
        source = Path(path).read_bytes()
        name, package = module_name(Path(path))
        data = marshal.dumps(ir.pack(lower(source, path, name, package)))
        gc.collect(0)  # trees are full of cycles, and who calls may have switched the collector off
        disk.keep(data, path.encode("utf-8", "surrogateescape"), source)
        return data, ""
    except (SyntaxError, ValueError, OSError) as error:
        return None, f"{type(error).__name__}: {error}"
    except (RecursionError, MemoryError):  # the parser has a stack of its own
        return None, "nested too deep"
