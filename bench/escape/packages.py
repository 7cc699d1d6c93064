"""The packages, their versions, and how each is made to work: its own test suite, or a driver with real input.

HELD_OUT is what the figures of the analysis are measured on: nobody who works on the analysis looks at these packages' sites
(except where a verdict ``frame`` was refuted: that is an error of ours and is looked into). TUNING is for working on it.
"""

from __future__ import annotations

from dataclasses import dataclass

PYTEST = ("-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Package:
    """``command`` follows ``python``, in the unpacked source; ``{drivers}`` is the folder of our own drivers,
    ``{stdlib}`` the running Python's library.

    ``roots``: what is instrumented and analysed, below the source. ``path``
    is what goes on PYTHONPATH. ``needs`` are requirements besides. ``wheel``: unpacked from a wheel, which has no tests.
    """

    name: str
    version: str
    roots: tuple[str, ...]
    command: tuple[str, ...]
    path: str = "."
    needs: tuple[str, ...] = ()
    wheel: bool = False


def _networkx(tests: str) -> list[str]:
    """A part of networkx's tests: all of them take an hour."""
    return [f"networkx/algorithms/tests/{name}.py" for name in tests.split()]


HELD_OUT = (
    Package("tomlkit", "0.15.2", ("tomlkit",), (*PYTEST, "tests"), needs=("pyyaml",)),
    Package("lark", "1.3.1", ("lark",), ("-m", "unittest", "-q", "tests.__main__"), needs=("regex",)),
    Package("mistune", "3.4.0", ("src/mistune",), (*PYTEST, "tests"), path="src"),
    Package("mako", "1.4.3", ("mako",), (*PYTEST, "test"), needs=("markupsafe",)),
    Package("jinja2", "3.1.6", ("src/jinja2",), (*PYTEST, "tests", "--ignore=tests/test_async.py", "--ignore=tests/test_async_filters.py"), path="src", needs=("markupsafe",)),  # fmt: skip
    Package("networkx", "3.7", ("networkx",), (*PYTEST, *_networkx("test_cycles test_clique test_dag test_cluster test_core test_euler test_matching test_simple_paths test_planarity"), "networkx/classes/tests", "networkx/readwrite/tests")),  # fmt: skip
    Package("parso", "0.8.7", ("parso",), (*PYTEST, "test/test_parser.py", "test/test_diff_parser.py", "test/test_tokenize.py", "test/test_python_errors.py", "test/test_parser_tree.py")),
    Package("pyflakes", "4.1.0", ("pyflakes",), (*PYTEST, "pyflakes/test")),
    Package("markdown", "3.11.3", ("markdown",), ("-m", "unittest", "discover", "-q", "tests")),
    Package("sqlglot", "", ("sqlglot",), ("{drivers}/sql.py",), wheel=True),
    Package("pygments", "", ("pygments",), ("{drivers}/highlight.py",), wheel=True),
    Package("html5lib", "", ("html5lib",), ("{drivers}/pages.py",), needs=("six", "webencodings"), wheel=True),
)

APPLICATIONS = (
    Package("cookiecutter", "2.6.0", ("cookiecutter",), ("{drivers}/applications.py", "cookiecutter"), needs=("cookiecutter==2.6.0",), wheel=True),
    Package("mkdocs", "1.6.1", ("mkdocs",), ("{drivers}/applications.py", "mkdocs"), needs=("mkdocs==1.6.1",), wheel=True),
)  # of which most is calls of other packages

TUNING = (
    Package("boltons", "26.2.0", ("boltons",), (*PYTEST, "tests")),
    Package("more_itertools", "11.2.1", ("more_itertools",), (*PYTEST, "tests/test_recipes.py")),
    Package("pyparsing", "3.3.3", ("pyparsing",), (*PYTEST, "tests/test_simple_unit.py")),
    Package("tinycss2", "1.5.1", ("tinycss2",), (*PYTEST, "tests"), needs=("webencodings",)),
    Package("pycodestyle", "2.15.0", ("pycodestyle.py",), ("-m", "pycodestyle", "--statistics", "--show-source", "-qq", "{stdlib}/email", "{stdlib}/difflib.py")),
    Package("docutils", "0.23", ("docutils",), ("{drivers}/documents.py",)),
    Package("rich", "15.0.0", ("rich",), ("{drivers}/terminal.py",), needs=("markdown-it-py", "pygments")),
    Package(
        "stdlib", "",
        tuple("{stdlib}/" + name for name in ("argparse.py", "configparser.py", "csv.py", "difflib.py", "email", "fractions.py", "graphlib.py", "html", "http/cookies.py", "optparse.py", "plistlib.py", "pprint.py", "pyclbr.py", "shlex.py", "statistics.py", "string.py", "tarfile.py", "textwrap.py", "tomllib", "urllib/parse.py", "xml/dom", "xml/etree", "zipfile")),  # fmt: skip
        ("{drivers}/library.py",),
    ),
)  # fmt: skip
