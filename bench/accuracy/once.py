"""One heap under gomem: ``once.py MEGABYTES RATE SEED``; prints one JSON line of true and estimated bytes by site."""

from __future__ import annotations

import json
import sys

from gomem import heap

from bench.accuracy import heap as known
from bench.profiles import flat_by_function


def main() -> None:
    megabytes, rate, seed = sys.argv[1:]
    sites = known.plan(int(megabytes) * 1_000_000)
    room = known.Room(sites)
    heap.start(rate if rate == "auto" else int(rate), seed=int(seed))
    known.build(sites, room)
    profile = heap.heap_profile()
    stats = heap.stats()
    heap.stop()
    inuse, alloc = (flat_by_function(profile, kind) for kind in ("inuse_space", "alloc_space"))
    result = {
        "sites": [[s.name, s.size_bytes, s.inuse_bytes, inuse[s.name], s.alloc_bytes, alloc[s.name]] for s in sites],
        "samples": stats.samples,
        "samples_live": stats.samples_live,
        "rate_bytes": stats.rate_bytes,
        "kept": len(room.heap),
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
