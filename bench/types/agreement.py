"""``python -m bench.types.agreement``: hit ratios of policy="s3fifo" and of libCacheSim's S3FIFO on the same traces."""

from __future__ import annotations

import json
import random

from gomem import cachesim

REQUESTS = 200_000


def zipf(seed: int, keys: int, exponent: float) -> list[int]:
    pick = random.Random(seed)
    return pick.choices(range(keys), [1 / (rank + 1) ** exponent for rank in range(keys)], k=REQUESTS)


def traces() -> dict[str, list[int]]:
    return {
        "zipf 0.8": zipf(1, 20_000, 0.8),
        "zipf 1.0": zipf(2, 20_000, 1.0),
        "zipf and scans": [key for i, hot in enumerate(zipf(3, 5_000, 1.0)[: REQUESTS // 2]) for key in (hot, 100_000 + i % 40_000)],
        "shifting": [key + i // 20_000 * 3_000 for i, key in enumerate(zipf(4, 10_000, 0.9))],
    }


def theirs(trace: list[int], size: int) -> float:
    import libcachesim

    cache = libcachesim.S3FIFO(cache_size=size)
    request = libcachesim.Request()
    request.obj_size = 1
    hits = 0
    for key in trace:
        request.obj_id = key
        hits += cache.get(request)
    return hits / len(trace)


def main() -> None:
    for name, trace in traces().items():
        for size in (100, 1000, 4000):
            ours = cachesim.s3fifo(trace, size) / len(trace)
            lru = cachesim.lru(trace, size) / len(trace)
            line = {"trace": name, "size": size, "gomem": ours, "libCacheSim": theirs(trace, size), "lru": lru}
            print(json.dumps({**line, "difference": round(line["gomem"] - line["libCacheSim"], 6)}), flush=True)


if __name__ == "__main__":
    main()
