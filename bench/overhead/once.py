"""One workload under one mode in this process: ``once.py WORKLOAD MODE COUNT [--rate=BYTES] [--no-stop]``; prints one
JSON line.

Profiling starts before the workload is imported, as in real use; the clock runs round the workload alone, so neither
start-up nor writing the profile is in it; nor are the samples counted that were taken at import. ``--no-stop`` leaves the process at once after the workload (for counting
instructions: ending the profiler would be counted too).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from bench.modes import MODES
from bench.overhead import workloads


def memory_kib(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def main() -> None:
    name, mode, count, *rest = sys.argv[1:]
    rates = [int(option.removeprefix("--rate=")) for option in rest if option.startswith("--rate=")]
    stop = MODES[mode].start(*rates)
    workload = workloads.load(name)
    progress = MODES[mode].progress or (lambda: (0, 0))
    before_kib = memory_kib("VmRSS")
    samples, sampled_bytes = progress()
    start_s = time.process_time()
    checksum = workload.run(int(count))
    cpu_s = time.process_time() - start_s
    samples_after, bytes_after = progress()
    peak_kib = memory_kib("VmHWM")  # ru_maxrss may be that of the process that started this one
    result = {"checksum": checksum, "cpu_s": cpu_s, "before_kib": before_kib, "peak_kib": peak_kib}
    if samples_after > samples:
        result |= {"samples": samples_after - samples, "bytes_per_sample": (bytes_after - sampled_bytes) / (samples_after - samples)}
    if "--no-stop" in rest:
        print(json.dumps(result), flush=True)
        os._exit(0)
    result["facts"] = stop()
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
