"""Report: what a check says of a subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from assay.core.canonical import JSON
from assay.core.finding import Finding, Severity
from assay.core.subject import Subject

Metric: TypeAlias = "bool | int | float | str"


class Status(StrEnum):
    """A check's outcome. Only `pass` says that all was looked at and nothing is wrong."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not examined, and why. Its mere presence makes a report incomplete."""

    what: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was examined, what was not and why.

    Attributes:
        unit: what is counted: `files`, `rows`, `tensors`, `prompts`, `packages`.
        examined: how many were examined in full.
        skipped: what was not, with reasons (capped; `skipped_total` counts all).
        skipped_total: how many were not examined.
        notes: what a reviewer should know and that does not make the report incomplete, such as
            "first release: there is no baseline to compare with".
    """

    unit: str
    examined: int
    skipped: tuple[Skipped, ...] = ()
    skipped_total: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # The total may exceed the listed ones (they are capped) but never fall short of them.
        object.__setattr__(self, "skipped_total", max(self.skipped_total, len(self.skipped)))

    @property
    def complete(self) -> bool:
        """Whether everything that should be examined was."""
        return self.skipped_total == 0


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that does not count, because somebody decided so.

    Attributes:
        finding: what was seen.
        reason: why it may stay.
        expires: the last day on which that holds, or None for what an earlier report knew already.
    """

    finding: Finding
    reason: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """An external tool that took part: name, version, SHA-256 of its binary."""

    name: str
    version: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A check's outcome on one subject.

    Attributes:
        check: the check's name, e.g. `artifact.scan`.
        subject: what was looked at.
        status: the outcome.
        findings: what was seen, worst first.
        coverage: what was examined and what was not.
        metrics: flat, documented figures that policies decide on.
        details: the check's own document (tensors, triggers, the SBOM); its shape stands in the
            check's page. Reports draw from it; the gate does not see it.
        baseline: what it was compared with, if anything.
        engines: external tools that took part.
        message: for `error` and `incomplete`: the cause and next step in one line.
        ignored: findings that were seen and set aside (`core.ignoring`).
        fail_on: the severity from which a finding makes it `fail`; None where the check did not say.
    """

    check: str
    subject: Subject
    status: Status
    findings: tuple[Finding, ...] = ()
    coverage: Coverage = field(default_factory=lambda: Coverage("files", 0))
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    details: Mapping[str, JSON] = field(default_factory=dict)
    baseline: Subject | None = None
    engines: tuple[Engine, ...] = ()
    message: str = ""
    ignored: tuple[Ignored, ...] = ()
    fail_on: Severity | None = None

    def counts(self) -> dict[str, int]:
        """Findings by severity, every severity named."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity.value: found[severity] for severity in Severity}

    def worst(self) -> Severity | None:
        """The highest severity among the findings."""
        return max((f.severity for f in self.findings), key=lambda s: s.rank, default=None)


def conclude(
    check: str,
    subject: Subject,
    *,
    findings: Iterable[Finding],
    coverage: Coverage,
    fail_on: Severity = Severity.MEDIUM,
    metrics: Mapping[str, Metric] | None = None,
    details: Mapping[str, JSON] | None = None,
    baseline: Subject | None = None,
    engines: tuple[Engine, ...] = (),
    message: str = "",
) -> Report:
    """Make a report whose status follows from what was found and what was not looked at.

    A finding at or above `fail_on` makes it `fail`, whatever else was skipped: that much is certain.
    Otherwise anything skipped makes it `incomplete`. Nothing examined at all is `incomplete` too.
    """
    ordered = tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.rule, str(f.location))))
    status = status_of(ordered, coverage, fail_on)
    if status is Status.INCOMPLETE and not message:
        message = _why_incomplete(coverage)
    return Report(
        check=check,
        subject=subject,
        status=status,
        findings=ordered,
        coverage=coverage,
        metrics=metrics or {},
        details=details or {},
        baseline=baseline,
        engines=engines,
        message=message,
        fail_on=fail_on,
    )


def status_of(findings: Iterable[Finding], coverage: Coverage, fail_on: Severity | None) -> Status:
    """The status that follows from findings and coverage; without `fail_on` no finding is a failure."""
    if fail_on is not None and any(finding.severity.at_least(fail_on) for finding in findings):
        return Status.FAIL
    return Status.PASS if coverage.complete and coverage.examined else Status.INCOMPLETE


def incomplete(check: str, subject: Subject, reason: str, remedy: str) -> Report:
    """A report that says only why nothing was examined, and what to do."""
    coverage = Coverage("subjects", 0, (Skipped(subject.name, reason, remedy),))
    return Report(check, subject, Status.INCOMPLETE, coverage=coverage, message=f"{reason}; {remedy}")


def _why_incomplete(coverage: Coverage) -> str:
    if not coverage.skipped:
        return f"no {coverage.unit} were examined: the subject holds none"
    first = coverage.skipped[0]
    more = coverage.skipped_total - 1
    return f"{first.what}: {first.reason}" + (f" (and {more:,} more not examined)" if more else "")
