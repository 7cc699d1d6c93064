"""Imported by every process of a driven Python (tests/driven.py), those started with -I or without an environment included:
enables the collector with cycles that follow each other without a pause, or does nothing, for comparison.

No thread of Python's own, no hook, no file left open: tests look for them. Cycles are driven by the collector's worker
and by young collections, as in a program; the core counts them in a file that all processes share."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))


def is_main_interpreter():
    """Asks what no sub-interpreter may do and what changes nothing here, with a module that is built in."""
    import _signal

    try:
        _signal.set_wakeup_fd(-1)
    except ValueError:
        return False
    return True


def begin():
    import gomem.gc
    from gomem import _core

    if os.path.exists(os.path.join(HERE, "on")) and gomem.gc.unsupported() is None:
        _core.gc_drill(os.path.join(HERE, "counts"))
        gomem.gc.enable()


if is_main_interpreter():
    begin()
