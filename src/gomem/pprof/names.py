"""Function names for people: simplified for matching, without C++ parameters, shortened for graph boxes."""

from __future__ import annotations

import re
from functools import lru_cache

# What precedes the part of a name worth showing in a small box: a Go import path, a Java package, a C++ namespace.
_SHORTENERS = (
    r"^(?:[\w\-.]+/)+([^.]+\..+)",
    r"^(?:[a-z]\w*\.)*([A-Z][\w$]*\.(?:<init>|[a-z][\w$]*(?:\$\d+)?))(?:\(|$)",
    r"^(?:[_a-zA-Z]\w*::)+(_*[A-Z]\w*::~?[_a-zA-Z]\w*(?:<.*>)?)",
)
_GO_VERSION = r"^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$"


@lru_cache(maxsize=1 << 16)
def simplify(name: str) -> str:
    """The name without the dot of PPC symbols and without its parameter list, as drop_frames expects it."""
    name = name.removeprefix(".")
    at = name.find("(")
    while at >= 0:
        reserved = "(anonymous namespace)" if name.startswith("(anonymous namespace)", at) else ""
        if name.endswith("operator", 0, at) and name.startswith("()", at):
            reserved = "()"
        if not reserved:
            return name[:at]
        at = name.find("(", at + len(reserved))
    return name


def shorten(name: str) -> str:
    """The last telling part of a Go, Java or C++ name; any other name as it is."""
    name = name.removeprefix("(anonymous namespace)::")
    name = re.sub(_GO_VERSION, r"\1\2", name)
    for pattern in _SHORTENERS:
        match = re.match(pattern, name, re.ASCII)
        if match is not None:
            return match[1]
    return name


def looks_like_cpp(name: str) -> bool:
    """True for names that a C++ demangler may have written; Java's ``X.<init>`` and Go's ``(*T[...]).M`` are none."""
    if ".<" in name or "])." in name:
        return False
    return "::" in name or any(c in name for c in "<>[]")


def drop_bracketed(name: str, opening: str, closing: str) -> str:
    """The name without any ``opening...closing``, nested ones included; with unmatched ones, what was done so far."""
    depth = first = at = 0
    while at < len(name):
        if name[at] == opening:
            depth += 1
            if depth == 1:
                first = at
        elif name[at] == closing:
            depth -= 1
            if depth < 0:
                return name
            if depth == 0:
                name = name[:first] + name[at + 1 :]
                at = first - 1
        at += 1
    return name


@lru_cache(maxsize=1 << 16)
def demangle(system_name: str, mode: str) -> str:
    """The name to show for a linker's name. Mode "" drops parameters and template arguments, ``templates`` keeps the
    latter, ``full`` keeps both.

    Encoded C++ names (``_Z...``) need the C++ runtime library, which nearly every Linux has; without it they stay.
    """
    name = _decoded(system_name)
    if mode == "full":
        return name
    if name != system_name or looks_like_cpp(name):
        name = drop_bracketed(name, "(", ")") if name == system_name else simplify(name)
        if mode == "":
            name = drop_bracketed(name, "<", ">")
    return name


def _decoded(name: str) -> str:
    mangled = name if name.startswith("_Z") else name[1:] if name.startswith("__Z") else ""
    return _cxx_decoded(mangled) or name if mangled else name


def _cxx_decoded(mangled: str) -> str:
    import ctypes

    try:
        library = ctypes.CDLL("libstdc++.so.6")
        free = ctypes.CDLL(None).free
    except OSError:
        return ""
    library.__cxa_demangle.restype = ctypes.c_void_p
    status = ctypes.c_int()
    text = library.__cxa_demangle(mangled.encode("utf-8", "surrogateescape"), None, None, ctypes.byref(status))
    if not text:
        return ""
    decoded = ctypes.string_at(text).decode("utf-8", "surrogateescape")
    free(ctypes.c_void_p(text))
    return decoded
