"""The rules of the house that a machine can check: which way imports point, who sees the interpreter's insides, what the
package calls public, and what may not stand in a file."""

import ast
import re
from pathlib import Path

import pytest
from api_listing import listing

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "gomem"

# A part (a module or a folder of the package) -> the parts that it may import. What runs in a profiled process is on
# the left of what looks at profiles: errors, units <- pprof <- report <- web; nothing imports cli.
LEAVES = {"errors", "units", "record", "_core"}
MAY_IMPORT = {
    "errors": set(),
    "units": set(),
    "record": set(),
    "pprof": LEAVES | {"pressure"},
    "report": LEAVES | {"pprof"},
    "web": LEAVES | {"pprof", "report"},
    "heap": LEAVES | {"_profile", "pprof"},
    "pools": set(),
    "_profile": LEAVES | {"heap", "pools", "pprof"},
    "sites": LEAVES | {"pprof"},
    "summary": LEAVES | {"heap", "pools", "sites", "pprof"},
    "environment": LEAVES | {"heap"},
    "auto": LEAVES | {"environment", "heap", "summary", "_profile", "pprof", "gc", "_gcrecord"},
    "_gcrecord": LEAVES | {"gc"},
    "endpoint": LEAVES | {"heap", "_profile", "sites", "pprof", "gc"},
    "notebook": LEAVES | {"heap", "sites", "pprof", "web"},
    "escape": LEAVES,
    "gc": LEAVES | {"pressure"},
    "pytest_plugin": LEAVES | {"heap", "pprof"},
}


def parts_imported(path):
    """The parts of gomem that a file imports, at its head or in a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "gomem":
            names = [f"gomem.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("gomem."))


def files_of(part):
    return [PACKAGE / f"{part}.py"] if (PACKAGE / f"{part}.py").exists() else sorted((PACKAGE / part).rglob("*.py"))


def code_files():
    return sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("bench/**/*.py"), *ROOT.glob("core/*.[ch]")])


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part):
    assert files_of(part)
    wrong = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in files_of(part)
        for other in parts_imported(path)
        if other != part and other not in MAY_IMPORT[part]
    }
    assert not wrong


def test_nothing_imports_the_command_line():
    others = [path for path in PACKAGE.rglob("*.py") if "cli" not in path.relative_to(PACKAGE).parts]
    importers = {path.name for path in others if "cli" in parts_imported(path)}
    assert importers <= {"__main__.py"}


def test_what_runs_in_a_profiled_process_needs_the_standard_library_alone():
    import sys

    allowed = sys.stdlib_module_names | {"gomem"}
    for part in ("heap", "gc", "_gcrecord", "pressure", "_profile", "sites", "summary", "environment", "auto", "endpoint", "errors", "units", "record"):
        for path in files_of(part):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module else []
                assert {name.split(".")[0] for name in names} <= allowed, path


def test_only_compat_sees_the_interpreters_insides():
    inside = re.compile(r"pycore_|Py_BUILD_CORE|PY_VERSION_HEX|PY_(MAJOR|MINOR|MICRO)_VERSION|\bcpython/")
    wrong = [path.name for path in ROOT.glob("core/*.[ch]") if not path.name.startswith("compat") and inside.search(path.read_text())]
    assert not wrong


def test_only_wire_knows_the_file_format():
    encoders = {path.name for path in ROOT.glob("core/*.c") if re.search(r"\bvarint|\bwire_type", path.read_text())}
    assert encoders and all(name.startswith("wire") for name in encoders)


def test_public_names_and_signatures_are_those_of_api_txt():
    assert listing() == (ROOT / "api.txt").read_text().splitlines(), "python tests/api_listing.py > api.txt, and say it in CHANGELOG.md"


def test_no_file_is_named_for_what_it_is_not_about():
    vague = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
    assert not [path for path in code_files() if path.stem in vague]


def test_no_path_of_one_machine_and_nothing_left_over():
    home = re.compile(r"\.pyenv/versions")
    leftover = re.compile(r"^(<<<<<<<|>>>>>>>) |\bbreakpoint\(\)|\b[F]IXME\b|\b[X]XX\b", re.M)
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.py")]
    for path in [*code_files(), *documents]:
        if path != Path(__file__):
            text = path.read_text()
            assert not home.search(text), path
            assert not leftover.search(text), path


def test_links_between_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)}: {target}"
