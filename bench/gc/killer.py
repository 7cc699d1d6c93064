"""One program that made CPython's incremental collector's memory grow: ``python -m bench.gc.killer NAME MODE SCALE``.

- ``clients``: cpython #142516: an HTTP client that holds an SSL context in reference cycles, made and dropped in a loop;
  the context is the real one of the ssl module, whose certificates are memory that no collector counts;
- ``httpx``: the same with the real ``httpx.Client``, where httpx is installed;
- ``mypy``: mypy checks gomem's own package, without its cache, where mypy is installed;
- ``lists``: cpython #116206: linked lists of 5,000 nodes that refer to one of 10,000 that lives, one after the other;
- ``short-lists``: the same with lists of 300 nodes, of which 200 are kept, and a million nodes that live;
- ``linked``: our own, and harder: a linked list that grows at one end while its other end, 200,000 nodes, is dropped at once;
- ``django``: a project state of many models rendered again for each migration, with django itself where it is installed;
- ``ast``: what a type checker does to a package: syntax trees with links to the parent, kept for some modules.

Beside them, everyday programs on packages: see packages.py.
"""

from __future__ import annotations

import ast
import gc
import inspect
import json
import ssl
import sys
import time
from collections import deque

from bench.gc import packages
from bench.gc.children import MB, Memory, StockPauses, begin, facts


class Transport:
    def __init__(self, client: Client) -> None:
        self.client, self.context, self.pool = client, ssl.create_default_context(), {"connections": []}
        self.pool["owner"] = self


class Client:
    """What httpx.Client keeps: transports that know the client, hooks that are its bound methods."""

    def __init__(self) -> None:
        self.transport = Transport(self)
        self.mounts = {"all://": self.transport}
        self.hooks = {"request": [self.send], "response": [self.send]}

    def send(self) -> object:
        return self.transport


def clients(scale: float) -> None:
    for _ in range(int(600 * scale)):
        Client().send()


def httpx(scale: float) -> None:
    import httpx as package

    for _ in range(int(300 * scale)):
        with package.Client() as client:
            client.headers["user-agent"] = "bench"


def mypy(scale: float) -> None:
    import os

    from mypy import api

    for _ in range(max(1, round(2 * scale))):
        _, errors, status = api.run(["-p", "gomem", "--cache-dir", os.devnull])
        assert status in (0, 1), errors  # 2: it could not check


class Node:
    """Of a list whose nodes know both neighbours; ``tail`` is a list that this one refers to."""

    def __init__(self, after: Node | None) -> None:
        self.after, self.before, self.tail = after, None, None
        if after is not None:
            after.before = self


def linked_list(nodes: int) -> Node:
    first = None
    for _ in range(nodes):
        first = Node(first)
    assert first
    return first


def lists(scale: float, lives: int = 10_000, length: int = 5_000, kept: int = 1) -> None:
    alive, last = linked_list(lives), deque(maxlen=kept)
    for _ in range(int(2_000_000 * scale / length)):
        new = linked_list(length)
        new.tail = alive
        last.append(new)


def short_lists(scale: float) -> None:
    lists(scale, 1_000_000, 300, 200)


class Link:
    __slots__ = ("next", "previous", "value")

    def __init__(self, previous: Link | None, value: object) -> None:
        self.previous, self.next, self.value = previous, None, value
        if previous is not None:
            previous.next = self


def linked(scale: float) -> None:
    last = first = Link(None, [])
    for i in range(int(2_000_000 * scale)):
        last = Link(last, [i])
        if i % 200_000 == 199_999:  # the older part is dropped at once
            first, last.previous = last, None
    assert first


def django(scale: float) -> None:
    import django as package
    from django.conf import settings

    settings.configure(INSTALLED_APPS=[], DATABASES={})
    package.setup()
    from django.db import models
    from django.db.migrations.state import ModelState, ProjectState

    state = ProjectState()
    for number in range(60):
        fields = [("id", models.AutoField(primary_key=True)), *((f"f{i}", models.CharField(max_length=9)) for i in range(12))]
        if number:
            fields.append(("link", models.ForeignKey(f"shop.m{number - 1}", models.CASCADE)))
        state.add_model(ModelState("shop", f"m{number}", fields))
    assert state.apps
    for i in range(int(60 * scale)):
        state = state.clone()
        state.add_field("shop", f"m{i % 60}", f"new{i}", models.IntegerField(default=0), True)
        state.reload_model("shop", f"m{i % 60}")
        del state.apps  # the next migration renders all of them anew
        assert state.apps


def syntax_trees(scale: float) -> None:
    import argparse
    import typing

    sources = [inspect.getsource(module) for module in (argparse, inspect, typing, ast)]
    kept: deque = deque(maxlen=12)
    for i in range(int(120 * scale)):
        tree = ast.parse(sources[i % len(sources)])
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]
        kept.append(tree)


PROGRAMS = {
    "clients": clients, "httpx": httpx, "mypy": mypy, "lists": lists, "short-lists": short_lists, "linked": linked,
    "django": django, "ast": syntax_trees, **packages.PROGRAMS,
}  # fmt: skip


def main(name: str, mode: str, scale: float) -> dict[str, object]:
    gc.collect()
    memory, pauses = Memory(), StockPauses()
    memory.forget_peak()
    begin(mode)
    begun, begun_wall = time.process_time(), time.perf_counter()
    PROGRAMS[name](scale)
    return {
        "program": name, "mode": mode, "python": sys.version.split()[0], "cpu_s": round(time.process_time() - begun, 2),
        "wall_s": round(time.perf_counter() - begun_wall, 2), "rss_peak_mb": round(memory.peak() / MB, 1), **facts(mode, pauses),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
