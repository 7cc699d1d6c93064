"""os.fork from several threads while others are in the middle of samples: no child may find the lock taken, each
child's profile begins empty, and the parent's goes on."""

import os
import sys
import threading
import warnings
import zlib

import gomem
from reading import by_frame, total

warnings.simplefilter("ignore", DeprecationWarning)
text = bytes(range(256)) * 100
done = threading.Event()


def allocate():
    kept = []
    while not done.is_set():
        zlib.compress(text)
        kept.append([bytes(i) for i in range(0, 600, 5)])
        if len(kept) > 10:
            kept.clear()


def only_child():
    return [bytes(1000) for _ in range(300)]


def child():
    kept = only_child()
    profile = gomem.heap_profile()
    mine = by_frame(profile, "inuse_space")
    assert 300_000 < mine["only_child"] < 330_000, mine
    assert mine["only_parent"] == 0, mine
    assert total(profile, "alloc_space") < 5_000_000, total(profile, "alloc_space")
    del kept
    gomem.stop()
    gomem.start(rate=4096)
    only_child()
    gomem.stop()


def only_parent():
    return [bytes(1000) for _ in range(300)]


def fork_often():
    for _ in range(12):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                child()
                status = 0
            except BaseException as error:
                print("child:", repr(error), file=sys.stderr)
            finally:
                os._exit(status)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
            failures.append(pid)


failures = []
gomem.start(rate=1)
kept = only_parent()
loads = [threading.Thread(target=allocate) for _ in range(3)]
forkers = [threading.Thread(target=fork_often) for _ in range(2)]
for thread in loads + forkers:
    thread.start()
for thread in forkers:
    thread.join()
done.set()
for thread in loads:
    thread.join()
assert not failures, failures
assert by_frame(gomem.heap_profile(), "inuse_space")["only_parent"] > 300_000
assert by_frame(gomem.heap_profile(), "alloc_space")["only_child"] == 0
print("fine")
