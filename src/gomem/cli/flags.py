"""Command-line flags as Go's flag package reads them.

``-x``, ``--x``, ``-x=v`` and ``-x v`` (not for booleans) are flags, up to the first argument that is none, or ``--``.
"""

from __future__ import annotations

from typing import Any

from gomem.errors import UsageError

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class HelpWanted(UsageError):
    """``-h`` or ``-help`` was given."""


class Flags:
    """Flags by name with their defaults, whose types say how they are read."""

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.values = dict(defaults)
        self.given: set[str] = set()

    def parse(self, args: list[str]) -> list[str]:
        """Sets the flags and returns the arguments behind them. Raises UsageError in Go's words."""
        rest = list(args)
        while rest:
            arg = rest[0]
            if len(arg) < 2 or arg[0] != "-":
                break
            rest.pop(0)
            if arg == "--":
                break
            self._take(arg, rest)
        return rest

    def _take(self, arg: str, rest: list[str]) -> None:
        body = arg[2:] if arg.startswith("--") else arg[1:]
        if not body or body[0] in "-=":
            raise UsageError(f"bad flag syntax: {arg}")
        name, equals, text = body.partition("=")
        if name not in self.values:
            if name in ("h", "help"):
                raise HelpWanted("help requested")
            raise UsageError(f"flag provided but not defined: -{name}")
        default = self.values[name]
        if isinstance(default, bool):
            self.values[name] = _boolean(name, text) if equals else True
        else:
            if not equals:
                if not rest:
                    raise UsageError(f"flag needs an argument: -{name}")
                text = rest.pop(0)
            self.values[name] = _value(name, text, type(default))
        self.given.add(name)


def _boolean(name: str, text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise UsageError(f'invalid boolean value "{text}" for -{name}: parse error')


def _value(name: str, text: str, kind: type) -> Any:
    if kind is str:
        return text
    try:
        if text != text.strip():
            raise ValueError
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        pass
    if kind is int and text.lstrip("+-").isdigit():
        return int(text, 8) if set(text) <= set("+-01234567") else _fail(name, text)
    return _fail(name, text)


def _fail(name: str, text: str) -> Any:
    raise UsageError(f'invalid value "{text}" for flag -{name}: parse error')
