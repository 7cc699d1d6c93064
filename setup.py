"""Names the C files of gomem._core; everything else is in pyproject.toml.

GOMEM_DEBUG=1 builds with assertions and without optimisation, GOMEM_SANITIZE=1 with the address and
undefined-behaviour sanitisers, GOMEM_WERROR=1 turns warnings into errors (CI does).
"""

import os
import sys
from glob import glob

from setuptools import Extension, setup

flags = ["-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden", "-fno-strict-aliasing"]
link = []
if os.environ.get("GOMEM_WERROR") == "1":
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

setup(ext_modules=extensions)
