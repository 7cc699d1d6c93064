"""Thousands of threads come and go, each ends with allocations of its own alive; a thousand daemon threads' worth of
names do not grow the profile, and daemon threads still run when the interpreter exits."""

import threading
import zlib

import gomem
from reading import rows

gomem.start(rate=1)
kept = []


def make():
    return bytes(2000)


def work(i):
    kept.append(make())
    zlib.compress(bytes(10_000))


for i in range(0, 1500, 10):
    batch = [threading.Thread(target=work, args=(j,), name=f"worker {j}") for j in range(i, i + 10)]
    for thread in batch:
        thread.start()
    for thread in batch:
        thread.join()
profile = gomem.heap_profile()
sums = {}
for row in rows(profile, "inuse_space"):
    if row.frames[0][0] == "make":
        name = row.labels.get("thread", [""])[0]
        sums[name] = sums.get(name, 0) + row.value
assert sum(sums.values()) == 1500 * 2033, sum(sums.values())
assert sums["worker 7"] == 2033, sums["worker 7"]
assert len(sums) < 260 and sums["[other threads]"] > 1000 * 2033, len(sums)


def forever():
    while True:
        zlib.compress(bytes(50_000))
        [str(i) for i in range(100)]


for _ in range(4):
    threading.Thread(target=forever, daemon=True).start()
print("fine")
