"""Folding while blocks come and go: totals stay exact, and live blocks keep the stacks that allocated them.

A program that makes functions as it goes overfills the books again and again. Blocks are so much larger than the rate
that each is sampled, with a weight of 1, so a dict of what is live is the model; of two ways to reach a function, each
keeps its own stack."""

import random
import types
from collections import Counter

import gomem
from gomem import _core

RATE, SIZE = 4096, 128 << 10


def template(size):
    return bytearray(size)


def by_one_way(function, size):
    return function(size)


def by_another(function, size):
    return function(size)


def books():
    """The export; live and peak bytes of every stack (leaf, caller) of ours; bytes allocated, ours and folded."""
    tables = _core.heap_export(None)
    strings, functions, locations = (tables[name] for name in ("strings", "functions", "locations"))
    live, sums, allocated = Counter(), [0.0] * 6, Counter()
    for frames, _, _, amounts in tables["stacks"]:
        names = [strings[functions[locations[i][0]][0]] for i in frames[:2]]
        sums = [a + b for a, b in zip(sums, amounts, strict=True)]
        if names[0].startswith("made_"):
            live[tuple(names)] += amounts[3]
        if names[0].startswith("made_") or names[0] == "[folded]":
            allocated[names[0]] += amounts[1]
    for i, name in enumerate(("alloc", "inuse", "peak")):
        for j in range(2):
            total, found = tables[name][j], sums[2 * i + j]
            assert abs(total - found) <= 1e-9 * max(total, 1), (name, j, total, found)
    return tables, live, allocated


def near(model, found):
    """Besides the blocks, a bytearray object itself may have been sampled: it then stands for some 4 KB."""
    return -1e-9 * model <= found - model < 2 * RATE + 1e-9 * model


rng = random.Random(5)
gomem.start(rate=RATE, seed=1)
kept, made = [], 0.0
folds = set()
for i in range(30_000):
    name = f"made_{i}"
    function = types.FunctionType(template.__code__.replace(co_name=name, co_qualname=name), {})
    way = rng.choice((by_one_way, by_another))
    size = SIZE + rng.randrange(1000)
    kept.append((name, way.__name__, size, way(function, size)))
    made += size
    while len(kept) > 300 or rng.random() < 0.5 and kept:
        kept.pop(rng.randrange(len(kept)))
    if i % 3000 == 2999:
        folds.add(gomem.stats().stacks_folded)
        tables, live, allocated = books()
        model = {(name, caller): size + 1 for name, caller, size, _ in kept}  # bytearray asks for a byte more
        wrong = [key for key in {**model, **live} if not near(model.get(key, 0), live[key])]
        assert not wrong, [(key, model.get(key), live[key]) for key in wrong][:3]
        assert sum(allocated.values()) >= (made + i + 1) * (1 - 1e-9), (allocated, made)
assert len(folds) >= 3, folds

kept.clear()
tables, live, allocated = books()
assert not +live, live
assert gomem.stats().samples_lost == 0
gomem.stop()
print("fine")
