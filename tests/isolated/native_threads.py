"""Allocations by threads that Python does not know: pthread_create runs the raw allocator itself."""

import ctypes

import gomem
from reading import by_leaf

libc = ctypes.CDLL(None)
python = ctypes.pythonapi
libc.pthread_create.argtypes = [ctypes.c_void_p] * 4
libc.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]


def on_new_thread(function, argument):
    thread, result = ctypes.c_ulong(), ctypes.c_void_p()
    start = ctypes.cast(function, ctypes.c_void_p)
    assert libc.pthread_create(ctypes.byref(thread), None, start, argument) == 0
    assert libc.pthread_join(thread, ctypes.byref(result)) == 0
    return result.value


for rate in (1, 4096):
    gomem.start(rate=rate, seed=3)
    blocks = [on_new_thread(python.PyMem_RawMalloc, 1 << 20) for _ in range(50)]
    assert all(blocks)
    inuse = by_leaf(gomem.heap_profile(), "inuse_space")["[native thread]"]
    assert inuse == 50 << 20, inuse
    for block in blocks:
        on_new_thread(python.PyMem_RawFree, block)
    profile = gomem.heap_profile()
    gomem.stop()
    assert by_leaf(profile, "inuse_space")["[native thread]"] == 0
    assert by_leaf(profile, "alloc_space")["[native thread]"] == 50 << 20
print("fine")
