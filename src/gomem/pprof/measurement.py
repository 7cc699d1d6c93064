"""Values with units to text, as pprof prints them.

A value is scaled to the unit asked for, ``minimum`` and ``auto`` picking the largest unit that leaves at least 1. Bytes
go in steps of 1024 (B, kB, MB ... PB), times from ns to hrs, GCU in steps of 1000; any other unit is left alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit's name as printed, the names it goes by, and its size in the smallest unit of its kind."""

    name: str
    aliases: tuple[str, ...]
    factor: float


class _Kind(NamedTuple):
    units: tuple[Unit, ...]
    default: Unit


_BYTE = Unit("B", ("b", "byte"), 1)
_BYTES = (
    _BYTE,
    Unit("kB", ("kb", "kbyte", "kilobyte"), 1 << 10),
    Unit("MB", ("mb", "mbyte", "megabyte"), 1 << 20),
    Unit("GB", ("gb", "gbyte", "gigabyte"), 1 << 30),
    Unit("TB", ("tb", "tbyte", "terabyte"), 1 << 40),
    Unit("PB", ("pb", "pbyte", "petabyte"), 1 << 50),
)
_TIMES = (
    Unit("ns", ("ns", "nanosecond"), 1),
    Unit("us", ("μs", "us", "microsecond"), 1e3),
    Unit("ms", ("ms", "millisecond"), 1e6),
    Unit("s", ("s", "sec", "second"), 1e9),
    Unit("hrs", ("hour", "hr"), 3600e9),
)
_GCU_PREFIXES = (
    ("n", "nano", 1e-9),
    ("u", "micro", 1e-6),
    ("m", "milli", 1e-3),
    ("", "", 1.0),
    ("k", "kilo", 1e3),
    ("M", "mega", 1e6),
    ("G", "giga", 1e9),
    ("T", "tera", 1e12),
    ("P", "peta", 1e15),
)
_GCUS = tuple(Unit(f"{short}*GCU" if short else "GCU", (f"{long}gcu",), size) for short, long, size in _GCU_PREFIXES)
KINDS = (_Kind(_BYTES, _BYTE), _Kind(_TIMES, Unit("s", (), 1e9)), _Kind(_GCUS, Unit("GCU", (), 1.0)))

_UNITLESS = ("count", "sample", "unit", "minimum", "auto")


@lru_cache(maxsize=1024)
def _find(kind: _Kind, name: str) -> Unit | None:
    name = name.lower()
    if len(name) > 2 and name.endswith("s"):
        name = name[:-1]
    return next((unit for unit in kind.units if name in unit.aliases), None)


def same_kind(one: str, other: str) -> bool:
    """True when both unit names are known and measure the same kind of thing."""
    return any(_find(kind, one) and _find(kind, other) for kind in KINDS)


def scale(value: int, from_unit: str, to_unit: str) -> tuple[float, str]:
    """The value in another unit, and the unit's name to print ("" where it would say nothing)."""
    if value < 0 and value != -(1 << 63):
        scaled, unit = scale(-value, from_unit, to_unit)
        return -scaled, unit
    for kind in KINDS:
        start = _find(kind, from_unit)
        if start is not None:
            return _convert(kind, float(value) * start.factor, to_unit)
    return float(value), "" if to_unit in _UNITLESS else to_unit


def _convert(kind: _Kind, value: float, to_unit: str) -> tuple[float, str]:
    if to_unit in ("minimum", "auto"):
        fitting = [unit for unit in kind.units if value / unit.factor >= 1.0]
        target = max(fitting, key=lambda unit: unit.factor, default=kind.default)
    else:
        target = _find(kind, to_unit) or kind.default
    return value / target.factor, target.name


def label(value: int, unit: str) -> str:
    """The value in the unit that suits it best, such as ``1.50kB``."""
    return scaled_label(value, unit, "auto")


def scaled_label(value: int, from_unit: str, to_unit: str) -> str:
    """The value in a unit with two decimals, without ``.00``, and a bare 0."""
    scaled, unit = scale(value, from_unit, to_unit)
    text = f"{scaled:.2f}".removesuffix(".00")
    return "0" if text in ("0", "-0") else text + unit


def percentage(value: int, total: int) -> str:
    """The share of a total, six characters wide: ``  100%``, two decimals from 1 on, two digits below."""
    ratio = abs(float(value) / float(total)) * 100 if total else 0.0
    if 99.95 <= ratio <= 100.05:
        return "  100%"
    return f"{ratio:5.2f}%" if ratio >= 1 else f"{ratio:5.2g}%"


def divide(value: int, divisor: int) -> int:
    """Integer division as Go does it: towards 0, by 0 the value itself."""
    if divisor == 0:
        return value
    quotient = abs(value) // abs(divisor)
    return quotient if (value < 0) == (divisor < 0) else -quotient


def truncate(value: float) -> int:
    """A float as int64 the way Go converts it: towards 0, the lowest int64 where it does not fit."""
    return int(value) if -(2.0**63) <= value < 2.0**63 else -(1 << 63)
