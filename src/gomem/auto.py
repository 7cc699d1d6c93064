"""Importing this module starts what the environment variables ``GOMEM`` and ``GOMEM_GC`` ask for: the heap profiler, whose
profile is written at exit, and the concurrent collector.

The opt-in for programs that start their own processes: ``import gomem.auto`` in ``gunicorn.conf.py``, in the module
that holds a Celery or ASGI application, or in a ``sitecustomize``. Without the variables it does nothing.

- The profile is written when Python runs its exit path: the end of the program, ``sys.exit``, an uncaught exception,
  ``os._exit`` (also that of ``multiprocessing`` children), and SIGTERM's default action; a handler of the program's own
  wins, and if it puts the default back and sends itself the signal, as uvicorn does, the profile is written then.
- Lost: what a signal kills that Python cannot catch, such as SIGKILL, or a crash of the interpreter.
- A forked child writes a profile of its own if the file's name holds ``{pid}``, and goes unprofiled otherwise.
"""

from __future__ import annotations

import functools
import os
import sys

from gomem import environment, heap
from gomem.errors import GomemError

_settings: environment.HeapSettings | None = None
_written_by = 0  # the process that has written its profile
_exit = os._exit


def begin() -> None:
    """Starts profiling as GOMEM says, if it applies to this process; complains on stderr if it cannot."""
    global _settings
    text = os.environ.get(environment.VARIABLE, "")
    if not text or _settings is not None:
        return
    try:
        settings = environment.parse(text)
        if not settings.applies_to(os.getpid()):
            return
        heap.set_restart_in_child("{pid}" in settings.out)
        import atexit

        _import_writers(settings.summary)
        atexit.register(_write)  # before the profiler's own, so that it runs after: the profile is then complete
        heap.start(settings.rate, native=settings.native, depth=settings.depth)
    except GomemError as error:
        print(f"gomem: {error}", file=sys.stderr)
        return
    _settings = settings
    os._exit = _write_and_exit
    _write_on_sigterm()


def _import_writers(summary: bool) -> None:
    """Loads now what writes the profile at exit. The program may change sys.path or its directory; and defining a named
    tuple at exit runs code, upon which the interpreter forgets that it was to die of KeyboardInterrupt's signal."""
    import gomem._profile
    import gomem.pprof.files
    import gomem.pprof.wire  # noqa: F401

    if summary:
        import gomem.summary  # noqa: F401


def _write() -> None:
    global _written_by
    if _settings is None or _written_by == os.getpid():
        return
    if not _settings.applies_to(os.getpid()):
        return
    _written_by = os.getpid()
    heap.stop()
    path = _settings.out.replace("{pid}", str(os.getpid()))
    try:
        profile = heap.heap_profile(default_sample_type="peak_space")
        profile.write(path)
    except Exception as error:  # whatever the program did to the interpreter, its own exit goes on
        print(f"gomem: profile not written: {error}", file=sys.stderr)
        return
    if _settings.summary:
        from gomem.summary import text

        print(text(profile, heap.stats(), path), file=sys.stderr)


def _write_and_exit(status: int) -> None:
    try:
        _write()
    finally:
        _exit(status)


def _write_on_sigterm() -> None:
    """Has the profile written when SIGTERM's default action would end the program, which dies of the signal all the same.

    A handler of the program's own wins. Servers put theirs in place before they import the application, and in the end
    the default again, to die of the signal that they were sent: so what asks for the default later gets ours too.
    """
    import signal
    import threading

    set_handler = signal.signal

    def terminate(number, frame):
        _write()
        set_handler(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    @functools.wraps(set_handler)
    def set_handler_or_ours(signalnum, handler):
        ours = signalnum == signal.SIGTERM and handler == signal.SIG_DFL
        return set_handler(signalnum, terminate if ours else handler)

    signal.signal = set_handler_or_ours
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        set_handler(signal.SIGTERM, terminate)


def begin_collector() -> None:
    """Enables the concurrent collector as GOMEM_GC says; complains on stderr if it cannot. Forked children have it too."""
    if os.environ.get("GOMEM_GCRECORD"):
        from gomem import _gcrecord

        _gcrecord.begin()
    elif os.environ.get("GOMEM_GC", "0") not in ("", "0"):
        from gomem import gc

        gc.enable_from_environment()


begin()
begin_collector()
