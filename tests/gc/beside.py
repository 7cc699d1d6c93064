"""The collector, cycle after cycle without a pause, beside what else a program may do; one a process:

    python tests/gc/beside.py NAME [SECONDS]

Each keeps books (Ledger) of objects in reference cycles: what is held must be whole, and not finalised; what was dropped
must be finalised once, and gone after two cycles. Prints the cycles that were run; fails with an AssertionError.
"""

import asyncio
import gc
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
import tracemalloc
import weakref

import gomem.gc
from gomem import _core, heap


class Session:
    """In a cycle with what it holds."""

    def __init__(self, ledger, number):
        self.ledger, self.number = ledger, number
        self.me = self
        self.parts = [{"session": self, "part": [part]} for part in range(4)]

    def is_whole(self):
        return [(part["session"] is self, part["part"]) for part in self.parts] == [(True, [i]) for i in range(4)]

    def __del__(self):
        self.ledger.finalised[self.number] = self.ledger.finalised.get(self.number, 0) + 1


class Ledger:
    def __init__(self, held=300):
        self.made, self.finalised, self.held = 0, {}, {}
        self.weak = {}
        self.size, self.random = held, random.Random(1)
        self.problems = []

    def step(self):
        """One comes, and a random one goes."""
        number = self.made
        self.made += 1
        session = self.held[number] = Session(self, number)
        self.weak[number] = weakref.ref(session)
        if len(self.held) > self.size:
            gone = self.random.choice(list(self.held))
            if not self.held.pop(gone).is_whole() or gone in self.finalised:
                self.problems.append(gone)

    def check(self, finalisers_end=True):
        gomem.gc.collect()
        gomem.gc.collect()
        assert not self.problems, self.problems
        assert all(session.is_whole() for session in self.held.values())
        numbers = list(range(self.made))
        dropped = [number for number in numbers if number not in self.held]
        assert dropped, "nothing was dropped"
        left = [number for number in dropped if self.weak[number]() is not None]
        assert not left, (len(left), left[:5])
        wrong = [(number, self.finalised.get(number, 0)) for number in numbers if self.finalised.get(number, 0) != (number not in self.held)]
        assert not wrong or not finalisers_end, wrong[:5]
        assert all(times == 1 for times in self.finalised.values())


def until(end, *ledgers):
    """On a busy machine for longer, until something was dropped."""
    while time.monotonic() < end or any(ledger.made < 2 * ledger.size for ledger in ledgers):
        yield


def continuous():
    with tempfile.NamedTemporaryFile() as file:
        _core.gc_drill(file.name)
    gomem.gc.enable()


def report():
    done = gomem.gc.stats()
    print(f"{done.cycles} cycles, {done.aborted} given up, {done.freed} freed, {done.survived} survived")
    assert done.cycles + done.aborted > 0, done


# ---- what runs at the same time ----


def signals(end):
    """Handlers that allocate, drop, collect; they come between any two instructions, inside finalisers and callbacks too."""
    ledger, handled, inside = Ledger(), [], False

    def handle(number, frame):
        nonlocal inside
        if inside:  # by the next signal
            return
        inside = True
        handled.append(number)
        for _ in range(5):
            ledger.step()
        if len(handled) % 10 == 0:
            gc.collect(len(handled) // 10 % 3)
        if len(handled) % 25 == 0:
            try:
                gomem.gc.collect()
            except RuntimeError:  # it came inside a finaliser
                pass
        inside = False

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    kept = [[] for _ in range(20_000)]
    for _ in until(end, ledger):
        kept[:5000] = [[{}] for _ in range(5000)]
    signal.setitimer(signal.ITIMER_REAL, 0)
    ledger.check()


def an_exception_in_a_handler(end):
    """As KeyboardInterrupt: it comes out of wherever the main thread is, and the collector goes on."""

    class Interrupt(Exception):
        pass

    armed, caught, ledger = False, 0, Ledger()

    def handle(number, frame):
        if armed:
            raise Interrupt

    sys.unraisablehook = lambda unraisable: None  # inside a finaliser it has nobody to go to
    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    for _ in until(end, ledger):
        try:
            armed = True
            while True:
                kept = [[{}] for _ in range(1000)]
        except Interrupt:
            armed = False
            caught += 1
        for _ in range(100):
            ledger.step()
    signal.setitimer(signal.ITIMER_REAL, 0)
    del kept
    assert caught > 0
    ledger.check(finalisers_end=False)


def tasks(end):
    """asyncio: tasks, futures with exceptions, async generators, all in cycles."""
    ledger = Ledger()

    async def numbers(count):
        for i in range(count):
            await asyncio.sleep(0)
            yield i

    async def fails(box):
        box.append(asyncio.current_task())
        await asyncio.sleep(0)
        raise ValueError(box)

    async def request():
        ledger.step()
        done = await asyncio.gather(fails([]), fails([]), return_exceptions=True)
        assert [type(error) for error in done] == [ValueError, ValueError]
        return sum([i async for i in numbers(5)])

    async def main():
        for _ in until(end, ledger):
            assert await asyncio.gather(*(request() for _ in range(20))) == [10] * 20

    asyncio.run(main())
    ledger.check()


def greenlets(end):
    """They switch in the middle of anything, and from finalisers."""
    import greenlet

    ledger, switched = Ledger(), []

    class Switches:
        def __init__(self):
            self.me = self

        def __del__(self):
            switched.append(greenlet.greenlet(lambda: len(ledger.held)).switch())

    def work(hub):
        held = []
        while True:
            ledger.step()
            held = [held[-3:], Switches()]
            hub.switch()

    hub = greenlet.getcurrent()
    workers = [greenlet.greenlet(work) for _ in range(20)]
    for number, _ in enumerate(until(end, ledger)):
        for worker in workers:
            worker.switch(hub)
        workers[number % 20] = greenlet.greenlet(work)  # the old one is killed, by its count or by the collector
    assert switched
    del workers, worker
    ledger.check()


def gevent(end):
    import gevent
    from gevent.pool import Pool

    ledger = Ledger()

    def request(number):
        ledger.step()
        gevent.sleep(0)
        local = [number]
        local.append(local)
        gevent.sleep(0.0001)
        return local[0]

    pool = Pool(20)
    for _ in until(end, ledger):
        assert sorted(pool.imap_unordered(request, range(100))) == list(range(100))
    ledger.check()


def profiler(end):
    """The heap profiler with every other block, and tracemalloc started later and stopped before."""
    ledger = Ledger()
    heap.start(rate=64)
    for number, _ in enumerate(until(end, ledger)):
        for _ in range(50):
            ledger.step()
        if number % 4 == 1:
            tracemalloc.start()
        elif number % 4 == 3:
            tracemalloc.stop()
        if number % 10 == 9:
            heap.heap_profile()
        if number % 25 == 24:
            heap.stop()
            heap.start(rate=64)
    tracemalloc.stop()
    heap.stop()
    ledger.check()


def threads(end):
    ledgers = [Ledger() for _ in range(4)]

    def work(ledger):
        for _ in until(end, ledger):
            ledger.step()

    sys.setswitchinterval(1e-4)
    workers = [threading.Thread(target=work, args=(ledger,)) for ledger in ledgers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for ledger in ledgers:
        ledger.check()


def child_works(seconds):
    """In a process of its own; returns the cycles that it ran."""
    if not gomem.gc.is_enabled():
        gomem.gc.enable()
    before = gomem.gc.stats().cycles
    ledger = Ledger(50)
    for _ in until(time.monotonic() + seconds, ledger):
        ledger.step()
    ledger.check()
    return gomem.gc.stats().cycles - before


def processes(end):
    """A pool of each start method; forked workers take the collector along, in whichever phase the parent was."""
    ledger = Ledger()
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            waiting = pool.map_async(child_works, [0.05] * 4)
            while not waiting.ready():
                ledger.step()
            assert all(cycles >= 2 for cycles in waiting.get(60))
    for _ in until(end, ledger):
        ledger.step()
    ledger.check()


# ---- what CPython's own debugging and errors make of it ----


def saved(end):
    """DEBUG_SAVEALL: what would be freed is in gc.garbage, each once, whole, and not cleared."""
    for _ in until(end):
        ledger = Ledger(10)
        gc.set_debug(gc.DEBUG_SAVEALL)
        for _ in range(100):
            ledger.step()
        gomem.gc.collect()
        gomem.gc.collect()
        found = [one for one in gc.garbage if isinstance(one, Session) and one.ledger is ledger]
        assert sorted(one.number for one in found) == sorted(set(range(100)) - ledger.held.keys()), len(found)
        assert all(one.is_whole() for one in found)
        del found
        gc.set_debug(0)
        gc.garbage.clear()
        ledger.check()


def errors(end):
    """Exceptions from finalisers, callbacks of weak references, generators: reported, and everything is freed all the same."""
    reported, weak = [], []
    sys.unraisablehook = lambda unraisable: reported.append(unraisable.exc_type)

    class Fails:
        def __init__(self):
            self.me = self
            self.generator = stubborn(self)
            next(self.generator)

        def __del__(self):
            raise LookupError

    def stubborn(owner):
        try:
            yield owner
        finally:
            raise KeyError

    def called(_):
        raise ValueError

    made = 0
    for _ in until(end):
        batch = [Fails() for _ in range(20)]
        made += 20
        weak += [weakref.ref(one, called) for one in batch]
        gc.collect(1)
        del batch
        gomem.gc.collect()
    gomem.gc.collect()
    assert not [ref for ref in weak if ref() is not None]
    assert {kind: reported.count(kind) for kind in set(reported)} == {LookupError: made, KeyError: made, ValueError: made}


def counters(end):
    """Who asks for a collection finds CPython's counters as ever afterwards, however far behind the collector is."""
    kept = [[] for _ in range(100_000)]
    times = 0
    while time.monotonic() < end or times < 20:
        times += 1
        gc.collect()
        time.sleep(0.002)  # what the worker asks of the main thread is done here
        assert gc.get_count()[0] < 100 and gc.get_count()[1:] == (0, 0), gc.get_count()
        gc.collect(0)
        assert gc.get_count()[1:] == (1, 0), gc.get_count()
    del kept


# ---- other interpreters ----


def interpreters():
    if sys.version_info >= (3, 13):
        import _interpreters as module

        return lambda: module.create("isolated"), module.exec, module.destroy
    import _xxsubinterpreters as module

    return lambda: module.create(isolated=True), module.run_string, module.destroy


BUSY = """
kept = []
for i in range(20000):
    one = [i]
    one.append(one)
    kept = kept[-100:] + [one, {"a": one}]
"""


def second_interpreter(end):
    """None begins beside another interpreter: CPython's own full collection is made where growth asks for one. One that is
    under way when another comes ends as ever."""
    create, run, destroy = interpreters()
    ledger = Ledger(5)
    gomem.gc.disable()  # and no cycle after cycle: growth is what counts here
    _core.gc_drill(None)
    gomem.gc.enable()
    other = create()
    before = gomem.gc.stats()
    old = []
    while gomem.gc.stats().stock == 0 and len(old) < 2_000_000:
        old += [[] for _ in range(1000)]
        ledger.step()
    done = gomem.gc.stats()
    assert done.stock > 0 and done.cycles == before.cycles, done
    assert gomem.gc.collect() >= 0
    for _ in until(0, ledger):
        ledger.step()
    ledger.check()
    destroy(other)
    gomem.gc.collect()
    assert gomem.gc.stats().cycles > done.cycles
    continuous()
    for _ in until(end):
        for _ in range(30):
            ledger.step()
        made = create()
        worker = threading.Thread(target=run, args=(made, BUSY))
        worker.start()
        while worker.is_alive():
            ledger.step()
        worker.join()
        destroy(made)
        for _ in until(time.monotonic() + 0.02):
            ledger.step()
    ledger.check()


# ---- the end of the interpreter ----


class Last:
    """Says so when it is finalised."""

    def __init__(self, number):
        self.me, self.number, self.write = self, number, os.write

    def __del__(self):
        self.write(1, b"%d\n" % self.number)


def leave(phase):
    """Ends in mid-cycle; everything is finalised once, by the collector, or by CPython at the end."""
    _core.gc_before_fork()  # no worker: the cycle stays where it is
    made = [Last(number) for number in range(700)]
    gc.collect(1)
    del made
    for _ in range(100_000):
        if _core.gc_step(50, 8) in (phase, 0):
            break
    threading.Thread(target=lambda: [[] for _ in iter(int, 1)], daemon=True).start()  # allocates to the end
    if phase % 3 == 0:
        sys.exit(3)
    if phase % 3 == 1:
        raise KeyError("to be seen")


PARTS = [signals, an_exception_in_a_handler, tasks, greenlets, gevent, profiler, threads, processes, saved, errors, counters, second_interpreter]

if __name__ == "__main__":
    name = sys.argv[1]
    if name == "leave":
        gomem.gc.enable()
        leave(int(sys.argv[2]))
    else:
        continuous()
        globals()[name](time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 0.5))
        report()
