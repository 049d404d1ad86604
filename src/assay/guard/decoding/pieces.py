"""An order cut into pieces that a model is left to put together: lines, numbered parts, variables, asides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assay.guard.decoding.found import Found, found
from assay.guard.decoding.vocabulary import tells
from assay.guard.views import Piece

_HYPHEN = re.compile(r"(?<=[^\W\d_])-[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
# A number and what stands behind it: "3: text", "(3) text", "| 3 | text |".
_NUMBERED = re.compile(
    r"^[ \t]{0,8}[(|]?[ \t]{0,4}(\d{1,3})[ \t]?[.:)|] ?(.{1,120}?)(?:[ ]?\|)?\r?$", re.MULTILINE
)
# "a = 'text'", "let a2 = \"text\";", also as an item of JSON.
_ASSIGNED = re.compile(
    r"^[ \t]{0,8}(?:let |const |var |set )?[\"']?[A-Za-z_]\w{0,30}[\"']?[ \t]?[:=][ \t]?"
    r"([\"'])(.{1,120}?)\1[;,]?\r?$",
    re.MULTILINE,
)
_SHORT_LINE = re.compile(r"^[ \t]{0,8}\S{1,24}(?:[ \t]\S{1,24})?[ \t]{0,8}\r?\n", re.MULTILINE)
_BREAK = re.compile(r"\s*\n\s*")
_FIRST_WORD = re.compile(r"^[^\w\n]*(\w+)", re.MULTILINE)
_ASIDE = re.compile(r"\s?(?:\([^()\n]{8,300}\)|\[[^\[\]\n]{8,300}\]|\{[^{}\n]{8,300}\})")
_FEWEST, _MOST = 3, 400  # pieces
_FEWEST_LINES = 3
_BESIDE = 80  # characters of an order on either side of an aside


def in_pieces(text: str, signs: frozenset[str]) -> Iterator[Found]:
    """The text with its pieces put together in every way that brings out words that orders are made of."""
    if "hyphen" in signs:
        yield from found("hyphenated", [Piece(*match.span(), "") for match in _HYPHEN.finditer(text)])
    if "lines" in signs:
        yield from found("lines", _short_lines(text))
    if "numbered" in signs:
        yield from _assembled(text, _in_order(text))
    if "assigned" in signs:
        yield from _assembled(text, [match.span(2) for match in _ASSIGNED.finditer(text)])
    if "initials" in signs:
        yield from _first_words(text)
    if "aside" in signs:
        yield from found("aside", _asides(text))


def _short_lines(text: str) -> list[Piece]:
    """The breaks between lines of a word or two, as spaces."""
    lines = [match.span() for match in _SHORT_LINE.finditer(text)]
    if len(lines) < _FEWEST_LINES:
        return []
    joined = []
    for start, end in lines:
        gap = _BREAK.search(text, start, end)
        if gap is not None:
            joined.append(Piece(*gap.span(), " "))
    return joined


def _in_order(text: str) -> list[tuple[int, int]]:
    """The texts behind numbers, by number; of equal numbers as they come."""
    numbered = [(int(match[1]), *match.span(2)) for match in _NUMBERED.finditer(text)]
    return [(start, end) for _, start, end in sorted(numbered, key=lambda one: one[0])]


def _assembled(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Pieces one behind the other, as they are and with spaces between: where that makes telling words."""
    if not _FEWEST <= len(spans) <= _MOST:
        return
    parts = [text[start:end] for start, end in spans]
    seen = tells("\n".join(parts).lower())
    if tells("".join(parts).lower()) - seen:
        yield Found("assembled", [Piece(start, end, text[start:end], 1) for start, end in spans], whole=True)
    elif seen:
        yield Found("assembled", list(_spaced(text, spans)), whole=True)


def _spaced(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    for start, end in spans:
        yield Piece(start, end, text[start:end], 1)
        yield Piece(end, end, " ")


def _first_words(text: str) -> Iterator[Found]:
    """The first word of each line, where the text says that they are to be read."""
    spans = [match.span(1) for match in _FIRST_WORD.finditer(text)]
    if _FEWEST_LINES <= len(spans) <= _MOST and tells(" ".join(text[a:b] for a, b in spans).lower()):
        yield Found("first-words", list(_spaced(text, spans)), whole=True)


def _asides(text: str) -> list[Piece]:
    """What stands in brackets, where words that orders are made of stand on both sides of it."""
    return [
        Piece(*match.span(), "")
        for match in _ASIDE.finditer(text)
        if tells(text[max(0, match.start() - _BESIDE) : match.start()].lower())
        and tells(text[match.end() : match.end() + _BESIDE].lower())
    ]
