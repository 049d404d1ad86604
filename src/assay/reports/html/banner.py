"""The first screen: the verdict with its reasons, and the lifecycle as a board."""

from __future__ import annotations

from collections import Counter

from assay.core.release import Decision, NotApplicable, Reason
from assay.core.report import Report, Status
from assay.reports.document import Document
from assay.reports.html.element import Markup, join, short, tag
from assay.reports.stages import (
    board,
    count_text,
    counted,
    coverage_text,
    declared_in,
    declared_text,
    severity_counts,
    totals,
    worst_first,
)

_SAID = {
    Decision.PASS: "Cleared for release",
    Decision.HOLD: "Held: a person must approve",
    Decision.FAIL: "Refused",
}
_MARK = {"pass": "✓", "fail": "✕", "hold": "‖", "incomplete": "◐", "error": "!"}
_NUMERALS = ("1", "2", "3", "4", "5")


def banner(document: Document) -> Markup:
    """The verdict; without one, what the checks came to."""
    verdict = document.verdict
    if verdict is None:
        return _outcome(document)
    facts = [f"{verdict.model} · candidate ", short(verdict.candidate), f" · policy {_policy(document)}"]
    return tag(
        "section",
        _seal(verdict.decision.value),
        tag(
            "div",
            tag("h2", _SAID[verdict.decision]),
            tag("p", f"Verdict {verdict.decision.value} for ", *facts, class_="quiet"),
            tag("ul", (_reason(reason, document) for reason in verdict.reasons), class_="reasons")
            if verdict.reasons
            else None,
            _approvals(document),
        ),
        class_=f"banner is-{verdict.decision.value}",
        aria_label="Verdict",
    )


def _outcome(document: Document) -> Markup:
    statuses = {report.status for report in document.reports}
    worst = next((s for s in (Status.ERROR, Status.FAIL, Status.INCOMPLETE) if s in statuses), None)
    status = worst.value if worst else ("pass" if statuses else "incomplete")
    said = {
        "pass": "Everything was examined and nothing is wrong",
        "fail": "Something is wrong",
        "incomplete": "Not everything was examined",
        "error": "A check could not do its work",
    }[status]
    counts = count_text(totals(document.reports))
    ran = f"{counts} in {counted(len(document.reports), 'checks')}" if document.reports else "No check ran"
    text = tag("div", tag("h2", said), tag("p", f"{ran}.", class_="quiet"))
    return tag("section", _seal(status), text, class_=f"banner is-{status}", aria_label="Outcome")


def _seal(status: str) -> Markup:
    return tag("div", _MARK[status], class_="seal", aria_hidden="true")


def _policy(document: Document) -> str:
    policy = document.verdict.policy if document.verdict else {}
    return policy.get("packs") or policy.get("sha256", "")[:12] or "unknown"


def _reason(reason: Reason, document: Document) -> Markup:
    ran = any(report.check == reason.check for report in document.reports)
    about: Markup | str | None = reason.check or None
    if ran:
        about = tag("a", reason.check, href=f"#{_plain(reason.check)}")
    held = document.verdict is not None and document.verdict.decision is not Decision.PASS
    remedy = tag("span", f"→ {reason.remedy}", class_="remedy") if reason.remedy and held else None
    return tag("li", pill(reason.decision.value), " ", reason.message, " ", about, remedy)


def _approvals(document: Document) -> Markup | None:
    if not document.approvals:
        return None
    lines = (
        tag("li", f"Approved by {a.approver} on {a.approved_at:%d %B %Y, %H:%M} UTC: {a.reason}")
        for a in document.approvals
    )
    return tag("ul", lines, class_="approvals")


def board_section(document: Document) -> Markup:
    """The five stages, a column each, with a card for every check that ran there."""
    columns = board(document)
    named = anchors(document)
    cells = (
        _column(
            _NUMERALS[place] if place < len(_NUMERALS) else "+",
            stage,
            [_card(report, named[id(report)]) for report in reports]
            + [_waived(document, item) for item in declared_in(document, stage)],
        )
        for place, (stage, reports) in enumerate(columns)
    )
    return tag(
        "section",
        tag("h2", "Lifecycle", id="board"),
        tag("div", cells, class_="board"),
        aria_labelledby="board",
    )


def _column(place: str, stage: str, cards: list[Markup]) -> Markup:
    cards = cards or [tag("p", "No check ran here", class_="card none")]
    heading = tag("h3", tag("span", place, class_="step", aria_hidden="true"), stage)
    return tag("div", heading, join(cards), class_="column")


def _waived(document: Document, item: NotApplicable) -> Markup:
    told = tag("span", declared_text(document, item), class_="quiet")
    return tag("div", tag("span", item.check, class_="name"), told, class_="card none")


def _card(report: Report, anchor: str) -> Markup:
    counts = [
        tag("span", f"{count:,} {name}", class_=f"chip sev-{name}")
        for name, count in severity_counts(report).items()
        if count
    ]
    return tag(
        "a",
        tag("span", report.check, class_="name"),
        tag("span", report.subject.name, class_="quiet"),
        pill(report.status.value),
        tag("span", join(counts) if counts else "no findings", class_="counts"),
        tag("span", coverage_text(report), class_="quiet"),
        href=f"#{anchor}",
        class_=f"card is-{report.status.value}",
    )


def pill(status: str) -> Markup:
    """A status or decision: a sign, a word and a colour, so that none of the three is needed alone."""
    return tag(
        "span",
        tag("span", _MARK.get(status, "·"), aria_hidden="true"),
        f" {status}",
        class_=f"pill is-{status}",
    )


def anchors(document: Document) -> dict[int, str]:
    """The id of each report's section, by `id(report)`; the first of a check has the plain one."""
    used: Counter[str] = Counter()
    named: dict[int, str] = {}
    for report in worst_first(document.reports):
        plain = _plain(report.check)
        used[plain] += 1
        named[id(report)] = plain if used[plain] == 1 else f"{plain}--{used[plain]}"
    return named


def _plain(check: str) -> str:
    return "check-" + "".join(char if char.isascii() and char.isalnum() else "-" for char in check)
