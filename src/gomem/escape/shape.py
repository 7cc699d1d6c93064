"""What functions look at by other ways than cells: names, classes, their methods, which attributes are assigned where.

Every file has it as a list of facts (name, key, what): that of a function is its head, of a method, attribute or global name what
it is. Without a name are those that anything may depend on, as the bases of a class are. If facts come or go between two runs,
only functions that mention one of their names can tell; so a function that nobody mentioned before may be new, or one may be gone
that nobody mentions any more. Names are found in the operations, as those are written: by all the words in them.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gomem.escape import ir

Facts = tuple[str, bytes, bytes]  # of a file: its name, the digest of the facts, the facts as ``marshal`` wrote them
Plain = tuple[bytes, list[Facts]]  # the digest of all that stands in no file, the files in their order
_WORD = re.compile(r"\w+")


def differing(before: Plain, now: Plain) -> set[str] | None:
    """The names of which facts have come or gone; None if there is more that differs."""
    if before[0] != now[0] or [name for name, *_ in before[1]] != [name for name, *_ in now[1]]:
        return None
    names: set[str] = set()
    for (_, digest, old), (_, other, new) in zip(before[1], now[1], strict=True):
        if digest != other:
            found = _differing(_by_key(old), _by_key(new))
            if found is None:
                return None
            names |= found
    return names


def _by_key(facts: bytes) -> dict[Any, Any]:
    return {key: (name, what) for name, key, what in marshal.loads(facts)}


def _differing(old: dict[Any, Any], new: dict[Any, Any]) -> set[str] | None:
    common = [key for key in old if key in new]
    if common != [key for key in new if key in old]:  # methods of one name are told apart by their order
        return None
    changed = {key for key in common if old[key] != new[key]}
    if any(key[0] == "code" for key in changed):  # calls see the head of a function that they do not know by its name
        return None
    names = {facts[key][0] for facts in (old, new) for key in facts if key in changed or not (key in old and key in new)}
    return None if None in names else names


def mentioned(names: set[str], now: Plain, codes: Iterable[ir.Code], elsewhere: Callable[[], Sequence[bytes]]) -> bool:
    """Whether one of the names is special, or mentioned in the operations of one of ``codes``, in another fact, or elsewhere."""
    names = {name for name in names if name[0] != "<"}  # a lambda is found by no name
    if any(name[:2] == "__" or not _WORD.fullmatch(name) for name in names):
        return True
    written = [name.encode() for name in names]
    if any(name in text for text in elsewhere() for name in written):
        return True
    for _, _, facts in now[1]:
        if any(name in facts for name in written):
            for name, _, what in marshal.loads(facts):
                if name not in names and (not names.isdisjoint(_words(what))):
                    return True
    return any(any(name in code.body for name in written) and not names.isdisjoint(_words(marshal.loads(code.body))) for code in codes)


def _words(value: Any) -> set[str]:
    found: set[str] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if type(one) is str:
            found.update(_WORD.findall(one))
        elif type(one) in (tuple, list):
            todo += one
        elif type(one) is dict:
            todo += [*one, *one.values()]
    return found
