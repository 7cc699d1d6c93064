"""Bytes and durations to text and back."""

import re

_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?\s*\Z", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """Bytes from text such as ``512``, ``64k``, ``1.5GiB``; units are powers of 1024.

    Raises ValueError when the text is no size.
    """
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"size: got {text!r}, want a number of bytes such as 65536, 64k or 1.5GiB")
    return int(float(match[1]) * _SIZES[match[2].lower()])


def format_bytes(count: float) -> str:
    """Bytes as text with the unit that leaves one to four digits: ``512B``, ``1.50kB``, ``12.25MB``, as pprof writes them."""
    sign, count = ("-", -count) if count < 0 else ("", count)
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            break
        count /= 1024
    else:
        unit = "TB"
    return f"{sign}{count:.2f}".rstrip("0").rstrip(".") + unit if count != int(count) else f"{sign}{int(count)}{unit}"
