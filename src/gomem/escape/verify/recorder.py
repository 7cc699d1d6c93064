"""What instrumented code calls: records the fresh objects of each frame and, when the frame is gone, asks what became of them.

An instrumented function (see ``transform``) makes a ``Record`` and a sentinel for each call. The sentinel lives in the
cell that the interpreter clears last of the frame, so its ``__del__`` runs when the locals are gone and before the caller
goes on: that moment decides (``fates``). If the frame is kept (a traceback holds it, or somebody who looked), there is no
such moment; then the decision is made on the way out, the references of the frame's own variables taken off.

- A result is fresh if nobody else holds it. Numbers are of no interest.
- An object that can be referred to weakly is held weakly, so that it dies when it would have died; any other is held by
  the record and let go as soon as only the record holds it, at the latest at the end of the frame.
- What a generator yields goes out at once (``yielded``).
- The weak references are a second opinion: after each decision what was said to die must be dead, and the rest alive. Where
  the two differ the answer is ``unknown`` and ``disagreements`` counts it.
- Each site is looked at 64 times at most: the first 32 executions, then at growing distances.
"""

from __future__ import annotations

import gc
import sys
import types
import weakref
from _thread import allocate_lock, get_ident
from sys import getrefcount
from time import perf_counter
from typing import Any

from gomem.escape.verify.fates import ATOMS, fates, is_surely_alive, referents_of

LOOKS_DENSE, LOOKS_MAX, ESCAPES_MAX = 32, 64, 12
OFF = 1 << 62
CONTEXT, CONTEXT_MAX = -1, 200  # in place of a site's number: recorded only because others may hang on it
RECORD, SENTINEL = "~record", "\U0010ffff~sentinel"  # the variables that an instrumented function has besides
FATES = ("frame", "cycle", "returned", "yielded", "raised", "escaped", "unknown")
_FRESH = 2  # references of a result that nobody else holds, seen from alloc: its variable and getrefcount's argument
_ALONE = 2  # references of an object that only the record's list holds: the list and getrefcount's argument
_FRAME_ALONE = 3  # references of the frame object that leave just made, as it sees them
_NUMBERS = frozenset({int, float, complex, bool, type(None)})


class _Weak(weakref.ref):  # type: ignore[type-arg]
    """The record's own weak references, told apart from those that a program makes."""

    __slots__ = ()


class Tables:
    """What is known of each site, by its number; one for the process. ``lock`` guards the adding of sites."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.sites: list[Any] = []
        self.wait: list[int] = []  # executions to let pass before the next look
        self.gap: list[int] = []
        self.looks: list[int] = []
        self.counts: list[dict[str, int]] = []  # fate -> how often
        self.holders: dict[int, str] = {}
        self.confirmed: dict[int, int] = {}
        self.types: dict[int, str] = {}
        self.function_of: list[int] = []
        self.busy: list[int] = []  # of each function, how many of its sites are still looked at
        self.disagreements: dict[int, str] = {}
        self.checked = 0
        self.unjudged = 0  # objects whose frame never ended, or ended unseen

    def add_function(self) -> int:
        self.busy.append(0)
        return len(self.busy) - 1

    def add_site(self, site: object, function: int) -> int:
        self.sites.append(site)
        self.wait.append(0)
        self.gap.append(0)
        self.looks.append(0)
        self.counts.append({})
        self.function_of.append(function)
        self.busy[function] += 1
        return len(self.sites) - 1

    def forget(self) -> None:
        """Start counting anew, in a forked child: what was seen before is the parent's to report."""
        self.counts[:] = [{} for _ in self.counts]
        self.looks[:] = [0] * len(self.looks)
        self.disagreements.clear()


tables = Tables()
_wait, _busy = tables.wait, tables.busy
audit = False  # also check lists, dicts and tuples, by looking through every object the collector knows: slow
_explained_s = 0.0


class Record:
    """The fresh objects of one call, in ``objects`` (weakly or not) with the numbers of their sites in ``numbers``."""

    __slots__ = ("numbers", "objects", "open", "value")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.objects: list[Any] = []
        self.value: list[object] = []  # what the function is about to return
        self.open = True


class Sentinel:
    """Dies last of its frame."""

    __slots__ = ("record",)

    def __init__(self, record: Record):
        self.record = record

    def __del__(self):
        record = self.record
        if record.open and _on:
            try:
                if record.value and not _collecting:
                    _settle(record)
                else:
                    _abandon(record)
            except BaseException:  # the program's own limits (recursion, memory, an interrupt) must not show here
                _abandon(record)


# What the code calls


def enter(function: int) -> Record | None:
    return Record() if _busy[function] else None


def sentinel(record: Record | None) -> Sentinel | None:
    return None if record is None else Sentinel(record)


def alloc(record: Record | None, value, number: int):
    """Pass a value through; look at it if it is this site's turn."""
    left = _wait[number]
    if left or record is None:
        _wait[number] = left - 1 if left else 0
        return value
    if getrefcount(value) == _FRESH:
        _look(record, value, number, True)
    else:
        _look(record, None, number, False)
    return value


def packed(record: Record | None, value, number: int) -> None:
    """The tuple or dict of a call's further arguments: fresh if only the parameter holds it."""
    if record is None:
        return
    if _wait[number]:
        _wait[number] -= 1
        return
    fresh = getrefcount(value) == _FRESH + 1
    _look(record, value, number, fresh)


def alloc_in(body: int, value, number: int):
    """``alloc`` in the body of a class or module, which has no variables of its own to keep a record in."""
    left = _wait[number]
    record = None if left else _bodies.get((get_ident(), body))
    if record is None:
        _wait[number] = left - 1 if left else 0
        return value
    fresh = getrefcount(value) == _FRESH  # not in the call: its arguments would count
    _look(record, value, number, fresh)
    return value


def made(record: Record | None, number: int):
    """An innermost decorator that passes a new function or class through.

    It is recorded also when it is not this site's turn, but not counted: functions that refer to each other are the usual
    cycles, and what hangs on one must not look as if it had escaped.
    """

    def through(value):
        if record is None:
            return value
        if not _wait[number]:
            _look(record, value, number, True)
            return value
        _wait[number] -= 1
        if record.open and len(record.objects) < CONTEXT_MAX:
            record.numbers.append(CONTEXT)
            record.objects.append(_Weak(value))
        return value

    return through


def made_in(body: int, number: int):
    return made(_bodies.get((get_ident(), body)), number)


def leave(record: Record | None, value):
    """Pass the value of a ``return`` through."""
    if record is None or not record.open:
        return value
    record.value = [value]
    if record.objects:
        frame = sys._getframe(1)
        if getrefcount(frame) > _FRAME_ALONE:
            _settle_kept(record, frame, record.value, "returned", [])
    return value


def leave_lambda(record: Record | None, guard: object, value):
    """``leave`` in a lambda, whose body is one expression: the arguments are evaluated in this order."""
    if record is not None:
        record.value = [value]
    return value


def unwind(record: Record | None) -> None:
    """The frame is left by an exception."""
    if record is None or not record.open:
        return
    record.value = []
    if not record.objects:
        record.open = False
        return
    try:
        error = sys.exc_info()[1]
        _settle_kept(record, sys._getframe(1), [error], "raised", _frames_of(error))
    except RecursionError:
        _abandon(record)


def hand_out(record: Record | None, value):
    """Pass the value of a ``yield`` through; what it reaches leaves the frame."""
    if record is not None and record.objects:
        _mark_yielded(record, value)
    return value


_bodies: dict[tuple[int, int], Record] = {}


def begin(body: int) -> None:
    if _busy[body]:
        _bodies[get_ident(), body] = Record()


def done(body: int) -> None:
    """The last statement of a class body or module: its namespace stays, everything else of the frame is gone."""
    record = _bodies.pop((get_ident(), body), None)
    if record is not None:
        _settle(record)


def fail(body: int) -> None:
    record = _bodies.pop((get_ident(), body), None)
    if record is not None:
        _abandon(record)


# Looking


def _look(record: Record, value, number: int, fresh: bool) -> None:
    looks = tables.looks[number] = tables.looks[number] + 1
    if looks >= LOOKS_MAX:
        _stop(number)
    elif looks >= LOOKS_DENSE:
        tables.gap[number] += 1 + tables.gap[number] // 2
        _wait[number] = tables.gap[number]
    if record.objects:
        _release_dead(record)
    kind = type(value)
    if not fresh or kind in _NUMBERS or not record.open:
        return
    if number not in tables.types:
        tables.types[number] = kind.__qualname__
    if kind not in ATOMS and kind not in _STRONG:
        try:
            value = _Weak(value)
        except TypeError:
            pass
    record.numbers.append(number)
    record.objects.append(value)


_STRONG = frozenset({list, tuple, dict})


def _stop(number: int) -> None:
    if _wait[number] < OFF // 2:
        _wait[number] = OFF
        _busy[tables.function_of[number]] -= 1


def _note(number: int, fate: str) -> None:
    if number == CONTEXT:
        return
    counts = tables.counts[number]
    counts[fate] = counts.get(fate, 0) + 1
    if counts.get("escaped", 0) >= ESCAPES_MAX:
        _stop(number)


def _release_dead(record: Record) -> None:
    """Let go of what only the record holds: it died before its frame."""
    objects, numbers = record.objects, record.numbers
    alive = []
    for i in range(len(objects)):
        if (objects[i]() is None) if type(objects[i]) is _Weak else getrefcount(objects[i]) == _ALONE:
            _note(numbers[i], "frame")
        else:
            alive.append(i)
    if len(alive) < len(objects):
        record.objects = [objects[i] for i in alive]
        record.numbers = [numbers[i] for i in alive]


def _abandon(record: Record) -> None:
    record.open = False
    tables.unjudged += len(record.objects)
    record.objects = []
    record.value = []


def _take(record: Record) -> tuple[list[Any], list[int], dict[int, Any]]:
    """The objects of a record, now strongly held, their sites, and the weak references to them; the record is closed.

    What is dead already is noted as such and left out.
    """
    record.open = False
    objects: list[Any] = []
    numbers: list[int] = []
    weak: dict[int, Any] = {}
    for i, thing in enumerate(record.objects):
        if type(thing) is _Weak:
            strong = thing()
            if strong is None:
                _note(record.numbers[i], "frame")
                continue
            weak[len(objects)] = thing
            objects.append(strong)
            strong = None
        else:
            objects.append(thing)
        numbers.append(record.numbers[i])
    record.objects = []
    return objects, numbers, weak


def _settle(record: Record) -> None:
    """Decide when the frame is gone."""
    handed, record.value = record.value, []
    if not record.objects:
        record.open = False
        return
    objects, numbers, weak = _take(record)
    said = fates(objects, handed)
    _confirm(objects, numbers, handed, said)
    watched = _watched(objects, said) if audit else None
    objects.clear()
    for i, thing in weak.items():
        tables.checked += 1
        if numbers[i] != CONTEXT and _differs(said[i], thing() is None):
            tables.disagreements[numbers[i]] = f"{said[i]}, but it was {'dead' if thing() is None else 'alive'}"
            said[i] = "unknown"
    if watched:
        _audit(watched, numbers, said)
    for number, fate in zip(numbers, said, strict=True):
        _note(number, fate)


def _settle_kept(record: Record, frame: Any, handed: list, label: str, forced: list) -> None:
    """Decide while the frame's variables are alive: on the way out of a frame that somebody keeps."""
    owned, doubtful = _variables(frame)
    frame = None
    objects, numbers, _ = _take(record)
    record.value = []
    said = fates(objects, handed, label, forced, owned, doubtful)
    if label == "returned":  # for loops and with statements round the return still have their iterators and managers
        said = ["unknown" if fate == "escaped" else fate for fate in said]
    objects.clear()
    for number, fate in zip(numbers, said, strict=True):
        _note(number, fate)


def _variables(frame: types.FrameType) -> tuple[list[object], list[object]]:
    """The values of a frame's own variables, and of those that it shares with inner functions."""
    variables = frame.f_locals
    shared = set(frame.f_code.co_cellvars)
    free = set(frame.f_code.co_freevars)
    owned: list[object] = []
    doubtful: list[object] = []
    for name in list(variables):
        if name not in free and name not in (RECORD, SENTINEL):
            (doubtful if name in shared else owned).append(variables[name])
    if type(variables) is dict:  # up to 3.12 a copy, which the frame would keep
        variables.clear()
    return owned, doubtful


def _frames_of(error: BaseException | None) -> list[types.FrameType]:
    """The frames that the tracebacks of an exception, its causes and contexts keep: they go when it has been dealt with."""
    frames: dict[int, types.FrameType] = {}
    seen: set[int] = set()
    todo = [error]
    while todo and len(frames) < 1000:
        error = todo.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        step = error.__traceback__
        while step is not None:
            frames[id(step.tb_frame)] = step.tb_frame
            step = step.tb_next
        todo += [error.__cause__, error.__context__]
    return list(frames.values())


_YIELD_MAX = 200


def _mark_yielded(record: Record, value: object) -> None:
    """Note what of the record is the value or hangs on it, and forget it: from here on the consumer decides."""
    mine = {}
    for i, thing in enumerate(record.objects):
        strong = thing() if type(thing) is _Weak else thing
        if strong is not None:  # a dead one would be taken for None, which hangs on nearly everything
            mine[id(strong)] = i
        strong = None
    found, seen, todo = set(), {id(value)}, [value]
    while todo and len(seen) < _YIELD_MAX:
        thing = todo.pop()
        if id(thing) in mine:
            found.add(mine[id(thing)])
        if type(thing) in ATOMS or isinstance(thing, (type, types.ModuleType, types.FunctionType)):
            continue
        for other in referents_of(thing)[:_YIELD_MAX]:
            if id(other) not in seen:
                seen.add(id(other))
                todo.append(other)
    for i in found:
        _note(record.numbers[i], "yielded")
    if found:
        keep = [i for i in range(len(record.objects)) if i not in found]
        record.objects = [record.objects[i] for i in keep]
        record.numbers = [record.numbers[i] for i in keep]


# Second opinions and reasons


def _differs(said: str, dead: bool) -> bool:
    """Whether that is a contradiction; what waits for the collector may have met it already."""
    return said not in ("unknown", "cycle") and dead != (said == "frame")


def _watched(objects: list, said: list[str]) -> dict[int, tuple[int, type]]:
    """id -> (index, type) of what the collector can find by id alone and of which a fate was said."""
    tracked = {i for i in range(len(objects)) if gc.is_tracked(objects[i]) and said[i] != "unknown"}
    return {id(objects[i]): (i, type(objects[i])) for i in tracked}


def _audit(watched: dict[int, tuple[int, type]], numbers: list[int], said: list[str]) -> None:
    """Whether each of these is still among the objects that the collector knows."""
    soak: list[Any] = [[[] for _ in range(100)], [{"a": n} for n in range(100)], *([(soaked,) * n for soaked in range(100)] for n in range(1, 20))]
    ours = {id(thing) for group in soak for thing in [group, *group]} | {id(soak)}  # what takes addresses just freed
    everything = gc.get_objects()
    found = watched.keys() & set(map(id, everything))
    if found:  # the address may have been taken by something else
        found = {id(thing) for thing in everything if id(thing) in found and type(thing) is watched[id(thing)][1]}
    for key, (i, _) in watched.items():
        if key in ours or key == id(everything):
            continue
        tables.checked += 1
        if numbers[i] != CONTEXT and _differs(said[i], key not in found):
            tables.disagreements[numbers[i]] = f"{said[i]}, but the collector {'knows' if key in found else 'does not know'} it"
            said[i] = "unknown"


CONFIRM_SECONDS, CONFIRM_TIMES, CONFIRM_LEVELS, HOLDERS_MAX = 60.0, 2, 3, 50
_confirmed_s = 0.0


def _confirm(objects: list, numbers: list[int], handed: list, said: list[str]) -> None:
    """Look at who holds what escaped, the first times that a site does, each of which goes through the whole heap.

    An object may be held by garbage that no site here made and that waits for the collector: ``fates`` looks for cycles
    among what the object reaches, not among what reaches it.
    """
    global _confirmed_s
    for i in range(len(objects)):
        number = numbers[i]
        if said[i] != "escaped" or number == CONTEXT:
            continue
        times = tables.confirmed.get(number, 0)
        if times >= CONFIRM_TIMES or _confirmed_s >= CONFIRM_SECONDS:
            if tables.counts[number].get("cycle"):  # this site makes cycles: without a look it may be one more
                said[i] = "unknown"
        else:
            start = perf_counter()
            tables.confirmed[number] = times + 1
            said[i] = _fate_with_holders(objects, i, handed)
            if said[i] == "escaped" and number not in tables.holders:
                tables.holders[number] = _holder(objects, i)
            _confirmed_s += perf_counter() - start


def _fate_with_holders(objects: list, i: int, handed: list) -> str:
    """The fate if those who hold the object, and those who hold them, are let go of as well. Only ``objects`` may hold them."""
    count, fate = len(objects), "escaped"
    first = i
    for _ in range(CONFIRM_LEVELS):
        newest: Any = objects[i : i + 1] if first == i else objects[first:]
        known = set(map(id, objects)) | {id(objects), id(handed), id(newest)}
        found: Any = [other for other in gc.get_referrers(*newest) if id(other) not in known and type(other) is not types.FrameType]
        if not found or len(found) > HOLDERS_MAX or any(map(is_surely_alive, found)):
            break
        first = len(objects)
        objects += found
        newest = found = None
        fate = fates(objects, handed)[i]
        if fate != "escaped":
            break
    newest = found = None
    del objects[count:]
    return fate


def _holder(objects: list, i: int) -> str:
    known = {id(objects), id(sys._getframe(0))}
    words = []
    for other in gc.get_referrers(objects[i]):
        if id(other) not in known and not isinstance(other, types.FrameType):
            words.append(_described(other, objects[i]))
    return ", ".join(words[:3]) or "a running frame or C code"


def _described(holder: Any, thing: object) -> str:
    """``dict {'cache'} of Parser``, ``list in Tree.children``."""
    kind = type(holder)
    if kind is dict:
        keys = [key for key, value in holder.items() if value is thing and type(key) in (str, int)]
        return f"dict[{keys[0]!r}]{_owner(holder)}" if keys else f"dict{_owner(holder)}"
    names = [name for name, value in _attributes(holder) if value is thing]
    return f"{kind.__qualname__}{'.' + names[0] if names else ''}{_owner(holder) if kind in (list, tuple, set, types.CellType) else ''}"


def _owner(holder: object) -> str:
    for other in gc.get_referrers(holder):
        if isinstance(other, types.ModuleType):
            return f" of module {other.__name__}"
        if type(other) is dict and type(other.get("__name__")) is str:
            names = [name for name, value in other.items() if value is holder]
            return f" of {other['__name__']}.{names[0]}" if names else ""
        if type(other) not in (dict, list, tuple, types.FrameType, types.FunctionType):
            names = [name for name, value in _attributes(other) if value is holder]
            return f" of {type(other).__qualname__}{'.' + names[0] if names else ''}"
    return ""


def _attributes(thing: object) -> list[tuple[str, object]]:
    """Instance attributes, without running anything of the program's."""
    try:
        return list(object.__getattribute__(thing, "__dict__").items())
    except Exception:
        return []


_collecting = False
_on = True  # until the truth has been written; the interpreter makes it None when it takes modules apart


def _on_gc(phase: str, info: dict[str, int]) -> None:
    global _collecting
    _collecting = phase == "start"


def install() -> None:
    gc.callbacks.append(_on_gc)


def finish() -> None:
    """Look at nothing any more."""
    global _on
    _on = False
    _busy[:] = [0] * len(_busy)
    _wait[:] = [OFF] * len(_wait)
