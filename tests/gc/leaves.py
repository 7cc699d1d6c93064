"""What only one candidate refers to, and refers to none, is left out of the tables, and goes with its holder. ``python
leaves.py NAME`` runs one program, in a process of its own; without a name it prints all there are."""

import gc
import sys
import weakref

import gomem.gc
from gomem import _core

COUNT = 600  # pairs; more than half a batch of candidates, else nothing is left out
BATCH = 64
IDLE, FREE = map(gomem.gc.PHASES.index, ("idle", "free"))


class Node:
    """Half of a pair that refers to itself; beside it, what is held by one half alone."""

    def __init__(self, *held):
        self.held = held
        self.other = None


class Held:
    pass


def pairs(make, count=COUNT):
    made = []
    for number in range(count):
        one, two = Node(*make(number)), Node()
        one.other, two.other = two, one
        made.append(one)
    gc.collect()
    return made


def steps(until=None):
    """A cycle, to its end or to a phase."""
    while (phase := _core.gc_step(1000, BATCH)) != IDLE:
        assert phase >= 0
        if phase == until:
            return


def found_by_cpython(make):
    pairs(make).clear()
    return gc.collect()


def are_counted():
    """As many as CPython's own collection counts, all of them proposed, however many are left out."""
    for make in (
        lambda number: (),
        lambda number: ([number],),
        lambda number: ([], {}, set(), Held()),
        lambda number: tuple([number] for _ in range(12)),
        lambda number: ([[number]],),
        lambda number: ([number] * 1000,),
        lambda number: ({number: [number]}, bytearray(5)),
    ):
        expected = found_by_cpython(make)
        before = gomem.gc.stats()
        pairs(make).clear()
        steps()
        after = gomem.gc.stats()
        assert after.freed - before.freed == expected, (after.freed - before.freed, expected)
        assert after.last.candidates == expected, (after.last.candidates, expected)
        assert after.survived == before.survived
        assert gc.collect() == 0


def are_left_out():
    """The tables have no room for them: what is adopted has one reference more, what is left out has not."""

    def references():
        return sorted(sys.getrefcount(each) for each in gc.get_objects() if type(each) is list and each == [Held])

    made = pairs(lambda number: ([Held],))
    before = references()
    made.clear()
    steps(until=FREE)
    assert references() == before and len(before) == COUNT
    assert any(sys.getrefcount(each) > 4 for each in gc.get_objects() if type(each) is Node)
    steps()
    assert references() == []


def of_a_chain():
    """Only its end is left out: a chain goes in batches, however long."""

    def chain(number):
        link = [Held]
        for _ in range(10):
            link = [link]
        return (link,)

    pairs(chain).clear()
    steps(until=FREE)
    links = [each for each in gc.get_objects() if type(each) is list and len(each) == 1 and type(each[0]) is list]
    assert len(links) == 10 * COUNT
    adopted = sum(sys.getrefcount(each) > 4 for each in links)  # links, its holder, ours, the loop's and the call's
    each = None
    assert adopted >= 10 * COUNT - 10, adopted
    links.clear()
    steps()
    assert gc.collect() == 0


def with_finalisers():
    """Called once, with all that they refer to in place, while their holder is whole."""
    seen = []

    class Closing:
        def __init__(self, number):
            self.text = f"closing {number}"
            self.rows = (number, self.text)

        def __del__(self):
            seen.append(self.rows)

    pairs(lambda number: (Closing(number),)).clear()
    steps()
    assert sorted(seen) == [(number, f"closing {number}") for number in range(COUNT)]


def with_weak_references():
    """Their callbacks are called; a reference from outside works until they are freed."""
    called, references = [], []

    def make(number):
        held = Held()
        references.append(weakref.ref(held, called.append))
        return (held,)

    pairs(make).clear()
    assert all(reference() for reference in references)
    steps()
    assert not any(reference() for reference in references)
    assert len(called) == COUNT


def resurrected():
    """A finaliser that keeps itself keeps nothing else."""
    kept = []

    class Lazarus:
        def __del__(self):
            kept.append(self)

    holders = []

    def make(number):
        holders.append(number)
        return (Lazarus(),)

    made = pairs(make)
    watched = [weakref.ref(one) for one in made]
    made.clear()
    steps()
    assert len(kept) == COUNT
    assert not any(reference() for reference in watched)
    kept.clear()
    assert gc.collect() == 0


def taken_meanwhile():
    """Somebody has got hold of what was left out, and of a holder: both live, the rest goes."""
    references = []

    def make(number):
        held = Held()
        references.append(weakref.ref(held))
        return (held,)

    watched = []
    made = pairs(make)
    watched.extend(weakref.ref(one) for one in made)
    made.clear()
    steps(until=FREE)
    first, second = references[7](), watched[8]()
    assert first is not None and second is not None
    steps()
    assert references[7]() is first and second.held[0] is references[8]()
    assert second.other.other is second
    alive = [number for number in range(COUNT) if references[number]() is not None]
    assert alive == [7, 8], alive
    assert [number for number in range(COUNT) if watched[number]() is not None] == [8]
    del second
    gomem.gc.collect()
    assert watched[8]() is None


def replaced():
    """A holder that lives gets something else in the place of what was left out, which may stand at the same address."""
    watched = []
    made = pairs(lambda number: ([number],))
    watched.extend(weakref.ref(one) for one in made)
    made.clear()
    steps(until=FREE)
    alive = [one for one in (reference() for reference in watched[:50]) if one is not None]
    assert len(alive) == 50
    for one in alive:
        one.held = None
        one.held = (object(), 2.5, "text" * 3, b"12345678", [one])
    steps()
    for one in alive:
        assert one.held[1:4] == (2.5, "text" * 3, b"12345678") and one.held[4][0] is one
    del alive, one
    gomem.gc.collect()
    gomem.gc.collect()
    assert not any(reference() for reference in watched)


def of_a_large_component():
    """All nodes refer to each other: taken apart, and what each holds goes with it, and is counted."""

    def ring():
        made = pairs(lambda number: ([number], {number}))
        for one, after in zip(made, [*made[1:], made[0]], strict=True):
            one.other.next = after
        gc.collect()
        return made

    made = ring()
    one = after = None
    made.clear()
    expected = gc.collect()
    made = ring()
    made.clear()
    before = gomem.gc.stats()
    steps()
    after = gomem.gc.stats()
    assert after.apart == before.apart + 1
    assert after.freed - before.freed == expected, (after.freed - before.freed, expected)
    assert gc.collect() == 0


def beside_one_that_only_looks_like_garbage():
    """Few candidates with many leaves are one batch, but not one component: what lives among them keeps nothing else. (What
    frozen objects refer to 64 times looks like garbage in each cycle.)"""
    frozen = [None] * 64
    gc.collect()
    gc.freeze()
    live = Node([1])
    live.other = live
    made = pairs(lambda number: ([], [], [], []), 84)  # 252 candidates, 336 leaves
    frozen[:] = [live] * 64
    gc.collect(1)
    live = None
    made.clear()
    before = gomem.gc.stats()
    for _ in range(2):
        while _core.gc_step(1000, 0) != IDLE:
            pass
    after = gomem.gc.stats()
    assert after.freed - before.freed == 7 * 84
    assert frozen[0].held == ([1],) and after.survived > before.survived and after.apart == before.apart
    frozen.clear()
    gc.unfreeze()


def many_at_a_place():
    """However unevenly they are spread, a batch has no more objects than it has room for, and those of one component."""
    sizes = []
    gc.callbacks.append(lambda phase, info: sizes.append(info["collected"]) if phase == "stop" else None)
    rows = pairs(lambda number: (), 30 * COUNT) + pairs(lambda number: ([0], [1], [2], [3]))
    rows.clear()
    steps(until=FREE)
    sizes.clear()
    steps()
    gc.callbacks.clear()
    assert sum(sizes) >= 60 * COUNT and max(sizes) <= BATCH + 9, max(sizes)


def given_up():
    """In mid-cycle, in each phase: nothing is lost, nothing is freed twice."""
    for phase in range(1, len(gomem.gc.PHASES)):
        called = []

        def make(number, called=called):
            held = Held()
            weakref.finalize(held, called.append, number)
            return (held,)

        pairs(make).clear()
        steps(until=phase)
        gc.collect()
        gc.collect()
        assert sorted(called) == [*range(COUNT)], (phase, len(called))


def enabled_again_meanwhile():
    """A finaliser of a cycle that disable() ends enables the collector again; another asks for a whole cycle."""
    called, refused = [], []

    class Closing:
        def __del__(self):
            called.append(None)
            if len(called) == 3:
                gomem.gc.disable()
                gomem.gc.enable()
                _core.gc_before_fork()
            elif len(called) == 6:
                try:
                    gomem.gc.collect()
                except RuntimeError as error:
                    refused.append(error)

    for count in (3, 20, 40):
        called.clear()
        ring = [Node(None) for _ in range(COUNT)]
        for one, after in zip(ring, [*ring[1:], ring[0]], strict=True):
            one.other = after
            one.first = one.second = Closing()  # two references: no leaf, and freed after the ring
        gc.collect()
        one = after = None
        ring.clear()
        while _core.gc_step(1000, 16) != FREE:
            pass
        for _ in range(count):
            _core.gc_step(1000, 16)
        called.clear()
        gomem.gc.disable()
        gc.collect()
        assert refused or len(called) < 6
        gomem.gc.enable()
        _core.gc_before_fork()
    assert refused


def proposed_in_a_cycle_that_ends_early():
    """Each object once, whether it was left out or not."""
    expected = found_by_cpython(lambda number: ([1], [2]))
    for phase in ("trim", "adopt", "link", "free"):
        pairs(lambda number: ([1], [2])).clear()
        steps(until=gomem.gc.PHASES.index(phase))
        gc.collect()
        assert gomem.gc.stats().last.candidates == expected, (phase, gomem.gc.stats().last)


PARTS = (are_counted, are_left_out, of_a_chain, with_finalisers, with_weak_references, resurrected, taken_meanwhile, replaced, of_a_large_component, beside_one_that_only_looks_like_garbage, many_at_a_place, given_up, enabled_again_meanwhile, proposed_in_a_cycle_that_ends_early)  # fmt: skip


def main(words):
    if not words:
        print("\n".join(part.__name__ for part in PARTS))
        return
    gc.disable()  # steps() drives
    gomem.gc.enable()
    _core.gc_before_fork()  # no worker
    next(part for part in PARTS if part.__name__ == words[0])()
    gomem.gc.disable()


if __name__ == "__main__":
    main(sys.argv[1:])
