"""Profile files: compressed or not, read with a limit on what they may grow to, written by way of a temporary name.

A gzip or zstd file is refused as soon as what was read of it has inflated to more than ``MAX_INFLATED_BYTES`` and by
more than ``MAX_RATIO``: real profiles shrink 3- to 30-fold, the worst seen 60-fold, and gzip's own limit is about 1000.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, BinaryIO

from gomem.errors import ProfileError, UnsupportedError
from gomem.pprof.model import Profile

MAX_INFLATED_BYTES = 1 << 24
MAX_RATIO = 200
MAX_SOURCE_BYTES = 1 << 31  # of a file or an HTTP body, as it is; the largest that users tell of has 300 MB

# Go's runtime compresses its profiles with BestSpeed too: gzip's better levels cost five times the time for 10% less.
_GZIP_LEVEL = 1
# Of compressed input: at most 32 MB of output between two looks at the limit. Mostly it is so little that malloc has it at
# hand; twice as much is new pages each time, as many again as the inflated file has.
_CHUNK_BYTES = 1 << 15
_READ_BYTES = 1 << 20
_ZSTD_CHUNK_BYTES = 1 << 11  # the same: a block of 4 bytes may stand for 128 KiB


def read_source(read: Callable[[int], bytes], name: str, size: int = 0) -> bytes:
    """Everything that ``read(bytes)`` gives until it gives nothing; ``size`` is what is expected, 0 for unknown.

    Raises ProfileError when that is more than ``MAX_SOURCE_BYTES``: a device or a server may never end.
    """
    parts, total = [], 0
    while part := read(max(_READ_BYTES, min(size, MAX_SOURCE_BYTES) + 1)):
        parts.append(part)
        total += len(part)
        if total > MAX_SOURCE_BYTES:
            raise ProfileError(f"read {name}: more than {MAX_SOURCE_BYTES} bytes: refused")
    return b"".join(parts)


def inflate(data: bytes) -> bytes | bytearray:
    """The bytes without their gzip or zstd compression; any others as they are.

    Raises ProfileError when the compression is broken or grows past the limits above.
    """
    if data[:2] == b"\x1f\x8b":
        return _inflate_gzip(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return _inflate_zstd(data)
    return data


def _check_growth(inflated: int, consumed: int) -> None:
    if inflated > MAX_INFLATED_BYTES and inflated > consumed * MAX_RATIO:
        raise ProfileError(f"decompressing profile: {consumed} bytes inflate to {inflated}, more than {MAX_RATIO}-fold: refused")


def _inflate_gzip(data: bytes) -> bytearray:
    fast = _fast_zlib()
    out = bytearray()
    at = 0
    while at < len(data):
        stream = fast.decompressobj(31)
        try:
            while not stream.eof:
                if at >= len(data):
                    raise ProfileError("decompressing profile: unexpected EOF")
                out += stream.decompress(data[at : at + _CHUNK_BYTES])
                at += _CHUNK_BYTES
                _check_growth(len(out), min(at, len(data)))
        except (zlib.error, fast.error) as error:
            raise ProfileError(f"decompressing profile: {_gzip_problem(str(error))}") from None
        at = min(at, len(data)) - len(stream.unused_data)
    return out


def _gzip_problem(text: str) -> str:
    text = text.lower()
    if "incorrect" in text or "checksum" in text:
        return "gzip: invalid checksum"
    if "header" in text or "wrapper" in text or "unknown compression method" in text:
        return "gzip: invalid header"
    return "flate: corrupt input"


def _inflate_zstd(data: bytes) -> bytearray:
    try:
        import zstandard
    except ImportError:
        raise UnsupportedError(
            "decompressing profile: zstd: the zstandard package is not installed; pip install 'gomem[view]'"
        ) from None
    out = bytearray()
    rest = data
    try:
        while rest:
            stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
            for at in range(0, len(rest), _ZSTD_CHUNK_BYTES):
                out += stream.decompress(rest[at : at + _ZSTD_CHUNK_BYTES])
                _check_growth(len(out), len(data) - len(rest) + min(at + _ZSTD_CHUNK_BYTES, len(rest)))
                if stream.eof:
                    break
            if not stream.eof:
                raise ProfileError("decompressing profile: unexpected EOF")
            rest = stream.unused_data + rest[at + _ZSTD_CHUNK_BYTES :]
    except zstandard.ZstdError as error:
        raise ProfileError(f"decompressing profile: zstd: {error}") from None
    return out


def _fast_zlib() -> Any:
    """The isal package's zlib, which is three times as fast, where it is installed; it may make a few bytes more."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


def deflate(parts: Iterator[bytes], *, fast: bool = False) -> Iterator[bytes]:
    """The parts as one gzip stream without a time stamp, so that equal profiles give equal bytes.

    ``fast`` may import isal, which a process that is being profiled should not.
    """
    stream = (_fast_zlib() if fast else zlib).compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
    for part in parts:
        yield stream.compress(part)
    yield stream.flush()


def write_profile(
    profile: Profile, target: str | PathLike[str] | BinaryIO, *, compress: bool = True, fast: bool = False
) -> None:
    """See ``Profile.write``; for ``fast`` see ``deflate``, and an unchanged profile is written as the file it was."""
    from gomem.pprof.wire import encode_parts

    if fast and compress and profile.encoded is not None:
        parts: Iterator[bytes] = iter([profile.encoded])
    else:
        parts = deflate(encode_parts(profile), fast=fast) if compress else encode_parts(profile)

    def fill(file: BinaryIO) -> None:
        file.writelines(parts)

    if isinstance(target, (str, PathLike)):
        replace_file(os.fspath(target), fill)
    else:
        fill(target)


def replace_file(path: str, fill: Callable[[BinaryIO], None]) -> None:
    """Writes a file by way of a temporary name beside it; pipes and devices are written directly.

    An old file gives its permissions to the new one, a new file gets what the process's umask leaves of 0666; a
    symbolic link stays, what it points at is replaced.
    """
    path = os.path.realpath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as file:
            fill(file)
        return
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(mode))
            fill(file)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
