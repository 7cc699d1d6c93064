"""What is reported of a function, as bytes: the verdicts of its sites, and the parameters that leak."""

from __future__ import annotations

import marshal
from typing import Any

from gomem.escape.entities import Function
from gomem.escape.ir import FIRST, Code
from gomem.escape.leaks import leaks_of
from gomem.escape.summary import Summary
from gomem.escape.verdicts import MARK, Found, Step


def pack_findings(function: Function, summary: Summary, verdicts: dict[int, Found]) -> bytes:
    plain = [(site, verdict, reason, [(step.line, step.what) for step in flow], kind) for site, (verdict, reason, flow, kind) in verdicts.items()]
    return marshal.dumps((plain, leaks_of(function.params, summary)))


def unpack_findings(findings: bytes, code: Code) -> tuple[dict[int, Found], list[tuple[str, bool, str]]]:
    """The verdicts by the sites' numbers in the file, with its lines, and the leaks."""
    above = code.line - FIRST
    plain, leaks = marshal.loads(findings)
    verdicts = {
        code.sites[site]: (verdict, _placed(reason, above), tuple(Step(line + above if line else 0, _placed(what, above)) for line, what in flow), kind)
        for site, verdict, reason, flow, kind in plain
    }
    return verdicts, leaks


def _placed(text: str, above: int) -> str:
    if MARK not in text:
        return text
    pieces: list[Any] = text.split(MARK)
    return "".join(str(int(piece) + above) if number % 2 else piece for number, piece in enumerate(pieces))
