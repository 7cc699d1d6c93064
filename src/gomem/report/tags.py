"""tags: every label with its values and their share."""

from __future__ import annotations

from collections.abc import Iterator

from gomem import _core
from gomem.pprof.measurement import scaled_label
from gomem.report.report import Report


def tag_weights(report: Report) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """key -> value -> weight, and key -> weight."""
    profile, options = report.profile, report.options
    sums = memoryview(_core.samples_totals(profile.samples.columns(), len(profile.label_sets))).tolist()
    width, used = profile.samples.width, set(profile.samples.label_sets)
    by_key: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for index, labels in enumerate(profile.label_sets):
        if index not in used:
            continue
        weight = sums[(index * width + options.value) * 2]
        pairs = [(key, text) for key, texts in labels.texts.items() for text in texts]
        for key, numbers in labels.numbers.items():
            unit = options.number_units.get(key, "")
            pairs += [(key, scaled_label(number, unit, options.output_unit)) for number in numbers]
        for key, text in pairs:
            values = by_key.setdefault(key, {})
            values[text] = values.get(text, 0) + weight
            totals[key] = totals.get(key, 0) + weight
    return by_key, totals


def print_tags(report: Report) -> Iterator[str]:
    """The lines of tags: a block a key, the heaviest value first."""
    by_key, totals = tag_weights(report)
    rows: list[list[str]] = []
    for key in sorted(by_key):
        share = f" ({report.share(totals[key])})" if report.total > 0 else ""
        rows.append([f"{key}:", f" Total {report.format(totals[key])} of {report.format(report.total)}{share}"])
        for text, weight in sorted(by_key[key].items(), key=lambda item: (-abs(item[1]), item[0])):
            share = f" ({report.share(weight)})" if report.total > 0 else ""
            rows.append([" ", f"{report.format(weight)}{share}:", f" {text}"])
        rows.append([""])
    yield from _aligned("\n".join("\t".join(row) for row in rows))


def _aligned(text: str) -> Iterator[str]:
    """Tab-separated cells, right-aligned by column with one space of padding; a column ends where a row lacks it.

    The last cell of a row belongs to no column, as in Go's text/tabwriter.
    """
    rows = [line.split("\t") for line in text.split("\n")] if text else []
    widths: list[list[int]] = [[0] * (len(row) - 1) for row in rows]
    for column in range(max((len(row) - 1 for row in rows), default=0)):
        first = 0
        while first < len(rows):
            if len(rows[first]) - 1 <= column:
                first += 1
                continue
            last = first
            while last < len(rows) and len(rows[last]) - 1 > column:
                last += 1
            width = max(len(row[column]) for row in rows[first:last]) + 1
            for index in range(first, last):
                widths[index][column] = width
            first = last
    for row, row_widths in zip(rows, widths, strict=True):
        yield "".join(f"{cell:>{width}}" for cell, width in zip(row, row_widths, strict=False)) + row[-1]
