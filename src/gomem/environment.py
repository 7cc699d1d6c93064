"""The environment variable ``GOMEM``: how a program that nobody edits is told to profile itself.

``GOMEM=heap,rate=64k,out=/tmp/mem.{pid}.prof`` asks for a heap profile, written when the program exits. Settings are
separated by commas; ``out`` takes the rest of the text, so that file names may hold commas:

- ``heap``: the heap profiler (required, first);
- ``rate=auto`` or bytes; ``native=0`` leaves native libraries out; ``depth=N`` frames a stack;
- ``summary=1``: print a summary on stderr after writing;
- ``pid=N``: only the process of that id (and, if ``out`` holds ``{pid}``, the processes that come from it);
- ``out=FILE``: where the profile goes; ``{pid}`` becomes the process id. Default ``mem.{pid}.prof``.

It is read by ``gomem.auto`` (import it from a server's configuration) and by what ``gomem run`` starts.
"""

from __future__ import annotations

from typing import NamedTuple

from gomem.errors import UsageError
from gomem.heap import DEPTH_MAX, parse_rate

VARIABLE = "GOMEM"


class HeapSettings(NamedTuple):
    """What GOMEM asks for. ``pid`` 0 is any process."""

    rate: str = "auto"
    native: bool = True
    depth: int = DEPTH_MAX
    summary: bool = False
    pid: int = 0
    out: str = "mem.{pid}.prof"

    def __str__(self) -> str:
        return (
            f"heap,rate={self.rate},native={int(self.native)},depth={self.depth},summary={int(self.summary)},"
            f"pid={self.pid},out={self.out}"
        )

    def applies_to(self, pid: int) -> bool:
        """Whether a process should profile itself: the one that is named, or any if each has its own file."""
        return self.pid in (0, pid) or "{pid}" in self.out


def parse(text: str) -> HeapSettings:
    """The settings in the text of GOMEM. Raises UsageError, naming the part that is wrong."""
    text, found_out, out = text.partition(",out=")
    first, *rest = text.split(",")
    if first != "heap":
        raise UsageError(f"{VARIABLE}: got {first!r}, want it to begin with heap")
    values: dict[str, object] = {"out": out} if found_out else {}
    for part in rest:
        name, _, value = part.partition("=")
        try:
            values[name] = _READERS[name](value)
        except (KeyError, ValueError) as error:
            why = str(error) if isinstance(error, ValueError) else "no such setting"
            raise UsageError(f"{VARIABLE}: {part!r}: {why}, want {', '.join(_READERS)} or out=FILE at the end") from None
    if not values.get("out", "-"):
        raise UsageError(f"{VARIABLE}: out: got no file name, want one such as mem.{{pid}}.prof")
    return HeapSettings(**values)


def _rate(value: str) -> str:
    parse_rate(value)
    return value


def _switch(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError(f"got {value!r}, want 0 or 1")
    return value == "1"


def _depth(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= DEPTH_MAX:
        raise ValueError(f"got {value!r}, want 1 to {DEPTH_MAX}")
    return int(value)


_READERS = {"rate": _rate, "native": _switch, "depth": _depth, "summary": _switch, "pid": int}
