"""What was kept of one run makes the next one quick, and never different."""

from __future__ import annotations

import ast
import email
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gomem.escape import Analysis, analyse, disk, engine, outcome, solve
from gomem.escape.entities import Function
from gomem.escape.interpret import COARSE, EXACT, GIVEN_UP
from gomem.escape.outcome import Outcome
from gomem.escape.universe import Universe

MAIL = Path(email.__file__).parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Some of the standard library, small enough to be solved often and tangled enough to need several sweeps."""
    copy = tmp_path / "email"
    copy.mkdir()
    for name in ("__init__", "message", "charset", "header", "errors", "encoders"):
        shutil.copy(MAIL / f"{name}.py", copy)
    return copy


def mutate(path: Path, rng: random.Random) -> str:
    """Changes one statement of a file; says how."""
    lines = path.open().readlines()
    found = [
        node
        for function in ast.walk(ast.parse("".join(lines)))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, (ast.Assign, ast.Return, ast.Expr)) and node.lineno == node.end_lineno and lines[node.lineno - 1].strip()[-1] not in ":,("
    ]
    node = rng.choice(found)
    line = lines[node.lineno - 1]
    if line[: node.col_offset].strip():
        return "nothing"
    indent, text = line[: node.col_offset], line[node.col_offset :].rstrip("\n")
    kept = rng.choice(["pass", f"{text}\n{indent}{text}", "return [locals]", "value = [text, msg]", "self.policy = {}", "self.another = []", "global kept\n" + indent + "kept = {}", f"if 0:\n{indent}    {text}"])
    lines[node.lineno - 1] = f"{indent}{kept}\n"
    return written(path, lines, f"{path.name}:{node.lineno}: {text} -> {kept}")


def written(path: Path, lines: list[str], what: str) -> str:
    """Writes the file if it is still Python; says what was changed."""
    text = "".join(lines)
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return "nothing"
    path.write_text(text)
    return what


def rename(path: Path, rng: random.Random) -> str:
    """Adds or removes a function, method or attribute, or has another one called; says which."""
    source = path.read_text()
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    node = rng.choice(found)
    lines = source.splitlines(keepends=True)
    first, indent = node.lineno - 1, " " * node.col_offset
    own, *_ = [arg.arg for arg in node.args.args] or ["None"]
    name = rng.choice(["first_one", "second_one", "third_one", "append", "get", "get_payload", "encode", "__len__"])
    inner = indent + "    "
    kept = rng.choice(
        [
            f"{indent}def {name}(self, *given):\n{inner}self.{name}_kept = [given]\n{inner}return [self, lambda: given]\n",
            f"{indent}def {name}(one, other=None):\n{inner}return {name}(one, [other])\n",
            f"{indent}{name} = {{'a': []}}\n",
            "",
        ]
    )
    change = rng.choice(["before", "instead", "call"])
    if change == "call":
        body = node.body[0].lineno - 1
        lines.insert(body, f"{inner}{own}.{name}([{own}])\n{inner}{own}.{name}_kept = {{}}\n")
    else:
        lines[first : node.end_lineno if change == "instead" else first] = [kept]
    return written(path, lines, f"{path.name}:{node.name}: {change} {name}: {kept}")


@pytest.mark.parametrize("how", [mutate, rename])
@pytest.mark.parametrize(("seed", "times"), [(0, 3), *[pytest.param(seed, 20, marks=pytest.mark.slow) for seed in range(1, 6)]])
def test_mutants_as_if_cold(package: Path, tmp_path: Path, how: Callable[[Path, random.Random], str], seed: int, times: int) -> None:
    rng = random.Random(seed)
    analyse([package], cache=tmp_path / "cache")
    done: list[str] = []
    while len([what for what in done if what != "nothing"]) < times:
        done.append(how(rng.choice(sorted(package.glob("*.py"))), rng))
        assert analyse([package], cache=tmp_path / "cache") == analyse([package]), done


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little work is allowed that many functions take too much."""
    monkeypatch.setattr(solve, "BUDGET", 60)
    monkeypatch.setattr(solve, "BUDGET_OPERATION", 1)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(("seed", "times"), [(0, 4), pytest.param(1, 40, marks=pytest.mark.slow)])
def test_mutants_of_much_work(package: Path, tmp_path: Path, seed: int, times: int) -> None:
    rng = random.Random(seed)
    analyse([package], cache=tmp_path / "cache")
    for _ in range(times):
        done = mutate(rng.choice(sorted(package.glob("*.py"))), rng)
        assert analyse([package], cache=tmp_path / "cache") == analyse([package]), done


@pytest.mark.usefixtures("little")
def test_much_work_is_done_once(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[tuple[str, int]] = []  # attempts, each of which took all that it may take

    def note(universe: Universe, function: Function, stage: int, how: int) -> Outcome:
        found = outcome.solve(universe, function, stage, how)
        if how == EXACT and found.effort >= 10:
            failed.append((function.key, EXACT))
        if how != GIVEN_UP and found.tangled:
            failed.append((function.key, COARSE))
        return found

    monkeypatch.setattr(engine, "solve", note)
    analyse([package])
    assert len(failed) == len(set(failed)) > 5


def test_nothing_is_solved_again(package: Path, tmp_path: Path, solved: list[str]) -> None:
    first = analyse([package], cache=tmp_path / "cache")
    assert len(solved) > 100
    solved.clear()
    assert analyse([package], cache=tmp_path / "cache") == first
    assert not solved


def test_only_what_changed_is_solved_again(package: Path, tmp_path: Path, solved: list[str]) -> None:
    analyse([package], cache=tmp_path / "cache")
    solved.clear()
    path = package / "header.py"
    path.write_text(path.read_text().replace("def __eq__", "#\n    def __eq__"))  # all below is a line further down
    found = analyse([package], cache=tmp_path / "cache")
    assert set(solved) == {"<module>"}
    assert found == analyse([package])


def test_a_new_function(package: Path, tmp_path: Path, solved: list[str]) -> None:
    analyse([package], cache=tmp_path / "cache")
    path = package / "header.py"
    path.write_text(path.read_text() + "\n\ndef nobody_else_mentions(x):\n    return lambda: [x]\n")
    solved.clear()
    found = analyse([package], cache=tmp_path / "cache")
    assert set(solved) == {"<module>", "nobody_else_mentions", "nobody_else_mentions.<locals>.<lambda>"}
    assert found == analyse([package])


def test_same_for_any_hash_seed(package: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gomem.escape.lower import lower\n"
        "for path in sys.argv[1:]: print([code.digest for code in lower(Path(path).read_bytes(), path, 'm').codes])"
    )
    command = [sys.executable, "-c", program, *map(str, sorted(package.glob("*.py")))]
    printed = [subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout for seed in "123"]
    assert printed[0] == printed[1] == printed[2] != b""


def test_back_and_forth(package: Path, tmp_path: Path) -> None:
    path = package / "message.py"
    sources = [path.read_text(), path.read_text().replace("self._headers = []", "self._headers = [self]")]
    wanted = []
    for source in sources:
        path.write_text(source)
        wanted.append(analyse([package]))
    for turn in range(4):
        path.write_text(sources[turn % 2])
        assert analyse([package], cache=tmp_path / "cache") == wanted[turn % 2]


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_damage_is_discarded(package: Path, tmp_path: Path, damage: object) -> None:
    wanted = analyse([package], cache=tmp_path / "cache")
    for kept in (tmp_path / "cache").glob("*/*"):
        kept.write_bytes(damage(kept.read_bytes()))  # type: ignore[operator]
    assert analyse([package], cache=tmp_path / "cache") == wanted


def test_another_version(package: Path, tmp_path: Path, solved: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = analyse([package], cache=tmp_path / "cache")
    solved.clear()
    monkeypatch.setattr(disk, "own_version", lambda: b"another")
    assert analyse([package], cache=tmp_path / "cache") == wanted
    assert len(solved) > 100


def test_two_at_once(package: Path, tmp_path: Path) -> None:
    found: list[Analysis] = []
    runs = [threading.Thread(target=lambda: found.append(analyse([package], cache=tmp_path / "cache"))) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert found[0] == found[1] == analyse([package], cache=tmp_path / "cache") == analyse([package])


def test_bounded(tmp_path: Path) -> None:
    kept = disk.DiskCache(tmp_path)
    for number in range(20):
        kept.keep(bytes(1000), str(number).encode())
    assert kept.load(b"3") == bytes(1000)
    kept.prune(10_000)
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 9_000
    assert kept.load(b"3") == bytes(1000)  # used last
    assert kept.load(b"0") is None


def test_unwritable(package: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    assert analyse([package / "errors.py"], cache=tmp_path / "cache") == analyse([package / "errors.py"])
