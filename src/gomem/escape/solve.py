"""Which objects each variable of one function may hold, and what that means for its callers: a points-to analysis.

Objects are what the function allocates, its parameters and what those hold, what calls return, and the world outside. A set
of objects is an int used as a bit set; a variable holds a set, an object has fields that hold sets ("*" for items, "&" for
what it keeps alive in ways the program cannot read). Operations run in order, again until nothing changes if the function
has loops or closures. Calls are in calls.py, verdicts and summaries in verdicts.py and effects.py.
"""

from __future__ import annotations

from typing import Any, Final

from gomem.escape import ir
from gomem.escape.entities import NO_TYPES, PENDING, UNREAD, ClassInfo, Function, Instance, ModuleInfo
from gomem.escape.summary import DEEP, below, longer, type_order
from gomem.escape.universe import Universe

MADE: Final = 0  # kinds of objects
PARAMETER: Final = 1
REACHABLE: Final = 2
OUTSIDE: Final = 3
WEAK: Final = "~"  # field of what an object gives, but does not keep alive
PASSES = 30  # then a function is given up: everything it touches escapes
BUDGET = 150_000  # objects that are looked at for what they hold, or made to hold more, before less is told apart
BUDGET_OPERATION = 150  # the same for each operation of a long function
_SOME: Final = 8
_REMEMBERED: Final = 1_000_000  # machine words of sets, and of numbers of objects in them, that are kept
CROWDED: Final = 120  # objects of a function before what its calls make behind their results is no longer told apart call by call


_UNKNOWN: Final[list[Any]] = [None]


def in_body(name: str) -> str:
    """Under which name a class keeps the types of what its body assigns, apart from what its objects have under that name."""
    return f"{name} in the body"


def numbers(objects: int) -> list[int]:
    """The numbers of the objects in a set, in their order."""
    found: list[int] = []
    if objects.bit_count() > _SOME:  # its text is read faster than so many bits are taken out of it
        text = bin(objects)[:1:-1]
        number = text.find("1")
        while number >= 0:
            found.append(number)
            number = text.find("1", number + 1)
        return found
    while objects:  # the highest first: what is left is shorter
        found.append(objects.bit_length() - 1)
        objects ^= 1 << found[-1]
    found.reverse()
    return found


class TooTangled(Exception):
    """A function takes more work than it is worth."""


class State:
    """Objects, variables and leaks of one function while it is solved."""

    def __init__(self, universe: Universe, function: Function) -> None:
        code = function.code
        assert code is not None
        self.universe = universe
        self.function = function
        self.code = code
        self.module = function.module
        self.bit: list[int] = []  # of each object, the set of that one; of a long function these are large, and kept once
        self.kind: list[int] = []
        self.type: list[Any] = []
        self.root: list[int] = []  # parameter of PARAMETER and REACHABLE objects
        self.path: list[str] = []
        self.site: list[int] = []
        self.fields: list[dict[str, int]] = []
        self.positions: list[int] = []  # the union of an object's fields that are positions
        self.holds: list[int] = []  # the union of an object's fields that can be read; of a parameter also all reachable from it
        self.pts = [0] * code.variables
        self.known: dict[Any, int] = {}  # what identifies an object -> the object
        self.leaks: dict[tuple[str, int], int] = {}  # (cause, line) -> objects
        self.leaked = 0
        self.returned = 0
        self.yielded = 0
        self.return_lines: dict[int, int] = {}
        self.store_lines: dict[tuple[int, str], int] = {}
        self.markers = 0  # results of calls that make nothing themselves: they stand for whatever old object is the result
        self.frozen = 0  # objects of immutable types: they hold nothing
        self.holders = 0  # objects that are made here and can hold something
        self.deps: dict[Any, Any] = {}  # what was looked at: functions, and types of attributes as they were then
        self.written: dict[tuple[Any, str], set[Any]] = {}  # types that attributes were found to have
        self.own: dict[tuple[Any, str], set[Any]] = {}  # the same of attributes that had not been looked at before
        self.before: dict[tuple[Any, str], frozenset[Any] | None] = {}  # the types of these that were known before
        self.called: set[tuple[int, str]] = set()  # parameters, and what they hold, that are called
        self.printed: set[tuple[int, str]] = set()  # the same, that are printed if they are text
        self.patched: set[Function] = set()  # that this function replaces
        self.changed = False
        self.lazy = False  # something was made that reads later what it was made of
        self.log: list[int] = []  # what changed, in order: objects that hold more, or leak; 1 for all that is known by name
        self.recent = 0  # the same since the pass began
        self.touched = 0  # objects that were read since the operation began, with 1 in it
        self.global_names: dict[int, set[str]] = {}  # outside object -> global variables that it was read from
        self.asked: frozenset[str] = frozenset()  # names that the function asks the object for whose method is being called
        self.work = 0
        self.budget = max(BUDGET, BUDGET_OPERATION * len(code.ops))
        self.depth = 0  # of calls within calls
        self.hooks = 0  # the same of what Python calls unasked
        self.running: set[Any] = set()  # calls of bound methods that lead to the one in hand
        self.coarse = False  # solved again, with less told apart
        self.strict: dict[Any, frozenset[Any]] = {}  # what attributes had to be before, see Outcome
        self.deep_known: dict[int, tuple[int, int]] = {}
        self.bits_known: dict[int, list[int]] = {}
        self.instances_known: dict[tuple[int, str], dict[Instance, int]] = {}  # what ``instances`` found
        self.bits_size = 0  # of what is in ``bits_known``, see _REMEMBERED
        self.stored: dict[tuple[str, int], int] = {}  # (field, objects) -> those that hold them there
        self.grown: list[int] = []  # objects whose ``holds`` changed, in order
        self.outer = 0  # objects that are outside
        self.opened = 0  # objects whose ``__dict__`` was read, which stands for them: their attributes are its items
        self.subclassed = 0  # classes that may be one below in truth
        self.attributes: dict[tuple[ClassInfo, str], list[Any]] = {}  # types as long as this function finds no more of any
        self.bodies: dict[Any, Any] = {}  # the same of what class bodies assign, by what was asked
        universe.asked = self.deps
        self.outside(None)

    def restart(self) -> None:
        """From nothing, with less told apart. What was looked at was looked at all the same."""
        self.undo()
        kept = self.deps, self.own, self.before, self.strict
        State.__init__(self, self.universe, self.function)
        self.deps, self.own, self.before, self.strict = kept
        self.universe.asked = self.deps
        self.coarse = True

    # objects

    def object(self, key: Any, kind: int, what: Any, site: int = -1, root: int = -1, path: str = "") -> int:
        """The bit of the object of that key, made when first asked for."""
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = 1 << len(self.kind)
            self.bit.append(found)
            self.kind.append(kind)
            self.type.append(what)
            self.root.append(root)
            self.path.append(path)
            self.site.append(site)
            self.fields.append({})
            self.positions.append(0)
            self.holds.append(0)
            if kind == OUTSIDE:
                self.holds[-1] = 1
                self.outer |= found
            if kind == PARAMETER or (kind == REACHABLE and not path.endswith(DEEP)):
                number, inner = len(self.kind) - 1, below(path)
                self.holds[number] |= self.object(("r", root, inner, None), REACHABLE, None, root=root, path=inner)
            if type(what) is Instance:
                self.lazy |= what.cls.lazy and kind == MADE
                if what.immutable:
                    self.frozen |= found
                    if kind == MADE and what is self.universe.none:
                        self.markers |= found
            if kind == MADE and not found & self.frozen:
                self.holders |= found
        return found

    def outside(self, what: Any) -> int:
        """The object for everything outside of that type."""
        return self.known.get(("w", what)) or self.object(("w", what), OUTSIDE, what)

    def class_or_below(self, cls: ClassInfo) -> int:
        """The class of something that is an instance of it, or of a subclass."""
        found = self.object(("below", cls), OUTSIDE, cls)
        self.subclassed |= found
        return found

    def told(self, one: int) -> Any:
        """The type of an object as other functions are told it: it says no more there that a class may be one below."""
        return None if self.subclassed >> one & 1 else self.type[one]

    def made(self, number: Any, what: Any) -> int:
        """What an allocating operation makes; of several types if it is a call. Of no site if the number is no number."""
        found = self.known.get(("m", number, what))
        if found is None:
            site = self.code.objects[number][0] if type(number) is int else -1
            found = self.object(("m", number, what), MADE, what, site)
        return found

    def unknown(self, objects: int) -> Any:
        """The type of what is made of objects of unknown type: it may be known as soon as theirs are."""
        return PENDING if any(self.type[one] is PENDING for one in self.bits(objects)) else None

    def bits(self, objects: int) -> list[int]:
        """The numbers of the objects in a set; not to be changed."""
        found = self.bits_known.get(objects)
        if found is None:
            found = numbers(objects)
            size = len(found) + (objects.bit_length() >> 6)
            self.bits_size += size
            if self.bits_size > _REMEMBERED:
                self.bits_known.clear()
                self.instances_known.clear()
                self.bits_size = size
            self.bits_known[objects] = found
        return found

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > self.budget:
            raise TooTangled(self.function.name)

    # reading

    def load(self, bases: int, name: str) -> int:
        """What the objects hold in a field. "*" reads items, "?" everything."""
        found = bases & 1
        bases ^= found
        self.spend(bases.bit_count())
        plain = 0 if name == "?" or name in self.universe.in_bodies else bases & self.holders & ~self.opened
        if plain:  # nothing but their fields: what ``load_one`` finds there
            self.touched |= plain
            if plain & self.leaked:
                found |= 1
            for base in self.bits(plain):
                if self.fields[base]:
                    found |= self.in_fields(base, name)
        for base in self.bits(bases ^ plain):
            found |= self.load_one(base, self.bit[base], name)
        return found

    def load_one(self, base: int, bit: int, name: str) -> int:
        self.touched |= bit
        if bit & self.markers:
            return 0
        if name == "*" and bit & self.opened:
            name = "?"
        if bit & self.frozen:
            return self.item_of_immutable(base) if self.type[base] is not self.universe.none or name[:2] == "__" else 0
        found = self.in_fields(base, name) if self.fields[base] else 0
        kind = self.kind[base]
        if kind == MADE:
            if bit & self.leaked or (name == "?" and type(self.type[base]) is not Instance):  # what a function has besides
                found |= 1
            if name in self.universe.in_bodies and type(self.type[base]) is Instance:
                found |= self.of_class_body(self.type[base].cls, name)
        elif kind == OUTSIDE:
            for what in self.types_of(self.type[base], name):
                found |= self.outside(what)
        else:
            found |= self.reachable(base, name)
        return found

    def of_class_body(self, cls: ClassInfo, name: str) -> int:
        """What an object has of its class until it has one of its own: what can be put somewhere into that."""
        kinds = self.bodies.get((cls, name))
        if kinds is None:
            owners = [owner for owner in cls.mro if name in owner.class_names]
            known = {kind for owner in owners for kind in self.known_types(owner, in_body(name))}
            kinds = self.bodies[cls, name] = sorted((kind for kind in known if kind is None or (type(kind) is Instance and not kind.immutable)), key=type_order)
        found = 0
        for kind in kinds:
            found |= self.outside(kind)
        return found

    def in_fields(self, base: int, name: str) -> int:
        fields = self.fields[base]
        found = fields.get(name, 0) | fields.get("?", 0)
        if name == "*":
            found |= self.positions[base]
        elif name[0] in "0123456789":
            found |= fields.get("*", 0) | (fields.get("0", 0) if name == ir.ALONE else 0)
        elif name == "?":
            for other, objects in fields.items():
                found |= objects if other[0] != "&" else 0
        return found

    def item_of_immutable(self, base: int) -> int:
        """Items of a str are str; all else that an immutable object gives is of no interest, but unknown in type."""
        cls = self.type[base].cls
        return self.outside(self.universe.instance(cls.item)) if cls.item else 1

    def reachable(self, base: int, name: str) -> int:
        path = self.further(base, name) if self.kind[base] != PARAMETER else DEEP if self.coarse else name
        root = self.root[base]
        known = self.known
        found = 0
        for what in self.types_of(self.type[base], name):
            found |= known.get(("r", root, path, what)) or self.object(("r", root, path, what), REACHABLE, what, root=root, path=path)
        return found

    def further(self, base: int, name: str) -> str:
        """The path of a field of something reachable. Of unknown objects in a crowded function no second step is told apart."""
        path = self.path[base]
        if self.coarse:
            return DEEP
        if len(self.kind) > CROWDED // 2 and (self.type[base] is None or len(self.kind) > CROWDED):
            return path if path.endswith(DEEP) else below(path)
        return longer(path, name)

    def types_of(self, what: Any, name: str) -> list[Any]:
        """Types that an attribute of something outside may have; [None] if unknown."""
        if what is PENDING:
            return [PENDING]
        if what is None or name in ("*", "?", "&", DEEP):
            return _UNKNOWN
        if what is UNREAD:
            return [UNREAD]
        if type(what) is ModuleInfo:
            return self.universe.lookup(what, name, builtins=False)
        if type(what) is Instance:
            return self.attribute_types(what.cls, name)
        if type(what) is Function:
            return sorted(self.known_types(what.home(name), name) or (PENDING,), key=type_order)
        return [None]

    def known_types(self, owner: Any, name: str) -> frozenset[Any]:
        known = owner.attributes.get(name, NO_TYPES)
        self.deps.setdefault((owner, name), known)
        return known

    def attribute_types(self, cls: ClassInfo, name: str) -> list[Any]:
        known = self.attributes.get((cls, name))
        if known is None:
            known = self.attributes[cls, name] = self._attribute_types(cls, name)
        return known

    def _attribute_types(self, cls: ClassInfo, name: str) -> list[Any]:
        """What is assigned to the attribute of an object of unknown type is known of classes that assign it themselves only, and
        what a dataclass is made with of no class: of others nobody knows all."""
        found: set[Any] = set()
        family = cls.family()
        declared = next((relative.declared[name] for relative in family if relative.declared.get(name) is not None), None)
        if declared is None and (not self.universe.assigned(cls, name) or (cls.record and any(name in relative.declared for relative in family))):
            return [None]
        for relative in family:
            found |= self.known_types(relative, name)
        if declared is not None:  # and what is known to be more than that
            more = {kind for kind in found if self.is_below(kind, declared)}
            return [declared, *sorted(more, key=type_order)]
        if not found and not cls.open:
            return [PENDING]
        found.discard(self.universe.none)
        return [None] if not found or None in found or cls.open else sorted(found, key=type_order)

    @staticmethod
    def is_below(what: Any, other: Any) -> bool:
        """Whether the type is of a class that derives from the one of the other type."""
        return type(what) is Instance and type(other) is Instance and what.cls is not other.cls and other.cls in what.cls.mro

    def deep(self, bases: int) -> int:
        """Everything reachable from what the objects hold."""
        since, found = self.deep_known.get(bases, (-1, 0))
        grown = bases if since < 0 else self.grown_since(since) & (bases | found)
        if grown:
            found = self.reach(grown, found)
        self.deep_known[bases] = (len(self.grown), found)
        self.touched |= bases | found
        return found

    def grown_since(self, since: int) -> int:
        """The objects that hold more than when there were so many entries in the list of those that grew."""
        found = 0
        for one in self.grown[since:]:
            found |= one
        return found

    def reach(self, objects: int, found: int) -> int:
        """What was found, with all that is reachable from what the objects hold."""
        holds, thawed = self.holds, ~self.frozen
        todo = objects & thawed
        while todo:
            held = 0
            for one in numbers(todo):
                held |= holds[one]
            todo = held & ~found & thawed
            found |= held
        return found

    def held(self, bases: int) -> int:
        """What the objects hold directly."""
        found = 0
        self.touched |= bases
        holds = self.holds
        for base in self.bits(bases & ~self.frozen):
            found |= holds[base]
        return found

    # writing

    def put(self, variable: int, objects: int) -> None:
        if objects & ~self.pts[variable]:
            self.pts[variable] |= objects
            self.changed = True

    def note_change(self, objects: int) -> None:
        """Those who have read one of the objects have to read again."""
        self.changed = True
        if objects:
            self.log.append(objects)
            self.recent |= objects

    def leak(self, objects: int, cause: str, line: int) -> None:
        objects &= ~1
        if objects:
            key = (cause, line)
            known = self.leaks.get(key, 0)
            if objects & ~known:
                self.leaks[key] = known | objects
                self.note_change(objects & ~self.leaked)
                self.leaked |= objects

    def store(self, bases: int, name: str, objects: int, line: int, cause: str = "") -> None:
        """The objects become reachable from each base."""
        if not objects:
            return
        bases &= ~self.frozen
        if name == "*" and bases & self.opened:
            self.store(bases & self.opened, "?", objects, line, cause)
            bases &= ~self.opened
        typed = name[0] not in "*&?=~0123456789"
        if bases & self.outer:
            for base in self.bits(bases & self.outer):
                self.leak(objects, self.outside_cause(base, name, cause), line)
                if typed:
                    self.note_types(self.type[base], name, objects)
        known = self.stored.get((name, objects), 0)  # an object that holds something will hold it forever
        bases &= ~(known | self.outer)
        if not bases:
            return
        self.spend(bases.bit_count())
        self.stored[name, objects] = known | bases
        held = name[0] != "&"
        placed = name[0] in "0123456789"
        holds, lines = self.holds, self.store_lines
        for base in self.bits(bases):
            fields = self.fields[base]
            before = fields.get(name, 0)
            if objects & ~before:
                fields[name] = before | objects
                if placed:
                    self.positions[base] |= objects
                if held and objects & ~holds[base]:
                    holds[base] |= objects
                    self.grown.append(self.bit[base])
                self.note_change(self.bit[base])
                if (base, name) not in lines:
                    lines[base, name] = line
            if typed:
                self.note_types(self.type[base], name, objects)

    def open_up(self, one: int) -> None:
        """The object, one bit, may hold anything from outside."""
        fields = self.fields[one.bit_length() - 1]
        if not fields.get("?", 0) & 1:
            fields["?"] = fields.get("?", 0) | 1
            self.holds[one.bit_length() - 1] |= 1
            self.grown.append(one)
            self.note_change(one)

    def outside_cause(self, base: int, name: str, cause: str) -> str:
        """Where something outside keeps it: its global variable if there is one, what the call says, its type."""
        what = self.type[base]
        named = self.global_names.get(base, ())
        if len(named) == 1 and base:
            return f"global {next(iter(named))}"
        if cause:
            return cause
        where = getattr(what, "name", "") or getattr(getattr(what, "cls", None), "name", "")
        if type(what) is ClassInfo:
            return f"class {where}.{name}"
        return f"global {where}" if where else "global"

    def note_types(self, what: Any, name: str, objects: int) -> None:
        """Remembers of which types an attribute's values are."""
        owner = what.cls if type(what) is Instance else what.home(name) if type(what) is Function else what
        if not isinstance(owner, (ClassInfo, ModuleInfo, Function)):
            return
        self.add_types(owner, name, objects)
        if type(what) is ClassInfo:
            self.add_types(what, in_body(name), objects)

    def add_types(self, owner: Any, name: str, objects: int) -> None:
        """The function itself sees that from now on; others when the engine makes it known (``undo``)."""
        kinds = {self.told(one) for one in self.bits(objects)} - {PENDING}
        cell = (owner, name)
        self.written.setdefault(cell, set()).update(kinds)
        if cell not in self.deps:
            self.own.setdefault(cell, set()).update(kinds)
        before = owner.attributes.get(name)
        if owner.add_types(name, kinds):
            self.before.setdefault(cell, before)
            self.attributes.clear()
            self.bodies.clear()
            if cell in self.deps:
                self.note_change(1)

    def undo(self) -> None:
        """Takes back what was made known of attributes. Of those that changed after this function had last looked at them, what
        was there before is noted."""
        for (owner, name), before in self.before.items():
            last = owner.attributes.get(name, NO_TYPES)
            if self.deps.get((owner, name), last) != last:
                self.strict[owner, name] = before or NO_TYPES
            if before is None:
                owner.attributes.pop(name, None)
            else:
                owner.attributes[name] = before
