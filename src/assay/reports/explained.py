"""Findings one by one, for a person who decides: what would have run, where it stands, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding
from assay.core.report import Report
from assay.reports.plain import visible
from assay.reports.stages import counted
from assay.reports.table import SEVERITY_STYLE, indented, printed

MAX_TEXT = 2_000
SHOWN_FINGERPRINT = 12


def render(
    findings: Sequence[tuple[Report, Finding]], *, width: int | None = None, color: bool = False
) -> str:
    """Each finding with its explanation, as text of `width` columns; the worst comes last."""
    blocks = [block for report, finding in findings for block in _finding(report, finding)]
    return printed(blocks, width=width, color=color) if blocks else ""


def _finding(report: Report, finding: Finding) -> Iterator[RenderableType]:
    where = str(finding.location) or report.subject.name
    yield Text(visible(where, limit=400), "underline")
    head = Text(finding.severity.value, SEVERITY_STYLE[finding.severity])
    head.append(f"  {visible(finding.rule, limit=100)}  ", "bold")
    head.append(finding.fingerprint[:SHOWN_FINGERPRINT], "dim")
    yield head
    yield Text(visible(finding.message, limit=1_000))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim", min_width=len("would run"))
    grid.add_column(overflow="fold", ratio=1)
    explanation = finding.explanation or Explanation(advice=(finding.remedy,) if finding.remedy else ())
    for label, text in _rows(explanation):
        grid.add_row(label, Text(text))
    yield indented(grid)
    yield Text()


def _rows(explanation: Explanation) -> Iterator[tuple[str, str]]:
    if explanation.source:
        yield "would run", visible(explanation.source, limit=MAX_TEXT, keep="\n")
    if explanation.steps:
        yield "because", "\n".join(steps(explanation.steps))
    if explanation.loaders:
        yield "run by", "; ".join(visible(loader, limit=300) for loader in explanation.loaders)
    if explanation.effect:
        yield "effect", visible(explanation.effect, limit=MAX_TEXT)
    if explanation.advice:
        yield (
            "do",
            "\n".join(f"→ {visible(line, limit=MAX_TEXT, keep=chr(10))}" for line in explanation.advice),
        )


def steps(of: Sequence[Step]) -> list[str]:
    """A line a step: its byte, and what it does."""
    places = ["" if step.offset is None else f"byte {step.offset}" for step in of]
    widest = max(map(len, places), default=0)
    return [
        f"{place:<{widest}}  {visible(step.what, limit=400)}" if widest else visible(step.what, limit=400)
        for place, step in zip(places, of, strict=True)
    ]


def closing(shown: int, reports: Sequence[Report]) -> str:
    """What was explained, and what the reports came to."""
    found = sum(len(report.findings) for report in reports)
    skipped = sum(report.coverage.skipped_total for report in reports)
    text = f"{shown:,} of {counted(found, 'findings')} explained"
    if skipped:
        text += f"; {counted(skipped, 'files')} not examined: `assay scan` says why"
    return text
