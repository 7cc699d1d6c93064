"""Stored in something that lives on: an attribute, an argument, a global, a class, a module, a default."""

CACHE = {}  # want "{} module"
LIMITS = [1, len(CACHE)]  # want "[1, len(CACHE)] module" "len(CACHE) module"
count = 0


class Box:
    shared = []  # want "[] class"

    def __init__(self, n):
        self.items = [n]  # want "[n] instance"
        self.size = 0

    def put(self, n):
        self.items.append([n])  # want "self.items.append([n]) frame" "[n] instance"

    def peek(self, n):
        probe = [n]  # want "[n] frame"
        return probe in self.items

    def share(self, n):
        Box.shared.append([n])  # want "Box.shared.append([n]) frame" "[n] global"

    @classmethod
    def keep(cls, n):
        cls.last = [n]  # want "[n] class"

    @property
    def copy(self):
        return list(self.items)  # want "list(self.items) returned"


def into_argument(rows, n):
    rows.append([n])  # want "rows.append([n]) frame" "[n] argument"


def into_items(rows, n):
    rows[0] = {n}  # want "{n} argument"


def into_attribute(box, n):
    box.value = [n]  # want "[n] argument"


def into_global(n):
    global count
    count = [n]  # want "[n] global"
    CACHE[n] = [n]  # want "[n] global"


def local_box(n):
    box = Box(n)  # want "Box(n) frame"
    box.put([n])  # want "box.put([n]) frame" "[n] frame"
    return len(box.items)  # want "len(box.items) returned"


def returned_box(n):
    box = Box(n)  # want "Box(n) returned"
    box.put({n})  # want "box.put({n}) frame" "{n} returned"
    return box


def local_container(n):
    rows = []  # want "[] frame"
    rows.append([n])  # want "rows.append([n]) frame" "[n] frame"
    into_argument(rows, n)  # want "into_argument(rows, n) frame"
    return len(rows)  # want "len(rows) returned"


def sorted_by(rows):
    return len(sorted(rows, key=lambda row: (row, 1)))  # want "len(sorted(rows, key=lambda row: (row, 1))) returned" "sorted(rows, key=lambda row: (row, 1)) frame" "lambda row: (row, 1) frame" "(row, 1) returned"


def default(n, into=[]):  # want "[] global"
    into.append([n])  # want "into.append([n]) frame" "[n] argument"


def made_and_stored(n):
    row = [n]  # want "[n] global"
    CACHE[n] = (row, n)  # want "(row, n) global"
    return row


def into_what_is_stored(n):
    row = made_and_stored(n)  # want "made_and_stored(n) frame"
    row.append([n])  # want "row.append([n]) frame" "[n] global"
    return len(row)  # want "len(row) returned"


class Shelf:
    shared = []  # want "[] class"
    own = []  # want "[] class"

    def __init__(self, first):
        self.own = []  # want "[] instance"
        self.shared.append(first)  # want "self.shared.append(first) frame"

    def put(self, n):
        self.own.append(n)  # want "self.own.append(n) frame"


def into_what_the_class_holds(n):
    Shelf([n])  # want "Shelf([n]) frame" "[n] global"


def into_its_own(n):
    Shelf(n).put([n])  # want "Shelf(n).put([n]) frame" "Shelf(n) frame" "[n] global"  # BAD: [n] frame; whether an object has an attribute of its own yet is not known


class Gauge:
    def __init__(self):
        self.size = 0

    @property
    def level(self):
        return self.size

    @level.setter
    def level(self, value):
        self.size = len(value)  # want "len(value) instance"

    @property
    def seen(self):
        return self.size

    @seen.setter
    def seen(self, value):
        CACHE["seen"] = value


class LoudGauge(Gauge):
    @Gauge.level.setter
    def level(self, value):
        CACHE["level"] = value


def measured(n):
    gauge = Gauge()  # want "Gauge() frame"
    gauge.level = [n]  # want "[n] frame"
    return n


def shown(n):
    gauge = Gauge()  # want "Gauge() frame"
    gauge.seen = [n]  # want "[n] global"
    return n


def perhaps_loud(gauge: Gauge, n):
    gauge.level = [n]  # want "[n] global"
    return n


def made_somewhere():
    return CACHE["shelf"]


class Drawer:
    shared = made_somewhere()  # want "made_somewhere() class"

    def put(self, n):
        self.shared.append(n)  # want "self.shared.append(n) frame"


def into_what_a_class_was_given(n):
    Drawer().put([n])  # want "Drawer().put([n]) frame" "Drawer() frame" "[n] global"


def read_through_a_setter_of_a_subclass(n):
    gauge = LoudGauge()  # want "LoudGauge() frame"
    gauge.size = [n]  # want "[n] returned"
    return gauge.level
