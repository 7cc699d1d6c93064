"""The hooks on malloc in a library of our own: every way to allocate, a pointer in data that the library set itself,
sizes that cannot be had, mappings that move, errno, and unloading in a loop."""

import ctypes
import shutil
import sys
import threading

import gomem
from gomem import _core

path = sys.argv[1]


def load(path):
    library = ctypes.CDLL(path)
    for name in ("allocate", "allocate_zeroed", "allocate_by_table", "resize", "map", "remap"):
        getattr(library, name).restype = ctypes.c_void_p
    library.allocate.argtypes = library.allocate_by_table.argtypes = library.map.argtypes = [ctypes.c_size_t]
    library.errno_after.argtypes = [ctypes.c_size_t]
    library.allocate_zeroed.argtypes = [ctypes.c_size_t] * 2
    library.resize.argtypes = library.unmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.remap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
    library.release.argtypes = [ctypes.c_void_p]
    return library


def native(kind, path=path):
    """Bytes (alloc, live) that a library asked for."""
    tables = _core.heap_export(None)
    return sum(
        stack[3][{"alloc": 1, "live": 3}[kind]] for stack in tables["stacks"] if tables["libraries"][stack[2]] == path
    )


library = load(path)
gomem.start(rate=1)

block = library.allocate(1000)
assert native("live") == 1000, native("live")
block = library.resize(block, 3000)
assert native("live") == 3000
assert library.resize(block, 0) is None
assert native("live") == 0
block = library.allocate_zeroed(10, 70)
assert native("live") == 700
library.release(block)
block = library.allocate_by_table(500)
assert native("live") == 500
library.release(block)
assert native("live") == 0 and native("alloc") == 5200, native("alloc")

block = library.map(1 << 20)
assert native("live") == 1 << 20
block = library.remap(block, 1 << 20, 64 << 20)
assert native("live") == 64 << 20, native("live")
assert library.unmap(block, 1 << 20) == 0
assert native("live") == 63 << 20
assert library.unmap(block + (1 << 20), 63 << 20) == 0
assert native("live") == 0, native("live")

assert library.errno_after(100) == 77 and library.errno_of_failure() == 12
gomem.stop()

# What the library sets at run time stays, in a profile and after.
library.use_own()
gomem.start(rate=1)
library.release(library.allocate_by_table(10))
assert library.calls_of_own() == 1 and native("alloc") == 10
gomem.stop()
library.release(library.allocate_by_table(10))
assert library.calls_of_own() == 2, library.calls_of_own()

# Requests that cannot be had do not keep a thread's samples from being due.
gomem.start(rate=1 << 20, seed=1)
for _ in range(4):
    assert library.allocate((3 << 62) + 4096) is None
for _ in range(200):
    library.release(library.allocate(1 << 20))
assert native("alloc") > 50 << 20, native("alloc")
gomem.stop()

# Loaded and unloaded in a loop, each time under another name, while other threads allocate.
sys.setswitchinterval(1e-4)  # each of the many calls here lets the GIL go and would wait 5 ms for it
done = threading.Event()
threads = [threading.Thread(target=lambda: [load(path).errno_after(64) for _ in iter(done.is_set, True)]) for _ in "ab"]
gomem.start(rate=1)
for thread in threads:
    thread.start()
copies = [f"{path}.{i}.so" for i in range(5)]
for copy in copies:
    shutil.copy(path, copy)
for i in range(300):
    copied = load(copies[i % 5])
    gomem.stats()
    _core.heap_mend()
    copied.release(copied.allocate(100_000 + i % 5))
    handle = ctypes.c_void_p(copied._handle)
    del copied
    assert ctypes.CDLL(None).dlclose(handle) == 0
for i, copy in enumerate(copies):
    assert native("alloc", copy) == 60 * (100_000 + i), (i, native("alloc", copy))
done.set()
for thread in threads:
    thread.join()
libraries = _core.heap_export(None)["libraries"][2:]  # after Python's own allocators and the program
assert len(libraries) == len(set(libraries)), libraries
gomem.stop()
print("fine")
