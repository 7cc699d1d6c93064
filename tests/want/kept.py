"""What the interpreter and the built-in classes keep or hand on without a word in the program."""

import struct
from collections import defaultdict
from typing import Callable, Protocol, TypeVar

Handler = Callable[[int | str], list | int]  # want "[int | str], list | int frame" "[int | str] frame" "int | str global" "list | int global"
Limited = TypeVar("Limited", int | str, list | int)  # want "TypeVar('Limited', int | str, list | int) module" "int | str module" "list | int module"


def asked_for(x, n):
    return len(getattr(x, "read_" + n))  # want "len(getattr(x, 'read_' + n)) returned" "getattr(x, 'read_' + n) frame" "'read_' + n global"


def cached(n, data):
    return len(struct.unpack(">" + "I" * n, data))  # want "len(struct.unpack('>' + 'I' * n, data)) returned" "struct.unpack('>' + 'I' * n, data) frame" "'>' + 'I' * n global" "'I' * n frame"


def missing(n):
    counts = defaultdict(int)  # want "defaultdict(int) returned"
    counts[n, 1] += 1  # want "n, 1 returned"
    return counts


def looked_up(n):
    counts = {}  # want "{} frame"
    counts.setdefault(1, 2)  # want "counts.setdefault(1, 2) frame"
    return len(counts[n, 1])  # want "len(counts[n, 1]) returned" "n, 1 frame"


def popped(row):
    text = row.pop("text")  # want "row.pop('text') returned"
    return text.strip()  # want "text.strip() returned"


class Item:
    def __init__(self, trivia):
        self.trivia = trivia


class Text(str, Item):
    def __new__(cls, value, trivia):
        return super().__new__(cls, value)  # want "super().__new__(cls, value) returned"

    def __init__(self, value, trivia):
        super().__init__(trivia)  # want "super().__init__(trivia) frame"


def made(n):
    return Text("a", [n])  # want "Text('a', [n]) returned" "[n] returned"


class Client(Protocol):
    def set(self, key, value): ...


def of_a_protocol(client: Client, n):
    client.set(1, [n])  # want "client.set(1, [n]) frame" "[n] unknown"


def of_a_set(rows):
    seen = set()  # want "set() frame"
    add = seen.add
    for row in rows:
        add((row, 1))  # want "add((row, 1)) frame" "(row, 1) frame"
    return len(seen)  # want "len(seen) returned"


def names_of_attributes(one, n):
    one.__dict__[f"{n}"] = n  # want "f'{n}' global"
    vars(one).setdefault(f"{n}:", n)  # want "vars(one).setdefault(f'{n}:', n) frame" "vars(one) frame" "f'{n}:' global"


class Conflicts:
    def __init__(self):
        self.table: dict = defaultdict(list)  # want "defaultdict(list) instance"

    def add(self, n):
        self.table[f"{n}!"].append([n])  # want "self.table[f'{n}!'].append([n]) frame" "f'{n}!' instance" "[n] instance"
