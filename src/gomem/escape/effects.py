"""The summary of a solved function: its effects in terms of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gomem.escape import ir
from gomem.escape.entities import PENDING, Instance
from gomem.escape.interpret import Interpreter
from gomem.escape.solve import MADE, OUTSIDE, PARAMETER, REACHABLE, WEAK
from gomem.escape.summary import DEEP, FRESH, PRINTED, WORLD, Source, Summary, below, type_order

_MANY: Final = 4  # new objects told apart in a summary; more become one of unknown type
_PATHS: Final = 4  # paths of one parameter told apart
_FIELDS: Final = 12
_STORES: Final = 16  # stores of one function; with more, all that one parameter keeps is kept everywhere in it
_CALLS: Final = 3  # functions passed in that are called
SIZE: Final = 24  # sources named in one summary; with more, less is told apart
_KINDS: Final = 4  # types of new objects that a summary of that size tells apart
_FRAMES = {"generator": "generator", "coroutine": "coroutine", "asyncgen": "async_generator"}


def summarize(solved: Interpreter) -> Summary:
    """What a caller has to know."""
    solved.work = 0
    return bounded(_Summarizer(solved).summary())


def compact_leaks(leaks: dict[Source, str]) -> dict[Source, str]:
    """Without what is implied: a parameter that leaks takes along all that it holds."""
    roots: dict[Any, set[str]] = {}
    for root, path in leaks:
        roots.setdefault(root, set()).add(path)
    found: dict[Source, str] = {}
    for (root, path), cause in leaks.items():
        paths = roots[root]
        if "" in paths:
            found.setdefault((root, ""), cause)
        else:
            found.setdefault((root, fewer(paths)[path]), cause)
    return found


def fewer(paths: set[str]) -> dict[str, str]:
    """The paths of one parameter, and for each the one that stands for it if they are too many or another one covers it."""
    inner = paths - {""}
    if DEEP not in inner and len(inner) > _PATHS:
        inner = {below(path) if "." in path else path for path in inner}
    if DEEP in inner or len(inner) > _PATHS:
        inner = {DEEP}
    found = {"": ""}
    for path in paths:
        if path:
            found[path] = DEEP if DEEP in inner else below(path) if "." in path and below(path) in inner else path
    return found


def few_calls(summary: Summary) -> Summary:
    """Of many functions that are called, and of those deep within a parameter, it is only said that they leak. Of what leaks
    anyway, nothing: what such a function does, it does to what it holds, which leaks with it."""
    own = [call for call in summary.calls if call[2] == "leak"]
    leaking = [call for call in own if call[0][1].endswith(DEEP) or len(own) > _CALLS]
    if leaking:
        summary.calls = tuple(call for call in summary.calls if call not in leaking)
        summary.leaks = compact_leaks({**{call[0]: "unknown a callback" for call in leaking}, **summary.leaks})
    if summary.calls:
        summary.calls = tuple(call for call in summary.calls if call[2] not in ("leak", PRINTED) or not _covered(call[0], summary.leaks))
    return summary


def _covered(source: Source, leaks: dict[Source, str]) -> bool:
    """Whether the source leaks with something that is said to leak."""
    root, path = source
    if (root, "") in leaks or source in leaks:
        return True
    head = path.partition(".")[0]
    return bool(path) and ((root, DEEP) in leaks or (head != path and ((root, head) in leaks or (root, below(head)) in leaks)))


def compact_sources(sources: Any) -> list[Source]:
    """Many things held by one parameter become everything that it holds; many types of what is outside become unknown."""
    found: list[Source] = list(sources)
    if len(found) < 2:
        return found
    roots: dict[Any, set[Any]] = {}
    for root, path in found:
        roots.setdefault(root, set()).add(path)
    found = []
    for root, paths in roots.items():
        if root == WORLD:
            found += [(WORLD, None)] if None in paths or len(paths) > _PATHS else [(WORLD, what) for what in paths]
        elif root == FRESH:
            found += [(FRESH, number) for number in paths]
        else:
            found += [(root, path) for path in set(map(fewer(paths).__getitem__, paths))]
    return found


def compact_stores(grouped: dict[tuple[Source, str], set[Source]]) -> set[Any]:
    """Stores by target and field, the targets and fields of one parameter at most a few."""
    fields: dict[Any, set[str]] = {}
    inner: dict[Any, set[str]] = {}
    for (root, path), name in grouped:
        if path:
            inner.setdefault(root, set()).add(path)
        else:
            fields.setdefault(root, set()).add(name)
    kept = {root: fewer(paths) for root, paths in inner.items()}
    merged: dict[tuple[Source, str], set[Source]] = {}
    for ((root, path), name), sources in grouped.items():
        if path:
            path = kept[root][path]
            name = "?" if path.endswith(DEEP) else name
        if not path and len(fields[root]) > _FIELDS:
            name = "?"
        merged.setdefault(((root, path), name), set()).update(sources)
    if sum(map(len, merged.values())) > _STORES:
        merged = _one_step(merged)
    if sum(map(len, merged.values())) > _STORES:
        merged = _coarse(merged)
    told = ((target, name, source) for (target, name), sources in merged.items() for source in compact_sources(sources))
    return {store for store in told if store[0] != store[2] or not store[0][1].endswith(DEEP)}  # what is deep within holds itself anyway


def join(first: Summary, second: Summary) -> Summary:
    """What is true of either: of two summaries of one function."""
    numbers: dict[Any, int] = {}
    contents: list[dict[str, set[Source]]] = []
    renames = []
    for summary in (first, second):
        rename = []
        for what, _ in summary.fresh:
            rename.append(numbers.setdefault(what, len(numbers)))
            if rename[-1] == len(contents):
                contents.append({})
        renames.append(rename)

    def named(source: Source, rename: list[int]) -> Source:
        return (FRESH, rename[source[1]]) if source[0] == FRESH else source

    stores: dict[Any, set[Source]] = {}
    returns: set[Source] = set()
    calls: set[Any] = set()
    for summary, rename in zip((first, second), renames, strict=True):
        calls.update((target, tuple(named(argument, rename) for argument in arguments), into) for target, arguments, into in summary.calls)
        for target, name, source in summary.stores:
            stores.setdefault((target, name), set()).add(named(source, rename))
        returns.update(named(source, rename) for source in summary.returns)
        for number, (_, fields) in zip(rename, summary.fresh, strict=True):
            for name, sources in fields:
                contents[number].setdefault(name, set()).update(named(source, rename) for source in sources)
    made = Summary(
        compact_leaks({**second.leaks, **first.leaks}),
        frozenset(compact_stores(stores)),
        frozenset(compact_sources(returns)),
        pack_fresh(list(numbers), contents),
        tuple(sorted(calls, key=repr)),
    )
    return bounded(few_calls(made))


def widen(summary: Summary) -> Summary:
    """The same with less told apart, so that a function which depends on itself comes to rest: only a parameter and all that
    it holds, and new objects by their type, each of which may hold what any of them holds."""

    def coarse(source: Source) -> Source:
        return (source[0], DEEP) if source[0] not in (FRESH, WORLD) and source[1] else source

    stores: dict[Any, set[Source]] = {}
    for target, name, source in summary.stores:
        stores.setdefault((coarse(target), name), set()).add(coarse(source))
    held = {coarse(source) for _, fields in summary.fresh for _, sources in fields for source in sources}
    content = frozenset(compact_sources(held))
    fields = (("?", content),) if held else ()
    bound = (*fields, ("self", content)) if held else ()  # of a bound method that field is asked for by name
    return Summary(
        compact_leaks({coarse(source): cause for source, cause in summary.leaks.items()}),
        frozenset(compact_stores(_coarse(stores))),
        frozenset(compact_sources(map(coarse, summary.returns))),
        tuple((what, bound if type(what) is tuple else fields) for what, _ in summary.fresh),
        summary.calls,
    )


def bounded(summary: Summary) -> Summary:
    """The summary itself, or a coarser one if it is so long that each call would be work."""
    summary = fewer_types(summary)
    if size(summary) > SIZE:
        summary = shallow(summary)
    if size(summary) > SIZE:
        summary = few_kinds(widen(summary))
    return summary if size(summary) <= SIZE else pooled(summary)


def fewer_types(summary: Summary) -> Summary:
    """A new object whose type is known is told apart from one of unknown type only where it is found without that one, and of
    what that one may hold under any name no names are told."""
    returned = {number for root, number in summary.returns if root == FRESH}
    unknown = next((number for number, (what, _) in enumerate(summary.fresh) if what is None and number not in returned), None)
    if unknown is None:
        return summary
    places: dict[Any, set[Source]] = {}
    for target, name, source in summary.stores:
        places.setdefault((target, name), set()).add(source)
    for number, (_, fields) in enumerate(summary.fresh):
        for name, sources in fields:
            places[number, name] = set(sources)
    alone = {source[1] for sources in places.values() if (FRESH, unknown) not in sources for source in sources if source[0] == FRESH}
    same = {number for number, (what, _) in enumerate(summary.fresh) if number == unknown or not (number in alone or number in returned or type(what) is tuple)}
    kept = [number for number in range(len(summary.fresh)) if number == unknown or number not in same]
    rename = {number: place for place, number in enumerate(kept)}
    rename.update(dict.fromkeys(same, rename[unknown]))

    def named(source: Source) -> Source:
        return (FRESH, rename[source[1]]) if source[0] == FRESH else source

    contents: list[dict[str, set[Source]]] = [{} for _ in kept]
    for number, (_, fields) in enumerate(summary.fresh):
        for name, sources in fields:
            contents[rename[number]].setdefault(name, set()).update(map(named, sources))
    if "?" in contents[rename[unknown]]:
        contents[rename[unknown]] = {"?": {(FRESH, rename[unknown])}.union(*contents[rename[unknown]].values())}
    return Summary(
        summary.leaks,
        frozenset((target, name, named(source)) for target, name, source in summary.stores),
        frozenset(map(named, summary.returns)),
        pack_fresh([summary.fresh[number][0] for number in kept], contents),
        _given(summary, named),
    )


def pooled(summary: Summary) -> Summary:
    """Where everything is kept in everything: one new object of unknown type holds all that is kept, and is kept in its place.
    The other form grows with the square of the parameters. Only new objects that are results have a type: what else the pool
    holds is found beside something unknown anyway, and would change from solving to solving."""
    results = sorted((number for root, number in summary.returns if root == FRESH), key=lambda number: type_order(summary.fresh[number][0]))
    rename = {number: place for place, number in enumerate(results)}
    pool = (FRESH, len(results))

    def named(source: Source) -> Source:
        return (FRESH, rename.get(source[1], pool[1])) if source[0] == FRESH else source

    kept = {named(source) for _, _, source in summary.stores}
    kept.update(named(source) for _, fields in summary.fresh for _, sources in fields for source in sources)
    held = (("?", frozenset([pool])), ("self", frozenset([pool])))  # a bound method is asked for that field by name
    fresh = [(what, held[: 1 + (type(what) is tuple)] if fields else ()) for what, fields in map(summary.fresh.__getitem__, results)]
    fresh.append((None, (("?", frozenset(compact_sources(kept))),)))
    stores = frozenset((target, name, pool) for target, name, _ in summary.stores)
    return Summary(summary.leaks, stores, frozenset(map(named, summary.returns)), tuple(fresh), _given(summary, named))


def shallow(summary: Summary) -> Summary:
    """The same with one step of each path told apart, and of what a new object holds under any name only that."""
    stores: dict[Any, set[Source]] = {}
    for target, name, source in summary.stores:
        stores.setdefault((target, name), set()).add(source)
    kinds = [what for what, _ in summary.fresh]
    contents = [_unnamed({name: set(map(one_step, sources)) for name, sources in fields}) for _, fields in summary.fresh]
    return Summary(
        compact_leaks({one_step(source): cause for source, cause in summary.leaks.items()}),
        frozenset(compact_stores(_one_step(stores))),
        frozenset(compact_sources(map(one_step, summary.returns))),
        pack_fresh(kinds, contents),
        summary.calls,
    )


def _unnamed(fields: dict[str, set[Source]]) -> dict[str, set[Source]]:
    """The fields without what is under any name anyway."""
    common = fields.get("?", set())
    left = {name: sources if name in ("?", "&") else sources - common for name, sources in fields.items()}
    return {name: sources for name, sources in left.items() if sources}


def size(summary: Summary) -> int:
    held = sum(1 + len(sources) for _, fields in summary.fresh for _, sources in fields)
    return len(summary.leaks) + len(summary.stores) + len(summary.returns) + held


def few_kinds(summary: Summary) -> Summary:
    """Of many new objects of different types, one of unknown type in place of all but a few."""
    if len(summary.fresh) <= _KINDS:
        return summary
    kept = summary.fresh[: _KINDS - 1]
    contents: dict[str, set[Source]] = {}
    for _, fields in summary.fresh[_KINDS - 1 :]:
        for name, sources in fields:
            contents.setdefault(name, set()).update(sources)
    rest = (None, tuple(sorted((name, frozenset(sources)) for name, sources in contents.items())))

    def few(source: Source) -> Source:
        return (FRESH, min(source[1], _KINDS - 1)) if source[0] == FRESH else source

    fresh = tuple(
        (what, tuple((name, frozenset(map(few, sources))) for name, sources in fields)) for what, fields in (*kept, rest)
    )
    stores = frozenset((target, name, few(source)) for target, name, source in summary.stores)
    return Summary(summary.leaks, stores, frozenset(map(few, summary.returns)), fresh, _given(summary, few))


def _given(summary: Summary, named: Callable[[Source], Source]) -> Any:
    """The calls, with new names for the new objects among what the functions are given."""
    return tuple((target, tuple(map(named, arguments)), into) for target, arguments, into in summary.calls)


def pack_fresh(kinds: list[Any], contents: list[dict[str, set[Source]]]) -> Any:
    """New objects of a summary with what they hold, in an order that does not depend on how it was found."""
    return tuple(
        (what, tuple(sorted((name, frozenset(compact_sources(sources))) for name, sources in fields.items())))
        for what, fields in zip(kinds, contents, strict=True)
    )


def give_up(parameters: int, what: str = "a function too tangled to analyse") -> Summary:
    """The summary of a function that was not understood: all it was given escapes, all it returns may come from anywhere."""
    leaks = {(number, ""): f"unknown {what}" for number in range(parameters + 1)}
    return Summary(leaks, returns=frozenset([(WORLD, None), (FRESH, 0)]), fresh=((None, (("?", frozenset([(WORLD, None)])),)),))


def one_step(source: Source) -> Source:
    """The source with only the first step of its path told."""
    return (source[0], below(source[1])) if source[0] not in (FRESH, WORLD) and "." in source[1] else source


def _one_step(stores: dict[Any, set[Source]]) -> dict[Any, set[Source]]:
    """The same with only the first step of each path told, and no names of fields below that."""
    found: dict[Any, set[Source]] = {}
    for (target, name), sources in stores.items():
        place = (one_step(target), "?" if "." in target[1] else name)
        found.setdefault(place, set()).update(map(one_step, sources))
    return found


def _coarse(stores: dict[Any, set[Source]]) -> dict[Any, set[Source]]:
    """Each parameter and all that it holds keep, under some name, all that any of that was found to keep."""
    roots: dict[Any, set[Source]] = {}
    for ((root, _), _), sources in stores.items():
        roots.setdefault(root, set()).update(sources)
    coarse: dict[Any, set[Source]] = {}
    for root, sources in roots.items():
        for path in ("", DEEP):
            if any(target == root and bool(inner) == bool(path) for (target, inner), _ in stores):
                coarse[(root, path), "?"] = sources
    return coarse


def told(what: Any) -> Any:
    """The type as callers are told it."""
    return None if what is PENDING else what


class _Summarizer:
    def __init__(self, solved: Interpreter) -> None:
        self.solved = solved
        self.tokens: dict[Any, int] = {}  # (type, on top) -> number of a new object
        self.members: list[int] = []  # number -> objects that it stands for
        self.number: dict[int, int] = {}  # object -> number
        self.top = 0
        self.result = solved.function.result
        self.memo: dict[tuple[int, bool], list[Source]] = {}
        self.kept = (solved.leaked | solved.deep(solved.leaked)) & ~solved.frozen  # where a caller puts something in, it leaves
        self.given = 0  # parameters and what they hold: they have sites in callers, of whatever type they are
        for one, kind in enumerate(solved.kind):
            self.given |= (kind in (PARAMETER, REACHABLE)) << one

    def summary(self) -> Summary:
        solved = self.solved
        result = solved.returned
        frame = _FRAMES.get(solved.code.kind)
        made = Summary(self.leaks())
        if frame is not None:
            result = self.frame_object(frame)
        self.top = result
        made.returns = frozenset(self.sources(result))
        made.stores = frozenset(self.stores())
        made.fresh = self.fresh()
        made.calls = tuple(((root, path), (), "leak") for root, path in sorted(solved.called))
        made.calls += tuple((source, (), PRINTED) for source in sorted(compact_sources(solved.printed)))
        few_calls(made)
        return made

    def leaks(self) -> dict[Source, str]:
        """Parameters, and what they hold, that are reachable from what was leaked."""
        solved = self.solved
        leaks: dict[Source, str] = {}
        done = 0
        for (cause, _), objects in sorted(solved.leaks.items(), key=lambda item: (item[0][1], item[0][0])):
            todo = objects & ~done
            while todo:
                low = todo & -todo
                todo ^= low
                done |= low
                one = low.bit_length() - 1
                if solved.kind[one] == OUTSIDE:
                    continue
                if solved.kind[one] != MADE:
                    leaks.setdefault((solved.root[one], "" if solved.kind[one] == PARAMETER else solved.path[one]), cause)
                for name, held in solved.fields[one].items():
                    todo |= held & ~done if name != WEAK else 0
        return compact_leaks(leaks)

    def frame_object(self, kind: str) -> int:
        """A generator or coroutine: holds the parameters, gives what is yielded and returned."""
        solved = self.solved
        what = solved.universe.instance("contextmanager" if solved.function.manager else kind)
        made = solved.object(("frame",), MADE, what)
        held = solved.environment
        for variable in solved.code.param_vars:
            held |= solved.pts[variable]
        solved.store(made, "&", held, ir.FIRST)
        if kind == "coroutine":
            solved.store(made, "await", solved.returned or solved.outside(solved.universe.none), ir.FIRST)
        else:
            solved.store(made, "*", solved.yielded, ir.FIRST)
            solved.store(made, "return", solved.returned, ir.FIRST)
        return made

    def stores(self) -> set[Any]:
        solved = self.solved
        grouped: dict[tuple[Source, str], set[Source]] = {}
        for one, fields in enumerate(solved.fields):
            if not fields or solved.kind[one] in (MADE, OUTSIDE):
                continue
            path = "" if solved.kind[one] == PARAMETER else solved.path[one]
            target = (solved.root[one], path)
            for name, held in fields.items():
                grouped.setdefault((target, "?" if path.endswith(DEEP) else name), set()).update(self.sources(held, target[0]))
        return compact_stores(grouped)

    def sources(self, objects: int, into: int = -3) -> list[Source]:
        """The objects in a caller's terms. Immutable ones that were not given do not count, except as results."""
        if into != -3:
            objects &= ~self.solved.frozen | self.given
        key = (objects, into == -3)
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = compact_sources(self.named(objects, into == -3))
        return found

    def named(self, objects: int, typed: bool) -> set[Source]:
        solved = self.solved
        found: set[Source] = set()
        kinds = solved.kind
        while objects:
            low = objects & -objects
            objects ^= low
            one = low.bit_length() - 1
            kind = kinds[one]
            if kind == OUTSIDE:
                found.add((WORLD, (told(solved.told(one)) or self.result) if typed else None))
            elif kind == MADE:
                found.add((FRESH, self.token(one)))
                if low & self.kept:
                    found.add((WORLD, told(solved.type[one]) if typed else None))
            else:
                found.add((solved.root[one], "" if kind == PARAMETER else solved.path[one]))
        return found

    def token(self, one: int) -> int:
        number = self.number.get(one)
        if number is None:
            top = bool(self.top >> one & 1)
            key = (told(self.solved.type[one]) or (self.result if top else None), top)
            if len(self.tokens) >= _MANY and key not in self.tokens:
                key = (None, key[1])
            number = self.tokens.setdefault(key, len(self.tokens))
            self.number[one] = number
            if number == len(self.members):
                self.members.append(0)
            self.members[number] |= 1 << one
        return number

    def fresh(self) -> Any:
        """Contents of the new objects; finding them may find more new objects."""
        solved = self.solved
        contents: list[dict[str, int]] = []
        done = 0
        while True:
            todo = [one for one in self.number if not done >> one & 1]
            if not todo:
                break
            while len(contents) < len(self.members):
                contents.append({})
            touched: dict[tuple[int, str], None] = {}
            for one in todo:
                done |= 1 << one
                if 1 << one & solved.frozen:
                    continue
                into = contents[self.number[one]]
                for name, held in solved.fields[one].items():
                    into[name] = into.get(name, 0) | held
                    touched[self.number[one], name] = None
            for number, name in touched:
                self.sources(contents[number][name], -4)
        kinds = [key[0] for key in self.tokens]
        return tuple(
            (what, tuple(sorted((name, frozenset(self.sources(held, -4))) for name, held in fields.items())))
            for what, fields in zip(kinds, contents, strict=True)
        )
