"""A verdict as JSON: what `assay guard` prints, and a line of it for each text in bulk.

A verdict may be kept in logs, so the words that were found are in it unless they are a secret or personal
data; places are in characters of the text, for whoever has it.
"""

from __future__ import annotations

from typing import Any

from assay.guard.verdict import HEADS, Action, Detection, GuardVerdict

PRIVATE = frozenset({"secret", "pii"})  # families whose words are not repeated


def row(identity: str | int, verdict: GuardVerdict) -> dict[str, Any]:
    """One line of many: `id`, `action`, `scores`, `findings`, `complete`."""
    return {
        "id": identity,
        "action": verdict.action.value,
        "scores": dict(verdict.scores),
        "findings": findings(verdict),
        "complete": verdict.complete,
    }


def unjudged(identity: str | int | None, why: str) -> dict[str, Any]:
    """The line of a text that was not judged: nothing is known of it, so it is blocked."""
    return {
        "id": identity,
        "action": Action.BLOCK.value,
        "scores": dict.fromkeys(HEADS),
        "findings": [],
        "complete": False,
        "error": why,
    }


def findings(verdict: GuardVerdict) -> list[dict[str, Any]]:
    """What was seen, by position, each with what becomes of it."""
    return [finding(one, act) for one, act in zip(verdict.detections, verdict.actions, strict=True)]


def finding(one: Detection, action: Action | None = None) -> dict[str, Any]:
    """One detection."""
    told: dict[str, Any] = {
        "rule": one.rule,
        "layer": one.layer,
        "severity": one.severity.value,
        "score": round(one.score, 6),
        "start": one.start,
        "end": one.end,
        "views": list(one.views),
        "tags": list(one.tags),
    }
    if action is not None:
        told["action"] = action.value
    if one.family not in PRIVATE:
        told["text"] = one.text
    return told


def explained(verdict: GuardVerdict) -> dict[str, Any]:
    """All of one verdict."""
    return {
        "action": verdict.action.value,
        "complete": verdict.complete,
        "gaps": list(verdict.gaps),
        "scores": dict(verdict.scores),
        "reasons": [_told(action=one.action.value, why=one.why, rule=one.rule) for one in verdict.reasons],
        "findings": findings(verdict),
        "set_aside": [
            {**finding(one.detection), "reason": one.reason, "expires": one.expires.isoformat()}
            for one in verdict.set_aside
        ],
        "layers": [
            _told(
                layer=run.layer,
                state=run.state.value,
                milliseconds=round(1e3 * run.seconds, 3),
                reason=run.reason,
            )
            for run in verdict.layers
        ],
        **({"redacted": verdict.text} if verdict.action is Action.REDACT else {}),
    }


def _told(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value != ""}
