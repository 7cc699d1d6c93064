"""Work on the profile itself is left out of it, and nothing else is."""

import pytest

import gomem
from gomem.heap import unsampled


@pytest.fixture
def sampled():
    gomem.start(rate=4096, native=False, seed=7)
    yield
    gomem.stop()


def test_what_a_thread_allocates_in_the_body_is_left_out(sampled):
    before = gomem.stats()
    with unsampled():
        kept = [bytes(200) for _ in range(50_000)]
    after = gomem.stats()
    assert len(kept) == 50_000
    assert after.samples - before.samples < 5  # the calls around; 50,000 blocks would be 2,800 samples


def test_what_comes_after_is_counted_in_full(sampled):
    """The countdown is shared with other threads: a body passes points over and must not put the next one off."""
    before = gomem.stats().inuse_bytes
    kept, size, rounds, count = [], 200, 200, 100
    for _ in range(rounds):
        with unsampled():
            [bytes(size) for _ in range(count)]
        kept += [bytes(size) for _ in range(count)]
    truth = rounds * count * (size + 33)  # the header of a bytes object and the terminating zero
    standard_error = (4096 / truth) ** 0.5
    got = gomem.stats().inuse_bytes - before
    assert abs(got / truth - 1) < 5 * standard_error + 8 * rounds * count / truth  # and the list itself


def test_the_body_may_raise_and_be_nested(sampled):
    with pytest.raises(KeyError), unsampled():
        raise KeyError
    with unsampled():
        with unsampled():
            pass
        before = gomem.stats().samples
        kept = [bytes(200) for _ in range(10_000)]
        assert gomem.stats().samples - before < 5
    kept += [bytes(200) for _ in range(10_000)]
    assert gomem.stats().samples > before


def test_a_profile_made_while_sampling_is_not_in_itself(sampled):
    kept = [bytes(100) for _ in range(10_000)]
    gomem.heap_profile()
    before = gomem.stats().samples
    for _ in range(3):
        gomem.heap_profile()
    assert gomem.stats().samples - before < 10  # the profile's tables would be hundreds
    del kept
