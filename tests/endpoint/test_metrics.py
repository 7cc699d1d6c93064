"""``/debug/pprof/gc``: what a scraper reads agrees with ``gomem.gc.stats()`` and ``gc.get_stats()``."""

import gc
import re

import pytest

import gomem.gc
from gomem.endpoint import metrics, pages

supported = pytest.mark.skipif(gomem.gc.unsupported() is not None, reason=str(gomem.gc.unsupported()))

LINE = re.compile(r'([a-z_]+)((?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})?) (-?\d+(?:\.\d+)?(?:e-?\d+)?)\Z')


def read(text):
    """(name with labels -> value, family -> type); every line must be as the text format has it."""
    values, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = LINE.match(line)
            assert match, line
            values[match[1] + match[2]] = float(match[3])
    return values, kinds


@supported
def test_the_page_agrees_with_stats():
    gomem.gc.enable()
    try:
        gomem.gc.collect()
        answer = pages.respond("gc", "")
        stats = gomem.gc.stats()
    finally:
        gomem.gc.disable()
    assert answer.status == 200 and answer.content_type.startswith("text/plain; version=0.0.4")
    values, kinds = read(answer.body.decode())
    assert kinds["gomem_gc_pause_seconds"] == "histogram"
    assert values["gomem_gc_enabled"] == 1 and values["gomem_gc_cycles_total"] == stats.cycles == 1
    assert values["gomem_gc_pause_seconds_count"] == sum(stats.pauses.values()) > 0
    assert values["gomem_gc_pause_seconds_sum"] == pytest.approx(stats.pause_sum_ns / 1e9)
    assert values['gomem_gc_cpu_seconds_total{driver="request"}'] == pytest.approx(stats.cpu_ns["request"] / 1e9)
    assert 0 < stats.pause_max_ns <= stats.pause_sum_ns


@supported
def test_buckets_are_cumulative():
    samples = metrics._histogram({8: 1, 64: 2, 1 << 20: 3, 1 << 25: 1}, 1.5)
    values = {labels.get("le", suffix): value for suffix, labels, value in samples}
    assert (values["1.6e-05"], values["3.2e-05"], values["6.4e-05"], values["1.048576"], values["+Inf"]) == (1, 1, 3, 6, 7)
    assert (values["_count"], values["_sum"]) == (7, 1.5)


def test_the_stock_collector_is_there_too():
    before = gc.get_stats()[2]["collections"]
    gc.collect()
    values, _ = read(metrics.text())
    assert values['gomem_stock_gc_collections_total{generation="2"}'] >= before + 1
