"""Verdicts as JSON and as SARIF 2.1.0, the format that editors and code reviews read."""

from __future__ import annotations

from typing import Any

from gomem.escape.analysis import Analysis, Verdict
from gomem.escape.report.text import sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """One object per site: lines from 1, columns from 1 in bytes."""
    site = verdict.site
    return {
        "file": site.path,
        "line": site.line,
        "column": site.column + 1,
        "end": [site.end_line, site.end_column + 1],
        "kind": site.kind,
        "function": site.function,
        "text": site.text,
        "type": verdict.type or None,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "flow": [{"line": step.line, "what": step.what} for step in verdict.flow],
    }


def as_sarif(analysis: Analysis, version: str) -> dict[str, Any]:
    """A log with one result per site that escapes; sites that stay in their frame are no finding."""
    found = [verdict for verdict in analysis.verdicts if verdict.verdict != "frame"]
    rules = [{"id": name, "name": f"escapes-{name}"} for name in sorted({verdict.verdict for verdict in found})]
    driver = {"name": "gomem escape", "version": version, "rules": rules}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [_result(v) for v in found]}]}


def _result(verdict: Verdict) -> dict[str, Any]:
    site = verdict.site
    region = {"startLine": site.line, "startColumn": site.column + 1, "endLine": site.end_line, "endColumn": site.end_column + 1}
    place = {"artifactLocation": {"uri": site.path}, "region": region}
    result: dict[str, Any] = {
        "ruleId": verdict.verdict,
        "level": "note",
        "message": {"text": sentence(verdict)},
        "locations": [{"physicalLocation": place}],
    }
    if verdict.flow:
        steps = [_step(site.path, step.line, step.what) for step in verdict.flow]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _step(path: str, line: int, what: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": path}, "region": {"startLine": max(line, 1)}}
    return {"location": {"physicalLocation": place, "message": {"text": what}}}
