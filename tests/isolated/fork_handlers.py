"""Forks while a library's own fork handlers allocate, and hold a lock that its threads allocate under: the library is
loaded before the profiler and once more after it, so that its handlers run on both sides of anyone's. Nothing may wait for
the profiler, and every child must be able to profile."""

import ctypes
import os
import shutil
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
path = sys.argv[1]
before = ctypes.CDLL(path)
before.begin()

import gomem  # noqa: E402
from reading import by_frame  # noqa: E402

after = ctypes.CDLL(shutil.copy(path, path + ".copy.so"))
after.begin()


def child():
    return [bytes(1000) for _ in range(3000)]


for rate in (1, 4096):
    gomem.start(rate=rate, seed=1)
    for _ in range(15):
        pid = os.fork()
        if pid == 0:
            kept = child()
            mine = by_frame(gomem.heap_profile(), "inuse_space")["child"]
            os._exit(0 if 2_500_000 < mine < 3_700_000 else 1)
        assert os.waitpid(pid, 0)[1] == 0
    gomem.stop()
before.end()
after.end()
print("fine")
