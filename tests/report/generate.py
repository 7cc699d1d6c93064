"""Made-up profiles for comparing with the real tool: small, full of edges, the same for the same seed."""

from __future__ import annotations

import random
from array import array

from gomem.pprof import (
    Function,
    LabelSet,
    Line,
    Location,
    Mapping,
    Profile,
    Samples,
    ValueType,
)

NAMES = [
    "main", "run", "parse", "json.loads", "json.(*Decoder).Decode", "encoding/json.Marshal", "runtime.mallocgc",
    "github.com/acme/tool/v2/pkg.Do", "std::vector<int, std::allocator<int>>::push_back", "operator()",
    "(anonymous namespace)::helper", "ns::Class::method(int, char*)", "java.util.HashMap.put", "com.acme.Main.<init>",
    "module.<module>", "Handler.get.<locals>.inner", "naïve_ключ", "a\"quote\\back", "foo.(*Bar[...]).Method", "f{}", "",
]  # fmt: skip
FILES = [
    "app.py", "/usr/lib/python3.11/json/decoder.py", "/home/me/src/app/main.go", "./rel/../x.c", "//double/slash.c", "",
    "/proc/self/cwd/bazel.cc",
]  # fmt: skip
OBJECTS = ["/opt/none/bin/python3", "/opt/none/libc.so.6", "[vdso]", "", "http://host/x", "bin dir/prog"]
TYPES = [
    [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")],
    [("samples", "count"), ("cpu", "nanoseconds")],
    [("space", "bytes")],
    [("contentions", "count"), ("delay", "microseconds")],
    [("events", "widgets"), ("gcu", "nanogcu")],
]
UNITS = ["", "bytes", "kilobytes", "ns", "seconds", "widgets"]
KEYS = ["thread", "bytes", "request", "alignment", "key with space", "zone"]


def make_profile(seed: int) -> Profile:
    """A profile of a few dozen samples. Every third seed gives negative values, as a difference has."""
    rng = random.Random(seed)
    types = [ValueType(*pair) for pair in rng.choice(TYPES)]
    mappings = _mappings(rng)
    functions = _functions(rng)
    locations = _locations(rng, mappings, functions)
    label_sets = _label_sets(rng)
    return Profile(
        sample_types=types,
        samples=_samples(rng, len(types), locations, label_sets, negative=seed % 3 == 0),
        locations=locations,
        functions=functions,
        mappings=mappings,
        label_sets=label_sets,
        default_sample_type=rng.choice(["", types[0].type, "missing"]),
        drop_frames=rng.choice(["", "", "runtime\\..*|operator\\(\\)", "main"]),
        keep_frames=rng.choice(["", "runtime\\.mallocgc"]),
        time_nanos=rng.choice([0, 1_700_000_000_123_456_789, 1_600_000_000_000_000_000]),
        duration_nanos=rng.choice([0, 1_500_000_000, 90_000_000_000, 12_345]),
        period_type=types[-1],
        period=rng.choice([0, 1, 524288]),
        comments=rng.choice([[], ["#hidden", "shown", "two\nlines"], ["made up"]]),
        doc_url=rng.choice(["", "https://example.com/doc"]),
        location_ids=_ids(rng, len(locations)),
        function_ids=_ids(rng, len(functions)),
    )


def _ids(rng: random.Random, count: int) -> list[int] | None:
    return rng.choice([None, rng.sample(range(1, count * 10 + 2), count)])


def _mappings(rng: random.Random) -> list[Mapping]:
    found = []
    for index in range(rng.choice([0, 1, 1, 3])):
        start = 0x400000 * (index + 1)
        # Symbolized ones only: the real tool looks for the files of others, and this machine may have them.
        found.append(Mapping(start, start + rng.randrange(0x1000, 0x9000), 0, rng.choice(OBJECTS),
                             rng.choice(["", "abc123"]), True, rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5))  # fmt: skip
    return found


def _functions(rng: random.Random) -> list[Function]:
    found = []
    for name in rng.sample(NAMES, rng.randrange(3, len(NAMES))):
        system_name = rng.choice([name, name, "_sys_" + name, ""])
        found.append(Function(name, system_name, rng.choice(FILES), rng.choice([0, 0, 3, 40])))
        if rng.random() < 0.3:
            found.append(found[-1]._replace(filename=rng.choice(FILES), start_line=7))
    return found


def _locations(rng: random.Random, mappings: list[Mapping], functions: list[Function]) -> list[Location]:
    found = []
    for _ in range(rng.randrange(4, 30)):
        mapping = rng.randrange(-1, len(mappings))
        base = mappings[mapping].start if mapping >= 0 else 0
        depth = rng.choice([0, 1, 1, 1, 1, 2, 3])
        lines = tuple(
            Line(rng.randrange(len(functions)), rng.choice([0, rng.randrange(1, 60)]), rng.choice([0, 0, 5]))
            for _ in range(depth)
        )
        address = rng.choice([0, base + rng.randrange(0x1000)])
        found.append(Location(mapping, address, lines, rng.random() < 0.1))
    return found


def _label_sets(rng: random.Random) -> list[LabelSet]:
    found = [LabelSet({}, {}, {})]
    for _ in range(rng.choice([0, 3, 12])):
        labels = LabelSet({}, {}, {})
        for key in rng.sample(KEYS, rng.randrange(1, 4)):
            if rng.random() < 0.5:
                labels.texts[key] = [rng.choice(["a", "b", "worker-1", "x:y"]) for _ in range(rng.choice([1, 1, 2]))]
            else:
                labels.numbers[key] = [rng.choice([1, 16, 48, 1024, 70000, -5, 1 << 40]) for _ in range(rng.choice([1, 1, 2]))]
                unit = rng.choice(UNITS)
                if unit:
                    labels.units[key] = [unit] * len(labels.numbers[key])
        found.append(labels)
    return found


def _samples(
    rng: random.Random, width: int, locations: list[Location], label_sets: list[LabelSet], *, negative: bool
) -> Samples:
    starts, stacks, values, sets = array("Q", [0]), array("I"), array("q"), array("I")
    for _ in range(rng.randrange(1, 60)):
        depth = rng.choice([0, 1, 2, 3, 5, 8, 12])
        stacks.extend(rng.randrange(len(locations)) for _ in range(depth))
        starts.append(len(stacks))
        for _ in range(width):
            value = rng.choice([0, 1, 2, 7, 100, 4096, rng.randrange(10**6), rng.randrange(10**9)])
            values.append(-value if negative and rng.random() < 0.4 else value)
        sets.append(rng.randrange(len(label_sets)))
    return Samples(width, starts, stacks, values, sets)
