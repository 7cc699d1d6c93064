"""``gomem explain PROFILE``: where the memory is, on one screen."""

from __future__ import annotations

import sys

from gomem.cli.flags import Flags, HelpWanted
from gomem.cli.pprof import say
from gomem.errors import UsageError
from gomem.pprof.fetch import Sources, fetch_profile
from gomem.report.explain import print_explain

_USAGE = """usage: gomem explain [-sample_index=NAME] PROFILE...

Where the memory is, whose code asked for it, which calls of yours it comes from, and what to look at next.

  -sample_index  the value to explain, such as alloc_space; what the profile shows by default otherwise
  -base          a profile to subtract first

examples:
  gomem explain mem.pb.gz
  gomem explain -sample_index=alloc_space http://localhost:6060/debug/pprof/heap"""


def _say_what_matters(text: str) -> None:
    """Everything but what the real tool says about object files, which newcomers cannot use."""
    if not text.startswith(("Main binary", "Local symbolization", "Some binary", "Try setting PPROF_BINARY_PATH")):
        say(text)


def main(verb: str, args: list[str]) -> int:
    flags = Flags({"sample_index": "", "base": ""})
    try:
        names = flags.parse([arg.replace("--help", "-help") for arg in args])
        if not names:
            raise UsageError("explain: no profile given, want gomem explain PROFILE")
    except HelpWanted:
        print(_USAGE)
        return 0
    except UsageError as error:
        say(str(error))
        return 2
    bases = [name for name in (flags.values["base"],) if name]
    profile = fetch_profile(Sources(names, bases), _say_what_matters)
    text = "".join(f"{line}\n" for line in print_explain(profile, names, flags.values["sample_index"]))
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
    return 0
