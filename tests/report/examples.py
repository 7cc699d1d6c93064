"""The console examples of a documentation page: found, run, and compared or written back.

``python tests/report/examples.py docs/pprof.md`` rewrites the page's outputs with what the commands print now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from gomem.pprof import ProfileBuilder

_BLOCK = re.compile(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n")


def make_profiles(directory: Path) -> None:
    """Writes the profiles of the examples: mem.pb.gz, and later.pb.gz with more in the cache."""
    for name, cached in (("mem", 2000), ("later", 6000)):
        builder = ProfileBuilder([("inuse_objects", "count"), ("inuse_space", "bytes")], comments=["#made for the examples"])
        mapping = builder.mapping(0x1000, 0x9000, 0, "/home/me/bin/app")

        def frame(function: str, file: str, start: int, line: int, builder=builder, mapping=mapping) -> int:
            return builder.location(mapping, 0, [(builder.function(function, "", file, start), line)])

        main = frame("main", "/home/me/app/main.py", 20, 30)
        load_rows = frame("load_rows", "/home/me/app/rows.py", 9, 12)
        loads = frame("json.loads", "/usr/lib/python3.12/json/__init__.py", 299, 346)
        put = frame("Cache.put", "/home/me/app/cache.py", 5, 7)
        for stack, count, thread in (
            ([loads, load_rows, main], 8000, "main"),
            ([put, main], cached, "worker-1"),
            ([loads], 2000, ""),
        ):
            builder.sample(stack, [count, count * 1024], {"thread": thread} if thread else None)
        builder.build().write(directory / f"{name}.pb.gz")


def examples(page: str) -> list[tuple[str, str]]:
    """(command, output) of every console block."""
    return [(match[1], match[2]) for match in _BLOCK.finditer(page)]


def run(command: str, directory: Path) -> str:
    """What a command prints, stderr first, in a directory with the example profiles."""
    bin_directory = directory / "bin"
    if not bin_directory.exists():
        bin_directory.mkdir()
        (bin_directory / "gomem").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gomem "$@"\n')
        (bin_directory / "gomem").chmod(0o755)
    environment = {**os.environ, "PATH": f"{bin_directory}:{os.environ['PATH']}", "HOME": str(directory), "TZ": "UTC"}
    quiet = "printf" in command
    done = subprocess.run(command, shell=True, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    return ("" if quiet else done.stderr) + done.stdout


def update(path: Path, directory: Path) -> None:
    """Writes what the commands print now into the page."""

    def replaced(match: re.Match[str]) -> str:
        output = run(match[1], directory)
        return f"```console\n$ {match[1]}\n{output}{'' if output.endswith(chr(10)) else chr(10)}```\n"

    path.write_text(_BLOCK.sub(replaced, path.read_text()))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        make_profiles(Path(scratch))
        update(Path(sys.argv[1]), Path(scratch))
