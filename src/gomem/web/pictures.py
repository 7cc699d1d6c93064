"""The pictures among the reports: ``svg`` and ``flame`` to a file or stdout, ``web`` and ``weblist`` in a browser."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

from gomem.errors import ProfileError
from gomem.pprof.fetch import new_file
from gomem.pprof.model import Profile
from gomem.report.config import Config
from gomem.report.make import make_report

Say = Callable[[str], None]


def run_picture(
    profile: Profile, command: tuple[str, str | None], config: Config, say: Say, *, interactive: bool = False
) -> None:
    """Draws what the command asks for. Raises ProfileError and OSError.

    All go to ``config.output`` where it is given. Else ``svg`` and ``flame`` go to stdout, or (a terminal) to a fresh
    file; ``web``, which is the SVG, and ``weblist`` go to a fresh file in the temporary directory and into a browser.
    """
    name, argument = command
    if name == "weblist":
        text = _listing(profile, argument or "", config, say)
    else:
        text = _flame(profile, config) if name == "flame" else _svg(profile, config, say)
    suffix = ".html" if name in ("flame", "weblist") else ".svg"
    path = config.output
    if not path and name in ("web", "weblist"):
        path = new_file(tempfile.gettempdir(), "pprof", suffix)
    elif not path and (interactive or sys.stdout.isatty()):
        path = new_file("", "profile", suffix)
    if not path:
        sys.stdout.write(text)
        return
    _write(path, text, say)
    if name in ("web", "weblist") and not config.output and not webbrowser.open(Path(path).absolute().as_uri()):
        raise ProfileError(f"{name}: no browser found: open {path} in one, or set BROWSER")


def _svg(profile: Profile, config: Config, say: Say) -> str:
    from gomem.report.svg import print_svg

    return "".join(f"{line}\n" for line in print_svg(make_report(profile, "dot", None, config, say)))


def _flame(profile: Profile, config: Config) -> str:
    from gomem.web.export import flame_document

    return flame_document(profile, config=config)


def _listing(profile: Profile, symbol: str, config: Config, say: Say) -> str:
    from gomem.web.listing import listing_document

    return "".join(f"{line}\n" for line in listing_document(make_report(profile, "list", symbol, config, say)))


def _write(path: str, text: str, say: Say) -> None:
    say(f"Generating report in {path}")
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
