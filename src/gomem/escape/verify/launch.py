"""Runs ``script args`` as ``python script args`` would, instrumented: no import would load it, so no hook would see it."""

import os
import sys
import types


def main() -> None:
    from gomem.escape.verify.hook import instrumented_code

    sys.argv = sys.argv[1:]
    path = sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with open(path, "rb") as file:
        source = file.read()
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(instrumented_code(source, path), module.__dict__)


if __name__ == "__main__":
    main()
