"""Help texts of the viewer: the command line's, the shell's, and one for each command and option."""

from __future__ import annotations

from gomem.report.config import CHOICES, TYPES
from gomem.report.make import COMMANDS

OPTION_HELP = {
    "output": "File to write the report to",
    "call_tree": "Tree instead of graph: the same function under other callers is another node (dot, callgrind)",
    "relative_percentages": "Percentages of what the filters leave, not of everything",
    "unit": "Unit of values: bytes, kB, MB, ns, ms, s ...; minimum: one for all; auto: each its own",
    "compact_labels": "Short headers",
    "source_path": "Where to look for source files, a colon-separated list",
    "trim_path": "Prefix to take off source paths, a colon-separated list",
    "intel_syntax": "Accepted for compatibility; there are no assembly listings here",
    "mean": "Mean: the value divided by the first value, such as bytes an allocation",
    "sample_index": "Which value to report, by name or number",
    "divide_by": "Divide every value by this",
    "normalize": "Scale the profile to the base's total before comparing",
    "tagroot": "Label keys, comma-separated: a frame for each above the root",
    "tagleaf": "Label keys, comma-separated: a frame for each below the leaf",
    "drop_negative": "Leave out what shrank (in differences)",
    "nodecount": "How many nodes to show at most; -1: 80, for top all of them",
    "nodefraction": "Leave out nodes below this share of the total",
    "edgefraction": "Leave out edges below this share of the total",
    "trim": "Obey nodecount, nodefraction and edgefraction",
    "focus": "Only samples with a frame that matches (function, file or object name)",
    "ignore": "No samples with a frame that matches",
    "prune_from": "Cut stacks below the frame that matches",
    "hide": "Leave out frames that match, keep the rest of the stack",
    "show": "Show only frames that match",
    "show_from": "Cut stacks above the highest frame that matches",
    "tagfocus": "Only samples with such labels: regexp, key=regexp, or a range such as 1kb:64kb or key=1mb:",
    "tagignore": "No samples with such labels",
    "tagshow": "Show only labels whose key matches",
    "taghide": "Leave out labels whose key matches",
    "noinlines": "Count inlined functions as their caller",
    "showcolumns": "Column numbers too, at line granularity",
    "flat": "Sort by own weight",
    "cum": "Sort by weight including callees",
    "functions": "A node for each function (default)",
    "filefunctions": "A node for each function of each file",
    "files": "A node for each file",
    "lines": "A node for each source line",
    "addresses": "A node for each code address",
}

_PICTURE_HELP = {
    "svg": "Graph as SVG",
    "flame": "Flame graph as one HTML file",
    "web": "Graph in a browser",
    "weblist": "Source lines in a browser",
    "gif, pdf, png, ps": "Graph as a picture, by Graphviz",
}

_SHORT = {
    "diff": "gomem diff [options] OLD NEW\n\nWhat grew and what shrank, shares of the old profile's total.\n\n"
    "examples:\n  gomem diff before.pb.gz after.pb.gz\n  gomem diff -alloc_space -tree before.pb.gz after.pb.gz",
}


def usage(verb: str) -> str:
    """The help of ``gomem pprof`` or of a short verb."""
    if verb == "pprof":
        return _pprof_usage()
    if verb in _SHORT:
        return f"usage: {_SHORT[verb]}\n\nEvery option of gomem pprof works; gomem pprof -h lists them."
    takes_symbol = verb in COMMANDS and COMMANDS[verb].takes_symbol
    what = COMMANDS[verb].description if verb in COMMANDS else _PICTURE_HELP.get(verb, "")
    argument = " REGEXP" if takes_symbol else ""
    example = " 'json\\.'" if takes_symbol else ""
    return (
        f"usage: gomem {verb} [options]{argument} PROFILE...\n\n{what}.\n\nexamples:\n"
        f"  gomem {verb}{example} mem.pb.gz\n  gomem {verb} -inuse_objects -focus=parse{example} mem.pb.gz\n\n"
        "Every option of gomem pprof works, before or behind the file; gomem pprof -h lists them."
    )


def _line(name: str, text: str) -> str:
    return f"    {name:<16} {text}"


def list_commands(prefix: str) -> list[str]:
    """A line for each command."""
    commands = {name: command.description for name, command in COMMANDS.items()} | _PICTURE_HELP
    return [_line(prefix + name, text) for name, text in sorted(commands.items())]


def list_options(prefix: str) -> list[str]:
    """A line for each option, the groups last."""
    lines = [_line(prefix + name, OPTION_HELP[name]) for name in sorted(TYPES) if name not in CHOICES]
    lines += ["", "  Option groups (at most one of each):"]
    for group in sorted(CHOICES):
        lines.append(f"    {group}")
        lines += ["  " + _line(prefix + choice, OPTION_HELP[choice]) for choice in CHOICES[group]]
    return lines


def _pprof_usage() -> str:
    return "\n".join(
        [
            "usage:",
            "",
            "  gomem pprof <format> [options] source...             a report",
            "  gomem pprof [options] source...                      a shell",
            "  gomem pprof -http=[host]:[port] [options] source...  a web page",
            "",
            "A source is a file or a URL; several are added up.",
            "",
            "  Output formats (at most one):",
            *list_commands("-"),
            "",
            "  Options:",
            *list_options("-"),
            "",
            "  Source options:",
            _line("-seconds", "How long a remote profile is taken for"),
            _line("-timeout", "Seconds to wait for a remote profile"),
            _line("-buildid", "Build id of the main binary, when the profile has none"),
            _line("-add_comment", "A comment to add to the profile"),
            _line("-diff_base", "Profile to compare with: shares are of its total"),
            _line("-base", "Profile to subtract"),
            _line("-symbolize", "none; demangle=none, full or templates"),
            _line("-all_frames", "Ignore the profile's drop_frames and keep_frames"),
            _line("-tls_cert, -tls_key, -tls_ca", "Certificate files for https sources"),
            "",
            "  Values: -inuse_space, -inuse_objects, -alloc_space, -alloc_objects, -total_delay, -contentions, -mean_delay",
            "",
            "  Web page:",
            _line("-http", "host:port to serve on; localhost and a free port by default"),
            _line("-no_browser", "Do not open a browser"),
            "",
            "  Environment: PPROF_TMPDIR is where fetched profiles are kept, $HOME/pprof by default.",
            "",
            "examples:",
            "  gomem pprof -top -inuse_space mem.pb.gz",
            "  gomem pprof -list='json\\.' -focus=handle mem.pb.gz",
            "  gomem pprof -tree -diff_base=before.pb.gz after.pb.gz",
            "  gomem pprof http://localhost:6060/debug/pprof/heap",
        ]
    )
