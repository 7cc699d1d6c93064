"""gomem: Go's memory management for Python programs.

Importing it starts no thread, opens no file and installs no hook.
"""

from gomem.heap import heap_profile, is_running, profile, start, stats, stop, write_heap_profile

__version__ = "0.1.0"

__all__ = ["heap_profile", "is_running", "profile", "start", "stats", "stop", "write_heap_profile"]
