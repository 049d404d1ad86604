"""From evidence to the document that policies see."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from assay.core.canonical import JSON
from assay.core.errors import GateError
from assay.core.evidence import Execution
from assay.core.finding import Finding, Severity
from assay.core.release import Candidate, NotApplicable
from assay.core.report import Ignored, Report
from assay.core.subject import Subject, SubjectKind
from assay.gate.document import (
    FINDINGS_CAP,
    CandidateState,
    CheckState,
    Counts,
    CoverageState,
    FindingState,
    GateInput,
    MetricValue,
    Now,
    RegistryState,
    Settings,
)
from assay.gate.values import cleaned, option_values, scalar, short

METRICS_CAP = 500
NOTES_CAP = 20
_RANK = {severity: severity.rank for severity in Severity}
_ROLE = {
    SubjectKind.FILE: "model",
    SubjectKind.FOLDER: "model",
    SubjectKind.DATASET: "data",
    SubjectKind.ENDPOINT: "endpoint",
    SubjectKind.ENVIRONMENT: "environment",
    SubjectKind.INFRASTRUCTURE: "infrastructure",
    SubjectKind.VECTOR_STORE: "vectors",
}


@dataclass(frozen=True, slots=True)
class CheckedEvidence:
    """A report from the ledger, and what verifying its signature gave.

    Attributes:
        report: what the check said.
        execution: how the report came about.
        signed: whether a trusted key's signature is valid.
        signer: who signed: the key's id, or a name where one is known.
        problem: why the signature does not count, or "".
        role: the part of a release that the check looks at, where the check is installed; with it,
            evidence of another part of the same candidate does not count. Without it, the kind decides.
        options: the options that the check ran with, as the user wrote them.
        options_match: whether they equal those that assay.yaml sets now.
    """

    report: Report
    execution: Execution
    signed: bool
    signer: str = ""
    problem: str = ""
    role: str = ""
    options: Mapping[str, JSON] = field(default_factory=dict)
    options_match: bool = True


def build_document(
    candidate: Candidate,
    evidence: Mapping[str, CheckedEvidence],
    declared: Sequence[NotApplicable],
    registry: RegistryState,
    settings: Settings,
    now: datetime,
    roles: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The policies' input, validated, as JSON values.

    Args:
        candidate: what wants to be released.
        evidence: check name to the newest evidence for this candidate.
        declared: checks that the project declares not applicable.
        registry: where the alias points.
        settings: what the project sets.
        now: with a time zone.
        roles: check name to the part of a release that it looks at, for checks without evidence.

    Raises:
        GateError: the evidence does not fit the document, such as a report with thousands of metrics.
    """
    from assay.core.codec import from_json, to_json  # noqa: PLC0415  pydantic

    states = {
        name: _check_state(
            evidence.get(name),
            _said(name, declared, now),
            name,
            roles.get(name, ""),
            candidate,
            registry,
            now,
        )
        for name in sorted({*evidence, *(item.check for item in declared)})
    }
    subjects = {role: subject.sha256 for role, subject in sorted(candidate.subjects.items())}
    moment = now.astimezone(UTC).replace(microsecond=0)
    document = GateInput(
        version=1,
        now=Now(moment.isoformat().replace("+00:00", "Z"), int(moment.timestamp())),
        model=candidate.model,
        candidate=CandidateState(candidate.digest, subjects),
        checks=states,
        registry=registry,
        settings=settings,
    )
    written = {
        **{key: cleaned(value) for key, value in to_json(document).items()},
        "settings": to_json(settings),  # the project's own words
    }
    from_json(GateInput, written, source="gate input")
    return written


def require_valid(document: Mapping[str, Any]) -> None:
    """Check a document against its schema.

    Raises:
        GateError: it does not fit.
    """
    from assay.core.codec import from_json  # noqa: PLC0415  pydantic
    from assay.core.errors import SubjectError  # noqa: PLC0415  only here

    try:
        from_json(GateInput, dict(document), source="gate input")
    except SubjectError as error:
        raise GateError(
            f"does not fit its schema: {error.cause}",
            subject="gate input",
            remedy="See docs/schemas/gate-input.v1.json.",
        ) from error


def _said(name: str, declared: Sequence[NotApplicable], now: datetime) -> dict[str, Any]:
    """What the project declares about a check."""
    declaration = next((item for item in declared if item.check == name), None)
    expires = declaration.expires_at if declaration else None
    return {
        "applicable": declaration is None,
        "not_applicable_reason": short(declaration.reason) if declaration else "",
        "not_applicable_expired": expires is not None and expires <= now,
    }


def _check_state(
    checked: CheckedEvidence | None,
    said: Mapping[str, Any],
    name: str,
    role: str,
    candidate: Candidate,
    registry: RegistryState,
    now: datetime,
) -> CheckState:
    if checked is None:
        return CheckState(role=role, **said)
    report = checked.report
    own = report.check == name
    part = checked.role or role
    counts, worst = report.counts(), _worst(report.findings)
    return CheckState(
        present=True,
        status=report.status.value,
        message=short(report.message),
        counts=Counts(**counts),
        summary=_summary(counts, worst),
        findings=worst,
        findings_total=len(report.findings),
        metrics=_metrics(name, report.metrics),
        coverage=_coverage(report),
        age_seconds=math.floor((now - checked.execution.finished_at).total_seconds()),
        signed=checked.signed,
        signer=short(checked.signer),
        signature_problem=short(checked.problem),
        subject=report.subject.sha256,
        subject_matches=own and _is_part(report.subject, part, candidate),
        baseline=report.baseline.sha256 if report.baseline else "",
        baseline_matches=_is_champion(report.baseline, registry),
        check_version=short(checked.execution.check_version),
        options=option_values(name, checked.options),
        options_match=checked.options_match,
        ignored=Counts(**Counter(item.finding.severity.value for item in report.ignored)),
        ignored_expired=sum(not _holds(item, now) for item in report.ignored),
        role=part or _ROLE[report.subject.kind],
        **said,
    )


def _holds(item: Ignored, now: datetime) -> bool:
    """Whether a finding is still ignored; at the gate every such decision needs its last day."""
    return item.expires is not None and now.astimezone(UTC).date() <= item.expires


def _is_part(subject: Subject, role: str, candidate: Candidate) -> bool:
    """Whether `subject` is the candidate's part; for an endpoint, whether it serves the candidate's model."""
    if subject.kind is SubjectKind.ENDPOINT or role == "endpoint":
        return subject.serves is not None and subject.serves.sha256 == candidate.subjects["model"].sha256
    part = candidate.subjects.get(role or _ROLE[subject.kind])
    return part is not None and part.sha256 == subject.sha256


def _is_champion(baseline: Subject | None, registry: RegistryState) -> bool:
    if baseline is None or registry.champion is None:
        return False
    known = set(registry.champion.subjects.values())
    return baseline.sha256 in known or (baseline.serves is not None and baseline.serves.sha256 in known)


def _worst(findings: Sequence[Finding]) -> tuple[FindingState, ...]:
    worst = heapq.nsmallest(
        FINDINGS_CAP, findings, key=lambda f: (-_RANK[f.severity], f.rule, f.message, str(f.location))
    )
    return tuple(
        FindingState(short(f.rule), f.severity.value, short(f.message), short(str(f.location))) for f in worst
    )


def _metrics(name: str, metrics: Mapping[str, MetricValue]) -> dict[str, MetricValue]:
    if len(metrics) > METRICS_CAP:
        raise GateError(
            f"reports {len(metrics):,} metrics; the gate takes {METRICS_CAP}",
            subject=name,
            remedy="Move what policies do not decide on to the report's details.",
        )
    return {short(key): scalar(value) for key, value in metrics.items()}


def _coverage(report: Report) -> CoverageState:
    coverage = report.coverage
    notes = tuple(short(note) for note in coverage.notes[:NOTES_CAP])
    return CoverageState(
        short(coverage.unit), coverage.examined, coverage.skipped_total, coverage.complete, notes
    )


def _summary(counts: Mapping[str, int], worst: Sequence[FindingState]) -> str:
    if not worst:
        return "no findings"
    named = [f"{counts[severity]:,} {severity.value}" for severity in reversed(Severity) if counts[severity]]
    place = f" ({worst[0].location})" if worst[0].location else ""
    return f"{', '.join(named)}; worst: {worst[0].message}{place}"
