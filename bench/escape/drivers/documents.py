"""docutils: its own documents, in every kind of output."""

import glob
import sys

from docutils.core import publish_doctree, publish_string

sys.argv = sys.argv[:1]
settings = {"report_level": 5, "halt_level": 6, "_disable_config": True, "warning_stream": False}
files = sorted(glob.glob("docs/**/*.rst", recursive=True) + glob.glob("*.rst") + glob.glob("docs/**/*.txt", recursive=True))
size = 0
for number, name in enumerate(files[:28]):
    with open(name, encoding="utf-8") as file:
        text = file.read()[:30_000]
    writer = ("html5", "latex", "manpage", "xml", "pseudoxml", "html4", "xetex")[number % 7]
    try:
        size += len(publish_string(text, source_path=name, writer=writer, settings_overrides=settings))
    except NotImplementedError:  # what a manual page cannot show
        pass
    publish_doctree(text, settings_overrides=settings).astext()
print(len(files), size)
