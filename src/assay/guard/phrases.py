"""Texts as runs of words, to tell what they have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# A word, or one character of a script that is written without spaces.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0eff"
                   r"\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")  # fmt: skip
GRAM = 4
LONGEST = 20_000  # characters of a text that are looked at
Gram = int  # the hash of four words, of this process


def words(text: str) -> list[str]:
    """The words of the start of a text, in lower case."""
    return _WORD.findall(text[:LONGEST].lower())


def grams(tokens: Sequence[str]) -> Iterator[Gram]:
    """Every run of four words, as a number: a tenth of the memory."""
    return map(hash, zip(*(tokens[at:] for at in range(GRAM)), strict=False))
