"""What ``gomem escape --verify`` puts on PYTHONPATH: starts the recorder in the program, then lets the user's own
``sitecustomize``, if there is one, have its turn. Child processes inherit it."""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec


def _main():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    try:
        from gomem.escape.verify import hook

        hook.start_from_environment()
    except Exception as error:
        print(f"gomem: not watching {sys.executable}: {error}", file=sys.stderr)
    spec = PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


_main()
