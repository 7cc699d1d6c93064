"""Blocks that are resized by one thread, and then resized or freed by another at once: with the GIL (bytearrays that go from
hand to hand) and without it (the raw domain and malloc, through ctypes). When all are gone the profile holds none of them;
and a resize that fails leaves the old block where it was."""

import ctypes
import queue
import threading

import gomem
from reading import by_frame

free_of_gil = ctypes.CDLL(None)
raw = {name: getattr(free_of_gil, f"PyMem_Raw{name}") for name in ("Malloc", "Realloc", "Free")}
for name, function in raw.items():
    function.restype = None if name == "Free" else ctypes.c_void_p
    function.argtypes = {"Malloc": [ctypes.c_size_t], "Realloc": [ctypes.c_void_p, ctypes.c_size_t], "Free": [ctypes.c_void_p]}[name]

hands = [queue.SimpleQueue() for _ in range(4)]


def resize(me):
    for turn in range(300):
        block = bytearray(100 + turn)
        for size in (3000, 20_000, 700, 90_000):
            block += bytes(size)
            del block[size:]
        hands[(me + 1) % 4].put(block)
        taken = hands[me].get()
        taken += bytes(50_000)
        del taken[10:]
        taken += bytes(5000)


def resize_raw(me):
    blocks = [raw["Malloc"](500) for _ in range(20)]
    for turn in range(60):
        blocks = [raw["Realloc"](block, 300 + (turn * 7919 + i * 104_729) % 60_000) for i, block in enumerate(blocks)]
        raw_hands[(me + 1) % 4].put(blocks)
        blocks = raw_hands[me].get()
    for block in blocks:
        raw["Free"](block)


raw_hands = [queue.SimpleQueue() for _ in range(4)]


def run(work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def failing():
    block = raw["Malloc"](1_000_000)
    assert not raw["Realloc"](block, 1 << 60)
    return block


for rate in (1, 4096):
    gomem.start(rate=rate, seed=2)
    run(resize)
    run(resize_raw)
    block = failing()
    profile = gomem.heap_profile()
    stats = gomem.stats()
    inuse, allocated = by_frame(profile, "inuse_space"), by_frame(profile, "alloc_space")
    assert allocated["resize"] > 100_000_000 and allocated["resize_raw"] > 100_000_000, allocated
    assert inuse["resize"] < 20_000 and inuse["resize_raw"] < 20_000, (inuse["resize"], inuse["resize_raw"])
    assert stats.frees_missed == 0, stats
    assert abs(inuse["failing"] - 1_000_000) < 20_000, inuse["failing"]
    raw["Free"](block)
    assert by_frame(gomem.heap_profile(), "inuse_space")["failing"] < 20_000
    gomem.stop()
print("fine")
