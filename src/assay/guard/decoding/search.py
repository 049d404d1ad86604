"""All views of a text: every decoder over the text, and over what came of it, to a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from assay.guard.decoding.bases import bases
from assay.guard.decoding.ciphers import ciphers
from assay.guard.decoding.codes import codes
from assay.guard.decoding.escapes import escapes
from assay.guard.decoding.found import Decoder, Found
from assay.guard.decoding.letters import hidden, skeleton
from assay.guard.decoding.mistyped import mistyped
from assay.guard.decoding.pieces import in_pieces
from assay.guard.decoding.signs import signs
from assay.guard.decoding.spelling import spelling
from assay.guard.folding import folded
from assay.guard.unicode import HiddenSpan, hidden_spans
from assay.guard.views import CONTEXT, View, Views, rewritten

DECODERS: tuple[Decoder, ...] = (skeleton, escapes, bases, codes, ciphers, spelling, in_pieces, mistyped)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a text is decoded.

    Attributes:
        depth: decodings inside each other.
        views: how many in all.
        growth: characters of all views together, as a multiple of the text's and at least `least`.
        least: characters that any text may be decoded to.
    """

    depth: int = 4
    views: int = 48
    growth: int = 4
    least: int = 1 << 17


_BOUNDS = Bounds()
_TOLD = 20  # reasons
# What only respells is done once on the way to a view: made of one another, they say nothing new.
_RESPELLINGS = frozenset(
    {
        "emphasis",
        "tags",
        "joined",
        "squeezed",
        "skeleton",
        "cut",
        "reversed-order",
        "pig-latin",
        "hyphenated",
        "lines",
        "assembled",
        "first-words",
        "aside",
        "mistyped",
    }
)


def views(text: str, bounds: Bounds = _BOUNDS) -> Views:
    """The text as a reader sees it, and every decoding of it.

    The time is bounded by the text's size: each view is looked through once by each decoder, and views
    together are at most `growth` times the text. What was left out is told in `unread`.
    """
    search = _Search(bounds, max(bounds.least, bounds.growth * len(text)))
    spans = search.enter(View(text))
    while search.todo:
        parent = search.todo.popleft()
        shown = signs(parent.text)
        for decoder in DECODERS:
            search.decode(parent, decoder(parent.text, shown))
    return Views(text, tuple(search.found), tuple(search.unread)[:_TOLD], spans)


class _Search:
    """Breadth first, so that what is nested least is found first."""

    def __init__(self, bounds: Bounds, room: int) -> None:
        self.bounds, self.room = bounds, room
        self.found: list[View] = []
        self.todo: deque[View] = deque()
        self.unread: dict[str, None] = {}
        self._seen: set[str] = set()

    def enter(self, raw: View) -> tuple[HiddenSpan, ...]:
        """Take a view, as a reader sees it, and what its hidden characters spell; returns those."""
        spans = hidden_spans(raw.text)
        view = folded(raw, spans)
        if view.text not in self._seen:
            self._seen.add(view.text)
            self.found.append(view)
            self.todo.append(view)
        if spans:
            self.decode(raw, hidden(raw.text, spans))
        return spans

    def decode(self, parent: View, decodings: Iterable[Found]) -> None:
        """Enter what a decoder finds in a view, or tell why not."""
        for name, pieces, whole in decodings:
            if name in _RESPELLINGS and name in parent.views:
                continue
            child = rewritten(parent, pieces, name, context=None if whole else CONTEXT)
            if child.text in self._seen:
                continue
            if reason := self._bound(child):
                self.unread[f"{name} in {'/'.join(parent.views) or 'the text'}: {reason}"] = None
                continue
            self.room -= len(child.text)
            self.enter(child)

    def _bound(self, child: View) -> str:
        if len(child.views) > self.bounds.depth:
            return f"more than {self.bounds.depth} decodings inside each other"
        if len(self.found) > self.bounds.views:
            return f"more than {self.bounds.views} decodings"
        return "larger than what a text may be decoded to" if len(child.text) > self.room else ""
