"""The core's own reader of line tables agrees with the interpreter, instruction by instruction."""

import sysconfig
import types
from pathlib import Path

from gomem import _core

SOURCES = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


def all_code(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from all_code(constant)


def check(code):
    """How many instructions were compared."""
    for start, end, line in code.co_lines():
        expected = line if line and line > 0 else code.co_firstlineno
        for address in range(start, end, 2):
            assert _core.heap_code_line(code, address) == expected, (code, address)
    return len(code.co_code) // 2


def test_every_function_of_a_third_of_the_standard_library():
    compared = 0
    for path in SOURCES[::3]:
        for code in all_code(compile(path.read_bytes(), str(path), "exec")):
            compared += check(code)
    assert compared > 100_000


def test_odd_line_tables():
    far = "x = 1\n" + "\n" * 70_000 + "y = [1,\n" + "\n" * 3000 + "2]\nz = f(a,\n b,\n\n c)\n"
    for text in (far, "def f():\n try:\n  g()\n finally:\n  with a as b, c: yield\n", "[x for x in y if\n\n z]\n", "pass\n"):
        for code in all_code(compile(text, "odd", "exec")):
            assert check(code)
    plain = compile("a\nb\nc", "cut", "exec")
    for table in (b"", b"\x80", b"\xf0\xff\xff\xff\xff\xff\xff", b"\xff" * 9, plain.co_linetable[:3]):
        code = plain.replace(co_linetable=table)
        for address in range(0, len(code.co_code), 2):
            assert _core.heap_code_line(code, address) >= 1  # a damaged table is read no further than its end
