"""Characters that a person does not see and a model reads."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.texts import phrases
from assay.core.finding import Rule, Severity
from assay.guard.unicode import HiddenSpan, hidden_spans

SPELLED = 8  # letters that a run must spell to say something: the tags of a flag spell up to six
LONG = 16  # invisible characters in one run: enough to carry two bytes, and no typesetting
_OVERRIDES = ("\u202d", "\u202e")


def judge_characters(
    blob: Blob, text: str, inspection: Inspection, rule: Rule, spelling: Severity = Severity.MEDIUM
) -> None:
    """Report hidden characters under `rule`: severity `spelling` where they spell something, else low."""
    if text.isascii():
        return
    spans = hidden_spans(text)
    spelled = [span for span in spans if len(span.decoded.strip()) >= SPELLED]
    if spelled:
        decoded = " ".join(span.decoded for span in spelled)
        bad = next(phrases.find(decoded), None)
        message = f"Invisible {_kinds(spelled)} characters spell {decoded[:100]!r}."
        severity = max((spelling, Severity.HIGH if bad else spelling), key=lambda one: one.rank)
        inspection.report(rule.finding(message, blob.place(), severity=severity))
        return
    odd = [span for span in spans if _is_odd(text, span)]
    if odd:
        count = sum(span.end - span.start for span in odd)
        message = f"{count:,} {_kinds(odd)} characters stand where no writing needs them."
        inspection.report(rule.finding(message, blob.place(), severity=Severity.LOW))


def _is_odd(text: str, span: HiddenSpan) -> bool:
    run = text[span.start : span.end]
    return (span.kind == "bidi" and any(mark in run for mark in _OVERRIDES)) or (
        span.kind in {"invisible", "tag", "variation"} and len(run) >= LONG
    )


def _kinds(spans: list[HiddenSpan]) -> str:
    return " and ".join(sorted({span.kind for span in spans}))
