"""Python code that runs inside allocations: garbage collections on every allocation (3.11 collects inside the
allocator call), finalizers and weakref callbacks that allocate, reallocate and collect again."""

import gc
import weakref

import gomem


class Node:
    def __init__(self):
        self.me = self
        self.payload = [bytes(100) for _ in range(3)]

    def __del__(self):
        global finalized
        finalized += 1
        grown = []
        for i in range(40):
            grown.append(str(i) * 20)
        bytearray(1000).extend(bytes(3000))


def on_death(reference):
    global called
    called += 1
    {i: str(i) for i in range(50)}


def on_collection(phase, info):
    [bytes(600) for _ in range(3)]


finalized = called = 0
gc.callbacks.append(on_collection)
gc.set_threshold(1, 1, 1)
for rate in (1, 4096, 65536, "auto"):
    gomem.start(rate=rate, seed=7)
    references = []
    for _ in range(300):
        node = Node()
        references.append(weakref.ref(node, on_death))
        table = []
        for i in range(200):
            table.append(i)
        del node
        gomem.heap_profile() if len(references) % 100 == 0 else None
    gc.collect()
    gomem.stop()
    profile = gomem.heap_profile()
    assert profile.locations, rate
gc.set_threshold(700, 10, 10)
assert finalized == called == 1200, (finalized, called)
print("fine")
