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
