"""A slice of ``programs.py``: of random programs no verdict ``frame`` is refuted by a run, and most of what stays is found."""

import pytest

from escape.verify.programs import refuted


@pytest.mark.parametrize("seed", [21, 24, 26, 1001, 1002, *(pytest.param(seed, marks=pytest.mark.once) for seed in (27, 31, 1003, 1004))])
def test_not_refuted(seed, tmp_path):
    wrong, stayed, found = refuted(seed, tmp_path)
    assert not wrong, "\n".join(wrong)
    assert found > 0.6 * stayed > 0
