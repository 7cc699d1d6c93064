"""The list of allocation sites: what is one, where it stands, and, against the compiler, what allocates nothing."""

import ast
import dis

import pytest
from gomem.escape.sites import KINDS, Site, find_sites


def sites(source):
    return list(find_sites(ast.parse(source), "m.py", source).values())


def described(source):
    return [(site.kind, site.text) for site in sites(source)]


@pytest.mark.parametrize(
    ("source", "want"),
    [
        ("x = [a, (1, b), {1: a}, {a}]", ["list", "tuple", "dict", "set"]),
        ("x = f(g(a))", ["call", "call"]),
        ("x = [i for i in a]; y = {i for i in a}; z = {i: i for i in a}; g = (i for i in a)", ["listcomp", "setcomp", "dictcomp", "genexp"]),
        ("x = lambda a: [a]", ["lambda", "list"]),
        ("@d(1)\ndef f(a=[], *args, b={}, **kw): pass", ["def", "call", "list", "dict", "args", "kwargs"]),
        ("async def f(): await g()", ["def", "call"]),
        ("class C(b(), metaclass=m()): x = []", ["class", "call", "call", "list"]),
        ("x = f'{a:{b}} {[c]}'", ["fstring", "list"]),
        ("x = a + b; y = a / 'n'; z = 'a' * 3", ["binop", "binop"]),
        ("x = a[1:2]; a[1:2] = b; y = a[1]", ["slice"]),
        ("x = a[1:2, b]", []),
        ("x = '%s %s' % (a, b)", ["binop"]),
        ("x = '%s' % 1; y = '%s' % (1,)", ["binop", "binop"]),
        ("x = (1, (2, 'a'), -3); y = 1 + 2", []),
        ("a in [1, 2]; a in {1, 2}; a in [b]", ["list"]),
        ("for i in [1, 2]: pass\nx = [i for i in {1, 2}]", ["listcomp"]),
        ("a, b = b, a; a, b, c, d = 1, 2, 3, e", ["tuple"]),
        ("(a, b) = [c] = x; del (a, b)", []),
        ("for a, b in x: pass", []),
        ("class C:\n def f(self): super().f(); super(C, self)", ["class", "def", "call", "call"]),
        ("x: List[int, f()] = []\ndef f(a: g()) -> h(): pass", ["list", "def"]),
        ("match f():\n case C([a, b]) if g(): [a]", ["call", "call", "list"]),
        ("x += [a]", ["list"]),
    ],
)
def test_what_is_a_site(source, want):
    found = [site.kind for site in sites(source)]
    assert sorted(found) == sorted(want) and set(found) <= set(KINDS)


def test_place_function_and_text():
    source = "class C:\n    def m(self):\n        é = [\n            1,  2]\n        return lambda *a: f(é)\n"
    found = {site.kind: site for site in sites(source)}
    assert found["list"] == Site("m.py", 3, 13, 4, 18, "list")
    assert str(found["list"]) == "m.py:3:14"
    assert [(s.function, s.text) for s in found.values()] == [
        ("<module>", "class C"),
        ("C", "def m"),
        ("C.m", "[ 1, 2]"),
        ("C.m", "lambda *a: f(é)"),
        ("C.m.<locals>.<lambda>", "*a"),
        ("C.m.<locals>.<lambda>", "f(é)"),
    ]
    assert len(described(f"x = [{'a, ' * 100}]")[0][1]) == 60


def test_names_are_those_of_the_code_objects():
    source = "def f():\n class C:\n  def m(self): return (lambda: [1]), [[i] for i in x]\n"
    names = {site.function for site in sites(source)}
    assert names == {"<module>", "f", "f.<locals>.C", "f.<locals>.C.m", "f.<locals>.C.m.<locals>.<lambda>"}
    assert names - {"<module>"} <= {code.co_qualname for code in _codes(compile(source, "m.py", "exec"))}


@pytest.mark.parametrize("expression", ["(1, 2)", "'a' * 3", "a in [1, 2]", "a in {1, 2}", "-1", "(1, (2, -3))"])
def test_no_site_where_the_compiler_builds_nothing(expression):
    assert sites(expression) == []
    built = [i.opname for i in dis.get_instructions(compile(f"x = {expression}", "m", "exec"))]
    assert not any(name.startswith(("BUILD", "BINARY", "CALL", "LIST")) for name in built)


def test_order_and_identity_of_nodes():
    tree = ast.parse("f([a])")
    nodes = find_sites(tree, "m.py")
    assert list(nodes) == [tree.body[0].value, tree.body[0].value.args[0]]
    assert [site.text for site in nodes.values()] == ["", ""]


def _codes(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from _codes(constant)
