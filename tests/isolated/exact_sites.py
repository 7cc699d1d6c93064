"""At rate=1: known allocations, byte for byte, with their stacks; and the peak columns against a slow model that follows
every block's life in plain Python."""

import ctypes
import random

import gomem
from reading import by_leaf, rows

BYTES_HEADER = 33  # sys.getsizeof(b"")
raw_malloc = ctypes.pythonapi.PyMem_RawMalloc
raw_malloc.restype, raw_malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
raw_realloc = ctypes.pythonapi.PyMem_RawRealloc
raw_realloc.restype, raw_realloc.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t]
raw_free = ctypes.pythonapi.PyMem_RawFree
raw_free.restype, raw_free.argtypes = None, [ctypes.c_void_p]


def leaf(n):
    return bytes(n)


def outer_a(n):
    return leaf(n)


def outer_b(n):
    return leaf(n)


def by_caller_of_leaf(profile, sample_type):
    sums = {}
    for row in rows(profile, sample_type):
        if row.frames[0][0] == "leaf":
            sums[row.frames[1][0]] = sums.get(row.frames[1][0], 0) + row.value
    return sums


def check_stacks():
    gomem.start(rate=1)
    kept = [None, None, None]
    kept[0] = outer_a(1000)
    kept[1] = outer_b(100_000)
    kept[2] = outer_b(7)
    outer_a(500)
    gomem.stop()
    profile = gomem.heap_profile()
    found = {
        sample_type: by_caller_of_leaf(profile, sample_type)
        for sample_type in ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
    }
    both = 2 * BYTES_HEADER
    assert found["alloc_objects"] == {"outer_a": 2, "outer_b": 2}, found
    assert found["alloc_space"] == {"outer_a": 1500 + both, "outer_b": 100_007 + both}, found
    assert found["inuse_objects"] == {"outer_a": 1, "outer_b": 2}, found
    assert found["inuse_space"] == {"outer_a": 1000 + BYTES_HEADER, "outer_b": 100_007 + both}, found
    for row in rows(profile, "alloc_space"):
        if row.frames[0][0] == "leaf":
            line = leaf.__code__.co_firstlineno + 1
            assert row.frames[0] == ("leaf", line) and row.frames[2][0] == "check_stacks", row


def raw_grow(block, n):
    return raw_realloc(block, n)


def check_realloc():
    """A realloc is a free and an allocation; the block belongs to the line that resized it last. One that fails leaves
    the block where it was."""
    gomem.start(rate=1, native=False)
    block = leaf_raw(1000)
    before = by_leaf(gomem.heap_profile(), "inuse_space")
    grown = raw_grow(block, 70_000)
    middle = by_leaf(gomem.heap_profile(), "inuse_space")
    assert raw_realloc(grown, (1 << 62)) is None
    failed = by_leaf(gomem.heap_profile(), "inuse_space")
    raw_free(grown)
    after = by_leaf(gomem.heap_profile(), "inuse_space")
    gomem.stop()
    moved = before["leaf_raw"] - middle["leaf_raw"]
    assert moved == 1000, moved
    assert middle["raw_grow"] - before["raw_grow"] >= 70_000
    assert failed["raw_grow"] == middle["raw_grow"], (middle["raw_grow"], failed["raw_grow"])
    assert middle["raw_grow"] - after["raw_grow"] == 70_000


def leaf_raw(n):
    return raw_malloc(n)


def site_0(n):
    return bytes(n)


def site_1(n):
    return bytes(n)


def site_2(n):
    return bytes(n)


def check_peak(seed):
    chance = random.Random(seed)
    slots, sizes = [None] * 40, [(0, 0)] * 40
    plan = [(chance.randrange(40), chance.randrange(4), chance.randrange(1, 12) * 20_000) for _ in range(600)]
    sites = (site_0, site_1, site_2)
    live, best, at_best = [0, 0, 0], -1, None
    gomem.start(rate=1)
    for slot, site, n in plan:
        slots[slot] = None
        if site < 3:
            slots[slot] = sites[site](n)
    profile = gomem.heap_profile()
    gomem.stop()
    for slot, site, n in plan:
        old_site, old_n = sizes[slot]
        live[old_site] -= old_n
        sizes[slot] = (0, 0)
        if site < 3:
            sizes[slot] = (site, n + BYTES_HEADER)
            live[site] += n + BYTES_HEADER
        if sum(live) > best:
            best, at_best = sum(live), list(live)
    peak, inuse = by_leaf(profile, "peak_space"), by_leaf(profile, "inuse_space")
    assert [peak[f"site_{i}"] for i in range(3)] == at_best, (seed, peak, at_best)
    assert [inuse[f"site_{i}"] for i in range(3)] == live, (seed, inuse, live)


check_stacks()
check_realloc()
for seed in range(8):
    check_peak(seed)
print("fine")
