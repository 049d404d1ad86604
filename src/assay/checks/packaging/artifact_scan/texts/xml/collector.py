"""Gathers what one document shows: a million layers of one kind are one finding."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob, Claim
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Rule, Severity

MAX_FINDINGS = 50


class Collector:
    """Findings of one document, each once, up to a bound."""

    def __init__(self, blob: Blob, inspection: Inspection) -> None:
        self.blob = blob
        self._inspection = inspection
        self._found: dict[tuple[str, str], tuple[Rule, str, Severity]] = {}

    def add(self, rule: Rule, message: str, severity: Severity | None = None) -> None:
        """Note a finding, in a sentence without its full stop."""
        key = (rule.id, message)
        if key not in self._found and len(self._found) < MAX_FINDINGS:
            self._found[key] = (rule, message, severity or rule.severity)

    def claim(self, claim: Claim) -> None:
        """Note bytes of another file that the document says are its numbers."""
        self._inspection.outcome.claims.append(claim)

    def skip(self, reason: str, remedy: str) -> None:
        """Something was not examined."""
        self._inspection.skip(self.blob, reason, remedy)

    def report(self) -> None:
        """Report all that was noted, the worst first."""
        for rule, message, severity in sorted(self._found.values(), key=lambda one: -one[2].rank):
            self._inspection.report(rule.finding(f"{message}.", self.blob.place(), severity=severity))
