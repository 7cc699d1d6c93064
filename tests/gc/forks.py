"""Forks, one after the other, beside threads whose garbage has finalisers: CPython's collections must go on.

    for i in 1 2 3; do python tests/gc/forks.py & done; wait      100 seconds on a machine that is busy

After a fork the main thread starts the collector's worker, and others may run: one that was in the middle of a collection by
then was once taken for the main thread itself, and when both were over nobody could collect any more. On a busy machine that took
some 70 to 280 forks, on an idle one it was not seen. Fails when no young collection is made for ten seconds.
"""

import argparse
import gc
import os
import sys
import threading
import time
import warnings

import soak

import gomem.gc


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=100, help="default 100")
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads
    old = [{"key": [i], "name": (i, [i])} for i in range(20_000)]
    gomem.gc.enable(percent=10)
    end = time.monotonic() + options.seconds
    for i in range(4):
        serve = soak.serve if i else soak.serve_tasks
        threading.Thread(target=serve, args=(soak.Books(1000), end), daemon=True).start()
    forks, before, moved = 0, 0, time.monotonic()
    while time.monotonic() < end:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        forks += 1
        made = gc.get_stats()[0]["collections"]
        if made != before:
            before, moved = made, time.monotonic()
        if time.monotonic() - moved > 10:
            print(f"after {forks} forks and {made} young collections there was none for ten seconds", flush=True)
            os._exit(1)
        time.sleep(0.005)
    print(f"{forks} forks, {made} young collections, {gomem.gc.stats().cycles} cycles beside {len(old)} old records", flush=True)
    os._exit(0)  # the threads may be anywhere


if __name__ == "__main__":
    sys.exit(main())
