"""A section a check: what it came to, what it did not look at, what it found, what it measured."""

from __future__ import annotations

from assay.core.finding import Finding
from assay.core.report import Report, Status
from assay.reports.document import Document
from assay.reports.html.banner import pill
from assay.reports.html.behavior import behavior
from assay.reports.html.element import Markup, join, number, short, tag
from assay.reports.html.explained import explained
from assay.reports.html.tables import bom, triggers
from assay.reports.html.weights import weights
from assay.reports.stages import counted, coverage_text, ignored_text, sorted_findings

MAX_FINDINGS = 300
MAX_SKIPPED = 100


def report_section(document: Document, report: Report, anchor: str) -> Markup:
    """All there is to say of one report."""
    title = next((info.title for info in document.checks if info.name == report.check), "")
    head = tag("h2", tag("span", report.check), " ", pill(report.status.value), id=anchor)
    return tag(
        "section",
        head,
        tag("p", title, class_="quiet") if title else None,
        tag("p", _about(report), class_="quiet"),
        _message(report),
        _skipped(report),
        _findings(report),
        _ignored(report),
        triggers(report.details),
        behavior(report.details),
        weights(report.details, frozenset(f.location.name for f in report.findings)),
        bom(report.details),
        _metrics(report),
        class_="check",
        aria_labelledby=anchor,
    )


def _about(report: Report) -> Markup:
    parts: list[str | Markup] = [tag("code", report.subject.name), " ", short(report.subject.sha256)]
    if report.baseline:
        parts += [" compared with ", tag("code", report.baseline.name), " ", short(report.baseline.sha256)]
    parts.append(f" · {coverage_text(report)}")
    parts += [f" · {engine.name} {engine.version}" for engine in report.engines]
    return join(parts)


def _message(report: Report) -> Markup | None:
    notes = [tag("p", note, class_="note") for note in report.coverage.notes]
    if report.message and report.status in {Status.ERROR, Status.INCOMPLETE}:
        notes.insert(0, tag("p", report.message, class_=f"message is-{report.status.value}"))
    return join(notes) if notes else None


def _skipped(report: Report) -> Markup | None:
    coverage = report.coverage
    if coverage.complete:
        return None
    rows = [
        tag("tr", tag("td", tag("code", s.what)), tag("td", s.reason), tag("td", s.remedy))
        for s in coverage.skipped[:MAX_SKIPPED]
    ]
    more = coverage.skipped_total - len(rows)
    head = tag("tr", (tag("th", name, scope="col") for name in ("what", "why not", "what to do")))
    caption = tag("caption", f"Not examined: {coverage.skipped_total:,} {coverage.unit}")
    return join(
        (
            scroll(tag("table", caption, tag("thead", head), tag("tbody", rows))),
            tag("p", f"… and {more:,} more", class_="quiet") if more else None,
        )
    )


def _findings(report: Report) -> Markup | None:
    listed = sorted_findings(report)[:MAX_FINDINGS]
    more = len(report.findings) - len(listed)
    if not listed:
        return None
    return join(
        (
            tag("ul", (_finding(finding) for finding in listed), class_="findings"),
            tag("p", f"… and {more:,} more: the JSON report has them all.", class_="quiet") if more else None,
        )
    )


def _ignored(report: Report) -> Markup | None:
    if not report.ignored:
        return None
    rows = [
        tag(
            "tr",
            tag("td", tag("code", str(item.finding.location))),
            tag("td", item.finding.message),
            tag("td", ignored_text(item)),
        )
        for item in report.ignored[:MAX_FINDINGS]
    ]
    head = tag("tr", (tag("th", name, scope="col") for name in ("where", "found", "why it is ignored")))
    return tag(
        "details",
        tag("summary", f"{counted(len(report.ignored), 'findings')} ignored"),
        scroll(tag("table", tag("thead", head), tag("tbody", rows))),
    )


def _finding(finding: Finding) -> Markup:
    where = str(finding.location)
    return tag(
        "li",
        tag(
            "p",
            tag("span", finding.severity.value, class_=f"chip sev-{finding.severity.value}"),
            " ",
            tag("strong", finding.message),
        ),
        tag("p", tag("code", where), class_="where") if where else None,
        tag("p", f"→ {finding.remedy}", class_="remedy") if finding.remedy and not _shown(finding) else None,
        explained(finding.explanation) if finding.explanation else None,
        tag(
            "p",
            tag("code", finding.rule),
            ((" ", tag("span", name, class_="tag")) for name in finding.tags),
            " ",
            tag("span", finding.fingerprint[:12], class_="quiet", title="fingerprint"),
            class_="meta",
        ),
        class_=f"finding sev-{finding.severity.value}",
    )


def _shown(finding: Finding) -> bool:
    """Whether its explanation stands open and says what to do."""
    return finding.explanation is not None and bool(finding.explanation.source)


def _metrics(report: Report) -> Markup | None:
    if not report.metrics:
        return None
    rows = (
        tag("tr", tag("th", tag("code", name), scope="row"), tag("td", number(value), class_="num"))
        for name, value in sorted(report.metrics.items())
    )
    return tag(
        "details",
        tag("summary", f"{len(report.metrics)} metrics"),
        scroll(tag("table", tag("tbody", rows), class_="narrow")),
    )


def scroll(table: Markup) -> Markup:
    """A table that scrolls by itself on a narrow screen, also by keyboard."""
    return tag("div", table, class_="scroll", tabindex="0")
