"""One report as JSON, with what it depends on and its own digest.

Only reports that say all there is to say are kept: `pass` or `fail`, with nothing skipped, set aside or
compared. So an entry has no more than findings, coverage, metrics and details. It is read without pydantic,
which takes longer to import than many a scan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, Report, Status
from assay.core.subject import Subject

VERSION = 1


def keepable(report: Report) -> bool:
    """Whether a report is whole, and made of nothing but the subject."""
    whole = report.status in {Status.PASS, Status.FAIL} and report.coverage.complete
    alone = not (report.ignored or report.engines or report.baseline or report.message)
    return whole and alone and report.fail_on is not None


def encode(report: Report, inputs: Mapping[str, str], scanned_at: str) -> bytes:
    """The entry of a report that is `keepable`.

    Raises:
        ValueError, TypeError: it holds what JSON cannot carry.
    """
    body: dict[str, Any] = {
        "check": report.check,
        "status": report.status,
        "findings": [asdict(finding) for finding in report.findings],
        "unit": report.coverage.unit,
        "examined": report.coverage.examined,
        "notes": report.coverage.notes,
        "metrics": dict(report.metrics),
        "details": dict(report.details),
        "fail_on": report.fail_on,
    }
    entry = {"version": VERSION, "inputs": dict(inputs), "scanned_at": scanned_at, "report": body}
    raw = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode("utf-8", "strict")
    return hashlib.sha256(raw).hexdigest().encode() + b"\n" + raw


def decode(entry: bytes, inputs: Mapping[str, str], subject: Subject) -> tuple[Report, str] | None:
    """The report of an entry and when it was made; None unless it is whole and of the same inputs."""
    stated, _, raw = entry.partition(b"\n")
    if hashlib.sha256(raw).hexdigest().encode() != stated:
        return None
    try:
        document = json.loads(raw)
        if document["version"] != VERSION or document["inputs"] != dict(inputs):
            return None
        report = _report(document["report"], subject)
        return (report, str(document["scanned_at"])) if keepable(report) else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _report(body: dict[str, Any], subject: Subject) -> Report:
    return Report(
        check=str(body["check"]),
        subject=subject,
        status=Status(body["status"]),
        findings=tuple(_finding(one) for one in body["findings"]),
        coverage=Coverage(str(body["unit"]), int(body["examined"]), notes=tuple(body["notes"])),
        metrics=body["metrics"],
        details=body["details"],
        fail_on=Severity(body["fail_on"]),
    )


def _finding(body: dict[str, Any]) -> Finding:
    return Finding(
        **{
            **body,
            "severity": Severity(body["severity"]),
            "location": Location(**body["location"]),
            "tags": tuple(body["tags"]),
            "explanation": _explanation(body["explanation"]),
        }
    )


def _explanation(body: dict[str, Any] | None) -> Explanation | None:
    if body is None:
        return None
    return Explanation(
        **{
            **body,
            "steps": tuple(Step(**step) for step in body["steps"]),
            "loaders": tuple(body["loaders"]),
            "advice": tuple(body["advice"]),
        }
    )
