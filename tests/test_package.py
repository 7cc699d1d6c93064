"""The package as a whole: what importing it does, and that its parts point at each other one way only."""

import subprocess
import sys


def test_import_is_free_of_side_effects():
    code = (
        "import sys, threading; before = set(sys.modules); import gomem; "
        "new = {m.partition('.')[0] for m in set(sys.modules) - before} - {'gomem'}; "
        "outside = new - sys.stdlib_module_names; "
        "assert not outside, outside; assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_modules_need_no_import_of_their_own():
    code = "import gomem; print(*(getattr(gomem, name).__name__ for name in gomem._MODULES), hasattr(gomem, 'nothing'))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["gomem.endpoint", "gomem.escape", "gomem.gc", "gomem.pressure", "False"]
