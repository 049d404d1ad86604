"""What the gateway remembers of a text that was judged: enough to find it again, and nothing of its words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from assay.gateway.judging import Judged
from assay.guard.verdict import Action, Detection, Source

MAX_NAMED = 50  # detections of a text that are named in a record


@dataclass(frozen=True, slots=True)
class Seen:
    """A detection, without what was seen."""

    rule: str
    layer: str
    score: float
    start: int
    end: int
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text that was judged.

    Attributes:
        place: where it stood: `messages[0].content`.
        source: who speaks there.
        sha256: of its UTF-8 bytes.
        characters: how long it is.
        action: what became of it.
        gaps: what was not looked at, and why; empty where all that should look looked at all of it.
        detections: at most `MAX_NAMED`.
        text: the text itself, where the configuration asks for it.
    """

    place: str
    source: Source
    sha256: str
    characters: int
    action: Action
    gaps: tuple[str, ...] = ()
    detections: tuple[Seen, ...] = ()
    text: str | None = None


def record_of(judged: Judged, *, keep: bool = False) -> TextRecord:
    """The record of a passage; `keep` keeps its text."""
    verdict, text = judged.verdict, judged.passage.text
    return TextRecord(
        place=judged.passage.place,
        source=judged.passage.source,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        characters=len(text),
        action=verdict.action,
        gaps=verdict.gaps,
        detections=named(verdict.detections),
        text=text if keep else None,
    )


def named(detections: Iterable[Detection]) -> tuple[Seen, ...]:
    """Detections as records name them."""
    found = [
        Seen(one.rule, one.layer, round(one.score, 4), one.start, one.end, one.views) for one in detections
    ]
    return tuple(found[:MAX_NAMED])
