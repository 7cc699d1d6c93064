"""gomem: Go's memory management for Python programs.

Importing it starts no thread, opens no file and installs no hook.
"""

__version__ = "0.1.0"

__all__ = [
    "Builder",
    "BytesBuilder",
    "LRUCache",
    "Pool",
    "buffers",
    "cached",
    "heap_profile",
    "is_running",
    "profile",
    "serve",
    "start",
    "stats",
    "stop",
    "write_heap_profile",
]

# public name -> the module it comes from, imported on first use
_HOMES = {
    "Builder": "builder",
    "BytesBuilder": "builder",
    "LRUCache": "lru",
    "Pool": "pool",
    "buffers": "pool",
    "cached": "memo",
    "heap_profile": "heap",
    "is_running": "heap",
    "load_ipython_extension": "notebook",
    "profile": "heap",
    "serve": "endpoint",
    "start": "heap",
    "stats": "heap",
    "stop": "heap",
    "unload_ipython_extension": "notebook",
    "write_heap_profile": "heap",
}
_MODULES = ("endpoint", "escape", "gc", "pressure")  # public ones, so that gomem.gc.enable() needs no import of its own


def __getattr__(name: str) -> object:
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"gomem.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gomem' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"gomem.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_MODULES})
