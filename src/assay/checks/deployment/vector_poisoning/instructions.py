"""Texts that speak to the model which will read them: the guard's rules, over every text of a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.core.finding import Severity
from assay.guard.guard import Guard
from assay.guard.policy import GuardPolicy, LayerSetting, Switch
from assay.guard.verdict import Action, Detection, GuardVerdict, Source
from assay.subjects.vector_stores.snapshot import Snapshot

# What speaks to a model; addresses, mark-up and personal data are no instructions.
_FAMILIES = frozenset({"injection", "jailbreak", "extraction", "tool", "hidden", "exfiltration"})
_OFF = LayerSetting(Switch.OFF)
_EACH = 1_024


@dataclass(frozen=True, slots=True)
class Instruction:
    """An entry whose text instructs.

    Attributes:
        at: its place in the snapshot.
        detection: the gravest thing that was seen.
        severity: high where a rule is certain, low where it only suspects.
    """

    at: int
    detection: Detection
    severity: Severity


def text_guard() -> Guard:
    """The guard without its classifier, whose guesses on running text are no findings."""
    return Guard(GuardPolicy(layers={"classify": _OFF, "pii": _OFF}))


def instructions(
    snapshot: Snapshot, tick: Callable[[int], None] = lambda _: None
) -> tuple[list[Instruction], list[tuple[int, str]]]:
    """Entries that instruct, and those whose text was not judged in full, with the reason."""
    guard = text_guard()
    found: list[Instruction] = []
    unread: list[tuple[int, str]] = []
    for at, text in enumerate(snapshot.texts):
        if text:
            verdict = guard.judge(text, Source.DOCUMENT)
            seen = [one for one in verdict.detections if one.family in _FAMILIES]
            if seen:
                found.append(_instruction(at, verdict, seen))
            if not verdict.complete:
                unread.append((at, next((run.reason for run in verdict.layers if run.reason), "")))
        if at % _EACH == 0:
            tick(at)
    return found, unread


def _instruction(at: int, verdict: GuardVerdict, seen: list[Detection]) -> Instruction:
    worst = max(seen, key=lambda one: (one.score, one.severity.rank))
    certain = verdict.action is Action.BLOCK and worst.score >= 1
    return Instruction(at, worst, Severity.HIGH if certain else Severity.LOW)
