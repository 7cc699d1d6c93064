"""``gomem svg`` and ``gomem flame``: a profile's pictures as files, with the options of ``gomem pprof``."""

from __future__ import annotations

import re

from gomem.cli import pprof

_HELP = {
    "svg": """usage: gomem svg [options] FILE...

The call graph as an SVG picture: boxes sized by own weight, coloured by cumulative weight. Needs no Graphviz.

  -o FILE   where to write it (default: stdout)

All options of gomem pprof work too.

examples:
  gomem svg -o graph.svg mem.prof
  gomem svg -o graph.svg -focus=json -nodecount=40 mem.prof
  gomem svg -o growth.svg -diff_base=before.prof after.prof""",
    "flame": """usage: gomem flame [options] FILE...

The flame graph as one HTML file that needs no server and no network: to keep, to send, to put beside a build.

  -o FILE   where to write it (default: stdout)

All options of gomem pprof work too.

examples:
  gomem flame -o flame.html mem.prof
  gomem flame -o flame.html -sample_index=alloc_space -tagroot=thread mem.prof
  gomem flame -o growth.html -diff_base=before.prof after.prof""",
}


def main(verb: str, args: list[str]) -> int:
    """Draws the picture. Returns the exit code."""
    if any(arg in ("-h", "-help", "--help") for arg in args):
        print(_HELP[verb])
        return 0
    return pprof.main(verb, [re.sub(r"^--?o(?==|$)", "-output", arg) for arg in args])
