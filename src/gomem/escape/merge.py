"""Methods of one name made one: what a call does when only the method's name is known."""

from __future__ import annotations

from typing import Any

from gomem.escape import ir
from gomem.escape.arguments import POSITIONS
from gomem.escape.effects import bounded, compact_leaks, compact_sources, compact_stores, few_calls
from gomem.escape.entities import Function
from gomem.escape.summary import FRESH, RESULT, WORLD, Summary


def merge(functions: list[Function]) -> Summary:
    """The union of summaries, with parameters by position (0 to POSITIONS) and by keyword (``k:name``)."""
    leaks: dict[Any, str] = {}
    stores: dict[Any, set[Any]] = {}
    returns: set[Any] = set()
    calls: set[Any] = set()
    fresh: dict[Any, int] = {}
    contents: list[dict[str, set[Any]]] = []
    for function in functions:
        summary = function.summary
        numbers = []
        for kind, _ in summary.fresh:
            numbers.append(fresh.setdefault(kind, len(fresh)))
            if numbers[-1] == len(contents):
                contents.append({})
        rename = _Rename(function, numbers)
        for source, cause in summary.leaks.items():
            for new in rename(source):
                leaks.setdefault(new, cause)
        for target, name, source in summary.stores:
            for new in rename(target):
                stores.setdefault((new, name), set()).update(rename(source))
        for source in summary.returns:
            returns.update(rename(source))
        for target, arguments, into in summary.calls:
            calls.update((t, tuple(rename(s)[0] for s in arguments), into) for t in rename(target))
        for number, (_, fields) in zip(numbers, summary.fresh, strict=True):
            for name, sources in fields:
                contents[number].setdefault(name, set()).update(new for source in sources for new in rename(source))
        if function.opaque:
            everything = [*map(str, range(POSITIONS + 1)), "rest", "keywords"]
            leaks.update({(key, ""): f"unknown {function.name} ({function.unknown})" for key in everything})
            returns.add((WORLD, None))
    made = tuple(
        (kind, tuple(sorted((name, frozenset(compact_sources(sources))) for name, sources in contents[number].items())))
        for kind, number in fresh.items()
    )
    stored, returned = frozenset(compact_stores(stores)), frozenset(compact_sources(returns))
    return bounded(few_calls(Summary(compact_leaks(leaks), stored, returned, made, tuple(sorted(calls, key=repr)))))


class _Rename:
    """Sources of one function in the terms of a merged one."""

    def __init__(self, function: Function, numbers: list[int]) -> None:
        self.numbers = numbers
        self.keys: list[list[Any]] = []
        position = 0 if function.kind not in ("static",) else 1
        for name, how, *_ in function.params:
            if how == ir.REST:
                keys: list[Any] = ["rest"]
            elif how == ir.KEYWORDS:
                keys = ["keywords"]
            elif how == ir.KEYWORD_ONLY:
                keys = [f"k:{name}"]
            else:
                keys = [str(min(position, POSITIONS))]
                if how == ir.ORDINARY and position:
                    keys.append(f"k:{name}")
                position += 1
            self.keys.append(keys)
        self.keys.append(["env"])

    def __call__(self, source: Any) -> list[Any]:
        index, path = source
        if index == FRESH:
            return [(FRESH, self.numbers[path])]
        if index in (WORLD, RESULT):
            return [source]
        return [(key, path) for key in self.keys[index]]
