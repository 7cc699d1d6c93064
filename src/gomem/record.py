"""Records: classes whose annotated names are their fields, as ``dataclasses.dataclass(slots=True)`` makes them.

Written out here because importing ``dataclasses`` brings inspect, ast, dis and tokenize, which takes as long as a short
report does, and which a profiled program would then have in its memory too. Records have no subclasses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, dataclass_transform

R = TypeVar("R", bound="Record")


class Field(NamedTuple):
    """What ``field`` says of a name."""

    default: Any
    factory: Callable[[], Any] | None
    init: bool


class _New:
    def __repr__(self) -> str:
        return "<factory>"


_NEW = _New()


def field(*, default: Any = None, default_factory: Callable[[], Any] | None = None, init: bool = True) -> Any:
    """A field whose default is made anew for each record, or one that the constructor does not take: such a field
    counts neither in ``==`` nor in ``replace``."""
    return Field(default, default_factory, init)


class _RecordType(type):
    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        annotations = body.get("__annotations__", {})
        fields = {key: _as_field(body.pop(key, ...)) for key in annotations}
        body["__slots__"] = tuple(fields)
        body["__match_args__"] = tuple(key for key, wanted in fields.items() if wanted.init)
        if fields:
            body["__init__"] = _constructor(fields)
            body["__init__"].__qualname__ = f"{name}.__init__"
            body["__init__"].__annotations__ = {**{key: annotations[key] for key in body["__match_args__"]}, "return": None}
        return super().__new__(cls, name, bases, body)


def _as_field(value: Any) -> Field:
    return value if isinstance(value, Field) else Field(value, None, True)


def _constructor(fields: dict[str, Field]) -> Callable[..., None]:
    """``__init__`` as one would write it by hand, so that it is quick and help() shows the parameters."""
    known: dict[str, Any] = {"_NEW": _NEW}
    parameters, body = ["self"], []
    for key, wanted in fields.items():
        if wanted.factory is not None:
            known[f"_make_{key}"] = wanted.factory
            parameters.append(f"{key}=_NEW")
            body.append(f" self.{key} = _make_{key}() if {key} is _NEW else {key}")
            continue
        known[f"_{key}"] = wanted.default
        body.append(f" self.{key} = {key if wanted.init else f'_{key}'}")
        if wanted.init:
            parameters.append(key if wanted.default is ... else f"{key}=_{key}")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body), known)
    return known["__init__"]


@dataclass_transform(field_specifiers=(field,))
class Record(metaclass=_RecordType):
    """Base of records: a constructor that takes the fields in their order or by name, ``==``, ``repr`` and ``replace``."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, key) == getattr(other, key) for key in self.__match_args__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={getattr(self, key)!r}' for key in self.__match_args__)})"

    def __replace__(self: R, /, **changes: Any) -> R:
        return type(self)(**{key: getattr(self, key) for key in self.__match_args__} | changes)


def replace(record: R, /, **changes: Any) -> R:
    """A copy of the record with other values in some fields."""
    return record.__replace__(**changes)
