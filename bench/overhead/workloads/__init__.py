"""The programs that the overhead is measured on, one a file.

A workload module has ``COUNT``, the turns that take one to three seconds of CPU, and ``run(count) -> int``, which does
``count`` turns and returns a checksum: every mode must return the same one. Inputs are made at import and are the same
in every process; nothing depends on time, randomness or hash order.
"""

import ast
import importlib
from pathlib import Path
from types import ModuleType

NAMES = (
    "trees", "json_churn", "sql_parser", "rst", "web", "text", "numpy_temporaries", "pandas_groupby", "asyncio_churn",
    "stdlib_compile", "cache", "pyperformance_slice",
)


def load(name: str) -> ModuleType:
    """The workload of that name; its imports and inputs are done when this returns."""
    return importlib.import_module(f"{__name__}.{name}")


def count(name: str) -> int:
    """``COUNT`` of a workload, read without importing it: the runner need not have its packages."""
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text())
    return next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "COUNT"
    )
