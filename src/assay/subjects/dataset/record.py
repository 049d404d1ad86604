"""The values a dataset yields: records, their turns, and the tally of what could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.report import Coverage, Skipped

LISTED = 20


class Schema(StrEnum):
    """The shapes a row of training data can have."""

    CHAT = "chat"
    INSTRUCTION = "instruction"
    COMPLETION = "completion"
    PREFERENCE = "preference"
    LABELLED = "labelled"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Turn:
    """A part of a row and who speaks.

    Attributes:
        role: `system`, `user`, `assistant`, `tool`, `document`, or `rejected` for the answer of a
            preference pair that was not chosen.
        content: what it says.
    """

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a dataset, whatever its shape was.

    Attributes:
        row: 0-based position in the dataset, counting every file in order and rows that are broken.
        turns: everything that is text in the row, in order; what a filter has to look at.
        schema: the shape that was recognised.
        label: the label of labelled text, as text.
        source: where the row says it comes from, if it does.
        file: the file it stands in, relative to the dataset (POSIX), or "" for a single file.
        line: 1-based line in that file, where the format has lines.
    """

    row: int
    turns: tuple[Turn, ...]
    schema: Schema
    label: str | None = None
    source: str | None = None
    file: str = ""
    line: int | None = None

    def _last(self, role: str) -> str:
        return next((turn.content for turn in reversed(self.turns) if turn.role == role), "")

    @property
    def prompt(self) -> str:
        """The last user turn; for labelled and plain text the text itself."""
        if self.schema in {Schema.LABELLED, Schema.TEXT, Schema.OTHER}:
            return self.text
        return self._last("user")

    @property
    def response(self) -> str:
        """The last assistant turn, or ""."""
        return self._last("assistant")

    @property
    def system(self) -> str:
        """The first system turn, or ""."""
        return next((turn.content for turn in self.turns if turn.role == "system"), "")

    @property
    def text(self) -> str:
        """All turns joined by newlines."""
        if len(self.turns) == 1:
            return self.turns[0].content
        return "\n".join(turn.content for turn in self.turns)

    def exchanges(self) -> tuple[tuple[str, str], ...]:
        """What the model is given before each answer (user, document and tool turns), with that answer."""
        found: list[tuple[str, str]] = []
        asked: list[str] = []
        for turn in self.turns:
            if turn.role in {"user", "document", "tool"}:
                asked.append(turn.content)
            elif turn.role == "assistant" and asked:
                found.append(("\n".join(asked), turn.content))
                asked = []
        return tuple(found)


@dataclass(slots=True)
class Tally:
    """Counts what was read and what was not, over one pass of a dataset.

    Attributes:
        rows: rows that were read in full.
        schemas: rows by recognised shape.
        skipped: the first `LISTED` parts that were not read, with reasons.
        skipped_total: how many were not.
        notes: what a reviewer should know.
    """

    rows: int = 0
    schemas: Counter[str] = field(default_factory=Counter)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_total: int = 0
    notes: list[str] = field(default_factory=list)

    def skip(self, what: str, reason: str, remedy: str, *, count: int = 1) -> None:
        """Count something that was not examined; the first few are listed."""
        self.skipped_total += count
        if len(self.skipped) < LISTED:
            self.skipped.append(Skipped(what, reason, remedy))

    def note(self, text: str) -> None:
        """Tell the reviewer something once."""
        if text not in self.notes and len(self.notes) < LISTED:
            self.notes.append(text)

    def coverage(self) -> Coverage:
        """What was examined, in rows."""
        return Coverage("rows", self.rows, tuple(self.skipped), self.skipped_total, tuple(self.notes))

    def shape(self) -> str:
        """The shape of most rows, or "" when nothing was read."""
        return self.schemas.most_common(1)[0][0] if self.schemas else ""
