"""The window: the most that was in use since somebody last asked. Exact, for every allocation is sampled."""

import pytest

import gomem
from gomem.heap import window_peak_bytes

SLACK = 5_000  # what the calls between two readings allocate themselves


@pytest.fixture
def exact_profile():
    gomem.start(rate=1, native=False)
    yield
    gomem.stop()


def test_window_is_the_highest_since_the_last_call(exact_profile):
    before = gomem.stats().inuse_bytes
    window_peak_bytes()
    block = bytes(1_000_000)
    del block
    assert 1_000_000 <= window_peak_bytes() - before < 1_000_000 + SLACK
    block = bytes(200_000)
    del block
    assert 200_000 <= window_peak_bytes() - before < 200_000 + SLACK


def test_window_begins_at_what_is_in_use(exact_profile):
    before = gomem.stats().inuse_bytes
    kept = bytes(500_000)
    window_peak_bytes()
    assert 500_000 <= window_peak_bytes() - before < 500_000 + SLACK
    del kept


def test_window_leaves_the_peak_of_the_profile_alone(exact_profile):
    block = bytes(1_000_000)
    del block
    peak = gomem.stats().peak_bytes
    window_peak_bytes()
    assert gomem.stats().peak_bytes == peak
