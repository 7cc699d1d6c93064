"""tracemalloc, before and after us, in every order. Its stop() puts back the allocators that it once found, and so
takes off hooks that came later: that must be noticed and said, never turn into wrong numbers or a crash."""

import os
import sys
import tracemalloc

import gomem
from gomem.errors import GomemError
from reading import by_frame, total


def make(n):
    return [bytes(10_000) for _ in range(n)]


def inuse():
    return by_frame(gomem.heap_profile(), "inuse_space")["make"]


def traced():
    return tracemalloc.get_traced_memory()[0]


def check_theirs_inside_ours(rate):
    gomem.start(rate=rate, seed=1)
    kept = make(100)
    tracemalloc.start()
    more = make(100)
    assert traced() > 1_000_000
    tracemalloc.stop()
    more += make(100)
    got = inuse()
    gomem.stop()
    assert 2_900_000 < got < 3_100_000 or rate != 1 and 2_000_000 < got < 4_000_000, got
    assert gomem.stats().hooks_lost == 0
    return kept, more


def check_ours_inside_theirs(rate):
    tracemalloc.start()
    kept = make(100)
    before = traced()
    gomem.start(rate=rate, seed=1)
    kept += make(100)
    got = inuse()
    gomem.stop()
    assert 950_000 < got < 1_050_000 or rate != 1 and 500_000 < got < 1_500_000, got
    assert traced() > before + 1_000_000
    tracemalloc.stop()
    assert gomem.stats().hooks_lost == 0
    return kept


def check_ours_removed(rate, exported):
    tracemalloc.start()
    gomem.start(rate=rate, seed=1)
    kept = make(50)
    tracemalloc.stop()
    kept += make(100)
    if exported:
        gomem.heap_profile()
        assert gomem.stats().hooks_lost == 1
        kept += make(200)
        got = inuse()
        assert 1_900_000 < got < 2_100_000 or rate != 1 and 1_200_000 < got < 2_800_000, got
    gomem.stop()
    assert gomem.stats().hooks_lost == 1
    profile = gomem.heap_profile()
    assert any("hooks lost: 1" in line for line in profile.comments), profile.comments
    assert all(v >= 0 for v in profile.samples.values)
    if not exported:
        assert total(profile, "inuse_space") == 0
    return kept


def check_stopped_below_theirs(rate):
    gomem.start(rate=rate, seed=1)
    tracemalloc.start()
    gomem.stop()
    kept = make(100)
    assert inuse() == 0
    gomem.start(rate=rate, seed=1)  # our hooks are still there, below tracemalloc's
    kept += make(100)
    got = inuse()
    assert 950_000 < got < 1_050_000 or rate != 1 and 500_000 < got < 1_500_000, got
    gomem.stop()
    try:
        gomem.start(rate=1)
        assert rate == 1 or os.environ.get("PYTHONMALLOC", "pymalloc") != "pymalloc"  # the exact form in any case
        gomem.stop()
    except GomemError as error:
        assert rate != 1 and "another tool" in str(error), error
    tracemalloc.stop()
    gomem.start(rate=1)
    kept += make(100)
    assert 950_000 < inuse() < 1_050_000
    gomem.stop()
    return kept


def check_a_library_that_sets_its_own_functions(rate):
    """_decimal has libmpdec's malloc in a variable and puts CPython's there: nobody took our hook off."""
    for name in ("decimal", "_decimal"):
        sys.modules.pop(name, None)
    gomem.start(rate=rate, seed=1)
    import _decimal

    kept = make(100)
    got = inuse()
    gomem.stop()
    assert _decimal.Decimal(1) and 950_000 < got < 1_050_000, got
    assert gomem.stats().hooks_lost == 0
    return kept


check_a_library_that_sets_its_own_functions(1)
for rate in (1, 8192):
    check_theirs_inside_ours(rate)
    check_ours_inside_theirs(rate)
    check_ours_removed(rate, exported=True)
    check_ours_removed(rate, exported=False)
    check_stopped_below_theirs(rate)
print("fine")
