"""Runs ``script args`` as ``python script args`` would, instrumented if it lies under the roots: no import loads it, so no hook
would see it."""

import os
import sys
import types


def main() -> None:
    from gomem.escape.verify.hook import Finder, instrumented_code

    sys.argv = sys.argv[1:]
    path = sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with open(path, "rb") as file:
        source = file.read()
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    watched = any(type(finder) is Finder and finder.wants(path) for finder in sys.meta_path)
    code = instrumented_code(source, path) if watched else compile(source, path, "exec", dont_inherit=True)
    exec(code, module.__dict__)


if __name__ == "__main__":
    main()
