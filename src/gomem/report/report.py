"""What all printers share: the profile, the value that counts, its total, units and the legend.

The output unit starts as the option says and, when it is ``minimum``, is settled once from the graph that is shown:
from the smallest node and the total, with the smallest times 100 deciding when they are far apart.
"""

from __future__ import annotations

import time

from gomem.errors import ProfileError
from gomem.pprof import measurement
from gomem.pprof.graph import Graph, GraphOptions, GraphSource, base_name
from gomem.pprof.measurement import divide, percentage, scale, scaled_label, truncate
from gomem.pprof.merge import BASE_LABEL
from gomem.pprof.model import Profile
from gomem.pprof.regex import Pattern
from gomem.pprof.trim import TrimmedGraph, trim
from gomem.record import Record, field
from gomem.report.paths import trim_path

_FILTER_WIDTH = 80  # bytes of a filter that the legend shows


class ReportOptions(Record):
    """How a report is cut and written; see docs/pprof.md for the options behind the fields."""

    cum_sort: bool = False
    call_tree: bool = False
    drop_negative: bool = False
    compact_labels: bool = False
    ratio: float = 1.0
    node_count: int = 0
    node_fraction: float = 0.0
    edge_fraction: float = 0.0
    value: int = 0  # index of the sample type
    divisor: int = -1
    sample_type: str = ""
    sample_unit: str = ""
    output_unit: str = "minimum"
    title: str = ""
    active_filters: list[str] = field(default_factory=list)
    number_units: dict[str, str] = field(default_factory=dict)
    symbol: Pattern | None = None
    source_path: str = ""
    trim_path: str = ""


class Report:
    """A profile with the options of one report. ``total`` is taken from the profile given here, so make the report
    before filtering for shares of everything, after it for relative ones; then set ``profile``."""

    def __init__(self, profile: Profile, options: ReportOptions) -> None:
        self.profile, self.options = profile, options
        self.total = compute_total(profile, options.value, options.divisor)

    def format(self, value: int) -> str:
        """A value with its unit."""
        ratio = self.options.ratio
        if ratio > 0 and ratio != 1:
            value = truncate(float(value) * ratio)
        return scaled_label(value, self.options.sample_unit, self.options.output_unit)

    def share(self, value: int) -> str:
        """A value as a percentage of the total."""
        return percentage(value, self.total)

    def graph_source(self, *, object_names: bool = False, call_tree: bool = False) -> GraphSource:
        """The profile made ready for graphs, with file paths trimmed."""
        options = self.options
        graph_options = GraphOptions(
            value=options.value,
            divisor=options.divisor,
            object_names=object_names,
            call_tree=call_tree,
            drop_negative=options.drop_negative,
            output_unit=options.output_unit,
            bytes_unit=options.number_units.get("bytes", ""),
        )
        return GraphSource(
            self.profile, graph_options, lambda path: trim_path(path, options.trim_path, options.source_path)
        )

    def trimmed_graph(self, source: GraphSource, *, visual: bool = False, edges: bool = True) -> TrimmedGraph:
        """The graph as the options cut it; see ``trim`` for what ``visual`` and ``edges`` mean."""
        options = self.options
        return trim(
            source,
            cum_sort=options.cum_sort,
            visual=visual,
            edges=edges,
            node_count=options.node_count,
            node_fraction=options.node_fraction,
            edge_fraction=options.edge_fraction,
        )

    def settle_unit(self, graph: Graph, *, integers: bool = False) -> None:
        """Replaces the unit ``minimum`` by the one that suits the graph; ``integers`` for formats without decimals."""
        options = self.options
        if options.output_unit != "minimum" or not graph.nodes:
            return
        smallest = 0
        for node in graph.nodes:
            value = abs(node.flat_value()) or abs(node.cum_value())
            if value > 0 and (smallest == 0 or value < smallest):
                smallest = value
        largest = self.total
        smallest = smallest or largest
        if options.ratio > 0 and options.ratio != 1:
            smallest, largest = (truncate(float(value) * options.ratio) for value in (smallest, largest))
        unit = scale(smallest, options.sample_unit, "minimum")[1]
        largest_unit = scale(largest, options.sample_unit, "minimum")[1]
        if unit != largest_unit and smallest * 100 < largest and not integers:
            unit = scale(100 * smallest, options.sample_unit, "minimum")[1]
        options.output_unit = unit or options.sample_unit

    def profile_labels(self) -> list[str]:
        """The lines that say what profile this is."""
        profile, options = self.profile, self.options
        lines = []
        if profile.mappings and profile.mappings[0].file:
            lines.append(f"File: {base_name(profile.mappings[0].file)}")
        if profile.mappings and profile.mappings[0].build_id:
            lines.append(f"Build ID: {profile.mappings[0].build_id}")
        lines += [comment for comment in profile.comments if not comment.startswith("#")]
        if options.sample_type:
            lines.append(f"Type: {options.sample_type}")
        if profile.doc_url:
            lines.append(f"Doc: {profile.doc_url}")
        if profile.time_nanos:
            lines.append("Time: " + format_time(profile.time_nanos, "%Y-%m-%d %H:%M:%S %Z"))
        if profile.duration_nanos:
            lines.append(self._duration_label())
        return lines

    def _duration_label(self) -> str:
        duration = measurement.label(self.profile.duration_nanos, "nanoseconds")
        nanos, unit = scale(self.total, self.options.sample_unit, "nanoseconds")
        ratio = ""
        if unit == "ns" and nanos != 0:
            ratio = f"({percentage(truncate(nanos), self.profile.duration_nanos)})"
        return f"Duration: {duration}, Total samples = {self.format(self.total)} {ratio}"

    def legend(self, trimmed: TrimmedGraph, *, full: bool = False) -> list[str]:
        """The lines above a report: the profile's, the filters, what is shown and what was dropped."""
        options, graph = self.options, trimmed.graph
        lines = self.profile_labels() if full or not options.compact_labels else []
        if options.active_filters:
            lines.append("Active filters:")
            lines += [f"   {_shortened(text)}" for text in options.active_filters]
        shown = sum(node.flat_value() for node in graph.nodes)
        lines.append(
            f"Showing nodes accounting for {self.format(shown)}, {self.share(shown).strip()} "
            f"of {self.format(self.total)} total"
        )
        if self.total != 0:
            if trimmed.dropped_nodes > 0:
                lines.append(self._dropped(trimmed.dropped_nodes, "node", "cum", options.node_fraction))
            if full and trimmed.dropped_edges > 0:
                lines.append(self._dropped(trimmed.dropped_edges, "edge", "freq", options.edge_fraction))
            if 0 < len(graph.nodes) < trimmed.orig_count:
                lines.append(f"Showing top {len(graph.nodes)} nodes out of {trimmed.orig_count}")
        if full:
            lines.append("\nSee https://git.io/JfYMW for how to read the graph")
        return lines

    def _dropped(self, count: int, what: str, by: str, fraction: float) -> str:
        limit = self.format(abs(truncate(float(self.total) * fraction)))
        return f"Dropped {count} {what}{'s' if count > 1 else ''} ({by} <= {limit})"


def _shortened(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= _FILTER_WIDTH else data[:_FILTER_WIDTH].decode("utf-8", "surrogateescape") + "…"


def compute_total(profile: Profile, value: int, divisor: int) -> int:
    """The sum of absolute values, of the base's samples alone where there are any; with a divisor, the mean."""
    from gomem import _core

    width = profile.samples.width
    sums = memoryview(_core.samples_totals(profile.samples.columns(), len(profile.label_sets))).tolist()
    total = divide_by = base_total = base_divide_by = 0
    for index, labels in enumerate(profile.label_sets):
        at = index * width * 2
        absolute = sums[at + value * 2 + 1]
        counted = sums[at + divisor * 2] if divisor >= 0 else 0
        total, divide_by = total + absolute, divide_by + counted
        if "true" in labels.texts.get(BASE_LABEL, ()):
            base_total, base_divide_by = base_total + absolute, base_divide_by + counted
    if base_total > 0:
        total, divide_by = base_total, base_divide_by
    return divide(total, divide_by)


def sample_index(profile: Profile, wanted: str) -> int:
    """The index of a sample type by number or name; "" is the profile's default, else the last.

    Raises ProfileError when there is no such type.
    """
    names = [kind.type for kind in profile.sample_types]
    if not wanted:
        return names.index(profile.default_sample_type) if profile.default_sample_type in names else len(names) - 1
    if _is_go_integer(wanted):
        if not 0 <= int(wanted) < len(names):
            raise ProfileError(f"sample_index {wanted} is outside the range [0..{len(names) - 1}]")
        return int(wanted)
    for index, name in enumerate(names):
        if name in (wanted, wanted.removeprefix("inuse_")):
            return index
    raise ProfileError(f"sample_index {go_quote(wanted)} must be one of: [{' '.join(names)}]")


def _is_go_integer(text: str) -> bool:
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits.isascii() and digits.isdigit()


def go_quote(text: str) -> str:
    """The text in double quotes, as Go's %q."""
    import json

    return json.dumps(text, ensure_ascii=False)


def format_time(nanos: int, layout: str) -> str:
    """Nanoseconds since 1970 in the local time zone."""
    return time.strftime(layout, time.localtime(nanos // 10**9))
