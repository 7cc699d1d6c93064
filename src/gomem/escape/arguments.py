"""How the arguments of a call meet the parameters of what is called."""

from __future__ import annotations

from typing import Any, Final

from gomem.escape import ir
from gomem.escape.entities import Function, Shape
from gomem.escape.solve import MADE, State

POSITIONS: Final = 8  # parameters told apart when a method is known by its name only


class Given:
    """The arguments of one call as sets of objects; ``exact`` if the call names each of them. ``packs`` are the tuples
    behind a star, which an exception keeps as they are."""

    __slots__ = ("positional", "named", "stars", "doubles", "exact", "packs")

    def __init__(self, positional: list[int], named: dict[str, int], stars: int, doubles: int, exact: bool = False) -> None:
        self.positional = positional
        self.named = named
        self.stars = stars
        self.doubles = doubles
        self.exact = exact
        self.packs = 0

    def everything(self) -> int:
        found = self.stars | self.doubles
        for objects in self.positional:
            found |= objects
        for objects in self.named.values():
            found |= objects
        return found

    def shape(self) -> Shape | None:
        """How many by position and which keywords; None if only a run can tell."""
        return (len(self.positional), frozenset(self.named)) if self.exact else None

    def behind(self, first: int) -> Given:
        """The same with one more argument before the others."""
        made = Given([first, *self.positional], self.named, self.stars, self.doubles, self.exact)
        made.packs = self.packs
        return made


NOTHING: Final = Given([], {}, 0, 0)


class Arguments(State):
    """Binds them."""

    def bind(self, function: Function, given: Given, number: Any, env: int) -> dict[Any, int]:
        """The objects of each parameter, by its index; the closure itself behind the last."""
        values: dict[Any, int] = {}
        positional = list(given.positional)
        named = dict(given.named)
        for index, (name, how, _, default) in enumerate(function.params):
            objects = 0
            if how == ir.REST:
                objects = self.packed((number, function, index), positional, given.stars)
                objects |= given.packs if function.code is None and not positional else 0
                positional = []
            elif how == ir.KEYWORDS:
                objects = self.packed((number, function, index), list(named.values()), given.doubles)
            else:
                found = False
                if how != ir.KEYWORD_ONLY and positional:
                    objects, found = positional.pop(0), True
                elif how != ir.POSITIONAL_ONLY and name in named:
                    objects, found = named.pop(name), True
                else:
                    objects = given.doubles | (given.stars if how != ir.KEYWORD_ONLY else 0)
                if not found and default == ir.OBJECT_DEFAULT:
                    objects |= self.load(env, f"={name}") if env & ~1 and self.is_made(env) else 1
            values[index] = objects
        values[len(function.params)] = env or 1
        return values

    def is_made(self, objects: int) -> bool:
        return self.kind[(objects & -objects).bit_length() - 1] == MADE

    def packed(self, key: Any, values: list[int], more: int) -> int:
        """The tuple or dict of surplus arguments, as the callee sees it."""
        pack = self.object(("p", key), MADE, self.universe.instance("tuple"))
        objects = more
        for value in values:
            objects |= value
        self.store(pack, "*", objects, 0)
        return pack

    def bind_merged(self, number: Any, this: int, given: Given, used: set[Any]) -> dict[Any, int]:
        values: dict[Any, int] = {"0": this, "env": 1}
        rest = given.stars
        for position, objects in enumerate(given.positional, 1):
            key = str(min(position, POSITIONS))
            values[key] = values.get(key, 0) | objects
            rest |= objects
        if given.stars:
            for position in range(len(given.positional) + 1, POSITIONS + 1):
                values[str(position)] = values.get(str(position), 0) | given.stars
        keywords = given.doubles
        for name, objects in given.named.items():
            values[f"k:{name}"] = objects
            keywords |= objects
        values["rest"] = self.packed((number, "rest"), [rest], 0) if rest and "rest" in used else 0
        values["keywords"] = self.packed((number, "keywords"), [keywords], 0) if keywords and "keywords" in used else 0
        values["doubles"] = given.doubles
        return values
