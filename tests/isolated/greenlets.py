"""Greenlets, bare and gevent's: each has a stack of its own, and a sample shows that of the greenlet that allocated,
also when greenlets switch in the middle of it, and when they end in another order than they began."""

import sys

import gomem
from reading import by_frame, rows

try:
    import gevent
    import greenlet
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit()

kept = []


def even():
    for _ in range(50):
        kept.append(bytes(5000))
        pause()
        deeper_even(20)


def deeper_even(n):
    if n:
        deeper_even(n - 1)
    else:
        pause()
        kept.append(bytes(5000))


def odd():
    for _ in range(50):
        pause()
        kept.append(bytes(7000))
        deeper_odd(5)


def deeper_odd(n):
    if n:
        deeper_odd(n - 1)
    else:
        kept.append(bytes(7000))
        pause()


def run_bare():
    main = greenlet.getcurrent()
    alive = [greenlet.greenlet(even if i % 2 == 0 else odd) for i in range(20)]
    while alive:
        for one in alive:
            one.switch()
        alive = [one for one in alive if not one.dead]
    assert main is greenlet.getcurrent()


def run_gevent():
    gevent.joinall([gevent.spawn(even if i % 2 == 0 else odd) for i in range(20)], raise_error=True)


def check(run, rate):
    gomem.start(rate=rate, seed=1)
    run()
    gomem.stop()
    profile = gomem.heap_profile()
    for row in rows(profile, "alloc_space"):
        names = {name for name, _ in row.frames}
        assert not ({"even", "deeper_even"} & names and {"odd", "deeper_odd"} & names), row.frames
    sums = by_frame(profile, "inuse_space")
    for name, size in (("even", 5033), ("odd", 7033)):
        expected = 10 * 50 * 2 * size
        assert abs(sums[name] - expected) < (0.02 if rate == 1 else 0.2) * expected, (name, sums[name], expected)
    kept.clear()


for rate in (1, 4096):
    for run, switch in ((run_bare, lambda: greenlet.getcurrent().parent.switch()), (run_gevent, lambda: gevent.sleep(0))):
        pause = switch
        check(run, rate)
print("fine")
