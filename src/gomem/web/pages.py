"""What each page shows, as JSON: the reports' own rows and lines, with the values behind their texts.

Every answer has a ``head`` (what is shown of what, sample types, notices, the series) and a ``body``. Texts come from
the report's formatting, so that the page and the text reports never disagree.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from gomem import _core
from gomem.errors import ProfileError
from gomem.pprof.filters import filter_by_name
from gomem.pprof.graph import sort_edges
from gomem.pprof.measurement import divide, percentage, scaled_label
from gomem.pprof.model import Profile
from gomem.pprof.regex import compile_pattern
from gomem.record import replace
from gomem.report.config import Config
from gomem.report.make import make_report, report_profile
from gomem.report.report import Report
from gomem.report.source import listings
from gomem.report.tags import tag_weights
from gomem.report.text import text_items
from gomem.web.flame import FlameTree, split
from gomem.web.owner import owner_of
from gomem.web.store import Cache, Store

TOP_ROWS = 500  # as the real tool's page
FUNCTIONS = 20  # that peek and source show when none was chosen
LISTINGS = 60
MAX_TAG_VALUES = 200
MAX_EDGES = 200  # callers, and callees, of a function that was asked for
FEW_EDGES = 20  # of each of the heaviest ones
MAX_BLOCKS = 200

Parameters = dict[str, str]


class Pages:
    """Answers by page name for a store of profiles; ``config`` are the command line's options, which URLs override."""

    def __init__(self, store: Store, config: Config | None = None) -> None:
        self.store, self.config = store, config or Config()
        self._trees, self._answers = Cache(4), Cache(32)
        self._makers: dict[str, Callable[[_Request], Any]] = {
            "flamegraph": self._flamegraph,
            "search": self._search,
            "top": _top,
            "graph": _graph,
            "peek": _peek,
            "source": _source,
            "tags": _tags,
        }

    def answer(self, page: str, parameters: Parameters) -> dict[str, Any]:
        """The JSON for a page. Raises ProfileError for unknown pages and for parameters that make no sense."""
        if page not in self._makers:
            raise ProfileError(f"page: got {page!r}, want one of {', '.join(self._makers)}")
        key = (page, *sorted(parameters.items()))
        return self._answers.get(key, lambda: self._make(page, parameters))

    def _make(self, page: str, parameters: Parameters) -> dict[str, Any]:
        request = _Request(self, parameters)
        body = self._makers[page](request)
        return {"head": request.head(), "body": body}

    def flame_tree(self, parameters: Parameters) -> tuple[Report, FlameTree, list[str]]:
        """The report, the call tree and the notices that flame graph parameters ask for."""
        wanted = {name: text for name, text in parameters.items() if name not in ("z", "q", "w")}
        return self._trees.get(tuple(sorted(wanted.items())), lambda: self._flame_tree(wanted))

    def _flame_tree(self, parameters: Parameters) -> tuple[Report, FlameTree, list[str]]:
        request = _Request(self, parameters)
        report = request.report("flamegraph")
        return report, FlameTree(report, inverted=parameters.get("inv") == "1"), request.notices

    def _flamegraph(self, request: _Request) -> dict[str, Any]:
        request.shown, tree, notices = self.flame_tree(request.parameters)
        request.notices += notices
        zoom = request.parameters.get("z", "")
        return tree.answer(int(zoom) if zoom.isascii() and zoom.isdigit() else 0)

    def _search(self, request: _Request) -> dict[str, Any]:
        """The weight of all samples that go through a frame whose function, file or object matches ``q``."""
        pattern = compile_pattern(request.parameters.get("q", ""), "parsing search regexp")
        report, tree, _ = self.flame_tree(request.parameters)
        request.shown = report
        found, _ = filter_by_name(report.profile, pattern, None, None, None)
        weight = _weight(found, report.options.value)
        mean = _mean(found, report)
        return {"weight": weight, "text": report.format(mean), "share": percentage(weight, tree.total).strip()}

    def download(self, parameters: Parameters) -> bytes:
        """The filtered profile in pprof's format, compressed."""
        out = io.BytesIO()
        report_profile(_Request(self, parameters).report("proto"), "proto").write(out)
        return out.getvalue()


class _Request:
    """The options of one URL, what they were applied to, and what was said meanwhile."""

    def __init__(self, pages: Pages, parameters: Parameters) -> None:
        self.pages, self.parameters = pages, parameters
        self.config = replace(pages.config)
        self.config.apply_url(parameters)
        at, against = parameters.get("at", ""), parameters.get("vs", "")
        self.profile = pages.store.profile(at, against, self.config.normalize)
        self.notices: list[str] = []
        self.shown: Report | None = None

    def report(self, command: str, symbol: str | None = None) -> Report:
        config = self.config
        if command == "top" and config.nodecount == -1:
            config = replace(config, nodecount=TOP_ROWS)
        if command == "flamegraph" and config.granularity in ("", "functions"):
            config = replace(config, granularity="filefunctions")
        self.shown = make_report(self.profile, command, symbol, config, self._say)
        return self.shown

    def _say(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)

    def head(self) -> dict[str, Any]:
        report = self.shown
        assert report is not None
        options = report.options
        total, shown = report.total, _mean(report.profile, report)
        gained, lost = _gains_and_losses(report.profile, options.value)
        store, at, against = self.pages.store, self.parameters.get("at", ""), self.parameters.get("vs", "")
        source = store.sources[store.index(at)]

        def auto(value: int) -> str:
            return scaled_label(value, options.sample_unit, "auto")

        return {
            "title": options.title or "profile",
            "name": source.name or options.title or "the profile",
            "base": store.sources[store.index(against)].name if against else "",
            "time": source.profile.time_nanos / 1e9,
            "change": {"before": auto(lost), "after": auto(gained), "net": ("+" if shown > 0 else "") + auto(shown)}
            if lost
            else None,
            "type": options.sample_type,
            "unit": options.sample_unit,
            "types": [kind.type for kind in self.profile.sample_types],
            "total": total,
            "totalText": auto(total),
            "shown": shown,
            "shownText": auto(shown),
            "shownShare": percentage(shown, total).strip(),
            "labels": report.profile_labels(),
            "tagKeys": sorted({k for labels in self.profile.label_sets for k in (*labels.texts, *labels.numbers)}),
            "notices": self.notices,
            "series": self._series(options.sample_type.removeprefix("mean_"), auto),
            "at": store.index(at),
        }

    def _series(self, sample_type: str, text: Callable[[int], str]) -> list[dict[str, Any]]:
        store = self.pages.store
        if len(store.sources) < 2:
            return []
        return [
            {"name": source.name, "time": source.profile.time_nanos / 1e9, "value": value, "text": text(value or 0)}
            for source, value in zip(store.sources, store.totals(sample_type), strict=True)
        ]

    def symbol(self) -> str:
        """The expression for the functions to show: as asked for, the focus, or the heaviest functions."""
        wanted = self.parameters.get("fn") or self.config.focus
        if wanted:
            return wanted
        config = replace(self.config, nodecount=FUNCTIONS, granularity="functions")
        items, _ = text_items(make_report(self.profile, "top", None, config, self._say))
        if not items:
            raise ProfileError("no samples to show")
        return f"^({'|'.join(re.escape(item.name) for item in items)})$"


def _weight(profile: Profile, value: int) -> int:
    sums = memoryview(_core.samples_totals(profile.samples.columns(), len(profile.label_sets)))
    return sum(sums[value * 2 :: profile.samples.width * 2])


def _mean(profile: Profile, report: Report) -> int:
    """The profile's weight, or with ``mean`` the mean."""
    options = report.options
    return divide(_weight(profile, options.value), _weight(profile, options.divisor) if options.divisor >= 0 else 0)


def _gains_and_losses(profile: Profile, value: int) -> tuple[int, int]:
    """The sums of the positive and of the negative values, without their sign: in a comparison, after and before."""
    sums = memoryview(_core.samples_totals(profile.samples.columns(), len(profile.label_sets)))
    width = profile.samples.width
    net, absolute = sum(sums[value * 2 :: width * 2]), sum(sums[value * 2 + 1 :: width * 2])
    return (absolute + net) // 2, (absolute - net) // 2


def _sides(report: Report) -> dict[str, list[int]]:
    """In a comparison, by node name: flat before, flat after, cum before, cum after; else nothing."""
    samples, value, is_diff = split(report.profile.samples, report.options.value)
    if not is_diff:
        return {}
    source = report.graph_source()
    _, starts, nodes, count, *_ = source.columns()
    columns = [memoryview(c).tolist() for c in _core.graph_weights(samples, starts, nodes, count, value, 1)]
    sides: dict[str, list[int]] = {}
    for info, flat, flat_before, cum, cum_before in zip(source.infos, *columns, strict=True):
        known = sides.setdefault(info.printable(), [0, 0, 0, 0])
        for index, number in enumerate((flat_before, flat, cum_before, cum)):
            known[index] += number
    return sides


def _top(request: _Request) -> dict[str, Any]:
    report = request.report("top")
    items, legend = text_items(report)
    owners = {function.name: owner_of(function.name, function.filename) for function in request.profile.functions}
    sides = _sides(report)
    rows, flat_sum = [], 0
    for item in items:
        flat_sum += item.flat
        shares = [report.share(value).strip() for value in (item.flat, flat_sum, item.cum)]
        row: dict[str, Any] = {
            "name": item.name + (f" {item.inline_label}" if item.inline_label else ""),
            "function": item.name,
            "values": [item.flat, flat_sum, item.cum],
            "texts": [item.flat_text, shares[0], shares[1], item.cum_text, shares[2]],
            "owner": owners.get(item.name, owner_of(item.name, "")),
        }
        if item.name in sides:
            row["sides"] = sides[item.name]
            row["sideTexts"] = [report.format(value) for value in sides[item.name]]
        rows.append(row)
    return {"rows": rows, "legend": legend, "diff": bool(sides)}


def _graph(request: _Request) -> dict[str, Any]:
    from gomem.report.svg import draw_svg

    report = request.report("dot")
    svg, legend = draw_svg(report)
    return {"svg": svg, "legend": legend}


def _peek(request: _Request) -> dict[str, Any]:
    report = request.report("peek", request.symbol())
    trimmed = report.trimmed_graph(report.graph_source())
    report.settle_unit(trimmed.graph)
    symbol = report.options.symbol
    assert symbol is not None
    blocks = []
    most = MAX_EDGES if request.parameters.get("fn") else FEW_EDGES
    for node in trimmed.graph.nodes:
        if len(blocks) == MAX_BLOCKS or not symbol.matches(node.name):
            continue
        flat, cum = node.flat_value(), node.cum_value()
        blocks.append(
            {
                "name": node.name,
                "values": [flat, cum],
                "texts": [
                    report.format(flat),
                    report.share(flat).strip(),
                    report.format(cum),
                    report.share(cum).strip(),
                ],
                "callers": [
                    _edge(report, edge, cum, edge.src.name) for edge in sort_edges(node.ins.values())[:most]
                ],
                "callees": [
                    _edge(report, edge, cum, edge.dest.name) for edge in sort_edges(node.outs.values())[:most]
                ],
                "left_out": [max(0, len(edges) - most) for edges in (node.ins, node.outs)],
            }
        )
    return {"blocks": blocks, "total": report.total}


def _edge(report: Report, edge: Any, cum: int, name: str) -> dict[str, Any]:
    share = percentage(edge.weight, cum).strip()
    return {
        "name": name,
        "value": edge.weight,
        "text": report.format(edge.weight),
        "share": share,
        "inline": edge.inline,
    }


def _source(request: _Request) -> dict[str, Any]:
    report = request.report("list", request.symbol())
    symbol = report.options.symbol
    assert symbol is not None
    found = sorted(listings(report, symbol), key=lambda listing: (-abs(listing.flat), -abs(listing.cum)))
    rows = [
        {
            "function": listing.function,
            "file": listing.file,
            "error": listing.error or ("" if listing.file else "the profile names no source file"),
            "values": [listing.flat, listing.cum],
            "texts": [report.format(listing.flat), report.format(listing.cum), report.share(listing.cum).strip()],
            "lines": [
                [
                    line.number,
                    line.text,
                    line.flat,
                    line.cum,
                    _or_nothing(report, line.flat),
                    _or_nothing(report, line.cum),
                ]
                for line in listing.lines
            ],
        }
        for listing in found[:LISTINGS]
    ]
    return {"listings": rows, "left_out": max(0, len(found) - LISTINGS)}


def _or_nothing(report: Report, value: int) -> str:
    return report.format(value) if value else ""


def _tags(request: _Request) -> dict[str, Any]:
    report = request.report("tags")
    by_key, totals = tag_weights(report)
    keys = []
    for key in sorted(by_key):
        values = sorted(by_key[key].items(), key=lambda item: (-abs(item[1]), item[0]))
        keys.append(
            {
                "key": key,
                "value": totals[key],
                "text": report.format(totals[key]),
                "share": report.share(totals[key]).strip(),
                "values": [
                    {"name": name, "value": value, "text": report.format(value), "share": report.share(value).strip()}
                    for name, value in values[:MAX_TAG_VALUES]
                ],
                "left_out": max(0, len(values) - MAX_TAG_VALUES),
            }
        )
    return {"keys": keys}
