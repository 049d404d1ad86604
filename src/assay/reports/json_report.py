"""JSON for programs, by a published schema (docs/schemas/report.v1.json).

The shape is a promise: within version 1 fields are added, never renamed, retyped or removed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from assay.core.canonical import JSON, carriable
from assay.core.codec import json_schema, to_json
from assay.core.explanation import Explanation
from assay.core.finding import Finding, Location, Severity
from assay.core.release import Approval, Candidate, NotApplicable, Verdict
from assay.core.report import Coverage, Engine, Metric, Report, Status
from assay.core.subject import Subject
from assay.reports.document import Document, LedgerFacts
from assay.reports.stages import stage_of, totals

SCHEMA_ID = "https://assay.dev/schemas/report.v1.json"


@dataclass(frozen=True, slots=True)
class JsonFinding:
    """A finding, with its stable fingerprint, and what would have happened where the check can tell."""

    rule: str
    severity: Severity
    message: str
    location: Location
    remedy: str
    tags: tuple[str, ...]
    data: Mapping[str, JSON]
    fingerprint: str
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class JsonIgnored:
    """A finding that was seen and set aside, why, and the last day on which that holds."""

    finding: JsonFinding
    reason: str
    expires: date | None


@dataclass(frozen=True, slots=True)
class JsonReport:
    """A check's outcome; `counts` names every severity, `ledger_entry` is its evidence's index."""

    check: str
    stage: str
    subject: Subject
    baseline: Subject | None
    status: Status
    message: str
    counts: Mapping[str, int]
    findings: tuple[JsonFinding, ...]
    coverage: Coverage
    metrics: Mapping[str, Metric]
    details: Mapping[str, JSON]
    engines: tuple[Engine, ...]
    ledger_entry: int | None
    ignored: tuple[JsonIgnored, ...]
    fail_on: Severity | None


@dataclass(frozen=True, slots=True)
class JsonCandidate:
    """What wants to be released, with the digest that verdict and approvals are bound to."""

    model: str
    digest: str
    subjects: Mapping[str, Subject]


@dataclass(frozen=True, slots=True)
class JsonVerdict:
    """The gate's decision, with the digest that approvals are bound to."""

    digest: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """The whole document."""

    schema_version: Literal[1]
    tool: str
    tool_version: str
    created_at: datetime
    title: str
    summary: Mapping[str, int]
    reports: tuple[JsonReport, ...]
    verdict: JsonVerdict | None
    candidate: JsonCandidate | None
    ledger: LedgerFacts | None
    approvals: tuple[Approval, ...]
    notes: tuple[str, ...]
    declared: tuple[NotApplicable, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of this format, as published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
    } | json_schema(JsonDocument)


def render(document: Document) -> str:
    """The document as JSON. All but ASCII is escaped, so that printing it is safe on any terminal."""
    return json.dumps(_carried(to_json(_shaped(document))), indent=2, allow_nan=False) + "\n"


def _shaped(document: Document) -> JsonDocument:
    verdict = document.verdict
    return JsonDocument(
        schema_version=1,
        tool="assay",
        tool_version=document.tool_version,
        created_at=document.created_at,
        title=document.title,
        summary=totals(document.reports),
        reports=tuple(_report(document, report) for report in document.reports),
        verdict=JsonVerdict(verdict.digest, verdict) if verdict else None,
        candidate=_candidate(document.candidate),
        ledger=document.ledger,
        approvals=document.approvals,
        notes=document.notes,
        declared=document.declared,
    )


def _report(document: Document, report: Report) -> JsonReport:
    stage = stage_of(document, report.check)
    entries = document.ledger.entries if document.ledger else {}
    copied = {
        f.name: getattr(report, f.name) for f in fields(Report) if f.name not in {"findings", "ignored"}
    }
    return JsonReport(
        **copied,
        stage=stage.value if stage else "",
        counts=report.counts(),
        findings=tuple(_finding(finding) for finding in report.findings),
        ledger_entry=entries.get(report.check),
        ignored=tuple(
            JsonIgnored(_finding(item.finding), item.reason, item.expires) for item in report.ignored
        ),
    )


def _finding(finding: Finding) -> JsonFinding:
    copied = {f.name: getattr(finding, f.name) for f in fields(Finding)}
    return JsonFinding(**copied, fingerprint=finding.fingerprint)


def _candidate(candidate: Candidate | None) -> JsonCandidate | None:
    if candidate is None:
        return None
    return JsonCandidate(candidate.model, candidate.digest, candidate.subjects)


def _carried(value: Any) -> Any:
    """`value` with what JSON has no form for written out as text.

    That is NaN and infinities, which no reader can then mistake for a number, and lone surrogates, which
    stand for bytes of a file's name that are no UTF-8 and which strict readers refuse (RFC 7493, 2.1).
    """
    if isinstance(value, str) or (isinstance(value, float) and not math.isfinite(value)):
        return carriable(value)
    if isinstance(value, dict):
        return {_carried(key): _carried(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_carried(item) for item in value]
    return value
