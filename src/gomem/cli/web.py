"""``gomem web``: profiles in a browser; several of them are a series in time.

Its own options are read here, all others are those of ``gomem pprof``.
"""

from __future__ import annotations

import os
import re

from gomem.cli import pprof
from gomem.errors import GomemError, ProfileError
from gomem.pprof.fetch import fetch_profile
from gomem.record import replace
from gomem.web.server import serve_store
from gomem.web.store import Source, Store

_HELP = """usage: gomem web [options] FILE...

Opens a page with the profile's flame graph, top, graph, peek, source and tags. Several files are a series in time: the
page shows them as a strip, one at a time, and compares any two.

  --port PORT    default: any free one
  --host HOST    default: localhost; anything else lets others on the network read the profile and its source files
  --no-browser   print the address only
  --merge        add several files up, as gomem pprof does

All options of gomem pprof work too; they are what the page starts with.

examples:
  gomem web mem.prof
  gomem web --port 8080 --no-browser mem.prof
  gomem web before.prof after.prof            a series: choose one, compare with another
  gomem web -diff_base=before.prof after.prof
  gomem web http://localhost:6060/debug/pprof/heap"""

_OWN = re.compile(r"--?(port|host|no-browser|merge|http)(?:=(.*))?$", re.DOTALL)


def main(verb: str, args: list[str]) -> int:
    """Serves the page until interrupted. Returns the exit code."""
    if any(arg in ("-h", "-help", "--help") for arg in args):
        print(_HELP)
        return 0
    try:
        own, rest = _own_options(args)
        flags, names = pprof._loose(rest)
        invocation = pprof.parse_args([*flags, *names])
        if invocation.command is not None:
            raise ProfileError(f"web: got -{invocation.command[0]}, want no report")
        store = Store(_sources(invocation, merged="merge" in own))
        host = own.get("host", "localhost")
        address = own.get("http") or f"{f'[{host}]' if ':' in host else host}:{own.get('port', '')}"
        return serve_store(store, invocation.config, address, open_browser="no-browser" not in own)
    except (GomemError, OSError) as error:
        pprof.say(f"gomem web: {error}")
        return 2


def _own_options(args: list[str]) -> tuple[dict[str, str], list[str]]:
    own: dict[str, str] = {}
    rest, given = [], list(args)
    while given:
        arg = given.pop(0)
        found = _OWN.match(arg.replace("_", "-"))
        if found is None:
            rest.append(arg)
        elif found[1] in ("no-browser", "merge"):
            own[found[1]] = "1"
        else:
            value = arg.partition("=")[2] if found[2] is not None else given.pop(0) if given else ""
            if not value:
                raise ProfileError(f"{arg}: got nothing, want a value")
            own[found[1]] = value
    return own, rest


def _sources(invocation: pprof.Invocation, *, merged: bool) -> list[Source]:
    """One source for files that are merged or compared with a base, else one for each file, in order of time."""
    wanted = invocation.sources
    if merged or wanted.bases or len(wanted.sources) == 1:
        return [Source(os.path.basename(wanted.sources[0]), fetch_profile(wanted, pprof.say))]
    names = [name.rpartition("/")[2] or name for name in wanted.sources]
    if len(set(names)) < len(names):
        names = list(wanted.sources)
    sources = [
        Source(name, fetch_profile(replace(wanted, sources=[source]), pprof.say))
        for name, source in zip(names, wanted.sources, strict=True)
    ]
    if all(source.profile.time_nanos for source in sources):
        sources.sort(key=lambda source: source.profile.time_nanos)
    return sources
