"""SARIF 2.1.0 (OASIS), as code-scanning services read it.

One run for the whole document. Each check is an invocation; one that did not examine everything has
`executionSuccessful: false` and says what is missing as tool execution notifications, so that no reader
can take an empty result list for a clean bill.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote

from assay.core.explanation import Explanation
from assay.core.finding import Finding, Rule, Severity
from assay.core.report import Ignored, Report, Status
from assay.core.subject import Subject, SubjectKind
from assay.reports.document import Document
from assay.reports.plain import markdown_text, visible
from assay.reports.stages import sorted_findings

Node: TypeAlias = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DOCS = "https://github.com/assay-llm/assay/tree/main/docs"
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# What GitHub sorts by: over 9.0 critical, from 7.0 high, from 4.0 medium, below low.
_SECURITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
_LOCAL = {
    SubjectKind.FILE,
    SubjectKind.FOLDER,
    SubjectKind.DATASET,
    SubjectKind.INFRASTRUCTURE,
    SubjectKind.VECTOR_STORE,
}


def render(document: Document) -> str:
    """The document as a SARIF log."""
    reports = document.reports
    rules = _rules(document, reports)
    index = {rule["id"]: place for place, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "Assay",
                "semanticVersion": document.tool_version,
                "informationUri": DOCS,
                "rules": rules,
            }
        },
        "automationDetails": {"id": "assay/", "description": _text(document.title)},
        "invocations": [_invocation(report) for report in reports] or [_nothing_ran()],
        "results": [
            *(_result(r, f, index) for r in reports for f in sorted_findings(r)),
            *(_suppressed(r, item, index) for r in reports for item in r.ignored),
        ],
        "columnKind": "unicodeCodePoints",
        "properties": _run_properties(document),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, allow_nan=False) + "\n"


def _text(text: str) -> Node:
    # Braces are SARIF's placeholders and `[text](target)` its links (3.11.5, 3.11.6).
    shown = visible(text).replace("](", "\\](").replace("{", "{{").replace("}", "}}")
    return {"text": shown or "-"}


def _rules(document: Document, reports: Iterable[Report]) -> list[Node]:
    known = document.rules()
    used: dict[str, Finding] = {}
    for finding in (f for r in reports for f in (*r.findings, *(item.finding for item in r.ignored))):
        first = used.setdefault(finding.rule, finding)
        if finding.severity.rank > first.severity.rank:
            used[finding.rule] = finding
    return [_rule(used[rule_id], known.get(rule_id)) for rule_id in sorted(used)]


def _rule(worst: Finding, rule: Rule | None) -> Node:
    title = rule.title if rule else worst.rule
    why = rule.description if rule else worst.message
    remedy = rule.remedy if rule else worst.remedy
    severity = rule.severity if rule else worst.severity
    tags = ["security", *dict.fromkeys(rule.tags if rule else worst.tags)]
    node: Node = {
        "id": visible(worst.rule),
        "name": "".join(part.capitalize() for part in visible(worst.rule).replace("/", "-").split("-")),
        "shortDescription": _plain(title),
        "fullDescription": _plain(why),
        "help": _help(title, why, remedy),
        "defaultConfiguration": {"level": _LEVEL[severity]},
        "properties": {
            "tags": [visible(tag) for tag in tags],
            "security-severity": _SECURITY[max(severity, worst.severity, key=lambda s: s.rank)],
        },
    }
    return node


def _help(title: str, why: str, remedy: str) -> Node:
    """What a code-scanning page shows beside the finding."""
    parts = [f"**{markdown_text(title)}.** {markdown_text(why)}"]
    parts += [f"**What to do:** {markdown_text(remedy)}"] if remedy else []
    return {**_plain(f"{why} {remedy}".strip()), "markdown": "\n\n".join(parts)}


def _plain(text: str) -> Node:
    return {"text": visible(text) or "-"}


def _result(report: Report, finding: Finding, index: dict[str, int]) -> Node:
    message = f"{finding.message} {finding.remedy}".strip()
    properties: Node = {"check": report.check, "severity": finding.severity.value}
    if finding.location.row is not None:
        properties["row"] = finding.location.row
    if finding.explanation is not None:
        properties["explanation"] = _explained(finding.explanation)
    node: Node = {
        "ruleId": visible(finding.rule),
        "ruleIndex": index[visible(finding.rule)],
        "level": _LEVEL[finding.severity],
        "message": _text(message),
        "locations": [_location(report.subject, finding)],
        "partialFingerprints": {"assay/v1": finding.fingerprint},
        "properties": properties,
    }
    if finding.explanation is not None and finding.explanation.steps:
        node["codeFlows"] = [_flow(report.subject, finding, finding.explanation)]
    return node


def _explained(explanation: Explanation) -> Node:
    """What the standard has no property for; the steps stand in `codeFlows` (3.36)."""
    return {
        "source": visible(explanation.source, keep="\n"),
        "loaders": [visible(loader) for loader in explanation.loaders],
        "effect": visible(explanation.effect),
        "advice": [visible(line, keep="\n") for line in explanation.advice],
    }


def _flow(subject: Subject, finding: Finding, explanation: Explanation) -> Node:
    """The chain of opcodes or nodes that leads to the finding."""
    locations = []
    for step in explanation.steps:
        place = _location(subject, replace(finding, location=replace(finding.location, offset=step.offset)))
        locations.append({"location": {**place, "message": _text(step.what)}})
    shown = explanation.source or finding.message
    return {"message": _text(shown.replace("\n", "; ")), "threadFlows": [{"locations": locations}]}


def _suppressed(report: Report, item: Ignored, index: dict[str, int]) -> Node:
    """A finding that was set aside, with the reason as its justification (3.35)."""
    until = f" (until {item.expires})" if item.expires else ""
    node = _result(report, item.finding, index)
    justification = visible(f"{item.reason}{until}")
    return {**node, "suppressions": [{"kind": "external", "justification": justification}]}


def _location(subject: Subject, finding: Finding) -> Node:
    place = finding.location
    physical: Node = {"artifactLocation": {"uri": _uri(subject, place.path)}}
    if place.line is not None:
        physical["region"] = {"startLine": max(1, place.line)}
    elif place.offset is not None and not place.member:
        physical["region"] = {"byteOffset": max(0, place.offset), "byteLength": 0}
    node: Node = {"physicalLocation": physical}
    names = [visible(part) for part in (place.member, place.name) if part]
    if names:
        logical: Node = {"fullyQualifiedName": "::".join(names), "name": names[-1]}
        if place.member and place.offset is not None:  # a region would count in the archive
            logical["properties"] = {"byteOffset": max(0, place.offset)}
        node["logicalLocations"] = [logical]
    return node


def _uri(subject: Subject, path: str) -> str:
    """A relative URI reference: below the subject as the user named it, never an absolute path."""
    named = subject.name.split("/")
    inside = [part for part in path.split("/") if part not in {"", ".", ".."}]
    local = subject.kind in _LOCAL and not subject.name.startswith("/") and ".." not in named
    base = [part for part in named if part not in {"", "."}] if local else []
    if base and (subject.kind is SubjectKind.FILE or inside[-1:] == base[-1:]):
        inside = []  # the subject is the file itself
    parts = base + inside or [named[-1] or subject.kind.value]
    return quote(_bytes("/".join(parts)))


def _bytes(path: str) -> bytes:
    """The bytes that a path has on disk: Python reads those that are no UTF-8 as surrogates (PEP 383)."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")  # of no file, then


def _invocation(report: Report) -> Node:
    complete = report.status in {Status.PASS, Status.FAIL} and report.coverage.complete
    node: Node = {
        "executionSuccessful": complete,
        "properties": {
            "check": report.check,
            "status": report.status.value,
            "subject": visible(report.subject.name),
            "sha256": report.subject.sha256,
            "examined": report.coverage.examined,
            "unit": report.coverage.unit,
        },
    }
    if complete:
        return node
    coverage = report.coverage
    missing = [f"{s.what}: {s.reason}. {s.remedy}".strip() for s in coverage.skipped]
    unlisted = coverage.skipped_total - len(coverage.skipped)
    lines = [*([report.message] if report.message else []), *missing]
    lines += [f"{unlisted:,} more {coverage.unit} were not examined"] if unlisted else []
    level = "error" if report.status is Status.ERROR else "warning"
    node["toolExecutionNotifications"] = [
        {"level": level, "message": _text(f"{report.check}: {line}")} for line in lines or ["not complete"]
    ]
    return node


def _nothing_ran() -> Node:
    note = {"level": "error", "message": {"text": "no check ran"}}
    return {"executionSuccessful": False, "toolExecutionNotifications": [note]}


def _run_properties(document: Document) -> Node:
    properties: Node = {"created_at": document.created_at.isoformat()}
    if document.verdict:
        properties["verdict"] = document.verdict.decision.value
        properties["candidate"] = document.verdict.candidate
    if document.ledger:
        properties["ledger"] = {"size": document.ledger.size, "root": document.ledger.root}
    return properties
