"""Records against what ``dataclasses`` makes of the same class."""

import copy
import inspect
import pickle
import subprocess
import sys
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import pytest

from gomem.record import Record, field, replace


class Ours(Record):
    width: int
    rows: list[int] = field(default_factory=list)
    name: str = "a"
    hidden: bytes | None = field(default=None, init=False)


@dataclass(slots=True)
class Theirs:
    width: int
    rows: list[int] = dataclass_field(default_factory=list)
    name: str = "a"
    hidden: bytes | None = dataclass_field(default=None, init=False, compare=False, repr=False)


def test_constructor_repr_and_equality_are_those_of_a_dataclass():
    assert str(inspect.signature(Ours)) == str(inspect.signature(Theirs))
    for args, names in (((1,), {}), ((1, [2]), {}), ((), {"name": "b", "width": 3})):
        ours, theirs = Ours(*args, **names), Theirs(*args, **names)
        assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
        assert ours == Ours(*args, **names) and ours != Ours(9) and ours != theirs
    for cls in (Ours, Theirs):
        for args, names in (((), {}), ((1, [], "a", None), {}), ((1,), {"hidden": b""}), ((1,), {"nothing": 1})):
            with pytest.raises(TypeError):
                cls(*args, **names)
        with pytest.raises(AttributeError):
            cls(1).misspelt = 1
        with pytest.raises(TypeError):
            hash(cls(1))


def test_defaults_are_made_anew_and_replacing_leaves_the_rest():
    first, second = Ours(1), Ours(1)
    first.rows.append(7)
    first.hidden = b"file"
    assert second.rows == [] and first != second
    changed = replace(first, name="c")
    assert (changed.width, changed.rows, changed.name, changed.hidden) == (1, [7], "c", None)
    assert first.name == "a"
    with pytest.raises(TypeError):
        replace(first, nothing=1)
    if sys.version_info >= (3, 13):
        assert copy.replace(first, name="c") == changed


def test_copies_and_pickles():
    one = Ours(1, [2])
    one.hidden = b"file"
    for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert other == one and other.hidden == b"file"


def test_neither_a_report_nor_a_profiled_process_imports_dataclasses():
    code = "import sys; import gomem.cli.pprof, gomem.report.text, gomem.auto, gomem._profile; assert 'dataclasses' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, gomem; assert 'gomem.heap' not in sys.modules; gomem.stats; assert gomem.start is sys.modules['gomem.heap'].start"
    subprocess.run([sys.executable, "-c", code], check=True)
