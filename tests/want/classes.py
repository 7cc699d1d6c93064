"""Classes made inside functions, and classes of which only a base is known."""

from typing import TYPE_CHECKING

CACHE = {}  # want "{} module"


def of_an_instance():
    class Local:  # want "class Local returned"
        pass

    return Local()  # want "Local() returned"


def gone_with_its_instances():
    class Local:  # want "class Local frame"
        pass

    return len([Local()])  # want "len([Local()]) returned" "[Local()] frame" "Local() frame"


def stored_instance(rows):
    class Local:  # want "class Local argument"
        pass

    rows.append(Local())  # want "rows.append(Local()) frame" "Local() argument"


def base_of_what_is_returned():
    class Base:  # want "class Base returned"
        pass

    class Local(Base):  # want "class Local returned"
        pass

    return Local


def raised():
    class Local(Exception):  # want "class Local raised"
        pass

    raise Local


def named_by_its_methods():
    class Local:  # want "class Local closure"
        def copy(self):
            return Local()  # want "Local() returned"

    return Local().copy()  # want "Local().copy() returned" "Local() frame"


class Outer:
    def new(self):
        return type(self)()  # want "type(self)() returned" "type(self) frame"


def made_by_a_base():
    class Local(Outer):  # want "class Local returned"
        pass

    return Local().new()  # want "Local().new() returned" "Local() frame"


def captured_afterwards(n):
    class Local:  # want "class Local returned"
        def rows(self):
            return rows

    rows = [n]  # want "[n] closure"
    return Local


class Base:
    @classmethod
    def made(cls, n):
        new = cls()  # want "cls() returned"
        new.fill([n])  # want "new.fill([n]) frame" "[n] returned"
        return new

    def copied(self, n):
        new = type(self)()  # want "type(self)() returned" "type(self) frame"
        new.fill([n])  # want "new.fill([n]) frame" "[n] returned"
        return new

    def copied_by_class(self, n):
        new = self.__class__()  # want "self.__class__() returned"
        new.fill([n])  # want "new.fill([n]) frame" "[n] returned"
        return new

    def exact(self, n):
        new = Base()  # want "Base() returned"
        new.fill([n])  # want "new.fill([n]) frame" "[n] frame"
        return new

    def own_class(self):
        return type(self)  # want "type(self) returned"

    def of_own_class(self, n):
        new = self.own_class()()  # want "self.own_class()() returned" "self.own_class() frame"
        new.fill([n])  # want "new.fill([n]) frame" "[n] global"
        return new

    def fill(self, rows):
        pass


class Keeping(Base):
    def fill(self, rows):
        self.rows = rows


class Registering(Base):
    def __init__(self, n=()):
        CACHE[0] = n


class Making:
    @classmethod
    def made(cls, n):
        return cls([n])  # want "cls([n]) returned" "[n] returned"

    def __init__(self, rows):
        pass


class MakingOtherwise(Making):
    def __init__(self, rows):
        self.rows = rows


class Meta(type):
    pass


class Below(Meta("Above", (object,), {"n": [1]})):  # want "Meta('Above', (object,), {'n': [1]}) module" "(object,) module" "{'n': [1]} module" "[1] module"
    pass


KEEP = []  # want "[] module"


class Row:
    def __new__(cls, *items):  # want "*items returned"
        made = object.__new__(cls)  # want "object.__new__(cls) returned"
        made.items = items
        return made

    def keep(self, item):
        KEEP.append(item)  # want "KEEP.append(item) frame"


class Short(Row):
    if TYPE_CHECKING:

        def __new__(cls, *items): ...  # want "def __new__ unknown" "*items unknown"

    elif KEEP:

        def keep(self, item):
            pass


def rows(n):
    made = Short.__new__(Short, [n])  # want "Short.__new__(Short, [n]) unknown" "[n] unknown"
    made.keep([n])  # want "made.keep([n]) frame" "[n] global"
    return made


if TYPE_CHECKING:

    def kept(item): ...  # want "def kept unknown"

else:

    def kept(item):
        KEEP.append(item)  # want "KEEP.append(item) frame"


def keeps(n):
    kept([n])  # want "kept([n]) frame" "[n] global"


class Only:
    only = None

    def __new__(cls, rows):
        if cls.only is None:
            cls.only = super().__new__(cls)  # want "super().__new__(cls) argument"
        return cls.only

    def __init__(self, rows):
        self.rows = rows


def begun_again(n):
    Only([n])  # want "Only([n]) frame" "[n] global"
