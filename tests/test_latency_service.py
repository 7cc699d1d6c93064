"""examples/latency_service.py in a small form: both collectors find the sessions' garbage, and the plot has two panels."""

import re
from pathlib import Path

import pytest

import gomem.gc

EXAMPLE = Path(__file__).parents[1] / "examples" / "latency_service.py"


@pytest.mark.once
@pytest.mark.skipif(gomem.gc.unsupported() is not None, reason=str(gomem.gc.unsupported()))
def test_both_collectors_are_plotted(run_fresh):
    done = run_fresh(str(EXAMPLE), "--records", "10000", "--requests", "30000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines if "longest request" in line] == ["stock", "concurrent"]
    assert sum("+---" in line for line in lines) == 2
    stock, concurrent = ([int(word) for word in re.findall(r"\d+(?=,|$)", line)] for line in lines if line.startswith("longest "))
    assert stock[0] >= 1 and stock[1] == 0, done.stdout
    assert concurrent[1] >= 1, done.stdout
