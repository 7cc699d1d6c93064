"""Profiles for the page's tests: made by hand, so that every figure is known."""

import random

from gomem.pprof import ProfileBuilder

KB = 1024
_TYPES = [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]

# stack from the root, inuse kB before, inuse kB after, thread; the others' stacks are one function deeper.
SHOP = [
    (("main", "serve", "load_orders", "json.loads"), 400, 900, "worker-1"),
    (("main", "serve", "load_orders", "json.loads", "json.decode"), 100, 350, "worker-1"),
    (("main", "serve", "render<T>", "format & join"), 300, 120, "worker-2"),
    (("main", "serve", "cache.put"), 50, 640, "worker-2"),
    (("main", "configure", "re.compile"), 80, 80, "MainThread"),
    (("main", "walk", "walk", "walk", "visit"), 64, 96, "MainThread"),
]
_FILES = {"json": "/usr/lib/python3.12/json/__init__.py", "re": "/usr/lib/python3.12/re/__init__.py",
          "cache": "/app/lib/python3.12/site-packages/cache/store.py"}  # fmt: skip


def shop(*, after: bool = True, source: str = "/srv/shop/app.py", time_s: int = 1_700_000_000):
    """A small service's profile, before or after some orders came in."""
    builder = ProfileBuilder(_TYPES, default_sample_type="inuse_space", time_nanos=time_s * 10**9)
    mapping = builder.mapping(0x1000, 0x2000, 0, "/usr/bin/shop")
    for names, old_kb, new_kb, thread in SHOP:
        locations = []
        for depth, name in enumerate(names):
            function = builder.function(name, name, _FILES.get(name.partition(".")[0], source), 1)
            locations.append(builder.location(mapping, 0, [(function, 3 + depth)]))
        size = (new_kb if after else old_kb) * KB
        builder.sample(
            locations[::-1], [size // 64 * 3, size * 3, size // 64, size], {"thread": thread, "bytes": (64, "bytes")}
        )
    return builder.build()


def wide(stacks: int, seed: int = 7, depth: int = 24, names: int = 3000):
    """A profile of so many distinct stacks, as a busy service has them: few roots, long tails."""
    draw = random.Random(seed)
    builder = ProfileBuilder([("inuse_objects", "count"), ("inuse_space", "bytes")])
    mapping = builder.mapping(0x1000, 0x2000, 0, "/usr/bin/wide")
    locations = []
    for i in range(names):
        function = builder.function(f"pkg{i % 40}.function_{i}", "", f"/srv/pkg{i % 40}/module_{i % 300}.py", 1)
        locations.append(builder.location(mapping, 0, [(function, i)]))
    paths = [[0]]
    for _ in range(stacks):
        path = list(draw.choice(paths))[: draw.randint(1, depth)]
        path += [min(names - 1, int(draw.expovariate(1 / 400))) for _ in range(draw.randint(1, 4))]
        if len(paths) < 5000:
            paths.append(path)
        objects = draw.randint(1, 1 << 10)
        builder.sample([locations[i] for i in reversed(path)], [objects, objects * draw.choice((16, 64, 512))])
    return builder.build()
