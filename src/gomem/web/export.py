"""The flame graph as one HTML file: the page's own style and flame script with the data inside, no server needed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gomem.pprof.measurement import scaled_label
from gomem.pprof.model import Profile
from gomem.record import replace
from gomem.report.config import Config
from gomem.report.make import make_report
from gomem.report.report import Report
from gomem.web.flame import FlameTree

STATIC = Path(__file__).parent / "static"
_SCRIPTS = ("units.js", "colour.js", "tree.js", "flame.js", "export.js")
# A file cannot ask for more when it is zoomed, so it holds more than a screen shows: 10 to 30 characters a node.
_EXPORT_LIMITS = {"min_share": 1 / 20_000, "max_nodes": 30_000}


def flame_document(
    profile: Profile, *, sample_type: str = "", title: str = "", config: Config | None = None, inverted: bool = False
) -> str:
    """The flame graph of a profile under the options of ``config`` as an HTML document. Raises ProfileError."""
    config = replace(config or Config())
    config.sample_index = sample_type or config.sample_index
    if config.granularity in ("", "functions"):
        config.granularity = "filefunctions"
    report = make_report(profile, "flamegraph", None, config, lambda text: None)
    return document_of(report, FlameTree(report, inverted=inverted), title=title, view={"inv": "1"} if inverted else {})


def document_of(report: Report, tree: FlameTree, *, title: str = "", view: Mapping[str, str] | None = None) -> str:
    """The document for a call tree; ``view`` are the URL parameters it starts with."""
    options = report.options
    data: dict[str, Any] = {
        "body": tree.answer(**_EXPORT_LIMITS),
        "head": {
            "title": title or options.title or "profile",
            "type": options.sample_type,
            "unit": options.sample_unit,
            "totalText": scaled_label(report.total, options.sample_unit, "auto"),
            "labels": report.profile_labels(),
            "filters": options.active_filters,
        },
        "view": {name: text for name, text in (view or {}).items() if name in ("inv", "q", "w")},
    }
    text = (STATIC / "export.html").read_text(encoding="utf-8")
    parts = {
        "title": html.escape(f"{data['head']['title']} {options.sample_type}"),
        "style": (STATIC / "style.css").read_text(encoding="utf-8"),
        "script": "\n".join((STATIC / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        # "</script>" or "<!--" in a name would end the element that holds the data.
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    return re.sub(r"/\*(title|style|script|data)\*/", lambda found: parts[found[1]], text)


def frame(document: str, height: int) -> str:
    """The document inside an ``<iframe>``, for notebooks, whose own styles and scripts it then cannot disturb."""
    return f'<iframe srcdoc="{html.escape(document)}" width="100%" height="{height}" style="border:0"></iframe>'
