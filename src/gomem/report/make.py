"""From a profile, a command and options to a report: filters, totals, granularity, then the printer's lines.

The order matters: pseudo frames for labels come before the filters, which may match them; the total is taken before
the filters, or behind them for relative percentages; the granularity is lowered last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gomem.errors import ProfileError
from gomem.pprof import filters
from gomem.pprof.aggregate import aggregate, detail_of
from gomem.pprof.graph import base_name
from gomem.pprof.model import Profile
from gomem.pprof.regex import Pattern, compile_pattern
from gomem.record import replace
from gomem.report.config import Config
from gomem.report.report import Report, ReportOptions, sample_index

Say = Callable[[str], None]


class Command(NamedTuple):
    """A report by name: its printer, whether it takes an expression, and a line of help."""

    format: str
    takes_symbol: bool
    description: str


COMMANDS = {
    "callgrind": Command("callgrind", False, "Graph for KCachegrind"),
    "collapsed": Command("collapsed", False, "Stacks for flamegraph.pl and inferno"),
    "comments": Command("comments", False, "Comments of the profile"),
    "dot": Command("dot", False, "Graph in Graphviz's DOT language"),
    "list": Command("list", True, "Source lines of functions matching regexp, with their weight"),
    "peek": Command("tree", True, "Callers and callees of functions matching regexp"),
    "proto": Command("proto", False, "The profile, filtered, in compressed protobuf format"),
    "raw": Command("raw", False, "The whole profile as text"),
    "speedscope": Command("speedscope", False, "Stacks as JSON for speedscope.app"),
    "tags": Command("tags", False, "Labels with their values and shares"),
    "text": Command("text", False, "Heaviest entries, one a line"),
    "top": Command("text", False, "Heaviest entries, one a line"),
    "topproto": Command("topproto", False, "Heaviest entries as a compressed protobuf profile"),
    "traces": Command("traces", False, "Every sample with its stack"),
    "tree": Command("tree", False, "Call graph as text"),
}


def with_overrides(command: str, config: Config) -> Config:
    """The options a command really runs with: some force their granularity or switch trimming off."""
    config = replace(config)
    trimmed = config.trim
    if command in ("peek", "list", "weblist"):
        trimmed = False
    if command == "list":
        config.granularity = "lines"
    elif command == "weblist":
        config.granularity, config.noinlines = "addresses", False
    elif command in ("text", "top", "topproto"):
        config.nodecount = 0 if config.nodecount == -1 else config.nodecount
    elif command != "peek" and config.nodecount == -1:
        config.nodecount = 80
    if COMMANDS.get(command, Command("", False, "")).format in ("proto", "raw", "callgrind"):
        trimmed, config.granularity = False, "addresses"
    if not trimmed:
        config.nodecount, config.nodefraction, config.edgefraction = 0, 0.0, 0.0
    return config


def make_report(profile: Profile, command: str, argument: str | None, config: Config, say: Say) -> Report:
    """The report a command asks for, ready to print; ``say`` gets the warnings.

    Raises ProfileError for options that make no sense. Costs one pass over the samples for each filter in use.
    """
    units = number_units(profile, say)
    config = with_overrides(command, config)
    profile = _with_label_frames(profile, config, say)
    if config.relative_percentages:
        profile = apply_filters(profile, units, config, say)
    options = report_options(profile, units, config)
    if argument is not None:
        options.symbol = compile_pattern(argument, f"parsing argument regexp {argument}")
    report = Report(profile, options)
    if not config.relative_percentages:
        profile = apply_filters(profile, units, config, say)
    detail = detail_of(config.granularity, inlines=not config.noinlines, columns=config.showcolumns)
    report.profile = profile if detail is None else aggregate(profile, detail)
    return report


def number_units(profile: Profile, say: Say) -> dict[str, str]:
    """The unit of each numeric label: the first met, else guessed from the key. Others are reported to ``say``."""
    units: dict[str, str] = {}
    ignored: dict[str, set[str]] = {}
    keys: dict[str, None] = {}
    for index in filters.used_label_sets(profile) if len(profile.label_sets) > 1 else ():
        labels = profile.label_sets[index]
        for key in labels.numbers:
            keys[key] = None
            for unit in filter(None, labels.units.get(key, ())):
                if units.setdefault(key, unit) != unit:
                    ignored.setdefault(key, set()).add(unit)
    for key in keys:
        units.setdefault(key, "bytes" if key in ("alignment", "request") else key)
    for key, others in ignored.items():
        say(f"For tag {key} used unit {units[key]}, also encountered unit(s) {', '.join(sorted(others))}")
    return units


def _with_label_frames(profile: Profile, config: Config, say: Say) -> Profile:
    roots, leaves = ([key for key in text.split(",") if key] for text in (config.tagroot, config.tagleaf))
    root_hit = leaf_hit = False
    if roots or leaves:
        profile, root_hit, leaf_hit = filters.add_label_frames(profile, roots, leaves, config.unit)
    _warn(say, not config.tagroot or root_hit, "TagRoot")
    _warn(say, not config.tagleaf or leaf_hit, "TagLeaf")
    return profile


def _warn(say: Say, fine: bool, option: str) -> None:
    if not fine:
        say(f"{option} expression matched no samples")


def _pattern(name: str, value: str) -> Pattern | None:
    return compile_pattern(value, f"parsing {name} regexp") if value else None


def apply_filters(profile: Profile, units: dict[str, str], config: Config, say: Say) -> Profile:
    """The profile that the filter options leave, with a warning for each that matched nothing."""
    focus, ignore = _pattern("focus", config.focus), _pattern("ignore", config.ignore)
    hide, show = _pattern("hide", config.hide), _pattern("show", config.show)
    from_pattern = _pattern("show_from", config.show_from)
    tag_focus = filters.compile_label_filter("tagfocus", config.tagfocus, units, say)
    tag_ignore = filters.compile_label_filter("tagignore", config.tagignore, units, say)
    prune_pattern = _pattern("prune_from", config.prune_from)
    profile, matched = filters.filter_by_name(profile, focus, ignore, hide, show)
    for name, pattern in (("Focus", focus), ("Ignore", ignore), ("Hide", hide), ("Show", show)):
        _warn(say, pattern is None or matched[name], name)
    if from_pattern is not None:
        profile, hit = filters.show_from(profile, from_pattern)
        _warn(say, hit, "ShowFrom")
    profile, matched = filters.filter_by_label(profile, tag_focus, tag_ignore)
    _warn(say, tag_focus is None or matched["TagFocus"], "TagFocus")
    _warn(say, tag_ignore is None or matched["TagIgnore"], "TagIgnore")
    tag_show, tag_hide = _pattern("tagshow", config.tagshow), _pattern("taghide", config.taghide)
    profile, matched = filters.show_labels(profile, tag_show, tag_hide)
    _warn(say, tag_show is None or matched["TagShow"], "TagShow")
    _warn(say, tag_hide is None or matched["TagHide"], "TagHide")
    return profile if prune_pattern is None else filters.prune_from(profile, prune_pattern)


def report_options(profile: Profile, units: dict[str, str], config: Config) -> ReportOptions:
    """The report's part of the options. Raises ProfileError for a sample type that is not there."""
    if not profile.sample_types:
        raise ProfileError("profile has no samples")
    index = sample_index(profile, config.sample_index)
    if config.divide_by == 0:
        raise ProfileError("zero divisor specified")
    kind = profile.sample_types[index]
    names = ("focus", "ignore", "hide", "show", "show_from", "tagfocus", "tagignore", "tagshow", "taghide")
    return ReportOptions(
        cum_sort=config.sort == "cum",
        call_tree=config.call_tree,
        drop_negative=config.drop_negative,
        compact_labels=config.compact_labels,
        ratio=1 / config.divide_by,
        node_count=config.nodecount,
        node_fraction=config.nodefraction,
        edge_fraction=config.edgefraction,
        value=index,
        divisor=0 if config.mean else -1,
        sample_type=f"mean_{kind.type}" if config.mean else kind.type,
        sample_unit=kind.unit,
        output_unit=config.unit,
        title=base_name(profile.mappings[0].file) if profile.mappings and profile.mappings[0].file else "",
        active_filters=[f"{name}={getattr(config, name)}" for name in names if getattr(config, name)],
        number_units=units,
        source_path=config.source_path,
        trim_path=config.trim_path,
    )


def report_lines(report: Report, command: str) -> Iterator[str]:
    """The lines of a text report; each may hold line ends, none ends in one. Raises ProfileError."""
    kind = COMMANDS[command].format
    # Printers are imported as they are needed: a short command should start quickly.
    if kind == "text":
        from gomem.report.text import print_text

        return print_text(report)
    if kind == "tree":
        from gomem.report.tree import print_tree

        return print_tree(report)
    if kind == "list":
        from gomem.report.source import print_list

        return print_list(report)
    if kind == "dot":
        from gomem.report.dot import print_dot

        return print_dot(report)
    if kind == "callgrind":
        from gomem.report.callgrind import print_callgrind

        return print_callgrind(report)
    if kind == "raw":
        from gomem.report.raw import print_raw

        return print_raw(report)
    if kind in ("collapsed", "speedscope"):
        from gomem.report.stacks import print_collapsed, print_speedscope

        return print_collapsed(report) if kind == "collapsed" else print_speedscope(report)
    if kind == "tags":
        from gomem.report.tags import print_tags

        return print_tags(report)
    from gomem.report.traces import print_comments, print_traces

    return print_comments(report) if kind == "comments" else print_traces(report)


def report_profile(report: Report, command: str) -> Profile:
    """The profile that proto or topproto writes."""
    from gomem.report.proto import make_proto, make_topproto

    return make_topproto(report) if COMMANDS[command].format == "topproto" else make_proto(report)
