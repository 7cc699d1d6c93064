"""The compiler of CPython on the standard library: C code that allocates through arenas, tuples and code objects."""

import os
import sysconfig
from pathlib import Path
from types import CodeType

COUNT = 180
FOLDER = Path(sysconfig.get_paths()["stdlib"])
SOURCES = [(path.name, path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.py"), key=os.fspath)[:60]]


def size(code: CodeType) -> int:
    return len(code.co_code) + sum(size(const) for const in code.co_consts if isinstance(const, CodeType))


def run(count: int) -> int:
    """A turn compiles one file."""
    return sum(size(compile(text, name, "exec")) for name, text in (SOURCES[i % len(SOURCES)] for i in range(count)))
