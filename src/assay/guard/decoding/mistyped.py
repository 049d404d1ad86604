"""Words with a typing error: two letters swapped, one left out, one too many, or one for another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from assay.guard.decoding.found import Found, found
from assay.guard.decoding.vocabulary import vocabulary
from assay.guard.views import Piece

_SHORTEST, _LONGEST = 5, 18  # letters; shorter words are too near to each other
_WORD = re.compile(rf"(?<![a-z])[a-z]{{{_SHORTEST - 1},{_LONGEST}}}(?![a-z])")


def mistyped(text: str, signs: frozenset[str]) -> Iterator[Found]:  # noqa: ARG001  words have no sign
    """The text with its words as they were meant, where that makes a word that orders are made of."""
    lowered = text.replace("\u0130", "I").lower()
    meant = {word: _meant(word) for word in set(_WORD.findall(lowered)) - vocabulary().known}
    if not vocabulary().telling.isdisjoint(meant.values()):
        matches = _WORD.finditer(lowered)
        yield from found(
            "mistyped", [Piece(*m.span(), meant[m.group()]) for m in matches if meant.get(m.group())]
        )


@lru_cache(maxsize=1 << 15)
def _meant(word: str) -> str:
    """The known word that is one slip away from an unknown one; "" where none is.

    The last two letters must be right, but for a swap: other endings make other words of the same kind, as
    `ignored` of `ignore`, and not slips.
    """
    known = vocabulary().known
    shorter = _shorter()
    found = shorter.get(word, "")  # a letter was left out
    for at in range(1, len(word) - 1):
        without = word[:at] + word[at + 1 :]
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if swapped in known and len(swapped) >= _SHORTEST:
            return swapped
        if without in known and len(without) >= _SHORTEST and at < len(word) - 2:
            found = without
        elif (
            not found
            and (other := shorter.get(without, ""))
            and len(other) == len(word)
            and other[-2:] == word[-2:]
        ):
            found = other if _differs_at(other, word, at) else ""
    return found


def _differs_at(one: str, other: str, at: int) -> bool:
    return one[:at] == other[:at] and one[at + 1 :] == other[at + 1 :]


@lru_cache(maxsize=1)
def _shorter() -> dict[str, str]:
    """Known words without one of their letters, but for the first and the last two; telling words win."""
    words = vocabulary()
    ordered = [*sorted(words.known - words.telling), *sorted(words.telling)]
    return {
        word[:at] + word[at + 1 :]: word
        for word in ordered
        if len(word) >= _SHORTEST
        for at in range(1, len(word) - 2)
    }
