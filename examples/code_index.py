"""Indexes the standard library's source code: a program with several large consumers of memory and one leak.

``Index`` keeps a posting list for every word, which is what it is for. ``Parser`` keeps every syntax tree it has made
in a cache without bound, which nobody reads: profiles taken one after another show what grows.

    python examples/code_index.py 40 /tmp/index
    gomem web /tmp/index.*.prof
"""

import ast
import io
import sys
import tokenize
from pathlib import Path

from gomem import heap


class Parser:
    def __init__(self):
        self.trees = {}

    def names(self, path, text):
        tree = self.trees[path] = ast.parse(text)
        return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


class Index:
    def __init__(self):
        self.postings = {}
        self.documents = []
        self.parser = Parser()

    def add(self, path):
        text = path.read_text(encoding="utf-8", errors="replace")
        number = len(self.documents)
        self.documents.append({"path": str(path), "names": self.parser.names(path, text), "lines": text.splitlines()})
        for word in words_of(text):
            self.postings.setdefault(word, set()).add(number)


def words_of(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.string
        elif token.type == tokenize.STRING:
            yield from comment_words(token.string)


def comment_words(text):
    return [word.strip(".,:;()'\"").lower() for word in text.split()]


def main(count, prefix):
    index = Index()
    files = sorted(Path(ast.__file__).parent.glob("*.py"))[:count]
    for number, path in enumerate(files, 1):
        index.add(path)
        if prefix and number % max(1, len(files) // 5) == 0:
            heap.write_heap_profile(f"{prefix}.{number:04d}.prof")
    print(f"{len(index.documents)} files, {len(index.postings)} words")


if __name__ == "__main__":
    heap.start()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2] if len(sys.argv) > 2 else "")
