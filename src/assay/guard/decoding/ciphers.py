"""Letters exchanged or turned round: Caesar (ROT13 among them), Atbash, reversed text, words and word order.

A cipher is tried where a telling word stands in the text enciphered: one pass for all ciphers and words.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from assay.guard.decoding.found import Found
from assay.guard.decoding.vocabulary import vocabulary
from assay.guard.views import Piece

_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase
_REVERSED, _ORDER = "reversed", "reversed-order"
_SURE = 8  # letters of an enciphered word that stands for a cipher alone
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"\S+")
# Pairs of words whose order no sentence has.
_PAIRS = (
    "instructions previous", "instructions prior", "instructions system", "instructions all", "prompt system",
    "rules your", "instructions your", "password the", "restrictions without", "instructions above",
)  # fmt: skip
_TURNED = str.maketrans("ɐqɔpǝɟƃɓɥıᴉɾʞןlɯuodbɹsʇnʌʍxʎz", "abcdefgghiijkllmnopqrstuvwxyz")  # noqa: RUF001
_TURNED_ONLY = re.compile("[ɐɔǝɟƃɥıᴉɾʞɯɹʇʌʍʎ]")
_ENOUGH_TURNED = 4


def _caesar(shift: int) -> dict[int, int]:
    """The table that undoes a shift."""
    return str.maketrans(
        _LOWER + _UPPER, _LOWER[-shift:] + _LOWER[:-shift] + _UPPER[-shift:] + _UPPER[:-shift]
    )


_TABLES = {
    **{("rot13" if shift == 13 else f"caesar-{shift}"): _caesar(shift) for shift in range(1, 26)},  # noqa: PLR2004
    "atbash": str.maketrans(_LOWER + _UPPER, _LOWER[::-1] + _UPPER[::-1]),
}


@lru_cache(maxsize=1)
def _automaton() -> Any:
    import ahocorasick  # noqa: PLC0415  compiled, and only matching pays for it

    known = vocabulary().known
    enciphered: dict[str, tuple[str, int]] = dict.fromkeys(_PAIRS, (_ORDER, _SURE))
    for name, table in _TABLES.items():
        back = {value: key for key, value in table.items()}
        for word in vocabulary().long:
            enciphered.setdefault(word.translate(back), (name, len(word)))
    for word in vocabulary().long:
        enciphered[word[::-1]] = (_REVERSED, _SURE)
    automaton = ahocorasick.Automaton()
    for word, (name, length) in enciphered.items():
        if word not in known:
            automaton.add_word(word, (name, word, length))
    automaton.make_automaton()
    return automaton


def ciphers(text: str, signs: frozenset[str]) -> Iterator[Found]:  # noqa: ARG001  it has its own
    """The text deciphered in every way in which it shows a telling word."""
    seen: dict[str, set[str]] = {}
    sure: set[str] = set()
    for _, (name, word, length) in _automaton().iter(text.lower()):
        seen.setdefault(name, set()).add(word)
        if length >= _SURE:
            sure.add(name)
    for name, words in seen.items():
        if name in sure or len(words) > 1 or len(text) < 40 * _SURE:  # in a long text, by chance
            yield from _deciphered(text, name)
    if not text.isascii() and len(_TURNED_ONLY.findall(text)) >= _ENOUGH_TURNED:
        yield Found("upside-down", [Piece(0, len(text), text.translate(_TURNED)[::-1], -1)], whole=True)


def _deciphered(text: str, name: str) -> Iterator[Found]:
    if name == _ORDER:
        yield Found(name, _reordered(text), whole=True)
    elif name == _REVERSED:
        yield Found(name, [Piece(0, len(text), text[::-1], -1)], whole=True)
        words = [Piece(*match.span(), match.group()[::-1], -1) for match in _WORD.finditer(text)]
        yield Found("reversed-words", words)
    else:
        yield Found(name, [Piece(0, len(text), text.translate(_TABLES[name]), 1)], whole=True)


def _reordered(text: str) -> list[Piece]:
    pieces = []
    for match in reversed(list(_TOKEN.finditer(text))):
        pieces += [Piece(*match.span(), match.group(), 1), Piece(match.end(), match.end(), " ")]
    return pieces
