"""Parameters that leave their function, as its summary tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gomem.escape.summary import FRESH, Source, Summary, store_order


def leaks_of(params: list[Any], summary: Summary) -> list[tuple[str, bool, str]]:
    """(name, whether only what it holds, where to) of each parameter that leaves the function."""
    names = [param[0] for param in params]
    ways: list[tuple[Source, str]] = [(source, _cause_text(cause)) for source, cause in summary.leaks.items()]
    for target, name, source in sorted(summary.stores, key=store_order):
        for inner in _within(summary, [source]) if 0 <= target[0] < len(names) else ():
            if inner[0] != target[0]:
                ways.append((inner, names[target[0]] + _shown(target[1]) + _shown(name)))
    ways += [(source, "result") for source in _within(summary, summary.returns)]
    found: dict[tuple[str, bool], str] = {}
    for (number, path), to in ways:
        if 0 <= number < len(names):
            found.setdefault((names[number], bool(path)), to)
    return [(name, content, to) for (name, content), to in found.items()]


def _shown(name: str) -> str:
    return f".{name.partition('@')[0]}" if name and name[0] not in "*?&=~0123456789" else ""


def _within(summary: Summary, sources: Iterable[Source]) -> list[Source]:
    """Parameters, and what they hold, among the sources and in the new objects among them."""
    found: dict[Source, None] = {}
    todo = list(sources)
    while todo:
        source = todo.pop()
        if source not in found:
            found[source] = None
            if source[0] == FRESH:
                todo += [inner for _, sources in summary.fresh[source[1]][1] for inner in sources]
    return sorted((source for source in found if source[0] >= 0), key=str)


def _cause_text(cause: str) -> str:
    kind, _, rest = cause.partition(" ")
    if kind == "unknown":
        return f"unknown call ({rest})"
    return {"raised": "an exception", "library": "a library", "task": "a task"}.get(kind, f"{kind} {rest}".strip())
