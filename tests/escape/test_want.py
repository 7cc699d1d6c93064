"""Annotated programs: ``# want "EXCERPT verdict" …`` at the end of a line has the verdict of every site that begins there.

An unexpected verdict fails as a missing one does. ``# BAD: why`` behind the wants marks imprecision that is known: the verdict
is what the analysis says, and the reason says what it should say. Functions and classes that a module or class defines are
left out. ``python tests/escape/test_want.py FILE...`` prints the files with the wants as they come out, to be read and judged.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from gomem.escape import analyse
from gomem.escape.report.text import is_definition

CASES = sorted((Path(__file__).parents[1] / "want").glob("*.py"))
_WANT = re.compile(r"\s*# want (?P<wants>\"[^#]*\")(?P<bad>\s*# BAD: .*)?$")


def found_in(path):
    """line -> what the analysis says of the sites that begin there, in their order."""
    found = defaultdict(list)
    for verdict in sorted(analyse([path]).verdicts, key=lambda v: (v.site.line, v.site.column, -v.site.end_line, -v.site.end_column)):
        if not is_definition(verdict):
            found[verdict.site.line].append(f"{verdict.site.text} {verdict.verdict}".replace('"', "'"))
    return found


def wanted_in(path):
    wanted = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = _WANT.search(line)
        if match:
            wanted[number] = re.findall(r'"([^"]*)"', match["wants"])
    return wanted


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_verdicts(path):
    found, wanted = found_in(path), wanted_in(path)
    problems = [
        f"{path.name}:{line}: got {found.get(line, [])}, want {wanted.get(line, [])}"
        for line in sorted(found.keys() | wanted.keys())
        if found.get(line, []) != wanted.get(line, [])
    ]
    assert not problems, "\n".join(problems)


def test_the_cases_can_fail(tmp_path):
    path = tmp_path / "case.py"
    path.write_text('def f(n):\n    return [n]  # want "[n] frame"\n')
    assert found_in(path) != wanted_in(path)


def annotate(path):
    """The file with the wants that come out, what is marked BAD kept."""
    found = found_in(path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = _WANT.search(line)
        bad = (match["bad"] or "") if match else ""
        body = line[: match.start()] if match else line
        wants = " ".join(f'"{want}"' for want in found.get(number, []))
        yield f"{body}  # want {wants}{bad}" if wants else body


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text("\n".join(annotate(Path(name))) + "\n")
