"""Verdicts: from each way out of a function, which of its objects can be reached, and how."""

from __future__ import annotations

from typing import Any, NamedTuple

from gomem.escape import ir
from gomem.escape.entities import ClassInfo, Function, Instance
from gomem.escape.interpret import Interpreter
from gomem.escape.solve import MADE, OUTSIDE, PARAMETER, WEAK

# The worst first: a site that leaves in several ways gets the first of its verdicts.
VERDICTS = (
    *("global", "class", "module", "unknown", "instance", "argument", "task", "closure", "generator", "raised", "returned", "frame"),
)
_GENERATORS = ("generator", "coroutine", "async_generator", "contextmanager")


class Step(NamedTuple):
    """One step of a flow: where, and what happens there."""

    line: int
    what: str


class Way(NamedTuple):
    """A way out: the objects that take it at once, where, and in words."""

    verdict: str
    line: int
    reason: str
    objects: int


MARK = "\0"  # round a line's number in a text: as all lines here, it counts from the function's first
Found = tuple[str, str, tuple[Step, ...], str]  # verdict, reason, flow, type


def judge(solved: Interpreter) -> dict[int, Found]:
    """(verdict, reason, flow, type) of each site of the function that was solved, by its number among those of the function. Lines count from its first."""
    if not solved.code.sites:
        return {}
    if solved.tangled:
        return {site: ("unknown", "in a function too tangled to analyse", (), "") for site, _ in solved.code.objects if site >= 0}
    ways = sorted(_ways(solved), key=lambda way: (VERDICTS.index(way.verdict), way.line))
    found: dict[int, tuple[str, str, tuple[Step, ...]]] = {}
    reached = 0
    for way in ways:
        reached |= _follow(solved, way, reached, found)
    for site, _ in solved.code.objects:
        if site >= 0:
            found.setdefault(site, ("frame", "", ()))
    types = _types(solved)
    return {site: (*what, types.get(site, "")) for site, what in found.items()}


def _types(solved: Interpreter) -> dict[int, str]:
    """The class of what a site makes, where that is one class."""
    found: dict[int, set[str]] = {}
    for one, site in enumerate(solved.site):
        what = solved.type[one]
        if site >= 0 and what is not solved.universe.none:
            name = what.cls.name if type(what) is Instance else "function" if type(what) is Function else "type" if type(what) is ClassInfo else ""
            found.setdefault(site, set()).add(name)
    return {site: names.pop() for site, names in found.items() if len(names) == 1}


def _ways(solved: Interpreter) -> list[Way]:
    ways = [_leak_way(cause, line, objects) for (cause, line), objects in solved.leaks.items()]
    for one, fields in enumerate(solved.fields):
        if solved.kind[one] in (MADE, OUTSIDE):
            continue
        for name, objects in fields.items():
            ways.append(_store_way(solved, one, name, objects))
    verb = "yielded" if solved.code.kind in ("generator", "asyncgen") else "returned"
    for objects, word in ((solved.returned, "returned"), (solved.yielded, verb)):
        for one in solved.bits(objects):
            ways.append(Way("returned", solved.return_lines.get(one, ir.FIRST), word, 1 << one))
    return ways


def _leak_way(cause: str, line: int, objects: int) -> Way:
    kind, _, rest = cause.partition(" ")
    if kind == "unknown":
        return Way("unknown", line, f"passed to unknown call: {rest}", objects)
    if kind == "raised":
        return Way("raised", line, "raised", objects)
    if kind == "closure":
        return Way("closure", line, "captured by a function of a class", objects)
    if kind.startswith("default"):
        return Way("global", line, f"default of parameter {kind.partition(':')[2]}", objects)
    if kind == "task":
        return Way("task", line, f"handed to a task: {rest}", objects)
    if kind == "library":
        return Way("global", line, f"kept by {rest}", objects)
    if kind in ("module", "class"):
        return Way(kind, line, f"stored in {rest} ({kind})", objects)
    if rest.startswith("by "):
        return Way("global", line, f"stored {rest} in something outside (global)", objects)
    return Way("global", line, f"stored in {rest or 'something outside'} (global)", objects)


def _store_way(solved: Interpreter, one: int, name: str, objects: int) -> Way:
    root = solved.root[one]
    line = solved.store_lines.get((one, name), ir.FIRST)
    shown = "" if name in ("*", "?", "&") or name[0] in "&=~0123456789" else f".{name.partition('@')[0]}"
    params = solved.code.params
    if root >= len(params):
        return Way("closure", line, f"stored in {name.partition('@')[0]}, a variable of an enclosing function", objects)
    owner = params[root][0]
    inner = solved.path[one]
    between = f".{inner.partition('@')[0]}" if solved.kind[one] != PARAMETER and inner[0] not in "*?&=~0123456789" else ""
    if root == 0 and solved.function.cls is not None and solved.function.kind != "static":
        if solved.function.kind == "class":
            return Way("class", line, f"stored in {owner}{between}{shown} (class)", objects)
        return Way("instance", line, f"stored in {owner}{between}{shown} (instance)", objects)
    return Way("argument", line, f"stored in {owner}{between}{shown} (argument)", objects)


def _follow(solved: Interpreter, way: Way, reached: int, found: dict[int, Any]) -> int:
    """Gives the way's verdict to all that it reaches and that no earlier way reached; returns what it reached."""
    new = 0
    todo: list[tuple[int, str, str, tuple[Step, ...]]] = []
    first = (Step(way.line, way.reason),)
    for one in solved.bits(way.objects & ~reached):
        todo.append((one, way.verdict, way.reason, first))
        new |= 1 << one
    while todo:
        one, verdict, reason, flow = todo.pop(0)
        site = solved.site[one]
        if site >= 0 and solved.kind[one] == MADE:
            before = found.get(site)
            if before is None or VERDICTS.index(verdict) < VERDICTS.index(before[0]):
                found[site] = (verdict, reason, flow)
        if 1 << one & solved.frozen:
            continue
        for name, objects in solved.fields[one].items():
            for inner in solved.bits(objects & ~(reached | new)) if name != WEAK else ():
                if solved.kind[inner] == OUTSIDE:
                    continue
                new |= 1 << inner
                line = solved.store_lines.get((one, name), way.line)
                held = _held(solved, one, name, verdict, reason)
                todo.append((inner, *held, (Step(line, f"held by {_name(solved, one)}"), *flow)))
    return new


def _held(solved: Interpreter, holder: int, name: str, verdict: str, reason: str) -> tuple[str, str]:
    """Verdict and reason of what a holder that escapes holds."""
    what = solved.type[holder]
    if type(what) is Function:
        return ("closure" if verdict == "returned" else verdict), f"captured by {what.code.name.rpartition('.')[2] if what.code else what.name}, which is {_past(verdict, reason)}"
    if type(what) is Instance and what.cls.name in _GENERATORS and name == "&":
        return ("generator" if verdict == "returned" else verdict), f"kept by a {what.cls.name}, which is {_past(verdict, reason)}"
    if name.isdigit() and reason in ("returned", "yielded") and type(what) is Instance and what.cls.name == "tuple":
        return verdict, f"{reason} as item {name} of {_name(solved, holder)}"
    if name == "&frame":
        return verdict, f"kept by the traceback of an exception, which is {_past(verdict, reason)}"
    return verdict, reason if " held by " in reason or "captured" in reason else f"{reason}, held by {_name(solved, holder)}"


def _past(verdict: str, reason: str) -> str:
    return reason.partition(",")[0]


def _name(solved: Interpreter, one: int) -> str:
    site = solved.site[one]
    if site >= 0 and solved.module.file is not None:
        row = solved.module.file.sites[solved.code.sites[site]]
        return f"{row[6]} (line {MARK}{row[0] - solved.code.line + ir.FIRST}{MARK})"
    what = solved.type[one]
    if type(what) is Instance:
        return f"a {what.cls.name}"
    if type(what) is Function:
        return f"function {what.name}"
    return "another object"
