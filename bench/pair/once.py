"""Pairs under one mode in this process: ``once.py MODE LIBRARY SAMPLES``; prints one JSON line of ns per pair.

A heap of 40 MB of small objects is built first, so that a profiler has live samples to keep (about 80 at 512 KiB, some
2,000 at gomem's "auto"). Each figure is the least of SAMPLES slices of about a millisecond.
"""

from __future__ import annotations

import ctypes
import json
import sys

from bench.modes import MODES

# name -> (function, size in bytes, blocks a batch): pymalloc's small blocks, a block past its limit of 512, and the C
# library's own.
KINDS = {
    "obj48": ("object_pair_ns", 48, 64),
    "obj400": ("object_pair_ns", 400, 64),
    "raw1024": ("raw_pair_ns", 1024, 6),
    "malloc1024": ("malloc_pair_ns", 1024, 6),
}
PAIRS = 96_000


def main() -> None:
    mode, path, samples = sys.argv[1:]
    library = ctypes.PyDLL(path)
    stop = MODES[mode].start()
    heap = [[number] for number in range(500_000)]
    result = {}
    for kind, (name, size, batch) in KINDS.items():
        pair_ns = getattr(library, name)
        pair_ns.restype = ctypes.c_double
        pair_ns.argtypes = (ctypes.c_size_t, ctypes.c_int, ctypes.c_long)
        result[kind] = min(pair_ns(size, batch, PAIRS // batch) for _ in range(int(samples)))
    facts = stop()
    print(json.dumps(result | {"live": len(heap), "facts": facts}), flush=True)


if __name__ == "__main__":
    main()
