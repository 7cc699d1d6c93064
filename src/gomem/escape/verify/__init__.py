"""The truth of an escape analysis: run the program and watch what becomes of every allocation.

``run`` runs a program with its modules instrumented and returns a ``Truth``, which can be saved, loaded and added up;
``compare`` holds verdicts against it; ``write_comparison`` prints what came out.
"""

from __future__ import annotations

__all__ = ["Comparison", "Seen", "Truth", "compare", "run", "write_comparison"]

_HOMES = {"run": "command", "Seen": "truth", "Truth": "truth"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'comparison')}"), name)
