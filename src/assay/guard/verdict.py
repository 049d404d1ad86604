"""What the guard says of a text, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from assay.core.finding import Severity

HEADS = ("injection", "jailbreak", "toxicity")


class Action(StrEnum):
    """What becomes of a text; ordered by `rank`."""

    ALLOW = "allow"
    FLAG = "flag"  # let through, recorded
    REDACT = "redact"  # let through without what was found
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """0 for allow up to 3 for block."""
        return _RANKS[self]


_RANKS: dict[str, int] = {action: rank for rank, action in enumerate(Action)}


class Source(StrEnum):
    """Where a text comes from; whoever speaks has other rights, and other attacks."""

    SYSTEM = "system"
    USER = "user"
    DOCUMENT = "document"  # retrieved context, mail, web page, file
    TOOL_CALL = "tool-call"  # arguments that the model wrote
    TOOL_RESULT = "tool-result"
    OUTPUT = "output"  # the model's answer


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing that a layer saw.

    Attributes:
        rule: `family/short-name`; a classifier's are `classifier/injection` and so on.
        layer: which layer saw it: `normalise`, `match`, `classify`, or the name of a plugged-in one.
        severity: how bad it is if it is what it seems.
        score: how sure the layer is, 0..1; a rule that is certain says 1.
        start, end: where, in characters of the original text.
        views: the decodings that led to it, outermost first: `("base64", "rot13")`; () in the text as it is.
        text: what was seen there once decoded, cut to 200 characters; never logged where it may be a secret.
        tags: `owasp:LLM01`, `atlas:AML.T0051` and the like.
    """

    rule: str
    layer: str
    severity: Severity
    score: float
    start: int
    end: int
    views: tuple[str, ...] = ()
    text: str = ""
    tags: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """What the rule is about: `injection`, `jailbreak`, `secret`, `pii` and so on."""
        return self.rule.split("/", 1)[0]


class LayerState(StrEnum):
    """Whether a layer looked at the text."""

    RAN = "ran"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LayerRun:
    """What a layer did: how long it took (seconds), and why not where it did not look at all of the text."""

    layer: str
    state: LayerState
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for an action: why, and the rule whose detection it is, or ""."""

    action: Action
    why: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A detection that an allow-list lets stay: why, and until when (the last day, UTC)."""

    detection: Detection
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What the guard says of a text.

    Attributes:
        action: what becomes of it.
        detections: by position.
        scores: 0..1 for each of `HEADS`, joining rules and classifier.
        layers: what each layer did.
        text: what may be let through: the text itself, the redacted text, or "" where it is blocked.
        gaps: what was not looked at, and why: what was not decoded, layers that failed, and layers that are
            absent, unless they are switched off or, being absent, set to `fail: open`.
        redacted: what was, or would be, replaced: start and end in the original, and the rule.
        actions: what becomes of each of `detections`.
        reasons: for the action, the gravest first; none for `allow`.
        set_aside: detections that an allow-list lets stay; they count for nothing.
    """

    action: Action
    detections: tuple[Detection, ...]
    scores: Mapping[str, float]
    layers: tuple[LayerRun, ...]
    text: str
    gaps: tuple[str, ...] = ()
    redacted: tuple[tuple[int, int, str], ...] = ()
    actions: tuple[Action, ...] = ()
    reasons: tuple[Reason, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that should look looked at all of the text."""
        return not self.gaps
