"""Array expressions with temporaries of 1 KiB to 8 MiB: few allocations, large ones, all of them native memory."""

import numpy

COUNT = 7
SIZES = (128, 4096, 65536, 1048576)
TURNS = (4000, 1000, 60, 4)


def turn(size: int, times: int) -> int:
    values = numpy.arange(size, dtype=numpy.float64)
    total = 0.0
    for i in range(times):
        scaled = (values * 0.5 + i) / (values + 1.0)
        kept = scaled[scaled > scaled.mean()]
        total += float(kept.sum()) + float(numpy.sqrt(scaled + 2.0)[-1])
    return int(total * 1000)


def run(count: int) -> int:
    return sum(turn(size, times) for _ in range(count) for size, times in zip(SIZES, TURNS, strict=True))
