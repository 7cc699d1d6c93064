"""The options of a report, by the names that the command line, the shell and the web page's URL share.

Fields stand in the real tool's order; ``FIELDS`` tells each one's type, URL parameter and choices.
"""

from __future__ import annotations

from collections.abc import Mapping

from gomem.errors import ProfileError
from gomem.record import Record
from gomem.report.report import go_quote

SORTS = ("cum", "flat")
GRANULARITIES = ("functions", "filefunctions", "files", "lines", "addresses")
CHOICES = {"sort": SORTS, "granularity": GRANULARITIES}


class Config(Record):
    """One set of options; every default is the command line's."""

    output: str = ""
    call_tree: bool = False
    relative_percentages: bool = False
    unit: str = "minimum"
    compact_labels: bool = False
    source_path: str = ""
    trim_path: str = ""
    intel_syntax: bool = False
    mean: bool = False
    sample_index: str = ""
    divide_by: float = 1.0
    normalize: bool = False
    sort: str = "flat"
    tagroot: str = ""
    tagleaf: str = ""
    drop_negative: bool = False
    nodecount: int = -1
    nodefraction: float = 0.005
    edgefraction: float = 0.001
    trim: bool = True
    focus: str = ""
    ignore: str = ""
    prune_from: str = ""
    hide: str = ""
    show: str = ""
    show_from: str = ""
    tagfocus: str = ""
    tagignore: str = ""
    tagshow: str = ""
    taghide: str = ""
    noinlines: bool = False
    showcolumns: bool = False
    granularity: str = ""

    def text(self, name: str) -> str:
        """A field as text, as Go prints it."""
        value = getattr(self, name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

    def set(self, name: str, text: str) -> None:
        """Sets a field, or the group a choice such as ``cum`` belongs to, from text. Raises ProfileError."""
        if name in GROUP_OF:
            if text.lower() not in ("1", "t", "true"):
                raise ProfileError(f"unknown config field {go_quote(name)}")
            name, text = GROUP_OF[name], name
        if name not in TYPES:
            raise ProfileError(f"unknown config field {go_quote(name)}")
        if name in CHOICES and text not in CHOICES[name]:
            raise ProfileError(f"invalid {go_quote(name)} value {go_quote(text)}")
        setattr(self, name, _parse(TYPES[name], text))

    def apply_url(self, parameters: Mapping[str, str]) -> None:
        """Sets the fields that URL parameters name; empty ones stay. Raises ProfileError."""
        for name, parameter in URL_PARAMETERS.items():
            if parameters.get(parameter):
                try:
                    self.set(name, parameters[parameter])
                except ProfileError as error:
                    raise ProfileError(f"error setting config field {name}: {error}") from None

    def url(self) -> dict[str, str]:
        """The URL parameters of the fields that are not at their default."""
        default = Config()
        found = {}
        for name, parameter in URL_PARAMETERS.items():
            if getattr(self, name) != getattr(default, name):
                found[parameter] = self.text(name)[: 1 if TYPES[name] is bool else None]
        return found


_DEFAULTS = Config()
TYPES: dict[str, type] = {name: type(getattr(_DEFAULTS, name)) for name in Config.__match_args__}
GROUP_OF = {choice: group for group, choices in CHOICES.items() for choice in choices}

# tagroot and tagleaf have none in the real tool.
URL_PARAMETERS = {
    "call_tree": "calltree",
    "relative_percentages": "rel",
    "unit": "unit",
    "compact_labels": "compact",
    "intel_syntax": "intel",
    "mean": "mean",
    "sample_index": "si",
    "normalize": "norm",
    "sort": "sort",
    "tagroot": "tr",
    "tagleaf": "tl",
    "drop_negative": "dropneg",
    "nodecount": "n",
    "nodefraction": "nf",
    "edgefraction": "ef",
    "trim": "trim",
    "focus": "f",
    "ignore": "i",
    "prune_from": "prunefrom",
    "hide": "h",
    "show": "s",
    "show_from": "sf",
    "tagfocus": "tf",
    "tagignore": "ti",
    "tagshow": "ts",
    "taghide": "th",
    "noinlines": "noinlines",
    "showcolumns": "showcolumns",
    "granularity": "g",
}


def _parse(kind: type, text: str) -> object:
    if kind is bool:
        if text.lower() in ("true", "t", "yes", "y", "1", ""):
            return True
        if text.lower() in ("false", "f", "no", "n", "0"):
            return False
        raise ProfileError(f'illegal value "{text}" for bool variable')
    if kind is str:
        return text
    try:
        if text != text.strip() or "_" in text:
            raise ValueError
        return int(text) if kind is int else float(text)
    except ValueError:
        what = "Atoi" if kind is int else "ParseFloat"
        raise ProfileError(f"strconv.{what}: parsing {go_quote(text)}: invalid syntax") from None
