"""Profiles are taken while other threads allocate, many times: every one is whole, and taking them does not show up as
allocations of its own that stay (an exporter that feeds itself)."""

import threading

import gomem
from reading import by_leaf, total

done = threading.Event()


def allocate():
    kept = []
    while not done.is_set():
        kept.append([bytes(i) for i in range(0, 900, 9)])
        if len(kept) > 10:
            kept.clear()


threads = [threading.Thread(target=allocate) for _ in range(3)]
gomem.start(rate=4096, seed=5)
for thread in threads:
    thread.start()
last = 0
for i in range(60):
    profile = gomem.heap_profile()
    assert all(v >= 0 for v in profile.samples.values)
    now = total(profile, "alloc_space")
    assert now >= last, (now, last)
    last = now
done.set()
for thread in threads:
    thread.join()
gomem.stop()

gomem.start(rate=1)
for i in range(5):
    gomem.heap_profile()
early = total(gomem.heap_profile(), "inuse_space")
for i in range(40):
    profile = gomem.heap_profile()
late = total(profile, "inuse_space")
gomem.stop()
assert late < 2 * early + 100_000, (early, late)
print("fine")
