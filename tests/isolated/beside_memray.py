"""memray before and after us. It exchanges the same pointers to malloc, and puts the real functions there when it ends; it
also wraps the allocators that it found. Hooks of ours that it takes off must be noticed, said and put back."""

import sqlite3
import sys

import gomem
from reading import by_frame

try:
    import memray
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit()

opened = 0


def make():
    return [bytes(10_000) for _ in range(100)]


def connect():
    """Ten databases in memory of a megabyte each, by sqlite's own calls of malloc."""
    made = []
    for _ in range(10):
        made.append(sqlite3.connect(":memory:"))
        made[-1].execute("create table t(a)")
        made[-1].execute("insert into t values(zeroblob(1000000))")
    return made


def close(made):
    for connection in made:
        connection.close()


def tracker():
    global opened
    opened += 1
    return memray.Tracker(f"{sys.argv[1]}/{opened}", trace_python_allocators=True)


def inuse(name):
    return by_frame(gomem.heap_profile(), "inuse_space")[name]


def near(megabytes, got):
    assert abs(got - megabytes * 1e6) < 0.25e6 + 0.25 * megabytes * 1e6, (megabytes, got)


def inside_ours(rate):
    gomem.start(rate=rate, seed=1)
    first, kept = connect(), make()
    near(10, inuse("connect"))
    with tracker():
        close(first)
        more = make()
    near(2, inuse("make"))
    assert gomem.stats().hooks_lost == 1
    near(0, inuse("connect"))
    second = connect()
    near(10, inuse("connect"))
    close(second)
    near(0, inuse("connect"))
    assert gomem.stats().hooks_lost == 1
    gomem.stop()
    return kept, more


def ours_inside(rate):
    theirs = tracker()
    theirs.__enter__()
    gomem.start(rate=rate, seed=1)
    kept = make()
    near(1, inuse("make"))
    theirs.__exit__(None, None, None)
    inuse("make")  # a profile: what was taken off is put back
    assert gomem.stats().hooks_lost == 1
    second, kept = connect(), make()
    near(10, inuse("connect"))
    near(1, inuse("make"))
    close(second)
    near(0, inuse("connect"))
    gomem.stop()
    return kept


for rate in (1, 8192):
    inside_ours(rate)
    ours_inside(rate)
print("fine")
