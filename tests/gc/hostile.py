"""The collector among all that a program may do to it, in a process of its own; prints a word for each part that held."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import weakref

import gomem.gc
from gomem import heap


class Node:
    def __init__(self):
        self.me = self


def garbage(count):
    nodes = [Node() for _ in range(count)]
    gc.collect(1)
    nodes.clear()


def disabled_stock():
    """gc.disable() keeps cycles from beginning, not from being asked for."""
    gc.disable()
    garbage(500)
    assert gomem.gc.collect() >= 500
    gc.enable()


def hook_disables():
    gomem.gc.callbacks.append(lambda phase, info: gomem.gc.disable())
    garbage(10)
    gomem.gc.collect()
    gomem.gc.callbacks.clear()
    assert not gomem.gc.is_enabled()
    gomem.gc.enable()


def allocators_come_and_go():
    for _ in range(12):
        tracemalloc.start()
        garbage(5)
        assert gomem.gc.collect() >= 5
        heap.start(rate=512)
        garbage(5)
        assert gomem.gc.collect() >= 5
        tracemalloc.stop()
        garbage(5)
        assert gomem.gc.collect() >= 5
        heap.stop()
        garbage(5)
        assert gomem.gc.collect() >= 5


def callbacks_cleared():
    gc.callbacks.clear()
    garbage(100)
    assert gomem.gc.collect() >= 100
    assert gc.collect() == 0
    gomem.gc.disable()
    gomem.gc.enable()
    assert len(gc.callbacks) == 1


def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def forks():
    """Also in mid-cycle: the child ends the parent's cycle and has its own; nobody warns of a thread."""
    from gomem import _core

    def collects():
        garbage(700)
        assert gomem.gc.collect() >= 700

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", DeprecationWarning)
        child(collects)
        for phase in range(1, len(gomem.gc.PHASES)):
            _core.gc_before_fork()  # no worker: the cycle stays where it is
            garbage(700)
            while _core.gc_step(50, 8) not in (phase, 0):
                pass
            child(collects)
            _core.gc_after_fork(False)
            gomem.gc.collect()
    assert not warned, warned[0].message
    subprocess.run(["true"], preexec_fn=int, check=True)


def forks_with_hooks():
    """What others have registered to run after a fork, in the parent, is no occasion to start a thread: 3.13 looks for
    threads later. And one is there soon after, without a young collection."""
    os.register_at_fork(after_in_parent=lambda: [sum([1]) for _ in range(100)])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", DeprecationWarning)
        for _ in range(20):
            child(int)
    assert not warned, warned[0].message
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, *before[1:])
    child(int)
    end = time.monotonic() + 20
    while len(os.listdir("/proc/self/task")) < 2 and time.monotonic() < end:
        pass
    gc.set_threshold(*before)
    assert len(os.listdir("/proc/self/task")) == 2


def forks_of_threads():
    """Several at once, while another thread is in mid-cycle."""

    def many():
        for _ in range(20):
            child(lambda: None)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        threads = [threading.Thread(target=many) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            garbage(300)
            gomem.gc.collect()
        for thread in threads:
            thread.join()
    garbage(10)
    assert gomem.gc.collect() >= 10


def fork_inside_a_finaliser():
    class Forks:
        def __init__(self):
            self.me = self

        def __del__(self):
            child(lambda: garbage(10))

    made = [Forks(), Forks()]
    gc.collect(1)
    del made
    assert gomem.gc.collect() >= 2


def finalisers():
    """They run on the thread that asked, may raise, and may call the collector."""
    seen, errors = [], []

    class Final(Node):
        def __del__(self):
            seen.append(threading.get_ident())
            gc.collect()
            gc.freeze()
            gc.unfreeze()
            try:
                gomem.gc.collect()
            except RuntimeError:
                errors.append(1)
            raise ValueError("from a finaliser")

    before, sys.unraisablehook = sys.unraisablehook, lambda unraisable: errors.append(2)
    made = [Final() for _ in range(20)]
    gc.collect(1)
    del made
    gomem.gc.collect()
    sys.unraisablehook = before
    assert seen == [threading.get_ident()] * 20 and errors == [1, 2] * 20, (len(seen), errors)


def disables_in_a_finaliser():
    class Final(Node):
        def __del__(self):
            gomem.gc.disable()
            gomem.gc.enable()

    made = [Final() for _ in range(5)]
    refs = [weakref.ref(one) for one in made]
    gc.collect(1)
    del made
    gomem.gc.collect()
    gomem.gc.collect()
    gc.collect()
    assert not [ref for ref in refs if ref()]


def collects_in_threads():
    """collect() of several threads at once: each has a whole cycle, none is refused."""
    errors = []

    def many():
        try:
            for _ in range(10):
                garbage(50)
                gomem.gc.collect()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def enabled_and_disabled_in_threads():
    """From several threads at once; after the last enable() the collector hears of CPython's collections, once each."""

    def many():
        for _ in range(300):
            gomem.gc.disable()
            gomem.gc.enable()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=many) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert gomem.gc.is_enabled() and len(gc.callbacks) == 1, gc.callbacks
    gomem.gc.disable()
    assert gc.callbacks == []
    gomem.gc.enable()
    garbage(10)
    assert gomem.gc.collect() >= 10


def enabled_while_threads_allocate():
    """enable() compares the lists with what Python sees of them: other threads' objects are no difference."""
    stop = []

    def allocate():
        while not stop:
            kept = [[] for _ in range(300)]
            del kept

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=allocate) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            gomem.gc.disable()
            gomem.gc.enable()
    finally:
        stop.append(True)
        sys.setswitchinterval(before)
        for thread in threads:
            thread.join()


def forks_while_another_thread_waits():
    """A hook lets other threads run inside a collection of CPython's: a child forked there has a collector, too."""
    inside, forked = threading.Event(), threading.Event()

    def hook(phase, info):
        if threading.current_thread() is waiting:
            inside.set()
            forked.wait(10)

    def waits():
        kept = []
        while not inside.is_set():
            kept.append(Node())

    def collects():
        garbage(700)
        assert gc.collect() >= 700

    waiting = threading.Thread(target=waits)
    gomem.gc.callbacks.append(hook)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        waiting.start()
        assert inside.wait(60)
        child(collects)
    forked.set()
    waiting.join()
    gomem.gc.callbacks.clear()


def forks_in_the_middle_of_finalisers():
    """Another thread's batch, which is in a finaliser, ends before the fork: in the child nobody would end it. (A thread that
    did nothing but collect would leave no gap to fork in; then the child makes no collections, as without us.)"""
    stop = []

    class Slow(Node):
        def __del__(self):
            time.sleep(0.001)

    def collects():
        while not stop:
            made = [Slow() for _ in range(20)]
            gc.collect(1)
            del made
            gomem.gc.collect()
            time.sleep(0.001)

    def frees():
        garbage(700)
        assert gomem.gc.collect() >= 700

    collecting = threading.Thread(target=collects)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        collecting.start()
        try:
            for _ in range(10):
                time.sleep(0.005)
                child(frees)
        finally:
            stop.append(True)
            collecting.join()


def a_child_of_a_thread_ends():
    """A child that a thread forked ends with that thread, which is its only one: the collector's does not keep it."""
    statuses = []

    def forks():
        pid = os.fork()
        if pid == 0:
            end = time.monotonic() + 20
            while len(os.listdir("/proc/self/task")) < 2 and time.monotonic() < end:
                garbage(100)
            if len(os.listdir("/proc/self/task")) < 2:
                os._exit(1)  # the collector's thread did not come: then this shows nothing
            return
        end = time.monotonic() + 20
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < end:
            time.sleep(0.01)
        if time.monotonic() >= end:
            os.kill(pid, signal.SIGKILL)
        statuses.append(os.waitpid(pid, 0)[1])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        forking = threading.Thread(target=forks)
        forking.start()
        forking.join()
    assert statuses == [0], statuses


def memory_is_locked():
    """What is locked does not go back to the system, and must be forgotten all the same."""

    def locked():
        if ctypes.CDLL(None).mlockall(3) == 0:  # now and in future; not everybody may
            for _ in range(3):
                garbage(20_000)
                assert gomem.gc.collect() >= 20_000
                assert all(type(each) is list for each in [[i] for i in range(20_000)])

    child(locked)


def counters_stay_in_range():
    """A threshold as high as can be, for a while: afterwards collections go on."""
    before, highest, wanted = gc.get_threshold(), 2**31 - 1, []

    def set_highest(phase, info):
        if wanted and phase == "stop" and info["generation"] == 0:
            gc.set_threshold(highest, *before[1:])

    def collections():
        return [generation["collections"] for generation in gc.get_stats()]

    gc.set_threshold(before[0], highest, before[2])
    kept = [[i] for i in range(100_000)]
    gc.callbacks.insert(0, set_highest)  # before the collector's
    gomem.gc.enable(pause_ms=0.05)
    gc.set_threshold(*before)
    for _ in range(300):
        kept += [[i] for i in range(3000)]
        if gomem.gc.stats().phase in ("walk", "mark"):
            break
    wanted.append(True)
    kept += [[i] for i in range(3000)]
    gc.callbacks.remove(set_highest)
    kept += [[i] for i in range(3000)]
    gc.set_threshold(*before)
    then = collections()
    kept += [[i] for i in range(100_000)]
    young, middle, _ = (now - was for now, was in zip(collections(), then, strict=True))
    assert young and middle and min(gc.get_count()) >= 0, (young, middle, gc.get_count())
    gomem.gc.enable()


PARTS = [disabled_stock, hook_disables, allocators_come_and_go, callbacks_cleared, forks, forks_with_hooks, forks_of_threads,
         fork_inside_a_finaliser, finalisers, disables_in_a_finaliser, enabled_and_disabled_in_threads,
         enabled_while_threads_allocate, forks_while_another_thread_waits,
         forks_in_the_middle_of_finalisers, a_child_of_a_thread_ends, collects_in_threads, memory_is_locked,
         counters_stay_in_range]

if __name__ == "__main__":
    gomem.gc.enable()
    for part in PARTS:
        part()
        print(part.__name__, flush=True)
    garbage(1000)  # and exits with a cycle not begun
