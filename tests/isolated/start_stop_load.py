"""The profiler is started and stopped again and again, at rates that choose either form of the hooks, while other
threads allocate with and without the GIL and read the profile."""

import hashlib
import threading
import zlib

import gomem
from gomem.errors import GomemError

text = bytes(range(256)) * 400
packed = zlib.compress(text)
done = threading.Event()
turns = [0] * 4


def without_gil(me):
    while not done.is_set():
        for _ in range(20):
            zlib.decompress(packed)
            zlib.compress(text)
            hashlib.sha256(text).digest()
        turns[me] += 1


def with_gil(me):
    kept = []
    while not done.is_set():
        kept.append([bytes(i) for i in range(0, 2000, 7)])
        if len(kept) > 20:
            kept.clear()
        turns[me] += 1


def reader(me):
    while not done.is_set():
        try:
            assert all(v >= 0 for v in gomem.heap_profile().samples.values)
        except GomemError:
            pass  # not started yet
        gomem.stats()
        turns[me] += 1


threads = [threading.Thread(target=f, args=(i,)) for i, f in enumerate((without_gil, without_gil, with_gil, reader))]
for thread in threads:
    thread.start()
for i in range(150):
    gomem.start(rate=(1, 512, 4096, "auto", 1 << 20)[i % 5], seed=i)
    [bytearray(i * 10 + 1) for i in range(200)]
    gomem.stop()
done.set()
for thread in threads:
    thread.join()
assert all(turns), turns
print("fine")
