"""Memory pressure: who is asked to shrink, by how much, and when."""

from __future__ import annotations

import gc
import sys

import pytest

from gomem import LRUCache, Pool, pressure
from gomem.pressure import Reading


class Member:
    def __init__(self):
        self.asked = []

    def shrink(self, fraction):
        self.asked.append(fraction)
        return 3


@pytest.fixture(autouse=True)
def alone():
    """No members of other tests."""
    gc.collect()
    kept = dict(pressure._members)
    pressure._members.clear()
    yield
    pressure._members.update(kept)


def test_registration_is_weak_and_idempotent():
    member = Member()
    pressure.register(member)
    pressure.register(member)
    assert pressure.members() == [member] and pressure.shrink(0.5) == 3 and member.asked == [0.5]
    pressure.unregister(member)
    pressure.unregister(member)
    assert pressure.members() == []
    pressure.register(member)
    del member
    assert pressure.members() == [] and pressure.shrink(1) == 0


def test_caches_and_pools_register_themselves():
    cache, pool, fixed = LRUCache(100), Pool(object), LRUCache(100, shrinkable=False)
    for i in range(100):
        cache[i] = fixed[i] = i
    pool.put(object())
    assert pressure.shrink(0.3) == 31 and len(cache) == 70 and len(pool) == 0 and len(fixed) == 100
    assert list(cache)[0] == 30


def test_a_member_that_fails_does_not_stop_the_others(monkeypatch):
    class Failing(Member):
        def shrink(self, fraction):
            raise LookupError

    reports = []
    monkeypatch.setattr(sys, "unraisablehook", reports.append)
    failing, member = Failing(), Member()
    pressure.register(failing)
    pressure.register(member)
    assert pressure.shrink(1) == 3 and [report.exc_type for report in reports] == [LookupError]


def test_check_shrinks_the_more_the_nearer_the_limit():
    member = Member()
    pressure.register(member)
    for used in (0, 799, 800, 900, 950, 1000, 1500):
        pressure.check(reading=Reading(used, 1000))
    assert member.asked == pytest.approx([0.1, 0.5, 0.75, 1.0, 1.0])
    assert pressure.check(reading=Reading(10**12, None)) == 0
    assert pressure.check(limit=10, reading=Reading(9, None)) == 3
    assert Reading(5, 10).share == 0.5 and Reading(5, None).share == 0.0
    for bad in (lambda: pressure.check(start=1), lambda: pressure.shrink(1.1), lambda: pressure.shrink(-0.1)):
        with pytest.raises(ValueError):
            bad()


def test_reading_this_process():
    reading = pressure.read()
    assert reading.used > 5_000_000 and (reading.limit is None or reading.limit > 0)
    assert pressure.read("/nowhere", "/nowhere") == (0, None)


def test_limits_of_cgroups(tmp_path):
    proc, root = tmp_path / "proc", tmp_path / "cgroup"
    proc.mkdir()
    (proc / "statm").write_text("100 7 3 1 0 2 0\n")
    inner = root / "outer" / "inner"
    inner.mkdir(parents=True)
    (root / "memory.max").write_text("max\n")
    (root / "outer" / "memory.max").write_text("5000000\n")
    (inner / "memory.max").write_text("max\n")
    (proc / "cgroup").write_text("0::/outer/inner\n")
    assert pressure.read(str(root), str(proc)).limit == 5_000_000
    (inner / "memory.max").write_text("4000000\n")
    assert pressure.read(str(root), str(proc)).limit == 4_000_000

    old = root / "memory" / "job"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("3000000")
    (root / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712")
    (proc / "cgroup").write_text("11:memory:/job\n5:cpu,cpuacct:/\n")
    assert pressure.read(str(root), str(proc)).limit == 3_000_000


def test_the_collectors_memory_limit_asks_them(run_fresh):
    done = run_fresh("cache_at_limit.py")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["count", "bytes", "s3fifo", "plain", "kept"])
def test_a_cache_that_is_filled_at_full_speed_stays_within_the_limit(run_fresh, kind):
    done = run_fresh("cache_fills_fast.py", kind)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["count", "bytes", "weighed"])
def test_a_cache_makes_way_for_what_else_grows(run_fresh, kind):
    done = run_fresh("cache_makes_way.py", kind)
    assert done.returncode == 0, done.stderr
