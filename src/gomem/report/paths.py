"""Source files: how their names are trimmed and where they are looked for."""

from __future__ import annotations

import os
from functools import lru_cache

from gomem.errors import ProfileError
from gomem.pprof.graph import base_name, clean_path

_BAZEL_PREFIXES = ("/proc/self/cwd/./", "/proc/self/cwd/")


@lru_cache(maxsize=1 << 16)
def trim_path(path: str, trim: str, search: str) -> str:
    """The path without the prefixes to trim.

    Without any, everything up to a directory named like the last part of a search path goes, for that is where a source
    tree most likely was when the program was built.
    """
    if not trim:
        for directory in filter(None, search.split(":")):
            wanted = f"/{base_name(directory)}/"
            found = path.find(wanted)
            if found >= 0:
                return path[found + len(wanted) :]
    for prefix in [*filter(None, trim.split(":")), *_BAZEL_PREFIXES]:
        prefix = prefix if prefix.endswith("/") else prefix + "/"
        if path.startswith(prefix):
            return path[len(prefix) :]
    return path


def open_source(path: str, search: str, trim: str) -> list[str]:
    """The lines of a source file, looked for in each search directory and all directories above it.

    Raises ProfileError when it is not found or cannot be read.
    """
    path = trim_path(path, trim, search)
    if path.startswith("/"):
        return _read(path)
    for directory in filter(None, search.split(":")):
        while True:
            candidate = clean_path(f"{directory}/{path}")
            if os.path.exists(candidate):
                return _read(candidate)
            parent = clean_path(os.path.dirname(directory.rstrip("/")) or ("/" if directory.startswith("/") else "."))
            if parent == directory:
                break
            directory = parent
    raise ProfileError(f"could not find file {path} on path {search}")


def _read(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    except OSError as error:
        raise ProfileError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]
