"""Letters in disguise, and text that hidden characters spell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from assay.core.data_files import read_data
from assay.guard.decoding.found import Found, found
from assay.guard.decoding.readable import as_text
from assay.guard.unicode import HiddenSpan
from assay.guard.views import Piece

_TOKEN = re.compile(r"\S*[^\x00-\x7f]\S*")
_NAMED = re.compile(
    r"(?:NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|SQUARED LATIN CAPITAL LETTER"
    r"|REGIONAL INDICATOR SYMBOL LETTER|LATIN (?:SMALL|CAPITAL) LETTER|LATIN LETTER SMALL CAPITAL"
    r"|LISU LETTER|TAG LATIN SMALL LETTER|FULLWIDTH LATIN (?:SMALL|CAPITAL) LETTER) ([A-Z])\b"
)
_BITS = 2  # kinds of hidden characters that spell bits
_LEAST_BITS = 16


class _Skeleton(dict[int, str]):
    """The Latin letter a character is read as, else the character; computed when first seen."""

    def __missing__(self, code: int) -> str:
        self[code] = value = _letter(chr(code))
        return value


def _letter(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1]
    if base.isascii() and base.isalnum():
        return base
    named = _NAMED.match(unicodedata.name(character, ""))
    return named[1].lower() if named else character


@lru_cache(maxsize=1)
def _skeleton() -> _Skeleton:
    table = _Skeleton()
    for letter, characters in read_data(Path(__file__).with_name("confusables.yaml")).items():
        for character in characters:
            table[ord(character)] = letter
    return table


def skeleton(text: str, signs: frozenset[str]) -> Iterator[Found]:  # noqa: ARG001  it needs none
    """The words that read as Latin letters throughout, in Latin letters."""
    if text.isascii():
        return
    table = _skeleton()
    translated = text.translate(table)
    if translated == text:
        return
    pieces = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        said = translated[start:end]
        if said != match.group() and sum(map(str.isascii, said)) >= 0.7 * len(said):
            pieces.append(Piece(start, end, said, 1))
    yield from found("skeleton", pieces)


def hidden(text: str, spans: Iterable[HiddenSpan]) -> Iterator[Found]:
    """What tag characters, variation selectors and runs of two invisible characters spell.

    Of the original: the text as a reader sees it has none of them.
    """
    pieces: dict[str, list[Piece]] = {}
    for span in spans:
        said = span.decoded
        if not said and span.end - span.start >= _LEAST_BITS:
            said = _spelled_bits(text[span.start : span.end])
        if said:
            pieces.setdefault(span.kind, []).append(Piece(span.start, span.end, said))
    for kind, of_kind in pieces.items():
        yield Found(f"hidden-{kind}", of_kind)


def _spelled_bits(run: str) -> str:
    """Text in bits of two characters, the first or the second of them being one."""
    kinds = sorted(set(run))
    if len(kinds) != _BITS:
        return ""
    for zero in kinds:
        bits = "".join("0" if character == zero else "1" for character in run)
        said = as_text(int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big"))
        if said:
            return said
    return ""
