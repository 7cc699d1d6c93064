"""Makes a pprof profile of the tables that the heap profiler's core exports.

- Functions are named ``module.qualname``, the module being told from the file's place on ``sys.path``: two modules'
  ``main`` are two functions. The running script's own functions go without a prefix, its body is ``__main__.<module>``
  (a bare ``<module>`` looks like a C++ template argument to pprof, which would drop it).
- Frames of the import machinery are dropped where they only pass a call on.
- Stacks that became equal are added up; values are rounded to whole objects and bytes.
- Memory in a library's own pool that no hook sees has a frame of its own in ``inuse_space`` and ``alloc_space``, with what
  the library says that it holds; not in the peak, whose moment the library does not know.
"""

from __future__ import annotations

import os
import sys
import time

from gomem.heap import memory_status
from gomem.pools import unseen_pools
from gomem.pprof.builder import ProfileBuilder
from gomem.pprof.model import Profile

SAMPLE_TYPES = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
    ("peak_objects", "count"),
    ("peak_space", "bytes"),
]

_IMPORT_MACHINERY = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


def _script(words: list[str]) -> str:
    """The script in the words of a command line that follow ``python``; "" if it runs a module or a text."""
    rest = iter(words)
    for word in rest:
        if word.startswith(("-m", "-c")):
            break
        if word in ("-X", "-W"):
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


class _ModuleNames:
    """Dotted module names by file name."""

    def __init__(self) -> None:
        entries = {os.path.abspath(entry or os.curdir) for entry in sys.path}
        self._prefixes = sorted((entry.rstrip(os.sep) + os.sep for entry in entries), key=len, reverse=True)
        # The interpreter takes __main__.__file__ away before it runs exit handlers; the command line still has it.
        main = getattr(sys.modules.get("__main__"), "__file__", None) or _script(sys.orig_argv[1:])
        self._main = {main, os.path.abspath(main)}
        self._known: dict[str, str] = {}

    def __getitem__(self, file: str) -> str:
        name = self._known.get(file)
        if name is None:
            name = self._known[file] = self._find(file)
        return name

    def _find(self, file: str) -> str:
        if file.startswith("<frozen "):
            return file[len("<frozen ") : -1]
        if file in self._main or not file.endswith(".py"):
            return ""
        for prefix in self._prefixes:
            if file.startswith(prefix):
                parts = file[len(prefix) : -len(".py")].split(os.sep)
                if parts[-1] == "__init__":
                    parts.pop()
                if all(part.isidentifier() for part in parts):
                    return ".".join(parts)
        return ""


def _display_name(module: str, qualname: str) -> str:
    name = qualname.replace(".<locals>", "")
    if not module and name.startswith("<"):
        module = "__main__"
    return f"{module}.{name}" if module else name


def _absolute(file: str) -> str:
    """A script's file is as the command line gave it; viewers look for it from elsewhere."""
    return file if not file or file[0] in "<[" else os.path.abspath(file)


def _library_name(path: str) -> str:
    """``_multiarray_umath`` for an extension module's file, ``libsqlite3.so.0`` for any other library."""
    name = os.path.basename(path)
    return name.partition(".")[0] if ".cpython-" in name or ".abi3" in name else name


def _without_import_machinery(frames: tuple[int, ...], machinery: set[int]) -> tuple[int, ...]:
    if machinery.isdisjoint(frames):
        return frames
    return frames[:1] + tuple(frame for frame in frames[1:] if frame not in machinery)


def _interpreter_mapping(builder: ProfileBuilder) -> int:
    """The mapping of the program file that runs Python code, from the system's table of them."""
    start = limit = offset = 0
    try:
        file = os.path.realpath(sys.executable or "python")
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            for line in maps:
                fields = line.split(None, 5)
                if len(fields) == 6 and fields[5].rstrip("\n") == file and "x" in fields[1]:
                    start, limit = (int(end, 16) for end in fields[0].split("-"))
                    offset = int(fields[2], 16)
                    break
    except OSError:
        pass
    return builder.mapping(start, limit, offset, sys.executable or "python")


def _comments(stats: dict) -> list[str]:
    rate = "every allocation" if stats["rate_setting"] == 1 else f"{stats['rate']:.0f} bytes"
    how = "auto, now " if stats["rate_setting"] == 0 else ""
    lines = [
        f"heap profile of pid {os.getpid()}, CPython {sys.version.split()[0]}, by gomem",
        "command: " + " ".join(getattr(sys, "orig_argv", sys.argv)),
        f"sampling rate: {how}{rate}; samples: {stats['samples']}, lost: {stats['lost']}",
        f"resident memory: {memory_status().get('VmRSS', 0)} bytes",
    ]
    lines += [
        f"{pool.library}'s own pool ({pool.allocator}): {pool.inuse_bytes} bytes in use, {pool.peak_bytes} at most, by its own"
        f" statistics since the process began; {pool.advice}"
        for pool in unseen_pools()
    ]
    if stats["hooks_lost"]:
        lines.append(
            f"hooks lost: {stats['hooks_lost']} times to another tool, such as tracemalloc.stop(); "
            "allocations and frees in between are missing, in-use figures began anew each time"
        )
    if stats["folded"]:
        lines.append(f"stacks folded: {stats['folded']} stacks with nothing in use were reduced to their leaf")
    return lines


def all_types() -> list[type]:
    """Every class there is, found from ``object`` downward."""
    found: dict[int, type] = {id(object): object}
    queue = [object]
    while queue:
        for child in type.__subclasses__(queue.pop()):
            if id(child) not in found:
                found[id(child)] = child
                queue.append(child)
    return list(found.values())


def _type_name(kind: type) -> str:
    name, module = type.__dict__["__qualname__"].__get__(kind), kind.__dict__.get("__module__")
    if not isinstance(module, str):
        module = kind.__name__.rpartition(".")[0]
    return f"{module}.{name}" if module and module != "builtins" else name


Row = tuple[tuple[int, ...], int, int, str]  # stack, thread, library, type name or ""


def _rows(tables: dict, machinery: set[int], types: list[type]) -> dict[Row, list[float]]:
    """The values of each distinct sample; what is in use is split by type where types are known."""
    rows: dict[Row, list[float]] = {}
    keys = []
    for frames, thread, library, values in tables["stacks"]:
        key = (_without_import_machinery(frames, machinery), thread, library, "")
        keys.append(key)
        row = rows.setdefault(key, [0.0] * len(values))
        row[:] = map(sum, zip(row, values))
    names = [_type_name(kind) for kind in types]
    for stack, kind, objects, size in tables["blocks"]:
        if kind >= 0:
            row = rows.setdefault((*keys[stack][:3], names[kind]), [0.0] * len(SAMPLE_TYPES))
            untyped = rows[keys[stack]]
            row[2] += objects
            row[3] += size
            untyped[2] -= objects
            untyped[3] -= size
    return rows


def build(tables: dict, stats: dict, default_sample_type: str, types: list[type]) -> Profile:
    """The profile of ``_core.heap_export(types)``; see the module's text for what is done to names and stacks."""
    builder = ProfileBuilder(
        SAMPLE_TYPES,
        default_sample_type=default_sample_type,
        period_type=("space", "bytes"),
        period=max(1, round(stats["rate"])),
        time_nanos=time.time_ns(),
        duration_nanos=max(0, stats["stopped_ns"] - stats["started_ns"]),
        comments=_comments(stats),
    )
    mapping = _interpreter_mapping(builder)
    strings, functions, locations = tables["strings"], tables["functions"], tables["locations"]
    modules = _ModuleNames()
    function_ids = [
        builder.function(
            _display_name(modules[strings[file]], strings[name]), strings[name], _absolute(strings[file]), line
        )
        for name, file, line in functions
    ]
    location_ids = [builder.location(mapping, 0, [(function_ids[f], line)]) for f, line in locations]
    machinery = {i for i, (f, _) in enumerate(locations) if strings[functions[f][1]] in _IMPORT_MACHINERY}
    for (frames, thread, library, kind), values in _rows(tables, machinery, types).items():
        whole = [round(value) for value in values]
        if any(whole):
            names = (tables["threads"][thread], library and _library_name(tables["libraries"][library]), kind)
            labels = {key: name for key, name in zip(("thread", "native", "type"), names) if name}
            builder.sample([location_ids[frame] for frame in frames], whole, labels)
    for pool in unseen_pools():
        name = f"[{pool.library}'s own pool: {pool.allocator}]"
        location = builder.location(mapping, 0, [(builder.function(name, name, "", 0), 0)])
        builder.sample([location], [0, pool.alloc_bytes, 0, pool.inuse_bytes, 0, 0], {})
    return builder.build()
