"""Indexes the standard library's source code in two threads: several large consumers of memory, and one leak.

``Index`` keeps where every word occurs, which is what it is for. ``Outline`` keeps every syntax tree it has made in a
cache without bound, which nobody reads again: profiles taken one after another show what grows.

    python examples/code_index.py 60 /tmp/index
    gomem web /tmp/index.*.prof
"""

import ast
import io
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gomem import heap


class Outline:
    def __init__(self):
        self.trees = {}

    def names(self, path, text):
        tree = self.trees[path] = parse(text)
        return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def parse(text):
    tree = ast.parse(text)
    # Bodies are of no use to an outline; most of the tree goes.
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[:1]
    return tree


class Place:
    __slots__ = ("document", "line", "column")

    def __init__(self, document, line, column):
        self.document, self.line, self.column = document, line, column


class Index:
    def __init__(self):
        self.postings = {}
        self.documents = []
        self.outline = Outline()

    def add(self, number, path):
        text = path.read_text(encoding="utf-8", errors="replace")
        self.documents.append((str(path), text.splitlines(), self.outline.names(path, text)))
        for word, line, column in words_of(text):
            self.postings.setdefault(word, []).append(Place(number, line, column))


def words_of(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.string, *token.start
        elif token.type == tokenize.STRING:
            yield from words_of_string(token)


def words_of_string(token):
    return [(word.strip(".,:;()'\"").lower(), *token.start) for word in token.string.split()]


def main(count, prefix):
    index = Index()
    files = sorted(Path(ast.__file__).parent.glob("*.py"))[:count]
    step = max(1, len(files) // 6)
    with ThreadPoolExecutor(2, thread_name_prefix="indexer") as pool:
        for first in range(0, len(files), step):
            list(pool.map(index.add, range(first, first + step), files[first : first + step]))
            if prefix:
                heap.write_heap_profile(f"{prefix}.{min(first + step, len(files)):03d}.prof")
    print(f"{len(index.documents)} files, {len(index.postings)} words")


if __name__ == "__main__":
    heap.start(rate=8192)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2] if len(sys.argv) > 2 else "")
