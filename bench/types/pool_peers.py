"""The object pools of PyPI behind one face, get() and put(x), each used as its own documentation shows.

Two of them are imported as ``object_pool``, so each wants a folder of its own:
``pip install --no-deps --target build/peers/NAME NAME`` for object-pool==0.2 and py-object-pool==1.1; the others are
installed as usual (bench/requirements.txt). object-pool-async 0.1.3 is not here: its lock belongs to one event loop, and
used from a second thread it raises RuntimeError.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDERS = Path("build/peers")
HELD = 8  # objects in each pool: twice the threads


def _import_from(folder: str, name: str) -> Any:
    """The module of that folder, whatever others of its name were imported before."""
    path = FOLDERS / folder
    if not path.is_dir():
        raise ImportError(f"no folder {path}")
    for loaded in [other for other in sys.modules if other.partition(".")[0] == name]:
        del sys.modules[loaded]
    sys.path.insert(0, str(path))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(path))


class _Blocks:
    """A pool that lends by a with-statement only: get() enters, put() leaves."""

    def __init__(self, lend: Callable[[], Any]) -> None:
        self._lend = lend

    def get(self) -> Any:
        block = self._lend()
        block.__enter__()
        return block

    def put(self, block: Any) -> None:
        block.__exit__(None, None, None)


class _Verbs:
    """A pool with other names for get and put."""

    def __init__(self, get: Callable[[], Any], put: Callable[[Any], object]) -> None:
        self.get, self.put = get, put


def _syncpool(make: type) -> Any:
    pool = importlib.import_module("syncpool_py.pools.syncpool").SyncObjectPool(max_len=4 * HELD, obj=make)
    for _ in range(HELD):
        pool.put(make())
    return pool


def _fastalloc(kind: str) -> Callable[[type], Any]:
    def build(make: type) -> Any:
        pool = getattr(importlib.import_module("fastalloc"), kind)(make, capacity=HELD)
        return _Verbs(pool.get, pool.release)

    return build


def _object_pool(make: type) -> Any:
    return _import_from("object-pool", "object_pool").ObjectPool(make)


def _py_object_pool(make: type) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
        module = _import_from("py-object-pool", "object_pool")
        return _Blocks(module.ObjectPool(make, min_init=HELD, max_capacity=0, max_reusable=0, expires=0).get)


def _anopool(make: type) -> Any:
    module = importlib.import_module("anopool")
    manager = type("Manager", (module.Manager,), {"create": lambda self: make()})
    pool = module.Pool(manager(), max_size=HELD)
    pool.open()
    return _Blocks(pool.acquire)


def _generic_pool(make: type) -> Any:
    module = importlib.import_module("generic_pool")
    pool = module.Pool(type("Made", (module.Factory,), {"create": lambda self: make()})())
    return _Verbs(pool.acquire, pool.release)


PEERS: dict[str, Callable[[type], Any]] = {
    "syncpool-py": _syncpool,
    "fastalloc ThreadSafePool": _fastalloc("ThreadSafePool"),
    "fastalloc ThreadLocalPool": _fastalloc("ThreadLocalPool"),
    "object-pool": _object_pool,
    "py-object-pool": _py_object_pool,
    "anopool": _anopool,
    "generic-pool": _generic_pool,
}


def installed(make: type) -> dict[str, Any]:
    """A pool of each package that is there and works; the others are named on stderr with the reason."""
    made = {}
    for name, build in PEERS.items():
        try:
            pool = build(make)
            pool.put(pool.get())
        except Exception as error:
            print(f"{name}: left out, {type(error).__name__}: {error}", file=sys.stderr)
        else:
            made[name] = pool
    return made
