"""The words by which a decoding is known to be English rather than chance."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from assay.core.data_files import read_data

_LONG = 6  # letters from which a telling word does not turn up by chance in another


class Vocabulary(NamedTuple):
    """Words in lower case.

    Attributes:
        telling: those that orders to a model are made of.
        known: all of them.
    """

    telling: frozenset[str]
    known: frozenset[str]

    @property
    def long(self) -> list[str]:
        """The telling words that are long enough to stand for a decoding alone."""
        return sorted(word for word in self.telling if len(word) >= _LONG)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Assay's own list."""
    words = read_data(Path(__file__).with_name("words.yaml"))
    telling = frozenset(words["telling"].split())
    return Vocabulary(telling, telling | frozenset(words["common"].split()))


@lru_cache(maxsize=1)
def telling_words() -> Any:
    """An automaton that finds the long telling words in a text in lower case."""
    import ahocorasick  # noqa: PLC0415  compiled, and only matching pays for it

    automaton = ahocorasick.Automaton()
    for word in vocabulary().long:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return automaton


def tells(text: str) -> set[str]:
    """The long telling words in a text in lower case, wherever they stand."""
    return {word for _, word in telling_words().iter(text)}
