"""Lines that need no layout, as the table would draw them: what a clean scan prints.

The library that lays out tables takes longer to load than a small scan takes, so it is loaded only where
there is something to lay out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.report import Report, Status
from assay.reports import weights_text
from assay.reports.document import Document
from assay.reports.plain import visible
from assay.reports.stages import count_text, counted, coverage_text, severity_counts, totals, worst_last

WIDTH = 100  # columns, where none are asked for
STATUS = {
    Status.PASS: "bold green",
    Status.FAIL: "bold red",
    Status.INCOMPLETE: "bold yellow",
    Status.ERROR: "bold magenta",
}
_CODES = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33", "magenta": "35"}


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of text with the names of their styles ("" for none), moved to the right by `indent` columns."""

    pieces: tuple[tuple[str, str], ...]
    indent: int = 0

    @property
    def text(self) -> str:
        """Without styles."""
        return " " * self.indent + "".join(text for text, _ in self.pieces)


def render(document: Document, *, width: int | None = None, color: bool = False) -> str | None:
    """The document as lines; None where it holds more than lines, or one that does not fit into `width`."""
    if not _is_brief(document):
        return None
    lines = [line for report in worst_last(document.reports) for line in report_lines(report)]
    lines += [Line(((visible(note), ""),)) for note in document.notes]
    lines.append(closing(document))
    if any(len(line.text) > (width or WIDTH) or not line.text.isascii() for line in lines):
        return None
    return "".join(f"{_colored(line) if color else line.text.rstrip()}\n" for line in lines)


def _is_brief(document: Document) -> bool:
    more = document.declared or document.verdict is not None or document.approvals
    return not more and all(_is_clean(report) for report in document.reports)


def _is_clean(report: Report) -> bool:
    """Whether there is nothing to list; measurements of weights are a table of their own."""
    return (
        report.status is Status.PASS
        and not report.findings
        and not report.ignored
        and report.coverage.complete
        and report.check != weights_text.CHECK
    )


def report_lines(report: Report) -> Iterator[Line]:
    """What is said of a report whatever it found, and an empty line."""
    yield head(report)
    yield from notes(report)
    yield Line(())


def head(report: Report) -> Line:
    """Which check, of what, with which outcome."""
    return Line(
        (
            (visible(report.check, limit=100), "bold"),
            (f"  {visible(report.subject.name, limit=200)}  ", ""),
            (report.status.value, STATUS[report.status]),
            (f"  {count_text(severity_counts(report))}; {coverage_text(report)}", "dim"),
        )
    )


def notes(report: Report) -> Iterator[Line]:
    """What a reviewer should know of a report."""
    for note in report.coverage.notes:
        yield Line(((f"note: {visible(note, limit=500)}", "dim"),), 2)


def closing(document: Document) -> Line:
    """The totals."""
    counts = totals(document.reports)
    found = sum(counts.values())
    listed = f" ({count_text(counts)})" if found else ""
    return Line(
        (
            (f"{visible(document.title, limit=200)}: ", "bold"),
            (f"{counted(found, 'findings')}{listed} in {_statuses(document)}", "bold"),
        )
    )


def _statuses(document: Document) -> str:
    ran = len(document.reports)
    if not ran:
        return "0 checks: nothing was examined"
    named = [
        f"{count} {status.value}"
        for status in (Status.ERROR, Status.FAIL, Status.INCOMPLETE, Status.PASS)
        if (count := sum(report.status is status for report in document.reports))
    ]
    return f"{counted(ran, 'checks')}: {', '.join(named)}"


def _colored(line: Line) -> str:
    parts = [" " * line.indent]
    for text, style in line.pieces:
        codes = ";".join(_CODES[word] for word in style.split())
        parts.append(f"\x1b[{codes}m{text}\x1b[0m" if codes else text)
    return "".join(parts)
