"""JUnit XML, as CI servers read it: a test suite a check.

A finding of a failed check is a failed test; below the severity that fails checks by default (`medium`)
it is told as output of a passed one, unless nothing worse was found. Whatever was not examined is an
error, never a pass and never a skip, because CI servers count skipped tests as harmless. Only a check that
the project declares not to apply is a skip.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from assay.core.finding import Finding, Severity
from assay.core.report import Report, Status
from assay.reports.document import Document
from assay.reports.plain import visible
from assay.reports.stages import (
    count_text,
    coverage_text,
    declared_text,
    ignored_text,
    severity_counts,
    sorted_findings,
)


def render(document: Document) -> str:
    """The document as JUnit XML."""
    root = ET.Element("testsuites", name=visible(document.title))
    for report in document.reports:
        _suite(root, document, report)
    if not document.reports:
        suite = ET.SubElement(root, "testsuite", name="assay")
        _child(_case(suite, "assay", "run"), "error", "incomplete", "no check ran", "")
        _count(suite)
    for item in sorted(document.declared, key=lambda item: item.check):
        suite = ET.SubElement(root, "testsuite", name=visible(item.check))
        case = _case(suite, item.check, "declared not to apply")
        ET.SubElement(case, "skipped", message=visible(declared_text(document, item)))
        _count(suite)
        suite.set("skipped", "1")
    if document.declared:
        root.set("skipped", str(len(document.declared)))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, document: Document, report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", name=visible(report.check))
    suite.set("timestamp", document.created_at.strftime("%Y-%m-%dT%H:%M:%S"))
    properties = ET.SubElement(suite, "properties")
    facts = {
        "subject": report.subject.name,
        "sha256": report.subject.sha256,
        "status": report.status.value,
        "coverage": coverage_text(report),
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=visible(value))
    failing = _failing(report)
    for finding in sorted_findings(report):
        _finding(suite, report, finding, failing)
    for item in report.ignored:
        case = _case(suite, report.check, f"{item.finding.rule} {item.finding.location}".strip())
        ET.SubElement(case, "system-out").text = visible(f"ignored: {ignored_text(item)}")
    _examined(suite, report)
    _count(suite)


def _failing(report: Report) -> Severity:
    worst = report.worst() or Severity.CRITICAL
    return min(worst, Severity.MEDIUM, key=lambda severity: severity.rank)


def _finding(suite: ET.Element, report: Report, finding: Finding, failing: Severity) -> None:
    case = _case(suite, report.check, f"{finding.rule} {finding.location}".strip())
    body = "\n".join(
        f"{label}: {visible(text)}"
        for label, text in (
            ("severity", finding.severity.value),
            ("where", str(finding.location) or report.subject.name),
            ("found", finding.message),
            ("do", finding.remedy),
            ("tags", ", ".join(finding.tags)),
        )
        if text
    )
    if report.status is Status.FAIL and finding.severity.at_least(failing):
        _child(case, "failure", finding.severity.value, finding.message, body)
    else:
        ET.SubElement(case, "system-out").text = body


def _examined(suite: ET.Element, report: Report) -> None:
    """The case that stands for the check as a whole: what it looked at, and what it did not."""
    case = _case(suite, report.check, f"everything examined: {coverage_text(report)}")
    if report.status in {Status.PASS, Status.FAIL} and report.coverage.complete:
        ET.SubElement(case, "system-out").text = count_text(severity_counts(report))
        return
    lines = [f"{visible(s.what)}: {visible(s.reason)}. {visible(s.remedy)}" for s in report.coverage.skipped]
    unlisted = report.coverage.skipped_total - len(lines)
    lines += [f"and {unlisted:,} more"] if unlisted else []
    kind = "error" if report.status is Status.ERROR else "incomplete"
    message = report.message or f"{report.coverage.skipped_total:,} {report.coverage.unit} were not examined"
    _child(case, "error", kind, message, "\n".join(lines))


def _case(suite: ET.Element, check: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=visible(check), name=visible(name))


def _child(case: ET.Element, tag: str, kind: str, message: str, body: str) -> None:
    ET.SubElement(case, tag, type=kind, message=visible(message)).text = body


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
