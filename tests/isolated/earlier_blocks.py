"""Blocks from before the start are freed, grown and shrunk while the profile runs: they are none of its business."""

import gomem
from reading import total

before = [bytes(100) for _ in range(5000)] + [bytearray(5000) for _ in range(500)]
lists = [list(range(100)) for _ in range(100)]
gomem.start(rate=1)
started = gomem.stats()
for block in before:
    if isinstance(block, bytearray):
        block.clear()
before.clear()
for one in lists:
    del one[50:]
lists.clear()
del block, one
gomem.stop()
profile = gomem.heap_profile()
assert all(value >= 0 for value in profile.samples.values)
assert total(profile, "inuse_space") < 20_000, total(profile, "inuse_space")
assert gomem.stats().frees_missed == 0
print("fine")
