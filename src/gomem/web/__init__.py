"""The viewer page: flame graph, top, graph, peek, source and tags of a profile, in a browser or as one file.

- ``store`` holds the decoded profiles, ``pages`` turns a URL's options into JSON, ``server`` hands it out;
- ``flame`` is the flame graph's call tree, ``export`` makes files that need no server;
- ``static/`` is the page itself: plain JavaScript and CSS, no build step, nothing from the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gomem.pprof.model import Profile

__all__ = ["flame_html"]


def flame_html(profile: Profile, *, sample_type: str = "", title: str = "", height: int = 0) -> str:
    """The profile's flame graph as one HTML page that needs no network, for a file or a notebook's frame.

    ``sample_type`` is a name such as ``inuse_space``, or "" for the profile's default. With a ``height`` in pixels the
    result is an ``<iframe>`` that a notebook can display, without one a whole document. Raises ProfileError for a
    sample type that the profile lacks. Costs about 0.1 s and 150 to 1000 kB of text.
    """
    from gomem.web.export import flame_document, frame

    document = flame_document(profile, sample_type=sample_type, title=title)
    return frame(document, height) if height else document
