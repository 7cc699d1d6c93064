"""Builder and BytesBuilder: text and bytes built piece by piece, after Go's strings.Builder and bytes.Buffer.

The native types (core/builder.c, core/bytes_builder.c) do the work; this face adds what makes them files and context
managers. docs/builder.md says when ``+=`` on a local or ``''.join`` is as good.
"""

from __future__ import annotations

import io
from typing import Any, NoReturn

from gomem._native import core


class _File:
    """What makes a builder pass for a file that is only written."""

    __slots__ = ()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def writable(self) -> bool:
        """True, as files have it."""
        return True

    def readable(self) -> bool:
        """False: what was written is had with build()."""
        return False

    def seekable(self) -> bool:
        """False: a builder writes at its end."""
        return False

    def isatty(self) -> bool:
        """False."""
        return False

    def flush(self) -> None:
        """Does nothing: there is nothing behind a builder."""

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} length {len(self)}, cap {self.cap}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__}: cannot be pickled or copied, pickle its build()")


@core().adopt
class Builder(_File, core().Builder):
    """Builds a str piece by piece: ``b.append("piece ", 1)``, ``b += "piece"`` or ``b.write("piece")``, then ``b.build()``.

    ``append`` adds ``str(value)`` of each of its arguments. Strings and ints are copied into the text as they are, so it
    is the fastest way for a piece that would be put together first; what a value's ``__str__`` raises comes through, with
    the values before it appended. The others want a str.

    A text file for whatever writes to one (``print(file=b)``, ``json.dump``, ``csv.writer``), a context manager that
    closes it (build still works then), and its text in an f-string or ``str(b)``. ``Builder(n)`` reserves n characters.
    Writing costs amortised constant time a character; the text is not copied when it is built. Until then it takes the
    bytes of the text and up to a quarter more (up to as much again below 32768 characters), in the width of the widest character so
    far. Safe under threads: each str is written whole. Raises TypeError for a piece that is not a str, ValueError when
    closed. Cannot be pickled; can be subclassed and weakly referenced.
    Not for joining pieces that are in a list already: ``''.join(pieces)`` is faster.
    """

    __slots__ = ()

    def __init__(self, reserve: int = 0) -> None:
        if reserve:
            self.reserve(reserve)

    def __format__(self, spec: str) -> str:
        return format(self.build(), spec)


@core().adopt
class BytesBuilder(_File, core().BytesBuilder):
    """Builds bytes piece by piece: ``b += b"piece"`` or ``b.write(buffer)``, then ``b.build()``.

    A piece is anything with a contiguous buffer: bytes, bytearray, memoryview, array. A binary file for whatever writes
    to one (``pickle.dump``), a context manager that closes it, and ``bytes(b)``.
    ``BytesBuilder(n)`` reserves n bytes. The rest as `Builder`.
    """

    __slots__ = ()

    def __init__(self, reserve: int = 0) -> None:
        if reserve:
            self.reserve(reserve)


io.TextIOBase.register(Builder)
io.BufferedIOBase.register(BytesBuilder)
