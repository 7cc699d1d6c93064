from gomem import endpoint as endpoint, escape as escape, gc as gc, pressure as pressure
from gomem.builder import Builder as Builder, BytesBuilder as BytesBuilder
from gomem.endpoint import serve as serve
from gomem.heap import (
    heap_profile as heap_profile,
    is_running as is_running,
    profile as profile,
    start as start,
    stats as stats,
    stop as stop,
    write_heap_profile as write_heap_profile,
)
from gomem.lru import LRUCache as LRUCache
from gomem.memo import cached as cached
from gomem.notebook import load_ipython_extension as load_ipython_extension, unload_ipython_extension as unload_ipython_extension
from gomem.pool import Pool as Pool, buffers as buffers

__version__: str
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

def __dir__() -> list[str]: ...
