"""The concurrent collector against a model of reachability that knows nothing of it.

    python tests/gc/fuzz.py --seeds 200            a slice: what CI has time for
    python tests/gc/fuzz.py --seeds 10000          the long run
    python tests/gc/fuzz.py --start 4711 --seeds 1 one failure again

A seed builds a random graph of lists, dicts, tuples, sets, instances, slots, closures, generators, classes and partials,
and keeps a copy of it as numbers. Then it goes through cycles in steps down to one object (``_core.gc_step``) and between
steps moves references, drops and takes roots, takes what is garbage back through weak references, and calls gc.collect().
Finalisers do the same, and resurrect. Always:

- what the model can reach is alive, unchanged, and was not finalised;
- a finaliser runs once; a weak reference's callback runs once, and for the dead only;
- at the end, what the model cannot reach is gone after two cycles.

Each object holds a canary, a leaf that nothing else refers to: its weak reference tells whether the object lives, whatever
its kind. Everything runs under PYTHONMALLOC=debug.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
import weakref
from collections import deque
from functools import partial

import gomem.gc
from gomem import _core

CLEAN = gomem.gc.PHASES.index("clean")


class Canary:
    __slots__ = ("__weakref__", "number")

    def __init__(self, number):
        self.number = number


class Box:
    """Makes anything an element of a set."""

    __slots__ = ("child",)

    def __init__(self, child):
        self.child = child


class Plain:
    def __init__(self, canary):
        self.canary = canary
        self.children = []


class Slots:
    __slots__ = ("canary", "children", "extra", "__weakref__")

    def __init__(self, canary):
        self.canary = canary
        self.children = []
        self.extra = self  # a loop of its own


class Final(Plain):
    def __del__(self):
        world.finalise(self)


class FinalSlots(Slots):
    def __del__(self):
        world.finalise(self)


class SubDict(dict):
    pass


def generator(canary):
    children = []
    action = yield
    while True:
        action = yield action(canary, children)


def give(canary, children):
    return canary, children


def closure(canary):
    children = []

    def get():
        return canary, children

    return get


class Kind:
    """How to make an object, and how to get at its canary and its children."""

    def __init__(self, make, get, weak):
        self.make, self.get, self.weak = make, get, weak


def make_generator(canary):
    made = generator(canary)
    next(made)
    return made


def make_class(canary):
    return type("Made", (), {"canary": canary, "children": []})


def make_set(canary):
    return {Box(canary)}


class Children:
    """A set's or dict's elements with a list's face."""

    def __init__(self, load, store):
        self.load, self.store = load, store

    def __iter__(self):
        return iter(self.load())

    def append(self, child):
        self.store(self.load() + [child])

    def remove_at(self, index):
        children = self.load()
        del children[index]
        self.store(children)


def get_dict(made):
    def load():
        return [made[key] for key in made if key != "canary"]

    def store(children):
        canary = made["canary"]
        made.clear()
        made["canary"] = canary
        made.update(enumerate(children))

    return made["canary"], Children(load, store)


def get_set(made):
    def load():
        return [box.child for box in made if type(box.child) is not Canary]

    def store(children):
        canary = next(box for box in made if type(box.child) is Canary)
        made.clear()
        made.add(canary)
        made.update(map(Box, children))

    return next(box.child for box in made if type(box.child) is Canary), Children(load, store)


def get_list(made):
    def store(children):
        made[1:] = children

    return made[0], Children(lambda: made[1:], store)


def get_deque(made):
    def store(children):
        canary = made[0]
        made.clear()
        made.extend([canary, *children])

    return made[0], Children(lambda: [*made][1:], store)


def attributes(made):
    return made.canary, made.children


KINDS = {
    "list": Kind(lambda canary: [canary], get_list, False),
    "dict": Kind(lambda canary: {"canary": canary}, get_dict, False),
    "tuple": Kind(lambda canary: (canary, []), lambda made: made, False),
    "set": Kind(make_set, get_set, True),
    "plain": Kind(Plain, attributes, True),
    "slots": Kind(Slots, attributes, True),
    "final": Kind(Final, attributes, True),
    "finalslots": Kind(FinalSlots, attributes, True),
    "subdict": Kind(lambda canary: SubDict(canary=canary), get_dict, True),
    "closure": Kind(closure, lambda made: made(), True),
    "generator": Kind(make_generator, lambda made: made.send(give), True),
    "partial": Kind(lambda canary: partial(give, canary, []), lambda made: made(), True),
    "class": Kind(make_class, attributes, True),
    "deque": Kind(lambda canary: deque([canary]), get_deque, True),
}
QUIET = ("list", "dict", "tuple", "set", "plain", "slots", "subdict", "closure", "deque")  # freed in slices, if nothing refers weakly
WEIGHTS = {"class": 0.2, "final": 2, "finalslots": 2}


class Failure(Exception):
    pass


def check(condition, *words):
    if not condition:
        raise Failure(" ".join(map(str, words)))


def undisturbed(method):
    def run(self, *arguments):
        self.inside += 1
        try:
            return method(self, *arguments)
        finally:
            self.inside -= 1

    return run


class World:
    """The graph, twice: objects, held by `roots` alone, and numbers."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names, self.weakly = (QUIET, 0.01) if self.random.random() < 0.4 else (tuple(KINDS), 0.5)
        self.kinds = {}  # number -> kind; the model
        self.edges = {}  # number -> numbers, in order
        self.rooted = set()
        self.roots = {}  # number -> object
        self.canaries = {}  # number -> weak reference to its canary
        self.weak = {}  # number -> weak reference to the object itself
        self.called = {}  # number -> how often its weak reference called back
        self.finalised = set()
        self.excused = set()  # taken back by a finaliser in this step: may be finalised, its weak references are gone
        self.garbage = set()  # cannot be reached at the moment when the step begins
        self.problems = []
        self.quiet = False
        self.inside = 0  # the model is being read or changed: finalisers only take note
        self.closed = False
        self.finals = self.taken_back = self.resurrected = self.apart = 0

    # ---- the model ----

    def reachable(self, start=None):
        seen = set(self.rooted if start is None else start)
        grey = list(seen)
        while grey:
            for child in self.edges[grey.pop()]:
                if child not in seen:
                    seen.add(child)
                    grey.append(child)
        return seen

    # ---- from numbers to objects ----

    def kind(self, made):
        name = getattr(type(made), "__name__", "")
        return KINDS[
            {"Plain": "plain", "Slots": "slots", "Final": "final", "FinalSlots": "finalslots", "SubDict": "subdict",
             "function": "closure", "type": "class"}.get(name, name)
        ]

    def open(self, made):
        canary, children = self.kind(made).get(made)
        return canary.number, children

    def find(self, number):
        """The object of a number that the model can reach, by the way that the model shows."""
        before = {root: None for root in self.rooted}
        grey = list(before)
        while grey and number not in before:
            here = grey.pop()
            for child in self.edges[here]:
                if child not in before:
                    before[child] = here
                    grey.append(child)
        path = [number]
        while before[path[-1]] is not None:
            path.append(before[path[-1]])
        made = self.roots[path.pop()]
        while path:
            want = path.pop()
            made = next(child for child in self.open(made)[1] if self.open(child)[0] == want)
        return made

    @undisturbed
    def verify(self):
        """Everything that the model can reach is there, and is what the model says."""
        seen = set()
        grey = []
        check(self.rooted == self.roots.keys(), "roots", self.rooted, self.roots.keys())
        for number, made in self.roots.items():
            check(self.open(made)[0] == number, "root", number)
            seen.add(number)
            grey.append(made)
        while grey:
            made = grey.pop()
            number, children = self.open(made)
            found = [self.open(child)[0] for child in children]
            check(sorted(found) == sorted(self.edges[number]), "children of", number, found, self.edges[number])
            for child, child_number in zip(children, found):
                if child_number not in seen:
                    seen.add(child_number)
                    grey.append(child)
        check(seen == self.reachable(), "reached", seen ^ self.reachable())
        for number in seen - self.excused:
            check(self.canaries[number]() is not None, "the canary of", number, "is dead and it is alive")
            check(number in self.finalised or number not in self.called, number, "lives and its callback was called")

    @undisturbed
    def renew(self):
        """What a finaliser took back lost its weak references: as with CPython's own collector."""
        if not self.excused:
            return
        for number in self.excused & self.reachable():
            made = self.find(number)
            self.canaries[number] = weakref.ref(self.kind(made).get(made)[0])
            self.called.pop(number, None)
            if number in self.weak:
                self.weak[number] = self.watch(number, made)
        self.excused = set()

    # ---- changing both ----

    def watch(self, number, made):
        def call(_):
            if self.closed:
                return
            self.called[number] = self.called.get(number, 0) + 1
            if self.called[number] > 1:
                self.problems.append(f"callback of {number} called twice")
            if number in self.reachable() and number not in self.excused:
                self.problems.append(f"callback of {number}, which is alive")

        return weakref.ref(made, call)

    def new(self, name=None, filler=0):
        number = len(self.kinds)
        name = name or self.random.choices(self.names, [WEIGHTS.get(name, 1) for name in self.names])[0]
        canary = Canary(number)
        made = KINDS[name].make(canary)
        self.kinds[number], self.edges[number] = name, []
        self.canaries[number] = weakref.ref(canary)
        if KINDS[name].weak and self.random.random() < self.weakly:
            self.weak[number] = self.watch(number, made)
        self.rooted.add(number)
        self.roots[number] = made
        return number

    def link(self, source, target):
        self.open(self.find(source))[1].append(self.find(target))
        self.edges[source].append(target)

    def cut(self, source, index=None):
        """Drops one reference; returns its target's number and object."""
        children = self.open(self.find(source))[1]
        objects = list(children)
        index = self.random.randrange(len(objects)) if index is None else index
        target = objects[index]
        number = self.open(target)[0]
        self.edges[source].remove(number)
        del objects
        if isinstance(children, list):
            del children[index]
        else:
            children.remove_at(index)
        return number, target

    def drop_root(self, number):
        self.rooted.discard(number)
        return self.roots.pop(number)

    def take(self, number, made):
        self.rooted.add(number)
        self.roots[number] = made

    # ---- what happens between steps ----

    def any(self):
        return self.random.choice(sorted(self.reachable()))

    @undisturbed
    def mutate(self):
        reachable = self.reachable()
        if not reachable:
            self.new()
            return
        numbers = sorted(reachable)
        choice = self.random.random()
        source = self.random.choice(numbers)
        if choice < 0.25:
            self.link(source, self.random.choice(numbers))
        elif choice < 0.4 and self.edges[source]:
            self.cut(source)
        elif choice < 0.55 and self.edges[source]:  # moved: at no moment without a reference
            number, made = self.cut(source)
            self.take(number, made)
            self.link(self.random.choice(numbers if number in self.reachable() else [number]), number)
            if self.random.random() < 0.8:
                self.drop_root(number)
        elif choice < 0.65:
            self.new()
        elif choice < 0.8 and len(self.rooted) > 1:
            self.drop_root(self.random.choice(sorted(self.rooted)))
        elif choice < 0.9:
            self.take(source, self.find(source))
        else:
            self.take_back()

    @undisturbed
    def take_back(self):
        """Garbage that is not yet freed, through a weak reference."""
        lost = [number for number in self.weak if number not in self.reachable()]
        if not lost:
            return
        number = self.random.choice(lost)
        made = self.weak[number]()
        if made is not None:
            self.taken_back += 1
            self.take(number, made)
            self.verify()

    def finalise(self, made):
        try:
            self.on_final(made)
        except Exception as error:
            self.problems.append(f"in a finaliser: {type(error).__name__} {error}")

    def on_final(self, made):
        if self.closed:
            return
        number = made.canary.number
        self.finals += 1
        reachable = self.reachable()
        check(number not in self.finalised, number, "is finalised twice")
        check(number not in reachable or number in self.excused, number, "is alive and finalised")
        self.finalised.add(number)
        if self.quiet or self.inside:
            return
        choice = self.random.random()
        if choice < 0.15:  # resurrects itself, and what it refers to
            back = self.reachable([number]) - reachable
            if all(self.kinds[each] != "generator" for each in back):  # one is closed then, alive or not
                self.resurrected += 1
                self.excused |= back
                self.take(number, made)
        elif choice < 0.3:
            self.new()
        elif choice < 0.35:
            gc.collect(self.random.randrange(3))
        elif choice < 0.4:
            try:
                gomem.gc.collect()
            except RuntimeError:
                pass
        elif choice < 0.43:
            gomem.gc.disable()
            begin()
        elif choice < 0.45:
            gomem.gc.stats()
        elif choice < 0.47:
            _core.gc_relieve_young()
        elif choice < 0.5 and self.rooted:
            source = self.any()
            if self.edges[source]:
                self.cut(source)

    # ---- one seed ----

    @undisturbed
    def build(self, count):
        for _ in range(count):
            self.new()
        numbers = list(self.kinds)
        for _ in range(int(count * self.random.choice((0.7, 1.2, 2.5)))):
            self.link(self.random.choice(numbers), self.random.choice(numbers))
        if self.random.random() < (0.8 if self.names is QUIET else 0.3):  # a ring of all: one component
            for one, next_one in zip(numbers, numbers[1:] + numbers[:1]):
                self.link(one, next_one)
        if self.random.random() < 0.04:  # looked at in parts
            number = self.new(self.random.choice(("list", "dict", "plain", "set", "tuple")))
            target = self.random.choice(numbers)
            self.link(target, number)
            made, child = self.find(number), self.find(target)
            children = self.open(made)[1]
            for part in range(2) if not isinstance(children, list) else range(1):
                many = [child] * 4500
                if isinstance(children, list):
                    children.extend(many)
                    self.edges[number].extend([target] * 4500)
                elif part == 0:
                    children.store(children.load() + many)
                    self.edges[number].extend([target] * 4500)


    def step(self, steps, batch):
        phase = _core.gc_step(steps, batch)
        self.after()
        return phase

    def after(self):
        check(not self.problems, "; ".join(self.problems))
        self.renew()

    def run(self):
        sizes = self.random.choice(((1, 8), (5, 40), (30, 90)))
        count = self.random.randint(*sizes)
        self.build(count)
        gc.collect(1)
        if self.random.random() < 0.5:
            _core.gc_relieve_young()  # what comes in from now on may be made young again
        dropped = self.random.choice((0.8, 1, 1) if self.names is QUIET else (0.8, 0.8, 1))  # all: a large component may go as a whole
        for number in sorted(self.rooted):
            if self.random.random() < dropped:
                self.drop_root(number)
        steps = self.random.choice((1, 1, 2, 3, 10, 50, 1000))
        batch = self.random.choice((1, 2, 4, 16, 0))
        others = self.random.choice((0, 0.003))  # collections of CPython's, which end a cycle
        mutations, left = self.random.choice((0, 0.02, 0.2, 1)), 200
        for _ in range(self.random.choice((1, 2, 4))):
            begin()
            phase = -1
            for _ in range(200_000):  # a sanitised heap is spread over many pages
                phase = self.step(steps, batch)
                if phase == 0:
                    break
                while left > 0 and self.random.random() < mutations / (1 + mutations):
                    left -= 1
                    self.mutate()
                    self.after()
                if self.random.random() < others:
                    gc.collect(self.random.randrange(3))
                    self.after()
                if self.random.random() < 0.01:
                    _core.gc_relieve_young()
                    self.after()
                if self.random.random() < 0.002:
                    self.verify()
            check(phase == 0, "the cycle does not end: phase", phase)
            self.verify()
        self.finish(steps, batch)

    def whole_cycle(self, steps, batch):
        gc.collect(1)
        self.after()
        begin()
        for _ in range(1_000_000):
            if self.step(steps, batch) == 0:
                return
        check(False, "the cycle does not end")

    @undisturbed
    def leftovers(self):
        reachable = self.reachable()
        return [number for number in self.kinds if number not in reachable and self.canaries[number]() is not None]

    def finish(self, steps, batch):
        """Two cycles free what stock gc.collect() would, and after it there is nothing left for that to free."""
        self.quiet = True
        while self.random.random() < 0.7 and self.rooted:
            self.drop_root(self.random.choice(sorted(self.rooted)))
        while _core.gc_step(1000, 0) not in (0, -1):  # what is under way began too early
            pass
        self.after()
        for _ in range(2):
            self.whole_cycle(max(steps, 10), batch)
        self.verify()
        left = self.leftovers()
        check(not left, "left after two cycles:", [(number, self.kinds[number]) for number in left])
        check(gc.collect() == 0, "gc.collect() found more after two cycles")
        finals = [number for number, kind in self.kinds.items() if kind.startswith("final")]
        missed = [number for number in finals if number not in self.finalised and number not in self.reachable()]
        check(not missed, "freed and not finalised:", missed)

    @undisturbed
    def close(self):
        self.closed = True
        self.roots.clear()
        self.weak.clear()


world: World


def begin():
    """Enables the collector and takes its worker away: steps are the test's."""
    gomem.gc.enable(percent=100_000)
    _core.gc_before_fork()


def run_seed(seed):
    global world
    world = World(seed)
    try:
        begin()
        world.run()
        world.apart = gomem.gc.stats().apart
    finally:
        world.close()
        gomem.gc.disable()
        gc.collect()  # nothing of this world is finalised in the next
    left = [number for number, canary in world.canaries.items() if canary() is not None]
    check(not left, "gc.collect() leaves", left)
    return world


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--start", type=int, default=0, help="the first (default 0)")
    options = parser.parse_args(words)
    if os.environ.get("PYTHONMALLOC") is None:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONMALLOC": "debug"})
    reason = gomem.gc.unsupported()
    if reason is not None:
        print(f"fuzz: {reason}")
        return 2
    gc.set_threshold(50, 5, 5)
    gc.collect()
    gc.freeze()  # so that cycles see this program's objects alone
    failed, began, objects, finals, taken, resurrected, apart = [], time.monotonic(), 0, 0, 0, 0, 0
    for seed in range(options.start, options.start + options.seeds):
        try:
            done = run_seed(seed)
        except Failure as error:
            print(f"seed {seed}: {error}", flush=True)
            failed.append(seed)
            continue
        except Exception as error:
            print(f"seed {seed}: {type(error).__name__} {error}", flush=True)
            failed.append(seed)
            raise
        objects, finals = objects + len(done.kinds), finals + done.finals
        taken, resurrected = taken + done.taken_back, resurrected + done.resurrected
        apart += done.apart
        if (seed + 1 - options.start) % 500 == 0:
            print(f"{seed + 1 - options.start} seeds, {len(failed)} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(
        f"{options.seeds} seeds, {objects} objects, {finals} finalised, {resurrected} resurrected, "
        f"{taken} taken back through weak references, {apart} components taken apart, {time.monotonic() - began:.0f} s: {len(failed)} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
