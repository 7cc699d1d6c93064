"""Imported packages are analysed with what imports them, and nothing of them is taken for granted that other code may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from gomem.errors import UsageError
from gomem.escape import analyse, engine, installed

STORE = '''
KEPT = []

def amount(items):
    return len(items)

def keep(item):
    KEPT.append(item)

def send(sink, text):
    sink.deliver(text)

def helper(item):
    return 1

def helped(item):
    return helper(item)

def hooked(item):
    return HOOK(item)

def HOOK(item):
    return 1

def option(value, cls=None):
    def decorator(function):
        helper(value)
        function.options = cls(value)
        return function
    return decorator

class Sink:
    def deliver(self, text):
        return len(text)

    def run(self, item):
        return self.step(item)

    def step(self, item):
        return 1

class Box:
    def __init__(self):
        self.items = []
        self.mark = None

    def put(self, item):
        self.items.append(item)

    def check(self, item):
        return self.mark is None or self.mark.step(item)

class Tap:
    def __init__(self):
        self.nozzle = Nozzle()

    def pour(self, item):
        return self.nozzle.drip(item)

    def hand(self, item):
        return self.take(item)

    def take(self, item):
        return 1

class Nozzle:
    def drip(self, item):
        return 1

raise SystemExit("never imported")
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    (made / "store").mkdir(parents=True)
    (made / "store" / "__init__.py").write_text("from .core import *\nfrom .core import Sink, Box, KEPT\n")
    (made / "store" / "core.py").write_text(STORE)
    return made


def judged(site: Path, source: str, **options: object) -> dict[str, str]:
    """Text of the site -> verdict."""
    path = site.parent / "app.py"
    path.write_text(source)
    options.setdefault("search", [str(site)])
    return {verdict.site.text: verdict.verdict for verdict in analyse([path], **options).verdicts}  # type: ignore[arg-type]


def test_a_package_is_read(site: Path) -> None:
    source = "import store\nfrom store.core import keep as k\ndef f(n):\n    box = store.Box()\n    box.put([n])\n    k({n})\n    return store.amount((n, n))\n"
    found = judged(site, source)
    assert (found["store.Box()"], found["[n]"], found["{n}"], found["(n, n)"]) == ("frame", "frame", "global", "frame")
    found = judged(site, source, search=())
    assert (found["[n]"], found["{n}"], found["(n, n)"]) == ("unknown", "unknown", "unknown")


def test_only_the_given_files_are_reported(site: Path) -> None:
    (site.parent / "app.py").write_text("import store, nowhere\n\ndef f(n):\n    return [n]\n")
    found = analyse([site.parent / "app.py"], search=[str(site)])
    assert {Path(verdict.site.path).name for verdict in found.verdicts} == {"app.py"}
    assert (found.files, found.packages, found.left) == (1, ["store"], {"nowhere": installed.NO_SOURCE})


CHANGES = {  # what a function of the package is called with -> code that makes the call unknown
    "store.send(store.Sink(), [n])": "class Mine:\n    def deliver(self, text):\n        self.text = text\n",
    "store.Sink().run([n])": "",
    "given.run([n])": "class Mine(store.Sink):\n    def step(self, item):\n        self.item = item\n",
    "store.helped([n])": "def mine(item):\n    ALL.append(item)\nstore.core.helper = mine\n",
    "store.hooked([n])": "def mine(item):\n    ALL.append(item)\nstore.core.HOOK = mine\n",
    "store.Box().check([n])": "class Mine:\n    def step(self, item):\n        ALL.append(item)\nbox = store.Box()\nbox.mark = Mine()\n",
}

CHANGES_OF_A_CLASS = {  # the same with an object of a class of the package
    "given.pour([n])": "class Mine:\n    def drip(self, item):\n        ALL.append(item)\nclass Mixed:\n    def __init__(self):\n        self.nozzle = Mine()\nclass Both(Mixed, store.core.Tap):\n    pass\n",
    "given.hand([n])": "def mine(self, item):\n    ALL.append(item)\nclass Mine(store.core.Tap):\n    take = mine\n",
    "given.take([n])": "class Mixed:\n    def take(self, item):\n        ALL.append(item)\nclass Both(Mixed, store.core.Tap):\n    pass\n",
}


@pytest.mark.parametrize(("call", "change"), CHANGES.items(), ids=range(len(CHANGES)))
def test_what_other_code_changes_is_unknown(site: Path, call: str, change: str) -> None:
    source = f"import store, store.core\nALL = []\n{{}}\ndef f(n, given: store.Sink):\n    return {call} + 1\n"
    assert judged(site, source.format(""))["[n]"] == "frame"
    if change:
        assert judged(site, source.format(change))["[n]"] != "frame"


@pytest.mark.parametrize(("call", "change"), CHANGES_OF_A_CLASS.items(), ids=range(len(CHANGES_OF_A_CLASS)))
def test_what_classes_of_other_code_change_is_unknown(site: Path, call: str, change: str) -> None:
    source = f"import store, store.core\nALL = []\n{{}}\ndef f(n, given: store.core.Tap):\n    return {call} + 1\n"
    assert judged(site, source.format(""))["[n]"] == "frame"
    assert judged(site, source.format(change))["[n]"] != "frame"


def test_an_attribute_of_another_class_changes_nothing(site: Path) -> None:
    source = "import store, store.core\nclass Mine:\n    def __init__(self):\n        self.nozzle = [1]\ndef f(n, given: store.core.Tap):\n    return given.pour([n]) + 1\n"
    assert judged(site, source)["[n]"] == "frame"


def test_what_a_closure_holds_escapes_if_it_is_unknown(site: Path) -> None:
    source = "import store, store.core\n{}\n@store.option([1, n])\ndef f():\n    pass\n"
    assert judged(site, source.format("n = 1"))["[1, n]"] != "frame"
    assert judged(site, source.format("n = 1\nstore.core.helper = n"))["[1, n]"] != "frame"


def test_a_class_from_elsewhere_between_two_packages(site: Path) -> None:
    (site / "more.py").write_text("import store\n\nclass More(store.Sink):\n    def step(self, item):\n        self.item = item\n")
    call = "def f(n, given: store.Sink):\n    return given.run([n]) + 1\n"
    assert judged(site, f"import store\n{call}")["[n]"] == "frame"
    assert judged(site, f"import store, more\n{call}")["[n]"] != "frame"


def test_packages_that_import_each_other(site: Path) -> None:
    (site / "one.py").write_text("import two\n\ndef f(x):\n    return two.g(x)\n\ndef h(x):\n    two.KEPT.append(x)\n")
    (site / "two.py").write_text("import one\nKEPT = []\n\ndef g(x):\n    return len(x)\n\ndef k(x):\n    one.h(x)\n")
    found = judged(site, "import one, two\ndef f(n):\n    two.k({n})\n    return one.f([n])\n")
    assert (found["[n]"], found["{n}"]) == ("frame", "global")


APP = "import store, shlex\n\ndef f(n):\n    store.keep({n})\n    shlex.split(str([n]))\n    return store.amount([n])\n"


def test_packages_are_kept(site: Path, solved: list[str]) -> None:
    cache = site.parent / "cache"
    first = judged(site, APP, cache=cache)
    assert "amount" in solved
    solved.clear()
    assert judged(site, APP, cache=cache) == first and not solved
    judged(site, APP + "\ndef g(n):\n    return store.amount((n,))\n", cache=cache)
    assert "f" in solved and "amount" not in solved
    (site / "store" / "core.py").write_text(STORE.replace("return len(items)", "KEPT.append(items)"))
    assert judged(site, APP, cache=cache)["[n]"] == "global"


def test_the_same_in_several_processes(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = [str(site), *installed.search_path()]
    wanted = judged(site, APP, search=search)
    assert wanted["[n]"] == "frame"
    monkeypatch.setattr(engine, "FEW", 0)
    for jobs in (2, 4):
        assert judged(site, APP, search=search, jobs=jobs, cache=site.parent / f"cache{jobs}") == wanted
        assert judged(site, APP, search=search, jobs=jobs, cache=site.parent / f"cache{jobs}") == wanted


def test_limits(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "UNIT_LINES", 10)
    (site.parent / "app.py").write_text(APP)
    assert analyse([site.parent / "app.py"], search=[str(site)]).left["store"] == "more than 10 lines"
    monkeypatch.setattr(installed, "UNIT_LINES", 1000)
    monkeypatch.setattr(installed, "ALL_LINES", 100)
    (site / "store" / "core.py").write_text(STORE + "\nimport far\n")
    (site / "far.py").write_text("x = 1\n" * 50)
    found = analyse([site.parent / "app.py"], search=[str(site)])
    assert (found.packages, found.left["far"]) == (["store"], "with it, more than 100 lines")


def test_the_path_of_an_environment(tmp_path: Path) -> None:
    base, env, code = tmp_path / "base", tmp_path / "env", tmp_path / "code"
    for directory in (base / "lib/python3.13/site-packages", env / "lib/python3.13/site-packages", base / "bin", code):
        directory.mkdir(parents=True)
    (base / "lib/python3.13/os.py").touch()
    (env / "pyvenv.cfg").write_text(f"home = {base / 'bin'}\ninclude-system-site-packages = false\n")
    (env / "lib/python3.13/site-packages/code.pth").write_text(f"import evil\n{code}\n")
    wanted = [str(base / "lib/python3.13"), str(env / "lib/python3.13/site-packages"), str(code)]
    assert installed.search_path(env) == installed.search_path(env / "bin" / "python") == wanted
    with pytest.raises(UsageError, match="want an interpreter"):
        installed.search_path(code)
