"""Estimates are unbiased and spread no more than theory says: for sizes from 16 bytes to 1 MB, the three domains, the
four allocation functions, the cheap form of the hooks and the exact one. The truth is the same program at rate=1.

An allocation of n bytes is sampled with probability p = 1 - exp(-n / rate) and then stands for n / p bytes, so the
variance of its estimate is n * n * (1 - p) / p. The seeds are fixed; each cell may be 4.5 standard errors off and the
mean of all cells 4, which a bias of 1 % everywhere exceeds."""

import ctypes
import itertools
import math
import sys

import gomem
from reading import by_leaf

SIZES = [16, 100, 512, 513, 4000, 70_000, 1 << 20]
DOMAINS = ["PyObject_", "PyMem_", "PyMem_Raw"]
SAMPLES = 1000  # a cell
seeds = itertools.count(1)
INT_BYTES = 32  # of the int object that holds each pointer, about


def function(name, *argument_types):
    found = ctypes.PyDLL(None)[name]
    found.restype, found.argtypes = ctypes.c_void_p, argument_types
    return found


def by_malloc(domain, n, count):
    malloc = function(domain + "Malloc", ctypes.c_size_t)
    return [malloc(n) for _ in range(count)]


def by_calloc(domain, n, count):
    calloc = function(domain + "Calloc", ctypes.c_size_t, ctypes.c_size_t)
    return [calloc(1, n) for _ in range(count)]


def by_realloc(domain, n, count):
    realloc = function(domain + "Realloc", ctypes.c_void_p, ctypes.c_size_t)
    return [realloc(None, n) for _ in range(count)]


def by_regrowth(domain, n, count):
    """Blocks that begin on the other side of the line between pymalloc and the raw domain."""
    malloc = function(domain + "Malloc", ctypes.c_size_t)
    realloc = function(domain + "Realloc", ctypes.c_void_p, ctypes.c_size_t)
    first = 700 if n <= 512 else 40
    return [realloc(malloc(first), n) for _ in range(count)]


def inuse(profile, make):
    return sum(v for name, v in by_leaf(profile, "inuse_space").items() if name.startswith(make.__name__))


def measure(rate, make, domain, n, count):
    """(bytes in use, bytes still in use after everything was freed) under make, as the profile says."""
    free = ctypes.PyDLL(None)[domain + "Free"]
    free.restype, free.argtypes = None, [ctypes.c_void_p]
    gomem.start(rate=rate, seed=next(seeds), native=False)
    blocks = make(domain, n, count)
    full = inuse(gomem.heap_profile(), make)
    for block in blocks:
        free(block)
    del blocks, block
    empty = inuse(gomem.heap_profile(), make)
    gomem.stop()
    return full, empty


def variance(rate, n):
    p = -math.expm1(-n / rate)
    return n * n * (1 - p) / p


def check(rate):
    deviations = []
    for make in (by_malloc, by_calloc, by_realloc, by_regrowth):
        for domain in DOMAINS:
            for n in SIZES:
                count = max(8, min(round(SAMPLES * rate / n), 20_000))
                full, empty = measure(rate, make, domain, n, count)
                exact_full, exact_empty = measure(1, make, domain, n, count)
                truth = exact_full - exact_empty
                sd = math.sqrt(count * (variance(rate, n) + variance(rate, INT_BYTES)) + variance(rate, 8 * count))
                deviations.append((full - empty - truth) / sd)
                assert empty <= 0.02 * full + 3 * rate, (make.__name__, domain, n, empty)
                assert abs(full - empty - truth) < 4.5 * sd + 0.002 * truth, (make.__name__, domain, n, full, truth, sd)
    mean = sum(deviations) * len(deviations) ** -0.5
    assert abs(mean) < 4, (rate, mean)
    assert sum(d * d for d in deviations) / len(deviations) < 1.8, deviations


check(float(sys.argv[1]))
print("fine")
