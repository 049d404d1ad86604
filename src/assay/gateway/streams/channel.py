"""A text of an answer that comes in pieces, and the guard over it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from assay.gateway.judging import Judged, Judgement, judge
from assay.gateway.passages import Passage
from assay.gateway.records import TextRecord, named, record_of
from assay.guard.guard import Guard
from assay.guard.stream import HOLD_BACK, StreamGuard
from assay.guard.verdict import Action, Source

MAX_KEPT = 1 << 16  # characters of a stream that a record may keep


@dataclass(frozen=True, slots=True)
class Guarding:
    """By what a stream is judged.

    Attributes:
        guard: judges.
        route: as for `Guard.judge`.
        hold_back: how many characters wait.
        keep: records keep texts.
    """

    guard: Guard
    route: str = ""
    hold_back: int = HOLD_BACK
    keep: bool = False

    def channel(self, place: str, source: Source = Source.OUTPUT) -> Channel:
        """A text that comes in pieces."""
        return Channel(self, place, source)

    def whole(self, passages: list[Passage]) -> tuple[Judgement, list[TextRecord]]:
        """Texts that are there as a whole."""
        judgement = judge(self.guard, passages, self.route)
        return judgement, [self.record(one) for one in judgement.judged]

    def record(self, judged: Judged) -> TextRecord:
        """The record of a text."""
        return record_of(judged, keep=self.keep)


class Channel:
    """One text that comes in pieces.

    Args:
        guarding: by what it is judged.
        place: where it stands, for its record.
        source: who speaks there.
    """

    def __init__(self, guarding: Guarding, place: str, source: Source) -> None:
        self.place, self._source, self._keep = place, source, guarding.keep
        self._stream = StreamGuard(guarding.guard, source, guarding.route, hold_back=guarding.hold_back)
        self._digest = hashlib.sha256()
        self._size = 0
        self._kept = ""
        self._ended = False

    @property
    def blocked(self) -> bool:
        """Nothing more leaves."""
        return self._stream.blocked

    def feed(self, piece: str) -> str:
        """Take a piece; returns what may leave."""
        self._digest.update(piece.encode("utf-8", "surrogatepass"))
        self._size += len(piece)
        if self._keep:
            self._kept = (self._kept + piece)[:MAX_KEPT]
        return self._stream.feed(piece)

    def finish(self) -> str:
        """The text is over; returns the rest of what may leave."""
        if self._ended:
            return ""
        self._ended = True
        return self._stream.finish()

    def record(self) -> TextRecord:
        """What became of it."""
        return TextRecord(
            place=self.place,
            source=self._source,
            sha256=self._digest.hexdigest(),
            characters=self._size,
            action=Action.BLOCK if self.blocked else self._stream.action,
            gaps=self._gaps(),
            detections=named(self._stream.detections),
            text=self._kept if self._keep else None,
        )

    def _gaps(self) -> tuple[str, ...]:
        gaps = () if self._stream.complete else ("not all layers looked at all of it",)
        if self._ended or self.blocked:
            return gaps
        return (*gaps, "it did not come to its end; what waited did not leave")
