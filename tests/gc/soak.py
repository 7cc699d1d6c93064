"""A mixed service under the collector for as long as you like: memory must stay flat, and the books must be right.

    python tests/gc/soak.py                     twenty minutes, cycles as they come
    python tests/gc/soak.py --minutes 60        an hour
    python tests/gc/soak.py --continuous        cycle after cycle without a pause
    python tests/gc/soak.py --stock             with CPython's own collector, for comparison

Four threads serve requests over some 200,000 old objects: sessions in cycles with finalisers and weak references,
exceptions with tracebacks, JSON, generators; one runs asyncio; a child is forked every half minute and serves for a moment.
Resident memory is read every five seconds. Fails if its median over the last quarter is more than 2 % and 2 MiB above that
over the second quarter (the first warms up), if a session lives that nothing can reach, if one was finalised twice or not
at all, if a child fails. A child made while another thread is in the middle of a collection can make none, as without gomem
(docs/gc.md): such are counted. How many young objects there were at most, looked at fifty times a second, tells for how long
nobody could collect.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import threading
import time
import traceback
import warnings

import beside

import gomem.gc

OLD = 50_000  # records of four objects
SESSIONS = 1000
UNABLE = 3
MB = 1 << 20


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Books(beside.Ledger):
    """Whose own memory does not grow: of what was finalised and is gone, only how many there were is kept."""

    def settle(self):
        """At a moment when nothing else runs in this thread."""
        done = [number for number in list(self.finalised) if self.weak[number]() is None]
        assert all(self.finalised[number] == 1 and number not in self.held for number in done)
        for number in done:
            del self.finalised[number], self.weak[number]

    def check(self):
        collect = gomem.gc.collect if gomem.gc.is_enabled() else gc.collect
        collect()
        collect()
        self.settle()
        assert not self.problems, self.problems
        assert self.weak.keys() == self.held.keys(), (len(self.weak), len(self.held))
        assert all(session.is_whole() for session in self.held.values())


def numbers(count, owner):
    for number in range(count):
        yield [number, owner]


def request(books, number):
    books.step()
    rows = [{"row": row, "values": [row]} for row in range(20)]
    assert len(json.loads(json.dumps(rows))) == 20
    box = []
    try:
        box.append(numbers(5, box))
        next(box[0])
        raise ValueError(number)
    except ValueError as error:
        box.append(error)
    if number % 200 == 0:
        books.settle()
        time.sleep(0.01)


def serve(books, end):
    number = 0
    while time.monotonic() < end:
        request(books, number)
        number += 1


def serve_tasks(books, end):
    async def task(number):
        await asyncio.sleep(0)
        request(books, number)

    async def main():
        number = 0
        while time.monotonic() < end:
            await asyncio.gather(*(task(number + i) for i in range(20)))
            number += 20
            await asyncio.sleep(0.001)

    asyncio.run(main())


def can_collect():
    box = []
    box.append(box)
    del box
    return gc.collect() > 0


def child():
    """Whether it could make collections: not if it was made while another thread was in the middle of one."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if not can_collect():
                os._exit(UNABLE)
            books = Books(100)
            serve(books, time.monotonic() + 0.5)
            books.check()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, UNABLE), status
    return status == 0


def most_young(seconds):
    end, most = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(0.02)
        most = max(most, gc.get_count()[0])
    return most


def watch(end, every):
    """Readings of resident memory, until the end; forks in between."""
    readings, began, forked, unable, young = [], time.monotonic(), 0, 0, 0
    while time.monotonic() < end:
        young = max(young, most_young(every))
        readings.append(rss() / MB)
        if time.monotonic() - began > 30 * (forked + 1):
            forked += 1
            unable += not child()
            stats = gomem.gc.stats()
            print(f"{time.monotonic() - began:5.0f} s: {readings[-1]:.1f} MiB, {stats.cycles} cycles, {stats.freed} freed, "
                  f"{stats.stock} stock, longest pause {stats.pause_max_ns / 1e6:.1f} ms", flush=True)
    return readings, forked, unable, young


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20, help="default 20")
    parser.add_argument("--continuous", action="store_true", help="cycle after cycle")
    parser.add_argument("--stock", action="store_true", help="CPython's own collector")
    options = parser.parse_args(words)
    warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads
    old = [{"key": [i], "name": (i, [i])} for i in range(OLD)]
    if options.continuous:
        beside.continuous()
    elif not options.stock:
        gomem.gc.enable()
    end = time.monotonic() + options.minutes * 60
    ledgers = [Books(SESSIONS) for _ in range(4)]
    workers = [threading.Thread(target=serve if i else serve_tasks, args=(books, end)) for i, books in enumerate(ledgers)]
    for worker in workers:
        worker.start()
    readings, forked, unable, young = watch(end, min(5, options.minutes * 60 / 40))
    for worker in workers:
        worker.join()
    for books in ledgers:
        books.check()
    quarter = len(readings) // 4
    early, late = (statistics.median(part) for part in (readings[quarter : 2 * quarter], readings[-quarter:]))
    stats = gomem.gc.stats()
    flat = late - early <= max(2, early * 0.02)
    print(
        f"CPython {sys.version.split()[0]}, {options.minutes:g} minutes: {sum(books.made for books in ledgers)} requests, {forked} children ({unable} could not collect), "
        f"{stats.cycles} cycles ({stats.aborted} given up), {stats.stock} stock collections, {stats.freed} freed, {stats.survived} proposed "
        f"alive; {early:.1f} MiB in the second quarter, {late:.1f} in the last, {max(readings):.1f} at most, {young} young objects at most: {'flat' if flat else 'NOT FLAT'}"
    )
    assert len(old) == OLD
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
