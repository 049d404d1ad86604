"""A table for people at a terminal, and just as readable in a log without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.core.finding import Finding, Severity
from assay.core.report import Report, Status
from assay.reports import brief, weights_text
from assay.reports.document import Document
from assay.reports.plain import visible
from assay.reports.stages import (
    counted,
    declared_text,
    ignored_text,
    sorted_findings,
    worst_last,
)

MIN_WIDTH = 40
MAX_FINDINGS = 200
MAX_SKIPPED = 20
MAX_RULE = 34
SEVERITY_STYLE = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_DECISION = {"pass": "bold green", "hold": "bold yellow", "fail": "bold red"}


def render(document: Document, *, width: int | None = None, color: bool = False) -> str:
    """The document as a table of `width` columns."""
    return printed(list(_blocks(document)), width=width, color=color)


def printed(blocks: Sequence[RenderableType], *, width: int | None = None, color: bool = False) -> str:
    """Blocks as text of `width` columns."""
    out = StringIO()
    console = Console(
        file=out,
        width=max(MIN_WIDTH, width or brief.WIDTH),
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={},
    )
    console.print(Group(*blocks))
    # Cells are padded to their column; in a file that is only noise.
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _blocks(document: Document) -> Iterator[RenderableType]:
    # What needs attention comes last, next to the prompt.
    for report in worst_last(document.reports):
        yield from _report(report)
    for item in sorted(document.declared, key=lambda item: item.check):
        told = visible(declared_text(document, item), limit=500)
        yield Text.assemble((visible(item.check, limit=100), "bold"), f"  {told}")
    yield from (Text(visible(note)) for note in document.notes)
    yield from _closing(document)


def _report(report: Report) -> Iterator[RenderableType]:
    yield _drawn(brief.head(report))
    if report.message and report.status in {Status.ERROR, Status.INCOMPLETE}:
        yield indented(Text(visible(report.message, limit=1000)))
    yield from (_drawn(note) for note in brief.notes(report))
    yield from (indented(Text(line)) for line in weights_text.lines(report))
    yield from _skipped(report)
    by_file: dict[str, list[Finding]] = {}
    for finding in sorted_findings(report)[:MAX_FINDINGS]:
        by_file.setdefault(finding.location.path, []).append(finding)
    longest = max((len(visible(f.rule)) for f in report.findings[:MAX_FINDINGS]), default=0)
    for path, findings in by_file.items():
        yield from _file(path, findings, min(longest, MAX_RULE))
    if len(report.findings) > MAX_FINDINGS:
        yield indented(Text(f"… and {len(report.findings) - MAX_FINDINGS:,} more: use -f json to see all"))
    yield from _ignored(report)
    yield Text()


def _ignored(report: Report) -> Iterator[RenderableType]:
    for item in report.ignored[:MAX_SKIPPED]:
        where = visible(str(item.finding.location), limit=100)
        yield indented(Text(f"ignored: {where} {visible(ignored_text(item), limit=300)}", "dim"))
    if len(report.ignored) > MAX_SKIPPED:
        yield indented(Text(f"ignored: {len(report.ignored) - MAX_SKIPPED:,} more", "dim"))


def _file(path: str, findings: list[Finding], rule_width: int) -> Iterator[RenderableType]:
    if path:
        yield indented(Text(visible(path, limit=300), "underline"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", expand=False, show_edge=False)
    table.add_column("severity", no_wrap=True)
    table.add_column("rule", overflow="fold", width=max(4, rule_width))
    table.add_column("found, and what to do", overflow="fold", ratio=1)
    for finding in findings:
        severity = Text(finding.severity.value, SEVERITY_STYLE[finding.severity])
        table.add_row(severity, Text(visible(finding.rule)), _message(finding))
    yield indented(table)


def _message(finding: Finding) -> Text:
    place = finding.location
    where = str(type(place)("", place.member, place.line, place.row, place.offset, place.name)).removeprefix(
        "!/"
    )
    text = Text()
    if where:
        text.append(f"{visible(where, limit=200)}: ", "bold")
    text.append(visible(finding.message, limit=1000))
    if finding.remedy:
        text.append(f"\n→ {visible(finding.remedy, limit=500)}", "dim")
    return text


def _skipped(report: Report) -> Iterator[RenderableType]:
    coverage = report.coverage
    if coverage.complete:
        return
    yield indented(Text(f"not examined: {counted(coverage.skipped_total, coverage.unit)}", "yellow"))
    for skipped in coverage.skipped[:MAX_SKIPPED]:
        line = Text(f"{visible(skipped.what, limit=200)}: {visible(skipped.reason, limit=300)}")
        if skipped.remedy:
            line.append(f"\n→ {visible(skipped.remedy, limit=300)}", "dim")
        yield indented(line, 4)
    more = coverage.skipped_total - min(len(coverage.skipped), MAX_SKIPPED)
    if more:
        yield indented(Text(f"… and {more:,} more"), 4)


def _closing(document: Document) -> Iterator[RenderableType]:
    yield _drawn(brief.closing(document))
    if any(f.explanation and f.explanation.source for report in document.reports for f in report.findings):
        yield indented(Text("→ `assay explain PATH` shows each call and the bytes that lead to it", "dim"))
    verdict = document.verdict
    if verdict is None:
        return
    yield Text.assemble("verdict: ", (verdict.decision.value, _DECISION[verdict.decision.value]))
    for reason in verdict.reasons:
        line = Text(f"{reason.decision.value:<4} ", _DECISION[reason.decision.value])
        line.append(visible(reason.message, limit=500), "default")
        if reason.remedy and verdict.decision.value != "pass":  # approved: nothing is left to do
            line.append(f"\n     → {visible(reason.remedy, limit=500)}", "dim")
        yield indented(line)
    for approval in document.approvals:
        yield indented(
            Text(f"approved by {visible(approval.approver)}: {visible(approval.reason, limit=300)}")
        )


def _drawn(line: brief.Line) -> RenderableType:
    text = Text.assemble(*line.pieces)
    return indented(text, line.indent) if line.indent else text


def indented(renderable: RenderableType, by: int = 2) -> Padding:
    """Moved to the right."""
    return Padding(renderable, (0, 0, 0, by))
