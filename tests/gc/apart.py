"""Large components: freed in slices where they can be, by CPython where they cannot. ``python apart.py NAME`` runs one program,
in a process of its own; without a name it prints all there are. They fail with an AssertionError."""

import ast
import collections.abc
import functools
import gc
import os
import sys
import typing
import weakref

import gomem.gc
from gomem import _core

COUNT = 200  # nodes of a component
BATCH = 16  # what is larger is taken apart
IDLE, FREE = map(gomem.gc.PHASES.index, ("idle", "free"))


class Witness:
    """Is not of the component, but held by it alone."""


class Node:
    def __init__(self):
        self.witness = Witness()
        witnesses.append(weakref.ref(self.witness))

    def me(self):
        return self


class Slotted:
    __slots__ = ("next", "extra", "witness")
    __init__ = Node.__init__


class Typed(Node, typing.Generic[typing.TypeVar("T")]):
    pass


class Closing(Node):
    def __del__(self):
        heard.append("closing")


class Mixed(Node, collections.abc.Sized):
    def __len__(self):
        return 1


class Director(Node):
    __swig_destroy__ = None


class Hides(type):
    def mro(cls):
        return [cls, object]


class Hidden(map, metaclass=Hides):
    pass


class Pair(tuple):
    pass


class Words(str):
    pass


class Octets(bytes):
    pass


class Whole(int):
    pass


class Fraction(float):
    pass


class Reference(weakref.ref):
    pass


class Point(typing.NamedTuple):
    x: object


class Bell:
    """No object that the collector knows: freed when its holder is cleared."""

    __slots__ = ("ring",)

    def __del__(self):
        heard.append("bell")
        self.ring()


class Watchable(list):
    pass


witnesses: list = []
heard: list = []
children: list = []


def component(*extra, make=Node):
    """A ring of nodes, all old; one of them knows something else. In a list, so that no frame keeps it."""
    nodes = [make() for _ in range(COUNT)]
    for node, after in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        node.next = [after]
    nodes[1].extra = [each(nodes[0]) for each in extra]
    gc.collect()
    return [nodes[0]]


def steps():
    """A cycle to its end, or to where the caller loses interest: the phases."""
    while (phase := _core.gc_step(1000, BATCH)) != IDLE:
        assert phase >= 0
        yield phase


def step_into(count):
    """So many steps into the freeing."""
    for phase in steps():
        count -= phase == FREE
        if count < 0:
            return
    raise AssertionError("the cycle is over")


def nodes_in_sight():
    return [each for each in gc.get_objects() if isinstance(each, Node | Slotted)]


def all_are_dead():
    return not any(reference() for reference in witnesses) and not nodes_in_sight()


def is_freed_apart():
    """Of what is garbage now: that it was freed at all, and whether in slices and without CPython."""
    heard.clear()
    before = gomem.gc.stats()
    freeing = sum(phase == FREE for phase in steps())
    after = gomem.gc.stats()
    assert after.freed - before.freed >= COUNT, (before, after)
    assert all_are_dead()
    if after.apart == before.apart:
        return False
    assert freeing > COUNT // BATCH, freeing
    return True


def in_slices():
    for make in (Node, Slotted, Typed, Mixed):
        component(make=make).clear()
        assert is_freed_apart(), make
        assert heard.count("start") <= 1 + COUNT // BATCH, heard  # the witnesses' batches


def of_many_types():
    def of(make, *args):
        def holder(node):
            made = make(*args)
            made.node = node
            return made

        return holder

    kinds = (
        *(of(Words, text) for text in ("", "a", "words")),
        *(of(Octets, text) for text in (b"", b"a", b"octets")),
        *(of(Whole, number) for number in (0, 7, 1 << 70)),
        of(Fraction, 1.5),
        lambda node: {"node": node},
        lambda node: {node},
        lambda node: frozenset([node]),
        lambda node: (node,),
        lambda node: Point(node),
        lambda node: collections.deque([node]),
        lambda node: collections.OrderedDict(a=node),
        lambda node: collections.defaultdict(list, a=node),
        lambda node: node.me,
        lambda node: lambda: node,
        lambda node: property(node.me),
    )
    component(*kinds).clear()
    assert is_freed_apart()
    tree = [ast.parse("\n".join(f"def f{i}(a, b):\n    return a + b * {i}" for i in range(30)))]
    for node in ast.walk(tree[0]):
        if isinstance(node, ast.stmt | ast.BinOp):
            node.root = tree[0]
    node = None
    gc.collect()
    tree.clear()
    assert is_freed_apart()


def by_cpython():
    """What has a finaliser, a weak reference to it or in it, is a class, or of a type that may do anything."""

    def closing(node):
        made = Closing()
        made.node = node
        return made

    def director(node):
        made = Director()
        made.node = node
        return made

    def watched(node):
        outside.append(weakref.ref(node, lambda _: heard.append("watched")))

    def reference(node):
        made = Reference(outside)
        made.node = node
        return made

    outside = Watchable()
    for extra, words in (
        (closing, ["closing"]),
        (watched, ["watched"]),
        (reference, []),
        (lambda node: type("C", (), {"node": node}), []),
        (lambda node: functools.partial(node.me), []),
        (lambda node: Hidden(node.me, []), []),
        (director, []),
    ):
        component(extra).clear()
        assert not is_freed_apart(), extra
        assert [word for word in heard if word not in ("start", "stop")] == words, (extra, heard)


def names_of_its_own():
    """A name in a class, or in sys.modules, that is no plain text, may run anything when it is compared, and is not."""

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            heard.append("compared")
            gomem.gc.disable()
            return False

    def late(node):
        made = type("Late", (), {Name("__swig_destroy__"): None})()
        made.node = node
        return made

    component(late).clear()
    assert not is_freed_apart() and "compared" not in heard
    sys.modules[Name("_ast")] = sys.modules.pop("_ast")
    try:
        component().clear()
        assert is_freed_apart() and "compared" not in heard
    finally:
        sys.modules["_ast"] = next(module for name, module in [*sys.modules.items()] if type(name) is Name)


def alive():
    """Somebody has got hold of a node after it was proposed; as often as makes nothing of it modulo 64."""
    component().clear()
    step_into(0)
    nodes = nodes_in_sight()
    assert len(nodes) == COUNT
    kept = nodes.pop()
    often = [kept] * 63
    nodes.clear()
    assert all(phase >= FREE for phase in steps())
    assert gomem.gc.stats().apart == gomem.gc.stats().freed == 0
    assert len(nodes_in_sight()) == COUNT
    node = kept.next[0]
    for _ in range(COUNT - 1):
        assert isinstance(node.witness, Witness)
        node = node.next[0]
    assert node is kept
    del kept, often, node
    assert is_freed_apart()


def let_go():
    """A node that lived, and was let go of before anybody looked, goes when the rest is given up. That may do anything."""
    for ring in (gc.collect, gomem.gc.disable, fork_and_go_on, gc.freeze):
        component().clear()
        step_into(0)
        kept = nodes_in_sight()[0]
        bell = Bell()
        bell.ring = ring
        lost = kept.next[0]
        kept.next, lost.next, lost.bell = lost.next, [], bell
        del lost, bell
        heard.clear()
        for _ in steps():
            pass
        assert heard.count("bell") == 1, ring
        if not gomem.gc.is_enabled():
            begin()
        gc.unfreeze()
        assert len(nodes_in_sight()) == COUNT - 1, ring
        del kept
        gomem.gc.collect()
        if children:
            os._exit(0 if all_are_dead() else 1)
        assert all_are_dead(), ring


def out_of_sight():
    """While it is cleared nobody can reach it."""
    component().clear()
    step_into(5)
    assert gomem.gc.stats().phase == "free" and not nodes_in_sight()
    assert not any(isinstance(each, Node) for each in gc.get_referrers(Node))
    gc.freeze()
    gc.unfreeze()
    for _ in steps():
        pass
    assert all_are_dead() and gomem.gc.stats().apart == 1


def too_late():
    """A class gets a finaliser while its garbage is cleared: it would see what is to be cleared yet."""
    kept = []
    component(*[lambda node: Pair([node])] * COUNT).clear()
    step_into(5)
    Pair.__del__ = lambda pair: kept.append(pair)
    for _ in steps():
        pass
    assert not kept and all_are_dead() and gomem.gc.stats().apart == 1
    del Pair.__del__


def given_up():
    """In the middle of it: a collection of CPython's, the end of the collector, a fork."""
    for give_up in (gc.collect, gomem.gc.disable, fork):
        component().clear()
        step_into(5)
        give_up()
        if not gomem.gc.is_enabled():
            assert all_are_dead()
            begin()
        for _ in steps():
            pass
        assert all_are_dead(), give_up


def fork():
    """The child gives the cycle up, and has none of it."""
    child = os.fork()
    if child == 0:
        gomem.gc.collect()
        gomem.gc.collect()
        os._exit(0 if all_are_dead() else 1)
    assert os.waitpid(child, 0)[1] == 0


def fork_and_go_on():
    """The child comes back into the middle of it."""
    child = os.fork()
    if child == 0:
        children.append(1)
    else:
        assert os.waitpid(child, 0)[1] == 0


def a_bell_rings():
    """What is freed on the way may do anything."""

    def fail():
        raise ValueError("a finaliser's")

    sys.unraisablehook = lambda what: heard.append(what.exc_type)
    for ring in (gc.collect, gomem.gc.disable, fork_and_go_on, fail, gc.freeze):

        def bell(node, ring=ring):
            made = Bell()
            made.ring = ring
            return made

        component(bell).clear()
        heard.clear()
        for _ in steps():
            pass
        assert heard.count("bell") == 1, ring
        assert (ValueError in heard) == (ring is fail)
        if not gomem.gc.is_enabled():
            begin()
        if children:
            gomem.gc.collect()
            os._exit(0 if all_are_dead() else 1)
        gc.unfreeze()
        gc.collect()
        assert all_are_dead(), ring


def saved():
    """gc.DEBUG_SAVEALL: nothing is cleared, and what nodes hold is saved with them."""
    component().clear()
    gc.set_debug(gc.DEBUG_SAVEALL)
    for _ in steps():
        pass
    gc.set_debug(0)
    saved = [type(each) for each in gc.garbage]
    assert saved.count(Node) == saved.count(Witness) == COUNT
    assert all(type(each.witness) is Witness for each in gc.garbage if type(each) is Node) and gomem.gc.stats().apart == 0
    gc.garbage.clear()


def begin():
    gomem.gc.enable()
    _core.gc_before_fork()  # no worker: the steps are ours


PROGRAMS = [in_slices, of_many_types, by_cpython, names_of_its_own, alive, let_go, out_of_sight, too_late, given_up, a_bell_rings, saved]

if len(sys.argv) > 1:
    gc.disable()  # no young collection but ours
    gc.callbacks.append(lambda phase, info: heard.append(phase))
    begin()
    globals()[sys.argv[1]]()
else:
    print(*(program.__name__ for program in PROGRAMS))
