"""On PYTHONPATH: one thread that starts a cycle of the collector when the last is over (GOMEM_DRIVE_CYCLES=1), or does
nothing as often, for comparison; how many cycles there were is left in the directory GOMEM_DRIVE_DIRECTORY."""

import _thread
import atexit
import os
import time

cycles = os.environ.get("GOMEM_DRIVE_CYCLES") == "1"
directory = os.environ.get("GOMEM_DRIVE_DIRECTORY")
if directory:
    import gomem.gc
    from gomem import _core

    def drive():
        while True:
            time.sleep(0.001)
            if cycles and gomem.gc.is_enabled():
                _core.gc_collect()  # not gc.collect(1) as well: tests look at young objects

    def leave():
        with open(os.path.join(directory, f"cycles.{os.getpid()}"), "w") as file:
            file.write(str(gomem.gc.stats().cycles))

    if cycles and gomem.gc.unsupported() is None:
        gomem.gc.enable()
        atexit.register(leave)
    _thread.start_new_thread(drive, ())
