"""The lifecycle board: which stage a check belongs to, and what the whole came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from assay.core.check import Stage
from assay.core.finding import Finding, Severity
from assay.core.report import Ignored, Report, Status
from assay.reports.document import Document

if TYPE_CHECKING:
    from assay.core.release import NotApplicable

WORST_FIRST = tuple(reversed(Severity))
# Where a check's own description is not at hand (a document read back from JSON): DESIGN section 3.
_PREFIXES = {
    "model.origin": Stage.PRETRAINING,
    "data.": Stage.PRETRAINING,
    "model.": Stage.FINETUNING,
    "artifact.": Stage.PACKAGING,
    "supply.": Stage.PACKAGING,
    "infra.": Stage.DEPLOYMENT,
    "endpoint.": Stage.DEPLOYMENT,
    "vector.": Stage.DEPLOYMENT,
    "monitor.": Stage.MONITORING,
}
_ORDER = {Status.ERROR: 0, Status.FAIL: 1, Status.INCOMPLETE: 2, Status.PASS: 3}


def stage_of(document: Document, check: str) -> Stage | None:
    """The stage of a check, or None for a third party's of which nothing is known."""
    known = {info.name: info.stage for info in document.checks}
    if check in known:
        return known[check]
    return next((stage for prefix, stage in _PREFIXES.items() if check.startswith(prefix)), None)


def board(document: Document) -> list[tuple[str, list[Report]]]:
    """The five stages in order, each with its reports; unknown checks under `other`, if there are any."""
    columns: dict[str, list[Report]] = {stage.value: [] for stage in Stage}
    for report in worst_first(document.reports):
        stage = stage_of(document, report.check)
        columns.setdefault(stage.value if stage else "other", []).append(report)
    if declared_in(document, "other"):
        columns.setdefault("other", [])
    return list(columns.items())


def declared_text(document: Document, item: NotApplicable) -> str:
    """Why a check does not apply, and until when."""
    text = f"not applicable: {item.reason}"
    if item.expires_at is None:
        return text
    word = "until" if item.expires_at > document.created_at else "expired"
    return f"{text} ({word} {item.expires_at:%Y-%m-%d})"


def declared_in(document: Document, stage: str) -> list[NotApplicable]:
    """The declarations on checks of that stage of the board, or of `other`."""
    found = []
    for item in sorted(document.declared, key=lambda item: item.check):
        known = stage_of(document, item.check)
        if (known.value if known else "other") == stage:
            found.append(item)
    return found


def worst_first(reports: Iterable[Report]) -> list[Report]:
    """Reports that need attention before those that do not; those that need as much as they came."""
    return sorted(reports, key=lambda report: _ORDER[report.status])


def worst_last(reports: Iterable[Report]) -> list[Report]:
    """The other way round, for a terminal, where the prompt comes after the end."""
    return sorted(reports, key=lambda report: -_ORDER[report.status])


def sorted_findings(report: Report) -> list[Finding]:
    """Findings worst first, then by file."""
    return sorted(report.findings, key=lambda f: (-f.severity.rank, f.location.path, f.rule, str(f.location)))


def totals(reports: Iterable[Report]) -> dict[str, int]:
    """Findings by severity over all reports, worst first, every severity named."""
    found: Counter[str] = Counter()
    for report in reports:
        found.update(report.counts())
    return {severity.value: found[severity.value] for severity in WORST_FIRST}


def count_text(counts: dict[str, int]) -> str:
    """Counts as `1 critical, 3 high`, or `no findings`."""
    named = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(named) or "no findings"


def counted(count: int, unit: str) -> str:
    """`1 file`, `2 files`: a count with its unit, which is given in the plural."""
    if count == 1:
        unit = f"{unit[:-3]}y" if unit.endswith("ries") else unit.removesuffix("s")
    return f"{count:,} {unit}"


def severity_counts(report: Report) -> dict[str, int]:
    """A report's findings by severity, worst first."""
    return totals((report,))


def coverage_text(report: Report) -> str:
    """Coverage as `12 files examined, 3 not`."""
    coverage = report.coverage
    text = f"{counted(coverage.examined, coverage.unit)} examined"
    return f"{text}, {coverage.skipped_total:,} not" if coverage.skipped_total else text


def ignored_text(item: Ignored) -> str:
    """Why a finding is set aside, and until when."""
    until = f" (until {item.expires})" if item.expires else ""
    return f"{item.finding.severity.value} {item.finding.rule}: {item.reason}{until}"
