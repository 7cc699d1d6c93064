"""Nothing that makes the profiler look away for a moment may make it look away for long: taking a profile, an earlier
profile at another rate, and the allocator's own nested calls, each once cost up to a megabyte of allocations."""

import ctypes
import threading

import gomem
from reading import by_frame


def make():
    return [bytes(1000) for _ in range(100)]


# Taking a profile: 100 objects of 1 KB after each of 200 profiles; the standard error is 2 %.
gomem.start(rate=8192, seed=11)
for _ in range(200):
    gomem.heap_profile()
    make()
gomem.stop()
got = by_frame(gomem.heap_profile(), "alloc_space")["make"]
true = 200 * 100 * 1033
assert abs(got - true) < 0.1 * true, got / true


# The raw domain of a thread that counted down from a large rate under an earlier profile.
def allocate_raw():
    return [allocator(1000) for _ in range(50)]


def on_thread():
    allocate_raw()
    counted.set()
    restarted.wait()
    allocate_raw()


allocator = ctypes.pythonapi.PyMem_RawMalloc
allocator.restype, allocator.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
counted, restarted = threading.Event(), threading.Event()
gomem.start(rate=1 << 40)
thread = threading.Thread(target=on_thread)
thread.start()
counted.wait()
gomem.stop()
gomem.start(rate=1)
restarted.set()
thread.join()
got = by_frame(gomem.heap_profile(), "inuse_space")["allocate_raw"]
gomem.stop()
assert got >= 50_000, got

# At rate 1, a list's realloc is passed on to the raw domain, whose block may share a filter slot with another sample.
gomem.start(rate=1)
kept = [str(i) * 10 for i in range(300_000)]  # fills the filter
grown = []
for i in range(100_000):
    grown.append(None)
allocate_raw()
got = by_frame(gomem.heap_profile(), "inuse_space")["allocate_raw"]
gomem.stop()
assert got >= 50_000, got
print("fine")
