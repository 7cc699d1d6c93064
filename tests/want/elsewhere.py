"""What stands in an attribute or variable, and which method an object has, may be settled elsewhere: by whoever has the object, by
another function that sees the variable, by another base of a class below."""

from dataclasses import dataclass
from typing import Any

KEPT = []  # want "[] module"


class Quiet:
    def put(self, item):
        pass


class Loud:
    def put(self, item):
        KEPT.append(item)  # want "KEPT.append(item) frame"


def loud(self, item):
    KEPT.append(item)  # want "KEPT.append(item) frame"


class Box:
    pass


def fill(box: Box):
    box.sink = Quiet()  # want "Quiet() argument"


def fill_some(box):
    box.sink = Loud()  # want "Loud() argument"


def filled_from_outside(box: Box, n):
    box.sink.put([n])  # want "box.sink.put([n]) frame" "[n] global"


class Shelf:
    drain = Quiet()  # want "Quiet() class"


def refill_some(shelf):
    shelf.drain = Loud()  # want "Loud() argument"


def filled_by_the_body_and_from_outside(shelf: Shelf, n):
    shelf.drain.put([n])  # want "shelf.drain.put([n]) frame" "[n] global"


@dataclass
class Record:
    outlet: Any


def make(cls, outlet):
    return cls(outlet)  # want "cls(outlet) returned"


MADE = [Record(Quiet()), make(Record, Loud())]  # want "[Record(Quiet()), make(Record, Loud())] module" "Record(Quiet()) module" "Quiet() module" "make(Record, Loud()) module" "Loud() unknown"


def made_by_one_who_does_not_name_the_class(record: Record, n):
    record.outlet.put([n])  # want "record.outlet.put([n]) frame" "[n] global"


def variable_of_two():
    sink = Quiet()  # want "Quiet() closure"

    def change():  # want "def change returned"
        nonlocal sink
        sink = Loud()  # want "Loud() closure"

    def use(n):  # want "def use returned"
        sink.put([n])  # want "sink.put([n]) frame" "[n] global"

    return change, use  # want "change, use returned"


def variable_set_while_away(n):
    sink = Quiet()  # want "Quiet() global"

    def change(other):  # want "def change global"
        nonlocal sink
        sink = other

    KEPT.append(change)  # want "KEPT.append(change) frame"
    KEPT[-1](Loud())  # want "KEPT[-1](Loud()) frame" "Loud() unknown"
    sink.put([n])  # want "sink.put([n]) frame" "[n] global"


def variable_set_two_levels_below(n):
    sink = Quiet()  # want "Quiet() frame"

    def maker():  # want "def maker frame"
        def change(other):  # want "def change returned"
            nonlocal sink
            sink = other

        return change

    def use():  # want "def use frame"
        sink.put([n])  # want "sink.put([n]) frame" "[n] global"

    maker()(Loud())  # want "maker()(Loud()) frame" "maker() frame" "Loud() frame"
    use()  # want "use() frame"


def variable_set_by_nobody(n):
    sink = Quiet()  # want "Quiet() global"

    def use():  # want "def use global"
        sink.put([n])  # want "sink.put([n]) frame" "[n] frame"

    KEPT.append(use)  # want "KEPT.append(use) frame"
    sink.put([n])  # want "sink.put([n]) frame" "[n] frame"


class Taking:
    def run(self, n):
        self.take([n])  # want "self.take([n]) frame" "[n] global"
        self.take_quietly([n])  # want "self.take_quietly([n]) frame" "[n] frame"

    def take(self, item):
        pass

    def take_quietly(self, item):
        pass


class Keeping:
    def take(self, item):
        KEPT.append(item)  # want "KEPT.append(item) frame"


class Both(Keeping, Taking):
    pass


class Pouring:
    def __init__(self):
        self.spout = Quiet()  # want "Quiet() instance"

    def run(self, n):
        self.spout.put([n])  # want "self.spout.put([n]) frame" "[n] global"


class WithSpout:
    spout = Loud()  # want "Loud() class"


class PouringLoudly(WithSpout, Pouring):
    def __init__(self):
        pass


class Handing:
    def hand(self, item):
        pass

    def run(self, n):
        self.hand([n])  # want "self.hand([n]) frame" "[n] global"


class HandingLoudly(Handing):
    hand = loud


class HandingNothing(Handing):
    hand = None


class Asking:
    @property
    def answer(self):
        return Quiet()  # want "Quiet() returned"

    def run(self, n):
        self.answer.put([n])  # want "self.answer.put([n]) frame" "[n] global"


class AskingLoudly(Asking):
    answer = Loud()  # want "Loud() class"


class Telling:
    news = Loud()  # want "Loud() class"

    def run(self, n):
        self.news.put([n])  # want "self.news.put([n]) frame" "[n] global"


class TellingNothing(Telling):
    @property
    def news(self):
        return Quiet()  # want "Quiet() returned"


class Cup:
    def __init__(self):
        self.pourer = Quiet()  # want "Quiet() instance"

    def run(self, n):
        self.pourer.put([n])  # want "self.pourer.put([n]) frame" "[n] global"


CUP = Cup()  # want "Cup() module"
CUP.pourer = Loud()  # want "Loud() global"


class Mug:
    filler = Quiet()  # want "Quiet() class"

    def run(self, n):
        self.filler.put([n])  # want "self.filler.put([n]) frame" "[n] global"


Mug.filler = Loud()  # want "Loud() class"


class Hook:
    def hang(self, item):
        pass


class Ring:
    def hang(self, item):
        KEPT.append(item)  # want "KEPT.append(item) frame"


def given_another_class(n):
    hook = Hook()  # want "Hook() unknown"
    hook.__class__ = Ring
    hook.hang([n])  # want "hook.hang([n]) frame" "[n] unknown"


class Outer:
    class Inner:
        def put(self, item):
            pass

    @classmethod
    def run(cls, n):
        cls.Inner().put([n])  # want "cls.Inner().put([n]) frame" "cls.Inner() frame" "[n] global"


class OuterLoudly(Outer):
    class Inner:
        def put(self, item):
            KEPT.append(item)  # want "KEPT.append(item) frame"


if KEPT:

    class OneOfTwo:
        def put(self, item):
            pass

else:

    class OneOfTwo:
        def put(self, item):
            KEPT.append(item)  # want "KEPT.append(item) frame"


def one_of_two(one: OneOfTwo, n):
    one.put([n])  # want "one.put([n]) frame" "[n] global"


def derived(base):
    class Derived(base):  # want "class Derived global"
        pass

    KEPT.append(Derived)  # want "KEPT.append(Derived) frame"


def base_of_one_kept():
    class Base:  # want "class Base global"
        pass

    derived(Base)  # want "derived(Base) frame"


class Rows(list):
    def keep(self):
        KEPT.extend(self[:])  # want "KEPT.extend(self[:]) frame" "self[:] frame"


def kept_by_a_part(n):
    Rows([[n]]).keep()  # want "Rows([[n]]).keep() frame" "Rows([[n]]) frame" "[[n]] frame" "[n] global"


class Begun:
    pass


class NotBegun:
    pass


def begin(self, item):
    KEPT.append(item)  # want "KEPT.append(item) frame"


def same(self, other):
    KEPT.append(other)  # want "KEPT.append(other) frame"


Begun.__init__ = begin
Begun.__eq__ = same


def begun(n):
    return Begun([n]) == {n}, NotBegun() == {n}  # want "Begun([n]) == {n}, NotBegun() == {n} returned" "Begun([n]) frame" "[n] global" "{n} global" "NotBegun() frame" "{n} frame"


class Grip:
    def hold(self, item):
        pass


class Handle(Grip):
    def hold(self, item):
        pass


def regrip(grip: Grip):
    grip.hold = KEPT.append


def regripped(handle: Handle, n):
    handle.hold([n])  # want "handle.hold([n]) frame" "[n] unknown"


class Shared:
    state = {}  # want "{} class"

    def __init__(self):
        self.__dict__ = self.state


def shared(n):
    Shared().rows = [n]  # want "Shared() unknown" "[n] unknown"
