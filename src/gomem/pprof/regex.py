"""Regular expressions as pprof's users write them: RE2's syntax, not Python's.

The google-re2 package compiles them. A pattern without any special character is a plain substring search and needs no
package; without google-re2 the others fall back on Python's ``re``, in which look-arounds and a few escapes mean other
things: with a notice for what a user wrote, without one for what stands in profiles.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import Any

from gomem.errors import ProfileError

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")

# RE2's messages in the words of Go's regexp package, which pprof prints.
_MESSAGES = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "bad repetition operator": "invalid nested repetition operator",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


class Pattern:
    """A compiled regular expression; remembers what it said about each text, for names repeat."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._seen: dict[str, bool] = {}
        self.by_python = False  # compiled by re for want of google-re2
        self._search = None if _SPECIAL.search(source) is None else self._compile(source)

    def matches(self, text: str) -> bool:
        """True when the expression matches anywhere in the text."""
        if self._search is None:
            return self.source in text
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = self._search(text)
        return known

    def _compile(self, source: str) -> Any:
        try:
            return _compile_re2(source)
        except ImportError:
            self.by_python = True
            return _compile_without_re2(source)


def compile_pattern(source: str, context: str) -> Pattern:
    """A user's expression, compiled. Raises ProfileError ``{context}: error parsing regexp: ...`` as the real tool prints."""
    try:
        pattern = Pattern(source)
    except PatternError as error:
        raise ProfileError(f"{context}: error parsing regexp: {error}") from None
    if pattern.by_python:
        _notice()
    return pattern


class PatternError(ValueError):
    """Not a regular expression; the message says why, in the words of Go's regexp package."""


def _compile_re2(source: str) -> Any:
    if "\\C" in source:
        raise PatternError("invalid escape sequence: `\\C`")
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(source.encode("utf-8", "surrogateescape"), options)
    except re2.error as error:
        raise PatternError(_go_message(error.args[0])) from None
    return lambda text: compiled.search(text.encode("utf-8", "surrogateescape")) is not None


def _go_message(message: bytes | str) -> str:
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    if text.startswith("trailing \\"):
        return "trailing backslash at end of expression: ``"
    what, _, argument = text.partition(": ")
    return f"{_MESSAGES.get(what, what)}: `{argument}`"


@functools.cache
def _notice() -> None:
    print(
        "gomem: google-re2 is not installed, so Python's regular expressions are used; pip install 'gomem[view]'",
        file=sys.stderr,
    )


def _compile_without_re2(source: str) -> Any:
    try:
        compiled = re.compile(source.replace("\\z", "\\Z").replace("(?U)", ""))
    except re.error as error:
        raise PatternError(f"{error.msg}: `{source}`") from None
    return lambda text: compiled.search(text) is not None
