"""Escape analysis: for every allocation of a program, does it die with its frame, and if not, why.

``analyse`` judges files; ``sites`` lists the allocation sites of a module; everything else of this package speaks of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gomem.escape.analysis import Analysis, Verdict, analyse
    from gomem.escape.sites import Site

__all__ = ["Analysis", "Site", "Verdict", "analyse"]


def __getattr__(name: str) -> Any:
    if name in ("Analysis", "Verdict", "analyse"):
        from gomem.escape import analysis

        return getattr(analysis, name)
    if name == "Site":
        from gomem.escape.sites import Site

        return Site
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
