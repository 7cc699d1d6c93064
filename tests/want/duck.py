"""Objects of unknown type: what else they are asked for tells of which classes they can be."""

KEPT = []  # want "[] module"


class Keeper:
    def find(self, what):
        KEPT.append(what)  # want "KEPT.append(what) frame"

    def decode(self):
        return self


class Text:
    def find(self, what):
        return 0

    def partial(self):
        return self


def only_one_has_both(thing, n):
    thing.find([n])  # want "thing.find([n]) frame" "[n] frame"
    return thing.partial() is None  # want "thing.partial() frame"


def either(thing, n):
    return thing.find([n]) is None  # want "thing.find([n]) frame" "[n] global"


def looked_at(thing, n):
    if isinstance(thing, Text):  # want "isinstance(thing, Text) frame"
        thing.partial()  # want "thing.partial() frame"
    return thing.find([n]) is None  # want "thing.find([n]) frame" "[n] global"


def a_module_perhaps(engine, n):
    return engine.compile(f"{n}+")  # want "engine.compile(f'{n}+') returned" "f'{n}+' global"


class Grammar:
    def compile(self, text):
        return None


class Strings:
    def __init__(self):
        self.all = []  # want "[] instance"

    def append(self, one, flag=False):
        KEPT.append(one)  # want "KEPT.append(one) frame"

    def split(self, by):
        KEPT.append(self)  # want "KEPT.append(self) frame"

    def pop(self, number, flag, other):
        KEPT.append(number)  # want "KEPT.append(number) frame"


def a_list_is_taken_for_a_list(thing, n):
    values = thing or []  # want "[] frame"
    values.append([n])  # want "values.append([n]) frame" "[n] argument"


def with_more_arguments_it_is_none(thing, n):
    return thing.pop([n], True, n) is None  # want "thing.pop([n], True, n) frame" "[n] global"


def text_is_taken_for_text(names, n):
    text = names[n] + "x"  # want "names[n] + 'x' frame"
    return len(text.split(","))  # want "len(text.split(',')) returned" "text.split(',') frame"


def text_of_unknown_type(name, n):
    return len(name.split(f"{n}x"))  # want "len(name.split(f'{n}x')) returned" "name.split(f'{n}x') frame" "f'{n}x' frame"


def no_text_has_that(names, n):
    found = names.setdefault("x", [])  # want "names.setdefault('x', []) frame" "[] argument"
    found.append((n, n))  # want "found.append((n, n)) frame" "(n, n) argument"


class Writer:
    def __init__(self, append):
        self.append = append


def is_no_writer(names, n):
    rows = list(names)  # want "list(names) frame"
    row = rows.pop() or []  # want "rows.pop() frame" "[] frame"
    row.append([n])  # want "row.append([n]) frame" "[n] argument"


class Codec:
    def __init__(self, encode):
        self.encode = encode


def text_first(x, n):
    return x.encode("ascii", str(n)) is None  # want "x.encode('ascii', str(n)) frame" "str(n) frame"


def no_text_is_given_a_list(x, n):
    return x.encode([n], [n]) is None  # want "x.encode([n], [n]) frame" "[n] unknown" "[n] unknown"


def text_again_all_the_same(x, n):
    return x.encode("ascii", str(n)) is None  # want "x.encode('ascii', str(n)) frame" "str(n) frame"
