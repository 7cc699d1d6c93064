"""What ``gomem run`` puts on PYTHONPATH: starts the profiler in the program, then steps out of its way.

Python imports it as ``sitecustomize`` before the program. It starts what GOMEM asks for, takes its directory off
``sys.path``, and lets the user's own ``sitecustomize``, if there is one, have its turn.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def _step_aside():
    """Takes this directory off sys.path and returns it."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    return here


def _hide_from_children(here):
    """Leaves PYTHONPATH as the user had it, unless child processes are to be profiled too."""
    if "{pid}" not in os.environ.get("GOMEM", ""):
        entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        entries = [entry for entry in entries if not entry or os.path.abspath(entry) != here]
        os.environ.pop("GOMEM", None)
        if entries:
            os.environ["PYTHONPATH"] = os.pathsep.join(entries)
        else:
            os.environ.pop("PYTHONPATH", None)


def _run_users_own():
    """Imports the sitecustomize that Python would have found without us; it takes our place in sys.modules."""
    spec = PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


def _is_main_interpreter():
    """A sub-interpreter is in the profile of its process, and must import no more than it would have: one that is made in a
    thread and finds ``threading`` imported waits for itself when it ends (3.12). Asks what no sub-interpreter may do and
    what changes nothing here, with a module that is built in."""
    import _signal

    try:
        _signal.set_wakeup_fd(-1)
    except ValueError:
        return False
    return True


def _main():
    here = _step_aside()
    try:
        if _is_main_interpreter():
            import gomem.auto  # noqa: F401
    except ImportError as error:
        print(f"gomem: not profiling {sys.executable}: {error}", file=sys.stderr)
    _hide_from_children(here)
    _run_users_own()


_main()
