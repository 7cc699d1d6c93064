"""Texts that cannot be empty: adding an empty one to another gives the other itself, adding others makes a new text.

Some variables are known to hold only such texts when they are made: literals, formats with text of their own. Of the others, one
does if all that is ever put into it is copied from such variables, or made by adding to one: the greatest set for which that is
true, so that a text stays filled through a loop that only adds to it.
"""

from __future__ import annotations

from typing import Any

from gomem.escape import ir

_DEFINING = {
    *(ir.ALLOC, ir.CONST, ir.LOAD_ATTR, ir.LOAD_ITEM, ir.ITERATE, ir.UNPACK, ir.GLOBAL, ir.FREE, ir.CLOSURE, ir.CALL, ir.CALL_METHOD),
    *(ir.CALL_SUPER, ir.SLICE, ir.YIELD_FROM, ir.AWAIT, ir.CAUGHT),
}
_ADDING = (ir.OPERATE, ir.OPERATE_IN_PLACE)
_NEW = {(True, True): " new", (True, False): " left", (False, True): " right", (False, False): ""}


def tell_results(ops: list[tuple[Any, ...]], known: set[int], open_: list[int]) -> None:
    """Notes with each addition which operand can be its result: " new" none, " left", " right", "" both. ``known``: variables that
    hold filled texts only; ``open_``: those that others put something into as well."""
    places = [place for place, op in enumerate(ops) if op[0] in _ADDING and op[5] == "__add__"]
    if not places:
        return
    filled = _filled(ops, known, open_)
    for place in places:
        op = ops[place]
        ops[place] = (*op[:5], op[5] + _NEW[op[2] in filled, op[3] in filled], *op[6:])


def _filled(ops: list[tuple[Any, ...]], known: set[int], open_: list[int]) -> set[int]:
    sources: dict[int, list[tuple[int, ...]]] = {}  # variable -> of what one is enough, for each time that something is put into it
    others = set(open_)
    for op in ops:
        if op[0] == ir.COPY:
            sources.setdefault(op[1], []).append((op[2],))
        elif op[0] in _ADDING and op[5] == "__add__":
            sources.setdefault(op[1], []).append((op[2], op[3]))
        elif op[0] in _DEFINING or op[0] in _ADDING:
            others.add(op[1])
            if op[0] == ir.CLOSURE:
                others.update(variable for _, variable, _ in op[4])
    filled = known | (sources.keys() - others)
    users: dict[int, list[int]] = {}
    for variable, needed in sources.items():
        for one in {one for enough in needed for one in enough}:
            users.setdefault(one, []).append(variable)
    todo = list(filled - known)
    while todo:
        variable = todo.pop()
        if variable in known or variable not in filled or all(any(one in filled for one in enough) for enough in sources[variable]):
            continue
        filled.remove(variable)
        todo += users.get(variable, ())
    return filled
