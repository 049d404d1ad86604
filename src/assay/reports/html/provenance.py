"""Provenance: what exactly was looked at, and where the proof of it stands."""

from __future__ import annotations

from collections.abc import Iterator

from assay.core.subject import Subject
from assay.reports.document import Document
from assay.reports.html.element import Markup, join, tag


def provenance(document: Document) -> Markup:
    """Digests of all subjects, and the ledger's head."""
    return tag(
        "section",
        tag("h2", "Provenance", id="provenance"),
        _subjects(document),
        tag("dl", _facts(document), class_="facts"),
        class_="provenance",
        aria_labelledby="provenance",
    )


def _subjects(document: Document) -> Markup:
    entries = document.ledger.entries if document.ledger else {}
    rows = [_row(role, subject, "") for role, subject in _candidate(document)]
    for report in document.reports:
        entry = entries.get(report.check)
        rows.append(_row(report.check, report.subject, "" if entry is None else f"#{entry}"))
    names = ("part or check", "subject", "kind", "SHA-256", "ledger entry")
    head = tag("tr", (tag("th", n, scope="col", class_="num" if n == names[-1] else None) for n in names))
    body = tag("table", tag("thead", head), tag("tbody", rows))
    return tag("div", body, class_="scroll", tabindex="0")


def _candidate(document: Document) -> Iterator[tuple[str, Subject]]:
    if document.candidate:
        yield from sorted(document.candidate.subjects.items())


def _row(role: str, subject: Subject, entry: str) -> Markup:
    return tag(
        "tr",
        tag("th", role, scope="row"),
        tag("td", tag("code", subject.name)),
        tag("td", subject.kind.value),
        tag("td", tag("code", subject.sha256, class_="digest")),
        tag("td", entry or "-", class_="num"),
    )


def _facts(document: Document) -> Iterator[Markup]:
    if document.candidate:
        yield _fact("Candidate", document.candidate.digest)
    if document.verdict:
        yield _fact("Verdict", document.verdict.digest)
        yield _fact("Decided by", document.verdict.engine)
        for name, digest in sorted(document.verdict.policy.items()):
            yield _fact(f"Policy {name}", digest)
    if document.ledger:
        yield _fact("Ledger", f"{document.ledger.size:,} entries, root {document.ledger.root}")
        if document.ledger.verdict is not None:
            yield _fact("Verdict entry", f"#{document.ledger.verdict}")


def _fact(name: str, value: str) -> Markup:
    return join((tag("dt", name), tag("dd", tag("code", value, class_="digest"))))
