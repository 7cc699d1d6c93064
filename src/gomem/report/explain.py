"""explain: one screen about a memory profile for people who have never read one.

- Every sample's memory belongs to the code that asked for it, its leaf, which is yours, a third-party package's, the
  standard library's, or native; the file name decides.
- Paths are folded to the call *you* made: the frame of your code nearest to the leaf, whatever lies below it.

Costs a Python step for each frame below your code: about a second for a million samples of a Python program.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from gomem.pprof.measurement import label, percentage
from gomem.pprof.model import Function, Location, Profile
from gomem.record import Record, field
from gomem.report.report import compute_total, sample_index

YOURS, THIRD_PARTY, STANDARD, NATIVE = "your code", "third-party packages", "standard library", "native code"
GROUPS = (YOURS, THIRD_PARTY, STANDARD, NATIVE)

_THIRD_PARTY = re.compile(r"/(site|dist)-packages/|/pkg/mod/|/vendor/|/node_modules/|/\.cargo/registry/")
_STANDARD = re.compile(
    r"/lib(64)?/python3\.\d+/|^<frozen |^(/usr/local/go|/usr/lib/go[^/]*|.*/sdk/go[^/]*|.*/libexec)/src/|^node:|^internal/|/rustc/"
)
# A Go import path without a dot, at the end of its files' folder: the standard library, wherever Go is installed.
_GO_PACKAGE = re.compile(r"^(vendor|[\w\-]+(?:/[\w\-]+)*)[./]")
_NATIVE = re.compile(r"\.(so|c|cc|cpp|cxx|h|hpp|s|S|dylib)(\.[0-9.]+)?$")
_SHOWN_PATHS, _SHOWN_BELOW = 6, 2


def group_of(function: Function | None) -> str:
    """Whose code a function is; None, an address without a name, is native."""
    if function is None or not (function.name or function.filename):
        return NATIVE
    path = function.filename
    if path.endswith(".go") and _is_go_standard(function.name, path):
        return STANDARD
    if _THIRD_PARTY.search(path) or function.name.startswith("gomem."):
        return THIRD_PARTY
    if _STANDARD.search(path) or (not path and function.name.startswith("runtime.")):
        return STANDARD
    if _NATIVE.search(path) or not path:
        return NATIVE
    return YOURS


def _is_go_standard(name: str, path: str) -> bool:
    package = _GO_PACKAGE.match(name)
    if package is None or package[1] == "main" or "/go" not in path:
        return False
    # The runtime and testing define functions of other packages.
    return any(f"/src/{folder}/" in path for folder in (package[1].removesuffix("_test"), "runtime", "testing"))


class Path(Record):
    """A place in your code, the memory asked for below it, and the leaves that asked."""

    place: str
    function: str
    value: int = 0
    count: int = 0
    leaves: dict[str, int] = field(default_factory=dict)


class Explanation(Record):
    """What explain shows, as data: totals by group, paths heaviest first, what no call of yours leads to."""

    kind: str
    unit: str
    total: int
    groups: dict[str, int]
    paths: list[Path]
    without_path: int
    samples: int


def explain(profile: Profile, wanted: str = "") -> Explanation:
    """The explanation of one sample type, by default the one that reports show, or a memory one when that is all 0.

    Raises ProfileError for a wrong one.
    """
    value_at = sample_index(profile, wanted) if wanted else _telling_index(profile)
    kind = profile.sample_types[value_at]
    count_at = value_at - 1 if value_at and profile.sample_types[value_at - 1].unit == "count" else None
    places = [_place(location, profile) for location in profile.locations]
    samples = profile.samples
    starts, stacks, values, width = samples.starts, samples.stacks, samples.values, samples.width
    groups = dict.fromkeys(GROUPS, 0)
    paths: dict[str, Path] = {}
    total = without = 0
    for index in range(len(samples)):
        value = values[index * width + value_at]
        stack = stacks[starts[index] : starts[index + 1]]
        if not value or not len(stack):
            continue
        total += value
        leaf_group, leaf, _ = places[stack[0]]
        groups[leaf_group] += value
        mine = next((places[location] for location in stack if places[location][0] == YOURS), None)
        if mine is None:
            without += value
            continue
        path = paths.setdefault(mine[1], Path(mine[1], mine[2]))
        path.value += value
        path.count += values[index * width + count_at] if count_at is not None else 0
        if mine[1] != leaf:
            path.leaves[leaf] = path.leaves.get(leaf, 0) + value
    heaviest = sorted(paths.values(), key=lambda path: (-abs(path.value), path.place))
    return Explanation(kind.type, kind.unit, total, groups, heaviest, without, len(samples))


# What to explain when the profile's default holds nothing, the most telling first; ddtrace writes - for _.
_TELLING = ("inuse_space", "heap_space", "space", "peak_space", "alloc_space")


def _telling_index(profile: Profile) -> int:
    default = sample_index(profile, "")
    if compute_total(profile, default, -1):
        return default
    names = [kind.type.replace("-", "_") for kind in profile.sample_types]
    told = [names.index(name) for name in _TELLING if name in names]
    told += [index for index, kind in enumerate(profile.sample_types) if kind.unit == "bytes"]
    return next((index for index in told if compute_total(profile, index, -1)), default)


def _place(location: Location, profile: Profile) -> tuple[str, str, str]:
    """Whose code a location is, as its innermost call of yours or else its innermost call; its name; its function's."""
    chosen = None
    for line in location.lines:
        function = profile.functions[line.function]
        if chosen is None or group_of(function) == YOURS:
            chosen = function, line
            if group_of(function) == YOURS:
                break
    if chosen is None:
        return NATIVE, f"{location.address:#x}" if location.address else "unknown code", ""
    function, line = chosen
    where = f" ({_short(function.filename)}:{line.line})" if function.filename else ""
    return group_of(function), f"{function.name or 'unknown function'}{where}", function.name


def _short(path: str) -> str:
    """The end of a path that tells where it is: below site-packages or the standard library, else two names."""
    for mark in ("site-packages/", "dist-packages/", "/pkg/mod/", "node_modules/"):
        if mark in path:
            return path.rpartition(mark)[2]
    match = re.search(r"/lib(?:64)?/python3\.\d+/(.*)", path)
    return match[1] if match else "/".join(path.split("/")[-2:])


def print_explain(profile: Profile, files: list[str], wanted: str = "") -> Iterator[str]:
    """The lines of explain; ``files`` are named in the commands to try next."""
    found = explain(profile, wanted)
    what = _KINDS.get(found.kind, found.kind)
    yield f"{label(found.total, found.unit)} {what}, in {found.samples:,} stack{'s' if found.samples != 1 else ''}."
    if not found.total:
        types = enumerate(profile.sample_types)
        names = ", ".join(kind.type for index, kind in types if compute_total(profile, index, -1))
        yield f"Nothing to see here; the profile has: {names} (-sample_index=NAME)." if names else "The profile is empty."
        return
    yield ""
    yield "Who asked for it"
    for group, value in found.groups.items():
        if value:
            yield f"  {label(value, found.unit):>10} {percentage(value, found.total)}  {group}"
    yield ""
    yield "Heaviest paths, each folded to the call you made"
    for path in found.paths[:_SHOWN_PATHS]:
        times = f", {path.count:,} objects" if path.count > 0 else ""
        yield f"  {label(path.value, found.unit):>10} {percentage(path.value, found.total)}  {path.place}{times}"
        below = sorted(path.leaves.items(), key=lambda item: (-abs(item[1]), item[0]))
        for leaf, value in below[:_SHOWN_BELOW]:
            yield f"  {'':>10} {'':>6}    in {leaf}: {label(value, found.unit)}"
    rest = len(found.paths) - _SHOWN_PATHS
    if rest > 0:
        value = sum(path.value for path in found.paths[_SHOWN_PATHS:])
        yield f"  {label(value, found.unit):>10} {percentage(value, found.total)}  {rest:,} other place{'s' if rest > 1 else ''}"
    if found.without_path:
        share = percentage(found.without_path, found.total)
        yield f"  {label(found.without_path, found.unit):>10} {share}  not below any of your code"
    yield ""
    is_default = found.kind == profile.sample_types[sample_index(profile, "")].type
    yield from _next_steps(found, files, "" if is_default else f"-sample_index={shlex.quote(found.kind)} ")


_KINDS = {
    "inuse_space": "in use",
    "alloc_space": "allocated since the start, freed or not",
    "inuse_objects": "objects in use",
    "alloc_objects": "objects allocated since the start",
    "peak_space": "in use when most was",
    "heap-space": "in use",
    "alloc-space": "allocated, freed or not",
    "peak_objects": "objects in use when most memory was",
    "space": "of memory",
}


def _next_steps(found: Explanation, files: list[str], option: str) -> Iterator[str]:
    names = " ".join(shlex.quote(file) for file in files)
    yield "What to look at next"
    steps = []
    if found.paths and found.paths[0].function:
        function = shlex.quote(re.escape(found.paths[0].function).replace("\\ ", " "))
        steps.append((f"gomem list {function} {option}{names}", "its lines, with what each asked for"))
        steps.append((f"gomem peek {function} {option}{names}", "who calls it, what it calls"))
    steps.append((f"gomem top -cum {option}{names}", "all functions, by what they and their callees hold"))
    if len(files) == 1:
        steps.append((f"gomem diff {option}{names} LATER", "what grew since: take a second profile later"))
    width = min(max(len(command) for command, _ in steps), 60)
    for command, why in steps:
        yield f"  {command:<{width}}  {why}"
