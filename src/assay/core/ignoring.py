"""Findings that people decided to live with: each such decision has a reason and ends on a date.

An ignored finding stays in the report, and so in the evidence, with the entry that ignores it; it only no
longer decides the report's status. The gate sees how many there are (docs/adr/006).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from assay.core.finding import Finding
from assay.core.report import Ignored, Report, Status, status_of

FILE_NAME = "assay-ignore.yaml"


@dataclass(frozen=True, slots=True)
class IgnoreEntry:
    """One decision: which findings, why, and until when.

    Attributes:
        reason: why they may stay.
        expires: the last day on which it holds, UTC; None only where the findings of an earlier report are
            taken as known.
        rule: rule id, with `*` and `?`; "" is any.
        check: the check's name; "" is any.
        path: file, with `*` and `?`, `!/`-joined with the member inside archives; "" is any.
        name: the location's name (a tensor, package, phrase), with `*` and `?`; "" is any.
        fingerprint: the finding's fingerprint or the first 12 characters of it; "" is any.
    """

    reason: str
    expires: date | None = None
    rule: str = ""
    check: str = ""
    path: str = ""
    name: str = ""
    fingerprint: str = ""

    def in_force(self, today: date) -> bool:
        """Whether it still holds."""
        return self.expires is None or today <= self.expires

    def matches(self, check: str, finding: Finding) -> bool:
        """Whether it is about this finding; an entry that names nothing matches nothing."""
        place = finding.location
        file = place.path + (f"!/{place.member}" if place.member else "")
        asked = ((self.rule, finding.rule), (self.path, file), (self.name, place.name))
        told = [(pattern, value) for pattern, value in asked if pattern]
        if self.check not in {"", check} or not (told or self.fingerprint):
            return False
        if not all(fnmatchcase(value, pattern) for pattern, value in told):
            return False
        return not self.fingerprint or finding.fingerprint.startswith(self.fingerprint)


def ignore_findings(report: Report, entries: Iterable[IgnoreEntry], today: date) -> Report:
    """`report` with what `entries` match set aside, and its status told by what is left.

    Entries that have run out set nothing aside; the report's notes say so where they would have.
    """
    listed = list(entries)
    kept, ignored, expired = [], list(report.ignored), set()
    for finding in report.findings:
        matching = [entry for entry in listed if entry.matches(report.check, finding)]
        entry = next((entry for entry in matching if entry.in_force(today)), None)
        if entry is not None:
            ignored.append(Ignored(finding, entry.reason, entry.expires))
            continue
        kept.append(finding)
        expired |= {entry for entry in matching if not entry.in_force(today)}
    notes = tuple(
        f"an entry of the ignore file ran out on {entry.expires}: {entry.reason[:200]}"
        for entry in sorted(expired, key=lambda entry: (str(entry.expires), entry.reason))
    )
    if len(kept) == len(report.findings) and not notes:
        return report
    coverage = replace(report.coverage, notes=(*report.coverage.notes, *notes))
    changed = replace(report, findings=tuple(kept), ignored=tuple(ignored), coverage=coverage)
    return replace(changed, status=_status(changed))


def still_ignored(report: Report, entries: Iterable[IgnoreEntry], today: date) -> bool:
    """Whether everything that `report` sets aside is set aside by `entries` today."""
    listed = [entry for entry in entries if entry.in_force(today)]
    return all(any(entry.matches(report.check, item.finding) for entry in listed) for item in report.ignored)


def _status(report: Report) -> Status:
    if report.status is not Status.FAIL:
        return report.status
    if report.fail_on is None:  # a report of somebody else's making: as long as anything is left it fails
        return Status.FAIL if report.findings else status_of((), report.coverage, None)
    return status_of(report.findings, report.coverage, report.fail_on)
