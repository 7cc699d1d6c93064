"""The recorder against small programs with known truth, and its second opinions against itself."""

import ast
import gc
import sys
from collections import defaultdict

import pytest
from escape.verify.cases import CASES
from gomem.escape.sites import find_sites
from gomem.escape.verify import hook, recorder, transform


@pytest.fixture(scope="module", autouse=True)
def installed():
    transform.install()
    recorder.install()
    gc.freeze()  # what pytest holds is not looked through again for each second opinion
    yield
    gc.unfreeze()
    gc.callbacks.remove(recorder._on_gc)


@pytest.fixture(autouse=True)
def audit(monkeypatch):
    monkeypatch.setattr(recorder, "audit", True)
    disagreements = dict(recorder.tables.disagreements)
    yield
    assert recorder.tables.disagreements == disagreements


def run(source, name="m"):
    """The namespace of the instrumented source, and (line, kind) -> set of fates, after main() has run."""
    first = len(recorder.tables.sites)
    tree = ast.parse(source)
    transform.instrument(tree, find_sites(tree, "m.py", source), recorder.tables)
    namespace = {"__name__": name}
    exec(compile(tree, "m.py", "exec"), namespace)
    kept = namespace["main"]()
    fates = defaultdict(set)
    for number in range(first, len(recorder.tables.sites)):
        site = recorder.tables.sites[number]
        fates[site.line, site.kind] |= set(recorder.tables.counts[number])
    del kept
    return fates


def wanted(source):
    for number, line in enumerate(source.splitlines(), 1):
        if "#:" in line:
            for item in line.partition("#:")[2].split(","):
                kind, *fates = item.split()
                yield (number, kind), set(fates) - {"-"}


@pytest.mark.parametrize("name", CASES)
def test_known_truth(name):
    fates = run(CASES[name])
    want = dict(wanted(CASES[name]))
    assert want
    got = {key: fates[key] for key in want}
    assert got == want


@pytest.mark.parametrize("name", CASES)
def test_the_program_behaves_the_same(name):
    """Compiled as it is, the program has the same signatures, names and lines."""
    plain, instrumented = {"__name__": "m"}, {"__name__": "m"}
    tree = ast.parse(CASES[name])
    exec(compile(tree, "m.py", "exec"), plain)
    transform.instrument(tree, find_sites(tree, "m.py"), recorder.tables)
    exec(compile(tree, "m.py", "exec"), instrumented)
    assert list(plain) == list(instrumented)
    for key, thing in plain.items():
        if hasattr(thing, "__code__"):
            code, other = thing.__code__, instrumented[key].__code__
            for fact in ("co_name", "co_qualname", "co_firstlineno", "co_argcount", "co_kwonlyargcount", "co_freevars"):
                assert getattr(code, fact) == getattr(other, fact), fact


def test_functions_that_look_at_their_variables_are_left_alone():
    fates = run("def f():\n    x = []\n    return locals()\ndef main():\n    assert list(f()) == ['x']\n")
    assert (2, "list") not in fates


def test_looks_are_bounded():
    fates = run("def f(i):\n    return [i]\ndef main():\n    for i in range(100_000):\n        f(i)\n")
    assert fates[2, "list"] == {"returned"}
    number = max(n for n, site in enumerate(recorder.tables.sites) if site.kind == "list")
    assert recorder.tables.looks[number] <= recorder.LOOKS_MAX


def test_a_recursive_closure_stays_a_cycle_however_often():
    source = """
def work(n):
    seen = set()
    rows = [n]
    def inner(n):
        seen.add(n)
        rows.append(n)
        return inner(n - 1) if n else None
    inner(2)
def main():
    for i in range(300):
        work(i)
"""
    fates = run(source)
    assert fates[3, "call"] == fates[4, "list"] == fates[5, "def"] == {"cycle"}


def test_arguments_are_looked_at_again_after_the_first_looks():
    fates = run("KEPT = []\ndef f(i, *args):\n    if i > 40:\n        KEPT.append(args)\ndef main():\n    for i in range(200):\n        f(i, [i])\n")
    assert fates[2, "args"] == {"frame", "escaped"}


def test_a_long_loop_holds_little():
    source = """
import weakref
class C: pass
class L(list): pass
def main():
    for i in range(20):
        c = C()
        r = weakref.ref(c)
        x = [c]
        del c
        x = [r]
        len([i])
        assert r() is None, i
"""
    run(source)


def test_self_check_passes_here():
    hook.check()


def test_tracebacks_and_recursion_are_the_programs_own():
    source = """
import traceback
def fail(n):
    x = [n]
    raise ValueError(x)
def deep(n):
    return [deep(n + 1)]
def main():
    try:
        fail(1)
    except ValueError:
        text = traceback.format_exc()
        assert text.count('File "m.py"') == 2, text
        assert "line 5, in fail" in text
    try:
        deep(0)
    except RecursionError:
        pass
"""
    unraisable = []
    hook_before, sys.unraisablehook = sys.unraisablehook, unraisable.append
    try:
        run(source)
    finally:
        sys.unraisablehook = hook_before
    assert not unraisable
