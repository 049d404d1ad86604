"""A text, as a reader sees it and in every way in which it may be decoded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.guard.unicode import HiddenSpan

CONTEXT = 240  # characters around what was decoded that its view repeats
GLUE = "\n...\n"  # between two places of a text that a view puts together; no rule reaches across it


class Piece(NamedTuple):
    """A part of a text that says something else: `[start, end)` says `text`.

    Attributes:
        step: how characters map back: 1 one to one, -1 one to one from the end, 0 all of them to the whole.
    """

    start: int
    end: int
    text: str
    step: int = 0


class Offsets:
    """For each character of a view where it stands in the original, kept by stretches.

    Most views are never asked, so the stretches are worked out when one is.

    Args:
        parent: the view that the pieces are of.
        pieces: they say all of the view that this is of, in its order.
    """

    __slots__ = ("_ends", "_parent", "_pieces", "_stretches")

    def __init__(self, parent: View, pieces: Iterable[Piece]) -> None:
        self._parent, self._pieces = parent, pieces
        self._stretches: list[tuple[int, int, int]] = []
        self._ends: list[int] = []

    def _work_out(self) -> None:
        stretches, ends = [], [0]
        for piece in self._pieces:
            for count, start, end, step in _mapped(self._parent, piece):
                if count:
                    stretches.append((start, end, step))
                    ends.append(ends[-1] + count)
        self._stretches, self._ends = stretches, ends

    def between(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """The stretches that `[start, end)` of the view covers, cut to it."""
        if not self._ends:
            self._work_out()
        at = bisect_right(self._ends, start) - 1
        while at < len(self._stretches) and self._ends[at] < end:
            left, right = max(start, self._ends[at]), min(end, self._ends[at + 1])
            first, last, step = self._stretches[at]
            skipped, left_over = left - self._ends[at], self._ends[at + 1] - right
            if step > 0:
                yield right - left, first + skipped, last - left_over, step
            elif step < 0:
                yield right - left, first + left_over, last - skipped, step
            else:
                yield right - left, first, last, 0
            at += 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start, end)` of the view stands in the original."""
        if not self._ends:
            self._work_out()
        if end <= start:
            size = self._ends[-1]
            if not size:
                return 0, 0
            first, last = self.span(min(start, size - 1), min(start, size - 1) + 1)
            return (last, last) if start >= size else (first, first)
        covered = list(self.between(start, end))
        return min(first for _, first, _, _ in covered), max(last for _, _, last, _ in covered)


@dataclass(frozen=True, slots=True)
class View:
    """A text that stands in the original, perhaps encoded.

    Attributes:
        text: what it says.
        views: the decodings that led to it, outermost first; () for the original as a reader sees it.
        offsets: the way back to the original; a decoded character maps to the whole of what encodes it.
            None where text and original have the same characters in the same places.
    """

    text: str
    views: tuple[str, ...] = ()
    offsets: Offsets | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]` stands in the original."""
        return (start, end) if self.offsets is None else self.offsets.span(start, end)

    def stretches(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """`text[start:end]` as stretches of the original."""
        if self.offsets is None:
            yield end - start, start, end, 1
        else:
            yield from self.offsets.between(start, end)


@dataclass(frozen=True, slots=True)
class Views:
    """All views of a text.

    Attributes:
        original: the text as it came.
        views: the first is the original as a reader sees it.
        unread: what was not decoded and why: a bound was reached.
        hidden: the runs of hidden characters in the original.
    """

    original: str
    views: tuple[View, ...]
    unread: tuple[str, ...] = ()
    hidden: tuple[HiddenSpan, ...] = ()


def rewritten(view: View, pieces: Sequence[Piece], name: str = "", *, context: int | None = None) -> View:
    """The view in which pieces are replaced by what they say.

    Args:
        view: what the pieces are of.
        pieces: in the order in which they are to be read; without `context` they say all that is kept.
        name: the decoding; "" where the view is not to be told from its parent.
        context: how much of the text around each piece is kept; further text between them is left out.
    """
    said = pieces if context is None else list(_with_context(view.text, pieces, context))
    text = "".join([piece.text for piece in said])
    return View(text, (*view.views, name) if name else view.views, Offsets(view, said))


def _with_context(text: str, pieces: Sequence[Piece], context: int) -> Iterator[Piece]:
    at = max(0, pieces[0].start - context)
    for piece in pieces:
        if piece.start - at > 2 * context:
            yield Piece(at, at + context, text[at : at + context], 1)
            at = piece.start - context
            yield Piece(at, at, GLUE)
        if piece.start > at:
            yield Piece(at, piece.start, text[at : piece.start], 1)
        yield piece
        at = piece.end
    end = min(len(text), at + context)
    yield Piece(at, end, text[at:end], 1)


def _mapped(view: View, piece: Piece) -> Iterator[tuple[int, int, int, int]]:
    if piece.step == 0:
        start, end = view.span(piece.start, piece.end)
        yield len(piece.text), start, end, 0
    elif piece.step > 0:
        yield from view.stretches(piece.start, piece.end)
    else:
        for count, start, end, step in reversed(list(view.stretches(piece.start, piece.end))):
            yield count, start, end, -step
