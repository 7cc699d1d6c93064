"""Every public name and signature of the package, one a line: ``python tests/api_listing.py > api.txt``."""

from __future__ import annotations

import importlib
import inspect

# module -> the names that are public there; none: those of its __all__
PLACES = {
    "gomem": (),
    "gomem.heap": ("HeapStats", "parse_rate", "unsampled", "window_peak_bytes"),
    "gomem.endpoint": (),
    "gomem.endpoint.server": ("Server",),
    "gomem.gc": (
        "Cycle", "GCStats", "collect", "disable", "enable", "enable_from_environment", "freeze", "is_enabled", "parse",
        "set_gc_percent", "set_memory_limit", "set_pause_ms", "stats", "unsupported",
    ),
    "gomem.notebook": ("CellProfile",),
    "gomem.errors": ("GomemError", "ProfileError", "UnsupportedError", "UsageError"),
    "gomem.units": ("format_bytes", "parse_bytes"),
    "gomem.pprof": (),
    "gomem.web": (),
}


def listing() -> list[str]:
    lines = []
    for place, names in PLACES.items():
        module = importlib.import_module(place)
        for name in names or sorted(module.__all__):
            lines += _describe(f"{place}.{name}", getattr(module, name))
    return lines


def _describe(name: str, thing: object) -> list[str]:
    if inspect.isclass(thing):
        made_by = "" if issubclass(thing, (tuple, BaseException)) else f" {_signature(thing)}"
        return [f"class {name}{_bases(thing)}{_fields(thing)}{made_by}", *_members(name, thing)]
    return [name + _signature(thing)]


def _bases(cls: type) -> str:
    known = [base.__name__ for base in cls.__bases__ if base is not object and base.__module__.startswith(("gomem", "builtins"))]
    return f"({', '.join(known)})" if known else ""


def _fields(cls: type) -> str:
    fields = getattr(cls, "_fields", None)
    return f": {', '.join(fields)}" if fields else ""


def _signature(thing: object) -> str:
    try:
        return str(inspect.signature(thing))
    except (TypeError, ValueError):
        return "(...)"


def _members(name: str, cls: type) -> list[str]:
    """Methods and properties that gomem defines, in the class or in a base of its own."""
    found: dict[str, str] = {}
    for owner in reversed([base for base in cls.__mro__ if base.__module__.startswith("gomem")]):
        fields = getattr(owner, "_fields", ())
        for member, thing in vars(owner).items():
            if member.startswith("_") or member in fields:
                continue
            found[member] = _signature(thing) if callable(thing) or hasattr(thing, "__func__") else ""
    return [f"    {name.rpartition('.')[2]}.{member}{text}" for member, text in sorted(found.items())]


if __name__ == "__main__":
    print("\n".join(listing()))
