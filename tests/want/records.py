"""Named tuples, in their different forms: what they are made of goes where they go."""

from collections import namedtuple
from typing import NamedTuple

KEPT = []  # want "[] module"
Pair = namedtuple("Pair", "left right")  # want "namedtuple('Pair', 'left right') module"
Place = NamedTuple("Place", [("name", str), ("items", list)])  # want "NamedTuple('Place', [('name', str), ('items', list)]) module" "[('name', str), ('items', list)] frame" "('name', str) frame" "('items', list) frame"


class Row(namedtuple("Row", "head tail")):  # want "namedtuple('Row', 'head tail') module"
    def keep(self):
        KEPT.append(self.head)  # want "KEPT.append(self.head) frame"


class Swapped(namedtuple("Swapped", "first second")):  # want "namedtuple('Swapped', 'first second') module"
    def __new__(cls, first, second):
        return super().__new__(cls, second, first)  # want "super().__new__(cls, second, first) returned"


class Cell(NamedTuple):
    held: list


def made(n):
    pair = Pair([n], {n})  # want "Pair([n], {n}) frame" "[n] frame" "{n} frame"
    return len(pair.left)  # want "len(pair.left) returned"


def part_returned(n):
    pair = Pair(left=[n], right={n})  # want "Pair(left=[n], right={n}) frame" "[n] returned" "{n} frame"
    return pair.left


def swapped(n):
    return Swapped([n], 1).second  # want "Swapped([n], 1) frame" "[n] returned"


def kept_by_a_method(n):
    Row([n], 1).keep()  # want "Row([n], 1).keep() frame" "Row([n], 1) frame" "[n] global"


def replaced(n):
    cell = Cell([n])._replace(held=[n, n])  # want "Cell([n])._replace(held=[n, n]) frame" "Cell([n]) frame" "[n] frame" "[n, n] frame"
    return len(cell)  # want "len(cell) returned"


def replaced_and_returned(n):
    return Cell([n])._replace(held={n})  # want "Cell([n])._replace(held={n}) returned" "Cell([n]) frame" "[n] returned" "{n} returned"  # BAD: [n] frame; which field is put in its place is not known


def somewhere(n):
    return len(Place(f"{n}", [n]).items)  # want "len(Place(f'{n}', [n]).items) returned" "Place(f'{n}', [n]) frame" "f'{n}' frame" "[n] frame"
