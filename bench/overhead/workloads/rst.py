"""Real documents through a real program: docutils turns the long descriptions of docutils and psutil into HTML."""

from importlib.metadata import metadata

from docutils.core import publish_string

COUNT = 10
DOCUMENTS = tuple(str(metadata(package).get_payload()) for package in ("docutils", "psutil"))
SETTINGS = {"report_level": 5, "embed_stylesheet": False, "syntax_highlight": "none", "raw_enabled": False, "_disable_config": True}


def run(count: int) -> int:
    checksum = 0
    for _ in range(count):
        for document in DOCUMENTS:
            checksum += len(publish_string(document, writer="html5", settings_overrides=SETTINGS))
    return checksum
