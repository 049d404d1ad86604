"""Markdown for a CI job summary (GitHub's limit is 1 MiB a step, so findings are capped)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.release import Decision
from assay.core.report import Report, Status
from assay.reports.document import Document
from assay.reports.plain import markdown_code, markdown_text
from assay.reports.stages import (
    board,
    count_text,
    counted,
    coverage_text,
    declared_in,
    declared_text,
    ignored_text,
    severity_counts,
    sorted_findings,
    totals,
    worst_first,
)

MAX_FINDINGS = 50
MAX_SKIPPED = 20
_MARK = {
    Status.PASS: "✅ pass",
    Status.FAIL: "❌ fail",
    Status.INCOMPLETE: "⚠️ incomplete",
    Status.ERROR: "🛑 error",
}
_DECIDED = {Decision.PASS: "✅ pass", Decision.HOLD: "✋ hold", Decision.FAIL: "❌ fail"}


def render(document: Document) -> str:
    """The document as GitHub-flavoured Markdown."""
    return "\n".join(_lines(document)).rstrip("\n") + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"## Assay: {markdown_text(document.title, limit=200)}"
    yield ""
    yield from _verdict(document)
    yield from _board(document)
    for report in worst_first(document.reports):
        yield from _report(report)
    for note in document.notes:
        yield f"> {markdown_text(note, limit=500)}"
        yield ""
    yield from _provenance(document)


def _verdict(document: Document) -> Iterator[str]:
    verdict = document.verdict
    if verdict is None:
        return
    yield f"### Verdict: {_DECIDED[verdict.decision]}"
    yield ""
    held = verdict.decision is not Decision.PASS
    for reason in verdict.reasons:
        about = f"{markdown_code(reason.check)} " if reason.check else ""
        then = f" → {markdown_text(reason.remedy, limit=500)}" if reason.remedy and held else ""
        yield f"* {about}{markdown_text(reason.message, limit=500)}{then}"
    if verdict.reasons:
        yield ""
    for approval in document.approvals:
        who = markdown_text(approval.approver, limit=100)
        yield f"* approved by {who}: {markdown_text(approval.reason, limit=300)}"
    if document.approvals:
        yield ""


def _board(document: Document) -> Iterator[str]:
    if not document.reports:
        yield "**⚠️ No check ran.**"
        yield ""
    if not document.reports and not document.declared:
        return
    yield "| stage | check | status | findings | coverage |"
    yield "| --- | --- | --- | --- | --- |"
    for stage, reports in board(document):
        for report in reports:
            cells = (
                stage,
                markdown_code(report.check),
                _MARK[report.status],
                count_text(severity_counts(report)),
                markdown_text(coverage_text(report)),
            )
            yield f"| {' | '.join(cells)} |"
        for item in declared_in(document, stage):
            told = markdown_text(declared_text(document, item), limit=500)
            yield f"| {stage} | {markdown_code(item.check)} | not applicable | - | {told} |"
    yield ""
    yield f"**{count_text(totals(document.reports))}** in {counted(len(document.reports), 'checks')}."
    yield ""


def _report(report: Report) -> Iterator[str]:
    if report.status is Status.PASS and not report.findings and not report.ignored:
        return
    yield f"### {markdown_code(report.check)} {_MARK[report.status]}"
    yield ""
    if report.message:
        yield markdown_text(report.message, limit=500)
        yield ""
    yield from _skipped(report)
    if report.findings:
        yield "| severity | rule | where | found | do |"
        yield "| --- | --- | --- | --- | --- |"
        for finding in sorted_findings(report)[:MAX_FINDINGS]:
            cells = (
                finding.severity.value,
                markdown_code(finding.rule),
                markdown_code(str(finding.location), limit=120) or "-",
                markdown_text(finding.message, limit=300),
                markdown_text(finding.remedy, limit=300) or "-",
            )
            yield f"| {' | '.join(cells)} |"
        yield ""
    if len(report.findings) > MAX_FINDINGS:
        yield f"… and {len(report.findings) - MAX_FINDINGS:,} more: see the JSON or HTML report."
        yield ""
    yield from _ignored(report)


def _ignored(report: Report) -> Iterator[str]:
    if not report.ignored:
        return
    yield f"**Ignored: {counted(len(report.ignored), 'findings')}**"
    yield ""
    for item in report.ignored[:MAX_SKIPPED]:
        where = markdown_code(str(item.finding.location), limit=120)
        yield f"* {where} {markdown_text(ignored_text(item), limit=300)}"
    if len(report.ignored) > MAX_SKIPPED:
        yield f"* … and {len(report.ignored) - MAX_SKIPPED:,} more"
    yield ""


def _skipped(report: Report) -> Iterator[str]:
    coverage = report.coverage
    if coverage.complete:
        return
    yield f"**Not examined: {markdown_text(counted(coverage.skipped_total, coverage.unit))}**"
    yield ""
    for skipped in coverage.skipped[:MAX_SKIPPED]:
        remedy = f" → {markdown_text(skipped.remedy, limit=200)}" if skipped.remedy else ""
        what = markdown_code(skipped.what, limit=120)
        yield f"* {what} {markdown_text(skipped.reason, limit=200)}{remedy}"
    more = coverage.skipped_total - min(len(coverage.skipped), MAX_SKIPPED)
    if more:
        yield f"* … and {more:,} more"
    yield ""


def _provenance(document: Document) -> Iterator[str]:
    facts = [f"Assay {markdown_text(document.tool_version)}", f"{document.created_at:%Y-%m-%d %H:%M} UTC"]
    if document.candidate:
        facts.append(f"candidate {markdown_code(document.candidate.digest[:16])}")
    if document.ledger:
        facts.append(
            f"ledger {document.ledger.size:,} entries, root {markdown_code(document.ledger.root[:16])}"
        )
    yield f"<sub>{' · '.join(facts)}</sub>"
