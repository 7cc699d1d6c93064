"""Claim: drawing a call graph takes a bounded time. Prints one JSON line a graph: CPU seconds here and, where it is
installed, of Graphviz's dot for the same boxes and edges (ended after 60 s).

    python -m bench.graph_layout

Graphs are random: each box but the first is called by an earlier one, more edges join any two boxes, a tenth of
them upwards.
"""

import json
import random
import resource
import shutil
import subprocess
import time

from gomem.report.layout import Box, Route, lay_out

SIZES = ((50, 80), (80, 120), (80, 200), (80, 400), (200, 400), (200, 1000))


def make_graph(boxes, edges, seed=1):
    draw = random.Random(seed)
    pairs = {(draw.randrange(max(0, i - 12), i), i) for i in range(1, boxes)}
    while len(pairs) < edges:
        a, b = sorted(draw.sample(range(boxes), 2))
        pairs.add((b, a) if draw.random() < 0.1 else (a, b))
    return (
        [Box(draw.uniform(60, 160), draw.uniform(25, 70)) for _ in range(boxes)],
        [Route(a, b, draw.expovariate(1 / 5)) for a, b in sorted(pairs)],
    )


def graphviz_cpu_s(boxes, routes):
    if not shutil.which("dot"):
        return None
    lines = [
        f"n{i} [shape=box fixedsize=true width={b.width / 72:.2f} height={b.height / 72:.2f}]"
        for i, b in enumerate(boxes)
    ]
    lines += [f'n{r.source} -> n{r.target} [weight={1 + int(r.weight)} label="{r.weight:.2f}MB"]' for r in routes]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run(
            ["dot", "-Tsvg"],
            input=f"digraph {{ {'; '.join(lines)} }}",
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return "more than 60"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime - before.ru_utime, 2)


def main():
    for boxes, edges in SIZES:
        made, routes = make_graph(boxes, edges)
        start = time.process_time()
        lay_out(made, routes)
        own = round(time.process_time() - start, 2)
        print(
            json.dumps({"boxes": boxes, "edges": edges, "cpu_s": own, "graphviz_cpu_s": graphviz_cpu_s(made, routes)}),
            flush=True,
        )


if __name__ == "__main__":
    main()
