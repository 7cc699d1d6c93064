"""Names what is compiled: the C files of gomem._core, and the modules of gomem.escape that mypyc makes into C. Everything
else is in pyproject.toml.

GOMEM_DEBUG=1 builds with assertions and without optimisation, GOMEM_SANITIZE=1 with the address and
undefined-behaviour sanitisers, GOMEM_WERROR=1 turns warnings into errors (CI does). GOMEM_NO_MYPYC=1 leaves the modules
of gomem.escape as they are.
"""

import os
import sys
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

flags = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-fno-strict-aliasing"]
link = []
strict = os.environ.get("GOMEM_WERROR") == "1"
if strict:
    flags.append("-Werror")
if os.environ.get("GOMEM_DEBUG") == "1":
    flags += ["-O0", "-g3", "-UNDEBUG", "-DGOMEM_DEBUG=1"]
else:
    flags += ["-O2", "-g"]
if os.environ.get("GOMEM_SANITIZE") == "1":
    flags += ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    link += ["-fsanitize=address,undefined"]

extensions = []
if sys.platform == "linux" and sys.implementation.name == "cpython":
    extensions.append(
        Extension(
            "gomem._core",
            sources=sorted(glob("core/*.c")),
            depends=sorted(glob("core/*.h")),
            include_dirs=["core"],
            extra_compile_args=flags,
            extra_link_args=link,
            libraries=["m", "dl", "pthread"],
        )
    )

# What solves a function. What reads files is not among it: there, a source nested too deep has to end in a RecursionError.
SOLVER = "arguments attributes calls effects entities findings interpret leaks merge outcome record solve universe verdicts".split()
GROUP = "gomem_escape"  # of the library with the code of all of them


def solver():
    """The extensions that take the place of these modules; none where mypyc is not there, or does not get on with them."""
    try:
        from mypyc.build import mypycify

        made = mypycify(["--follow-imports=silent", *(f"src/gomem/escape/{name}.py" for name in SOLVER)], opt_level="2", debug_level="0", group_name=GROUP)
    except (ImportError, SystemExit) as error:
        if strict:
            raise
        print(f"setup.py: gomem.escape is not compiled: {error!r}", file=sys.stderr)
        return []
    for extension in made:  # mypyc has warnings of its own turned into errors, whichever the compiler
        extension.extra_compile_args = [flag for flag in extension.extra_compile_args if strict or flag != "-Werror"]
    return made


class Build(build_ext):
    """Begins by removing what an earlier build made of the solver: a wheel has all that lies there, and Python would take it
    in place of modules that are newer."""

    def run(self):
        for old in [*glob(f"{self.build_lib}/gomem/escape/*.so"), *glob(f"{self.build_lib}/{GROUP}*.so")]:
            os.unlink(old)
        super().run()


# Only for a wheel: in place, or in an editable install, a module that is edited would go on being what it was when it was compiled.
if extensions and "bdist_wheel" in sys.argv and os.environ.get("GOMEM_NO_MYPYC") != "1":
    extensions += solver()

setup(ext_modules=extensions, cmdclass={"build_ext": Build})
