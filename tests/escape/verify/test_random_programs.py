"""Random programs, and what weak references and the collector say became of their objects, against the recorder.

The same program runs twice: its objects are instances that can be referred to weakly (so the truth can be watched from
outside, by nothing that the recorder does), then lists (which the recorder must hold, and decide by counting alone).
"""

import ast
import gc
import random
import weakref

import pytest
from gomem.escape.sites import find_sites
from gomem.escape.verify import recorder, transform

HEAD = """
def keep(x):
    KEPT.append(x)
def drop(x):
    return len(x)
def same(x):
    return x
def wrap(x):
    y = NEW(x)
    return y
def link(x, y):
    x.append(y)
"""


class Node(list):
    """A list that can be referred to weakly; ``made`` remembers each, by the line that made it."""

    made: list = []

    def __init__(self, line, *items):
        super().__init__(items)
        Node.made.append((line, weakref.ref(self)))


class Failed(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def installed():
    transform.install()
    recorder.install()
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()
    gc.callbacks.remove(recorder._on_gc)


def body(rng):
    """Statements over the variables v0..v4, which all begin as something harmless."""
    lines = ["    v0 = v1 = v2 = v3 = v4 = arg"]
    fresh = ["NEW()", "NEW({a})", "NEW({a}, {b})", "wrap({a})"]
    steps = [
        "{x} = {fresh}", "{x} = {fresh}", "{x} = {fresh}", "{x} = {a}", "link({a}, {b})", "{a}.append({b})", "{a}.append({fresh})",
        "drop({fresh})", "{x} = same({fresh})", "arg.append({fresh})", "{x} = (lambda: {a})", "{x} = [i for i in [{a}]]", "{x} = None",
        "for {x} in [{a}]: {y} = {fresh}", "with ignored(): {x} = {fresh}",
        "try:\n        raise Failed({a})\n    except Failed: {x} = {fresh}",
        "def inner(z={a}):\n        nonlocal {x}\n        {x} = {b}\n        return NEW(z)\n    {y} = inner()",
    ]  # fmt: skip
    rare = ["keep({fresh})", "keep({a})", "KEPT.append({a})", "keep(lambda: {a})"]
    for _ in range(rng.randrange(2, 9)):
        step = rng.choice(steps + rare if rng.random() < 0.3 else steps)
        names = {name: f"v{rng.randrange(5)}" for name in "abxy"}
        step = step.replace("{fresh}", rng.choice(fresh))
        lines.append("    " + step.format(**names))
    # A variable may hold None or a function by now: what would fail then is tried.
    tried = [f"    try:\n        {line.strip()}\n    except (AttributeError, TypeError): pass" if "append" in line or "link" in line or "drop" in line else line for line in lines]
    a, b = f"v{rng.randrange(5)}", f"v{rng.randrange(5)}"
    end = rng.choice(["return {a}", "return ({a}, {b})", "return", "pass", "raise Failed({a})", "drop(1)", "yield 1\n    yield 2\n    drop({a})", "return NEW({a})", "return lambda: {a}"])
    return [*tried, "    " + end.format(a=a, b=b)]


def program(seed):
    return HEAD + "\n".join(["def main(arg):", *body(random.Random(seed))]) + "\n"


def with_nodes(source, made):
    """NEW(...) becomes Node(line, ...) or a list; all else is the same, and so are the lines."""
    tree = ast.parse(source)

    class Replace(ast.NodeTransformer):
        def visit_Call(self, node):
            self.generic_visit(node)
            if isinstance(node.func, ast.Name) and node.func.id == "NEW":
                new = ast.Call(ast.Name("Node", ast.Load()), [ast.Constant(node.lineno), *node.args], []) if made else ast.List(node.args, ast.Load())
                return ast.fix_missing_locations(ast.copy_location(new, node))
            return node

    return Replace().visit(tree)


class ignored:
    def __enter__(self):
        return None

    def __exit__(self, *error):
        return False


def ran(source, made):
    """What the recorder says, line -> fates; and what happened, if the objects are nodes."""
    tree = with_nodes(source, made)
    first = len(recorder.tables.sites)
    sites = find_sites(tree, "r.py", source)
    watched = {node: site for node, site in sites.items() if site.text.startswith("NEW(") and site.kind == ("call" if made else "list")}
    transform.instrument(tree, watched, recorder.tables)
    kept: list = []
    namespace = {"__name__": "r", "KEPT": kept, "Node": Node, "Failed": Failed, "ignored": ignored}
    exec(compile(tree, "r.py", "exec"), namespace)
    Node.made.clear()
    arg = Node(0) if made else []
    truth = happened(namespace["main"], arg)
    said: dict[int, set[str]] = {}
    for number in range(first, len(recorder.tables.sites)):
        said.setdefault(recorder.tables.sites[number].line, set()).update(recorder.tables.counts[number])
    return said, truth


def happened(main, arg):
    """line -> fates, watched from outside. The node of one line may be made several times."""
    result = None
    try:
        result = main(arg)
        if hasattr(result, "send"):
            for _ in result:
                pass
            result = None
    except Failed as error:
        result = error.with_traceback(None)
        result.__context__ = None
    except TypeError as error:
        error.__traceback__ = None
    fates, alive = {}, dict(enumerate(Node.made))

    def bury(fate):
        for index, (line, reference) in list(alive.items()):
            if reference() is None:
                fates.setdefault(line, set()).add(fate)
                del alive[index]

    bury("frame")
    gc.collect()
    bury("cycle")
    result = None
    gc.collect()
    bury("handed")
    for line, _ in alive.values():
        fates.setdefault(line, set()).add("escaped")
    return {line: what for line, what in fates.items() if line}


# Only main's own objects: those of the functions it calls are decided at their own end, which nobody outside sees.
FIRST = HEAD.count("\n") + 1


def inner_lines(source):
    return {n.lineno for f in ast.walk(ast.parse(source)) if isinstance(f, ast.FunctionDef) and f.name == "inner" for n in ast.walk(f) if hasattr(n, "lineno")}


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.once) for block in range(1, 6))])  # 300 programs; 1,000 were run when it was written
def test_random_programs(block):
    for seed in range(block * 50, block * 50 + 50):
        source = program(seed)
        said, truth = ran(source, made=True)
        for line in truth.keys() - inner_lines(source):
            if line > FIRST and "frame" in said.get(line, ()):
                assert truth[line] & {"frame"}, (seed, line, said[line], truth[line], source)
            if line > FIRST and len(truth[line]) == 1 and len(said.get(line, ())) == 1:
                (fate,), (want,) = said[line], truth[line]
                same = {"returned": "handed", "raised": "handed"}.get(fate, fate)
                assert fate == "unknown" or same == want, (seed, line, fate, want, source)
        lists, _ = ran(source, made=False)
        for line in said.keys() & lists.keys():
            if line > FIRST and said[line] and lists[line] and "unknown" not in said[line] | lists[line]:
                assert lists[line] == said[line], (seed, line, lists[line], said[line], source)
    assert not recorder.tables.disagreements
