"""One score for each head, of everything that was seen.

Scores of different rules are joined by noisy-or, `1 - (1 - a)(1 - b)…`: each is taken as an independent
reason, so that weak signs add up and a sure one stays sure. Of one rule only its best match counts, however
often it matches. The classifier's probability for a head is one more reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assay.guard.verdict import HEADS, Detection

# What each family of rules is evidence of; the others (secrets, PII, markup) have actions of their own.
HEAD_OF = {
    "injection": "injection",
    "extraction": "injection",
    "tool": "injection",
    "exfiltration": "injection",
    "hidden": "injection",
    "jailbreak": "jailbreak",
    "toxicity": "toxicity",
}
# Categories of moderation APIs that are toxicity; the others (sexual, self-harm, illicit …) are no head's.
TOXIC = ("hate", "harassment", "violence", "toxic")


def head_of(rule: str) -> str:
    """The head that a rule is evidence for, or ""; a classifier's rules are named after theirs."""
    family, _, name = rule.partition("/")
    if family == "classifier":
        return name if name in HEADS else ""
    if family == "moderation":
        return "toxicity" if name.startswith(TOXIC) else ""
    return HEAD_OF.get(family, "")


def join(detections: Iterable[Detection]) -> Mapping[str, float]:
    """Scores 0..1 by head."""
    best: dict[str, float] = {}
    for detection in detections:
        if detection.score > best.get(detection.rule, 0.0):
            best[detection.rule] = min(1.0, detection.score)
    left = dict.fromkeys(HEADS, 1.0)
    for rule, score in best.items():
        if head := head_of(rule):
            left[head] *= 1.0 - score
    return {head: round(1.0 - rest, 6) for head, rest in left.items()}
