"""What becomes of the objects of a frame that is gone: trial deletion over reference counts.

The caller holds the objects in a list and asks what would happen if it let go of them. That is played through without
touching anything: an object whose count is explained by references that go away dies, and so takes its own references with
it (``referents_of``), and so on. In order:

1. what dies when the list goes: it died with the frame (``frame``);
2. what dies when the caller drops the value that the function returned, or the exception it raised: ``returned``, ``raised``;
3. what is left is looked at as the collector would: references within everything reachable are taken off; what nobody
   outside holds then is unreachable, but waits for the collector (``cycle``), or goes with the returned value (``returned``);
4. the rest outlived the frame (``escaped``). If step 3 reaches too much to look at, the answer is ``unknown``, not a guess.

``tp_traverse`` may leave a reference out but never reports one too many (the collector would free live objects), so an error
of step 1 to 3 is always towards ``escaped``.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from gc import get_referents
from sys import getrefcount
from typing import Any

OBJECTS_MAX = 2000  # looked at in step 3, and edges twenty times as many: some milliseconds
ATOMS = frozenset({str, bytes, int, float, complex, bool, type(None), type(...), range, types.CodeType, bytearray})

_mro = type.__dict__["__mro__"].__get__  # past what a metaclass may say
_namespace = type.__dict__["__dict__"].__get__


def fates(
    objects: list,
    handed: list,
    label: str = "returned",
    forced: Sequence[object] = (),
    owned: Sequence[object] = (),
    doubtful: Sequence[object] = (),
) -> list[str]:
    """The fate of each of ``objects``: ``frame``, ``label``, ``cycle``, ``escaped`` or ``unknown``.

    ``objects`` holds each object as often as it stands there, and nobody else on our side may hold one. ``handed`` is empty
    or has the one value that left the frame, which the interpreter holds once more; with ``label="raised"`` it is let go of
    however often it is held. ``forced`` are objects that go with the frame no matter who holds them (frames of a
    traceback). ``owned`` are the values of the variables of a frame that is still there, each as often as a variable holds
    it; ``doubtful`` are the values of those that it shares with inner functions, which may outlive it: what dies only if
    they do not is ``unknown``.
    """
    graph = _Graph(owned)
    seq: Sequence[object]
    for seq in (objects, handed, forced, owned, doubtful):
        for i in range(len(seq)):
            graph.measure(seq, i)
    keys = list(map(id, objects))
    graph.drop(map(id, forced), "frame")
    # What a variable holds goes too, and with it what it holds: a bound method, an iterator that no site made.
    graph.drop([key for key in [*keys, *map(id, owned)] if graph.unexplained[key] == 0], "frame")
    if handed:
        _let_go(graph, id(handed[0]), label)
    left = [key for key in keys if key not in graph.gone]
    if left:
        _collect(graph, left, list(map(id, handed)), label)
    if doubtful:
        _doubt(graph, doubtful)
    return [graph.gone.get(key, "escaped") for key in keys]


def referents_of(thing: object) -> list[object]:
    """What the object refers to. A dict's ``tp_traverse`` leaves out its keys if all are text: text is in no cycle."""
    found = get_referents(thing)
    if issubclass(type(thing), dict):
        table: dict[Any, Any] = thing  # type: ignore[assignment]
        keys = list(dict.keys(table))
        if keys and all(type(key) is str for key in keys):
            first = keys[0]
            if sum(other is first for other in found) == sum(value is first for value in dict.values(table)):
                found += keys
    return found


def _attributes_of(thing: object) -> object:
    """The dict of the object's attributes, found without running code of its class; it is made if there was none yet."""
    for cls in _mro(type(thing)):
        found = _namespace(cls).get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            return found.__get__(thing)
    return None


class _Graph:
    """References seen so far.

    ``unexplained``: of each object met, by id, the references that nothing met so far accounts for. ``kept``: the objects,
    so that no id is used twice. ``gone``: what dies, and how.
    """

    __slots__ = ("attributes", "edges", "gone", "kept", "owned", "unexplained")

    def __init__(self, owned: Sequence[object]):
        self.owned: dict[int, int] = {}  # by id: how many variables of the frame hold it
        for key in map(id, owned):
            self.owned[key] = self.owned.get(key, 0) + 1
        self.unexplained: dict[int, int] = {}
        self.kept: dict[int, object] = {}
        self.gone: dict[int, str] = {}
        self.edges: dict[int, list[int]] = {}
        self.attributes: set[int] = set()  # dicts of objects' attributes, whose names their class keeps

    def measure(self, seq: Sequence[object], i: int) -> None:
        """Count the references of ``seq[i]`` on first sight; then the one of ``seq`` itself is explained."""
        key = id(seq[i])
        if key not in self.unexplained:
            # getrefcount sees its own argument besides; kept comes after, and must.
            self.unexplained[key] = getrefcount(seq[i]) - 1 - self.owned.get(key, 0)
            self.kept[key] = seq[i]
        self.unexplained[key] -= 1

    def expand(self, key: int) -> list[int]:
        """Explain the references that this object holds; returns whom it refers to, atoms left out."""
        if key in self.edges:
            return self.edges[key]
        if type(self.kept[key]) in ATOMS:
            return []
        referents = get_referents(self.kept[key]) if key in self.attributes else referents_of(self.kept[key])
        if type(self.kept[key]).__dictoffset__ and dict in map(type, referents):
            self.attributes.add(id(_attributes_of(self.kept[key])))
        counts: dict[int, int] = {}
        for other in map(id, referents):
            counts[other] = counts.get(other, 0) + 1
        for i in range(len(referents)):
            other = id(referents[i])
            if other not in self.unexplained and type(referents[i]) not in ATOMS:
                self.unexplained[other] = getrefcount(referents[i]) - 1 - counts[other] - self.owned.get(other, 0)
                self.kept[other] = referents[i]
        found = [other for other in counts if other in self.unexplained]
        for other in found:
            self.unexplained[other] -= counts[other]
        self.edges[key] = found
        return found

    def drop(self, keys: Iterable[int], how: str) -> None:
        """Let these go, and whatever then has no reference left."""
        stack = list(keys)
        while stack:
            key = stack.pop()
            if key in self.gone:
                continue
            self.gone[key] = how
            stack += [other for other in self.expand(key) if self.unexplained[other] == 0]


def _let_go(graph: _Graph, key: int, label: str) -> None:
    if label == "raised" and key not in graph.gone:
        graph.drop([key], label)
        return
    graph.unexplained[key] -= 1
    if graph.unexplained[key] == 0:
        graph.drop([key], label)


def _collect(graph: _Graph, left: list[int], handed: list[int], label: str) -> None:
    """Step 3: find what only holds itself. ``hazy`` is what reaches further than we look."""
    reached: dict[int, None] = {}
    beyond: list[int] = []
    for root in left + handed:
        beyond += _explore(graph, root, reached)
    hazy = _reach(_reversed(graph.edges), beyond)
    alive = _reach(graph.edges, [key for key in reached if graph.unexplained[key] > 0 and key not in hazy])
    doubtful = _reach(graph.edges, [key for key in hazy if key in reached])
    value = _reach(graph.edges, [key for key in handed if key not in alive and key not in doubtful])
    for key in reached:
        if key in alive:
            continue
        if key in doubtful:
            graph.gone[key] = "unknown"
        else:
            graph.gone[key] = label if key in value else "cycle"


def _explore(graph: _Graph, root: int, reached: dict[int, None]) -> list[int]:
    """Add to ``reached`` what the root reaches; returns what is too far away to look at."""
    if root in reached or root in graph.gone:
        return []
    start, edges = len(reached), 0
    reached[root] = None
    todo = [root]
    while todo and len(reached) - start <= OBJECTS_MAX and edges <= 20 * OBJECTS_MAX:
        key = todo.pop()
        if key != root and is_surely_alive(graph.kept[key]):
            continue
        found = graph.expand(key)
        edges += len(found)
        for other in found:
            if other not in reached and other not in graph.gone:
                reached[other] = None
                todo.append(other)
    return todo


def _reversed(edges: Mapping[int, list[int]]) -> dict[int, list[int]]:
    turned: dict[int, list[int]] = {}
    for key, others in edges.items():
        for other in others:
            turned.setdefault(other, []).append(key)
    return turned


def _reach(edges: Mapping[int, list[int]], keys: list[int]) -> set[int]:
    reached, todo = set(keys), list(keys)
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in reached:
                reached.add(other)
                todo.append(other)
    return reached


def is_surely_alive(thing: Any) -> bool:
    """Modules, their namespaces and classes: nobody looks there for a cycle of one frame, and they reach everything."""
    kind = type(thing)
    if kind is types.ModuleType or issubclass(kind, type):
        return True
    return kind is dict and "__name__" in thing and ("__builtins__" in thing or "__spec__" in thing)


def _doubt(graph: _Graph, doubtful: Sequence[object]) -> None:
    """Mark what would be gone if the variables shared with inner functions went too.

    Such a variable is a cell. If an inner function that we met holds the cell, the frame holds it once besides; if none
    does, the value is all we know of it.
    """
    values = set(map(id, doubtful))
    hit = [key for key, thing in graph.kept.items() if type(thing) is types.CellType and id(_content(thing)) in values]
    hit += values - {id(_content(graph.kept[key])) for key in hit}
    for key in hit:
        graph.unexplained[key] -= 1
    alive = _reach(graph.edges, [key for key, count in graph.unexplained.items() if count > 0 and key not in graph.gone])
    graph.drop([key for key in hit if graph.unexplained[key] == 0 and key not in alive], "unknown")
    for key in graph.edges:
        if key not in alive:
            graph.gone.setdefault(key, "unknown")


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None
