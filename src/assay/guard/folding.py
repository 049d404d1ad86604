"""A text as a reader sees it: without hidden characters and stray marks, its look-alikes folded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assay.guard.unicode import LOOKALIKE, HiddenSpan, hidden_spans, mixed_script_words
from assay.guard.views import Piece, View, rewritten

# Combining marks that pile up; the scripts whose words need marks have their own.
_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u3099\u309a"
_CLUSTER = re.compile(f"[^{_MARK}][{_MARK}]+")
_MARKS = re.compile(f"[{_MARK}]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SOFT_HYPHEN = "\u00ad"
_PUNCTUATION = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # no text has half a surrogate pair
}


class _OneToOne(dict[int, str]):
    """What a character folds to where that is one character, computed when first seen."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKC", chr(code))
        folded = folded if len(folded) == 1 else chr(code)
        digit = unicodedata.decimal(folded, None)
        self[code] = value = folded if digit is None else str(digit)
        return value


_FOLDED = _OneToOne(_PUNCTUATION)


def normalise(text: str) -> View:
    """Fold a text to what a reader sees, keeping the way back to every original character.

    NFKC is applied character by character, a letter and its marks being one; marks that do not compose are
    dropped (they pile up into zalgo). Digits of all scripts become 0 to 9. Look-alikes from other scripts are
    folded in words that mix scripts.
    """
    return folded(View(text), hidden_spans(text))


def folded(view: View, hidden: Sequence[HiddenSpan]) -> View:
    """The same for a view that may itself be decoded, in which those characters are hidden."""
    text = view.text
    pieces = [Piece(span.start, span.end, "") for span in hidden]
    if text.isascii():
        return _applied(view, text, pieces)
    shown = text.translate(_FOLDED)
    for start, end in mixed_script_words(text):
        pieces.append(Piece(start, end, text[start:end].translate(LOOKALIKE), 1))
    if _SOFT_HYPHEN in text:
        pieces += [Piece(at, at + 1, "") for at, letter in enumerate(text) if letter == _SOFT_HYPHEN]
    if not unicodedata.is_normalized("NFKC", shown) or _MARKS.search(shown):
        pieces += _expansions(shown)
    return _applied(view, shown, _disjoint(pieces))


def _expansions(text: str) -> list[Piece]:
    """Letters with their marks, and characters that stand for several."""
    found = []
    for match in _CLUSTER.finditer(text):
        composed = unicodedata.normalize("NFKC", match.group())
        found.append(Piece(match.start(), match.end(), composed[:1] + _MARKS.sub("", composed[1:])))
    for match in _FOREIGN.finditer(text):
        folded = unicodedata.normalize("NFKC", match.group())
        if len(folded) != 1:
            found.append(Piece(match.start(), match.end(), folded))
    return found


def _disjoint(pieces: list[Piece]) -> list[Piece]:
    """By position; of two that overlap the first, a mixed word being cut where something else lies in it."""
    pieces.sort(key=lambda piece: (piece.start, piece.step))
    kept: list[Piece] = []
    for piece in pieces:
        if kept and piece.start < kept[-1].end:
            last = kept[-1]
            if not last.step:
                if piece.step and piece.end > last.end:  # the rest of a mixed word
                    kept.append(Piece(last.end, piece.end, piece.text[last.end - piece.start :], 1))
                continue
            kept[-1] = Piece(last.start, piece.start, last.text[: piece.start - last.start], 1)
            kept.append(piece)
            if last.end > piece.end:
                kept.append(Piece(piece.end, last.end, last.text[piece.end - last.start :], 1))
            continue
        kept.append(piece)
    return kept


def _applied(view: View, text: str, pieces: list[Piece]) -> View:
    """The view with `text` in the places of its own, and pieces of that replaced."""
    if not pieces:
        return view if text == view.text else View(text, view.views, view.offsets)
    whole: list[Piece] = []
    at = 0
    for piece in pieces:
        whole += [Piece(at, piece.start, text[at : piece.start], 1), piece]
        at = piece.end
    return rewritten(view, [*whole, Piece(at, len(text), text[at:], 1)])
