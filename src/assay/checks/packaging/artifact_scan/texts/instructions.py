"""Texts shipped with a model that speak to whichever model reads them: cards, configurations, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import hidden, phrases, templates
from assay.core.finding import Severity

MAX_UNSEEN = 20_000  # characters of one comment or element
MAX_PARTS = 1000
_ELEMENT = re.compile(r"<(\w{1,20})([^<>]{1,500})>")
_UNSEEN = re.compile(
    r"display:\s*none|visibility:\s*hidden|font-size:\s*0(?:px|pt|em)?\s*[;\"']|opacity:\s*0\s*[;\"']|\bhidden\b",
    re.IGNORECASE,
)
_COMMENTS = (("<!--", "-->"), ("[//]: #", "\n"))


def judge(blob: Blob, text: str, inspection: Inspection) -> None:
    """Report what is written for a model, more so where it is hidden from people."""
    if templates.is_template_file(blob):
        return  # judged whole, with its own words apart from those of messages
    hidden.judge_characters(blob, text, inspection, rules.repository.HIDDEN)
    found = list(phrases.find(text))
    if not found:
        return
    unseen = "\n".join((*_comments(text), *_styled_away(text)))
    buried = next(phrases.find(unseen), None) if unseen else None
    first = buried or found[0]
    how = ", in a place that a page does not show" if buried else ""
    message = f"The text tells whichever model reads it: {first.text[:120]!r}{how}."
    severity = Severity.MEDIUM if buried else Severity.LOW
    data = {"rules": sorted({one.rule for one in found})}
    inspection.report(
        rules.repository.INSTRUCTIONS.finding(message, blob.place(), severity=severity, data=data)
    )


def _comments(text: str) -> Iterator[str]:
    """What a page shows to no person: comments of HTML and Markdown."""
    for opening, closing in _COMMENTS:
        at = text.find(opening)
        for _ in range(MAX_PARTS):
            end = text.find(closing, at + len(opening)) if at >= 0 else -1
            if end < 0:
                break
            yield text[at + len(opening) : min(end, at + MAX_UNSEEN)]
            at = text.find(opening, end)


def _styled_away(text: str) -> Iterator[str]:
    """Elements that their style hides."""
    count = 0
    for match in _ELEMENT.finditer(text):
        if _UNSEEN.search(match.group(2)):
            count += 1
            end = text.find(f"</{match.group(1)}", match.end(), match.end() + MAX_UNSEEN)
            yield text[match.end() : end if end >= 0 else match.end() + MAX_UNSEEN]
        if count >= MAX_PARTS:
            return
