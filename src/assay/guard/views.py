"""A text, as a reader sees it and in every way in which it may be decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A text that stands in the original, perhaps encoded.

    Attributes:
        text: what it says.
        views: the decodings that led to it, outermost first; () for the original as a reader sees it.
        offsets: for each character where it starts in the original, and where the last one ends; a decoded
            character maps to the whole of what encodes it. None where text and original are the same.
    """

    text: str
    views: tuple[str, ...] = ()
    offsets: tuple[tuple[int, int], ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original."""
        if self.offsets is None:
            return start, end
        if end <= start:
            return self.offsets[start] if start < len(self.offsets) else (0, 0)
        covered = self.offsets[start:end]
        return min(at for at, _ in covered), max(at for _, at in covered)


@dataclass(frozen=True, slots=True)
class Views:
    """All views of a text.

    Attributes:
        original: the text as it came.
        views: the first is the original as a reader sees it.
        unread: what was not decoded and why: a bound was reached.
    """

    original: str
    views: tuple[View, ...]
    unread: tuple[str, ...] = ()
