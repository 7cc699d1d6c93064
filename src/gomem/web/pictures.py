"""The pictures among the reports: ``svg`` and ``flame`` to a file or stdout, ``web`` and ``weblist`` in a browser."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable

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

    ``svg`` and ``flame`` go to ``config.output``, else to stdout, else (a terminal) to a fresh file; ``web`` opens the
    SVG and ``weblist`` an annotated listing in a browser.
    """
    name, argument = command
    if name == "weblist":
        return _browse_listing(profile, argument or "", config, say)
    text = _flame(profile, config) if name == "flame" else _svg(profile, config, say)
    suffix = ".html" if name == "flame" else ".svg"
    path = config.output
    if name == "web":
        path = path or new_file("", "profile", suffix)
    elif not path and (interactive or sys.stdout.isatty()):
        path = new_file("", "profile", suffix)
    if not path:
        sys.stdout.write(text)
        return None
    _write(path, text, say)
    if name == "web":
        webbrowser.open(f"file://{path}")
    return None


def _svg(profile: Profile, config: Config, say: Say) -> str:
    from gomem.report.svg import print_svg

    return "".join(f"{line}\n" for line in print_svg(make_report(profile, "dot", None, config, say)))


def _flame(profile: Profile, config: Config) -> str:
    from gomem.web.export import flame_document

    return flame_document(profile, config=config)


def _write(path: str, text: str, say: Say) -> None:
    say(f"Generating report in {path}")
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def _browse_listing(profile: Profile, symbol: str, config: Config, say: Say) -> None:
    """The page's source view in a browser, until interrupted."""
    from urllib.parse import urlencode

    from gomem.report.source import listings
    from gomem.web.server import serve

    report = make_report(profile, "list", symbol, config, say)
    if next(iter(listings(report, report.options.symbol)), None) is None:  # type: ignore[arg-type]
        raise ProfileError(f"no matches found for regexp: {symbol}")
    serve(profile, config, "localhost:0", page="source?" + urlencode({"fn": symbol}))
