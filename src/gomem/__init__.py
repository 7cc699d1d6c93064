"""gomem: Go's memory management for Python programs.

Importing it starts no thread, opens no file and installs no hook.
"""

__version__ = "0.1.0"
