"""The order in which functions are solved: callees before callers as far as names tell who is called.

Functions that call each other in a circle stand together. What stands on one level calls nothing on the same level but its
own circle: such functions can be solved at the same time. Functions whose name nobody calls, as those of tests, come last.
"""

from __future__ import annotations

from gomem.escape import ir
from gomem.escape.entities import ClassInfo, Function
from gomem.escape.universe import Universe

_FEW = 8  # methods of one name that are all taken for callees


def functions_of(universe: Universe) -> list[Function]:
    """All that have code and are to be solved."""
    return [
        function
        for module in universe.modules.values()
        if module.file is not None and module.own
        for function in module.functions.values()
        if function.code is not None
    ]


def arrange(universe: Universe) -> tuple[list[Function], list[set[int]], list[int]]:
    """All functions with code in their order, and of each one the places of its callees and its level. Sets ``Function.order``."""
    functions = functions_of(universe)
    for number, function in enumerate(functions):
        function.order = number
    called = [sorted({callee.order for callee in _callees(universe, function)}) for function in functions]
    level = _levels(called)
    names = {name.rpartition(".")[2] for function in functions if function.code is not None for _, name in function.code.named}
    last = max(level)[0] + 1 if level else 0
    for number, function in enumerate(functions):
        if _uncalled(function, names):
            level[number] = (last, number)
    placed = sorted(range(len(functions)), key=level.__getitem__)
    place = {number: index for index, number in enumerate(placed)}
    for number, function in enumerate(functions):
        function.order = place[number]
    return [functions[number] for number in placed], [{place[callee] for callee in called[number]} for number in placed], [level[number][0] for number in placed]


def _uncalled(function: Function, names: set[str]) -> bool:
    assert function.code is not None
    name = function.code.name.rpartition(".")[2]
    return function.kind == "function" and name not in names and name[0] not in "_<"


def _levels(called: list[list[int]]) -> list[tuple[int, int]]:
    """Of each number, how long the longest way down from its circle is, and when its circle and itself were found to be complete
    (Tarjan's strongly connected components)."""
    seen: dict[int, int] = {}
    low = [0] * len(called)
    level: list[tuple[int, int]] = [(-1, -1)] * len(called)
    members: list[int] = []
    done = 0
    finished: list[int] = [0] * len(called)
    for start in range(len(called)):
        if start in seen:
            continue
        seen[start] = low[start] = len(seen)
        members.append(start)
        stack = [(start, iter(called[start]))]
        while stack:
            number, rest = stack[-1]
            for callee in rest:
                if callee not in seen:
                    seen[callee] = low[callee] = len(seen)
                    members.append(callee)
                    stack.append((callee, iter(called[callee])))
                    break
                if level[callee][0] < 0:
                    low[number] = min(low[number], seen[callee])
            else:
                stack.pop()
                done += 1
                finished[number] = done
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[number])
                if low[number] == seen[number]:
                    circle = members[members.index(number) :] if members[-1] != number else [number]
                    del members[-len(circle) :]
                    height = 1 + max((level[callee][0] for one in circle for callee in called[one]), default=-1)
                    for one in circle:
                        level[one] = (height, finished[one])
    return level


def _callees(universe: Universe, function: Function) -> list[Function]:
    """Functions that it names: nested ones, globals, methods that few classes define. And those which assign most of the
    attributes and global names that it reads: the initialiser of its class, its module's body."""
    code = function.code
    assert code is not None
    found: list[Function] = [function.module.functions["<module>"]] if "<module>" in function.module.functions else []
    init = function.cls.find("__init__") if function.cls is not None else None
    if init is not None:
        found.append(init)
    for how, name in code.named:
        if how == ir.CALL_METHOD:
            named = universe.by_name.get(name, ())
            if len(named) <= _FEW:
                found += named
        elif how == ir.GLOBAL:
            found += _callable(universe.lookup(function.module, name))
        else:
            found.append(function.module.functions[name])
    found += [callee.short[1] for callee in found if callee.short is not None]
    return [callee for callee in found if callee.code is not None and callee.module.own]


def _callable(kinds: list[object]) -> list[Function]:
    found = []
    for kind in kinds:
        if isinstance(kind, ClassInfo):
            kind = kind.find("__init__")
        if isinstance(kind, Function):
            found.append(kind)
    return found
