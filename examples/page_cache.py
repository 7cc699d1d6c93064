"""A small page server in memory: LRUCache for pages, Pool for the parsers, Builder for the answer.

Run it: ``python examples/page_cache.py [requests]``. It prints what the cache and the pool saved.
"""

from __future__ import annotations

import random
import sys
from html.parser import HTMLParser

from gomem import Builder, LRUCache, Pool


class Titles(HTMLParser):
    """Collects the text of headings; costly enough to make to be worth a pool."""

    def __init__(self) -> None:
        super().__init__()
        self.known = {f"tag{i}": i for i in range(500)}
        self.titles: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.inside = tag == "h1"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.titles.append(data)

    def clear(self) -> None:
        self.reset()
        self.titles.clear()
        self.inside = False


parsers = Pool(Titles, reset=Titles.clear, maxsize=8)
pages = LRUCache(maxbytes=200_000, getsizeof=len, policy="s3fifo")


def render(path: str) -> str:
    """The page of a path, made from its parts."""
    out = Builder()
    out += f"<h1>{path}</h1>"
    for i in range(200):
        out += f"<p>paragraph {i} of {path}</p>"
    return out.build()


def title(path: str) -> str:
    """The heading of a page, which comes from the cache or is rendered once."""
    page = pages.get_or_load(path, render)
    with parsers.borrow() as parser:
        parser.feed(page)
        return parser.titles[0]


def main(requests: int) -> None:
    pick = random.Random(1)
    for _ in range(requests):
        path = f"/page/{int(pick.paretovariate(0.7)) % 200}"
        assert title(path) == path
    print(f"pages: {pages.stats().hit_ratio:.0%} of requests from {len(pages)} pages, {pages.currsize} bytes")
    print(f"parsers: {parsers.stats().made} made, {parsers.stats().reused} reused")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
