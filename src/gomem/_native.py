"""The native part of gomem, or one sentence saying why there is none."""

from __future__ import annotations

from types import ModuleType

from gomem.errors import UnsupportedError


def core() -> ModuleType:
    """The module gomem._core; UnsupportedError where it was not built (Windows, macOS, PyPy) or cannot be loaded (an
    interpreter with a GIL of its own)."""
    try:
        from gomem import _core
    except ImportError as error:
        raise UnsupportedError(
            f"gomem._core: cannot be loaded ({error}), want gomem built with a C compiler for CPython 3.11 to 3.13 on Linux"
        ) from error
    return _core
