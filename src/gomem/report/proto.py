"""proto and topproto: the filtered profile, or its top entries, as a profile again."""

from __future__ import annotations

from array import array

from gomem import _core
from gomem.pprof.graph import NodeInfo
from gomem.pprof.measurement import scale, truncate
from gomem.pprof.merge import samples_of
from gomem.pprof.model import Function, Line, Location, Profile, Samples, ValueType
from gomem.record import replace
from gomem.report.report import Report


def make_proto(report: Report) -> Profile:
    """The profile of a report, its values divided as ``divide_by`` asks."""
    profile, ratio = report.profile, report.options.ratio
    if ratio <= 0 or ratio == 1:
        return profile
    samples = profile.samples
    ratios = array("d", [ratio] * samples.width)
    return replace(profile, samples=samples_of(samples.width, _core.samples_scale(samples.columns(), ratios, False)))


def make_topproto(report: Report) -> Profile:
    """The nodes of a top report as samples of one location, with the values cum and flat."""
    options, profile = report.options, report.profile
    graph = report.trimmed_graph(report.graph_source(), edges=False).graph
    report.settle_unit(graph)
    functions: dict[Function, int] = {}
    locations, values = [], array("q")
    for node in graph.nodes:
        function = functions.setdefault(_function(node.info), len(functions))
        locations.append(Location(-1, node.info.address, (Line(function, node.info.line, node.info.column),)))
        for value in (node.cum_value(), node.flat_value()):
            values.append(truncate(scale(value, options.sample_unit, options.output_unit)[0]))
    count = len(locations)
    return Profile(
        sample_types=[ValueType("cum", options.output_unit), ValueType("flat", options.output_unit)],
        samples=Samples(
            2, array("Q", range(count + 1)), array("I", range(count)), values, array("I", bytes(4 * count))
        ),
        locations=locations,
        functions=list(functions),
        time_nanos=profile.time_nanos,
        duration_nanos=profile.duration_nanos,
        period_type=profile.period_type,
        period=profile.period,
    )


def _function(info: NodeInfo) -> Function:
    return Function(info.name, info.orig_name, info.file, info.start_line)
