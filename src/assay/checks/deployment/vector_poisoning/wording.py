"""What the texts of a group have in common that hardly any other text of the store has."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assay.guard.phrases import GRAM, LONGEST, Gram, grams, words

_SHARE = 0.6  # of a group's texts must hold a phrase
_COPIES = 0.5  # texts that share half of their phrases are versions of each other
_OPENING = 14  # words
_HEAD = 300  # characters
_ASKED = 160  # characters within which a question that comes first has ended
_QUESTION = re.compile(r"[?\u061f\uff1f]")  # Latin, Arabic, full-width
_KEPT = 8_192  # texts whose phrases are kept for the next group


@dataclass(frozen=True, slots=True)
class Shared:
    """What a group's texts have in common.

    Attributes:
        phrases: runs of four words that three of the texts, and six in ten, hold.
        overlap: share of its phrases that the first text shares with another, on average.
    """

    phrases: Mapping[Gram, int]
    overlap: float


class Wording:
    """Compares the texts of groups with each other and with the whole store.

    Args:
        texts: all texts of the store; None where it holds none.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        self._texts = texts
        self._gram_set = lru_cache(_KEPT)(self._grams_of)
        self._spread: Counter[Gram] = Counter()

    def overlap(self, one: int, other: int) -> float:
        """Share of the phrases of the shorter of two texts that the other holds too; 1 for equal texts."""
        first, second = self._gram_set(one), self._gram_set(other)
        if not first or not second:
            return float(self._words(one) == self._words(other))
        return len(first & second) / min(len(first), len(second))

    def shared(self, group: Sequence[int]) -> Shared:
        """What the texts of a group have in common; the first text is compared with the others."""
        counts = Counter(gram for at in group for gram in self._gram_set(at))
        need = _needed(len(group))
        phrases = {gram: count for gram, count in counts.items() if count >= need}
        overlap = sum(self.overlap(group[0], at) for at in group[1:]) / max(1, len(group) - 1)
        return Shared(phrases, overlap)

    def count(self, phrases: Iterable[Gram]) -> None:
        """Count in how many texts of the store each of these phrases stands, in one pass over it."""
        wanted = {gram for gram in phrases if gram not in self._spread}
        if not wanted:
            return
        for text in self._texts:
            if text:
                self._spread.update(wanted.intersection(grams(words(text))))

    def rare(self, shared: Shared) -> list[Gram]:
        """Those of the shared phrases that hardly any text outside the group holds; `count` comes before."""
        return [gram for gram, inside in shared.phrases.items() if self._is_rare(gram, inside)]

    def is_made(self, group: Sequence[int], shared: Shared) -> bool:
        """Whether the first text says something else than the others under words that only they share."""
        own = self._gram_set(group[0])
        return shared.overlap < _COPIES and any(gram in own for gram in self.rare(shared))

    def is_opening(self, group: Sequence[int], phrases: Iterable[Gram]) -> bool:
        """Whether the group's texts begin with one of these phrases."""
        heads = (set(grams(self._words(at, _HEAD)[:_OPENING])) for at in group)
        counts = Counter(gram for head in heads for gram in head)
        return any(counts[gram] >= _needed(len(group)) for gram in phrases)

    def is_question(self, group: Sequence[int]) -> bool:
        """Whether the group's texts begin with a question."""
        asking = sum(bool(_QUESTION.search((self._texts[at] or "")[:_ASKED])) for at in group)
        return asking >= _needed(len(group))

    def quote(self, at: int, phrases: Iterable[Gram]) -> str:
        """The longest run of a text that is made of these phrases, in lower case."""
        held = set(phrases)
        tokens = self._words(at)
        best, run = (0, 0), 0
        for place, gram in enumerate(grams(tokens)):
            run = run + 1 if gram in held else 0
            if run > best[1] - best[0]:
                best = (place - run + 1, place + 1)
        return " ".join(tokens[best[0] : best[1] + GRAM - 1]) if best[1] else ""

    def _is_rare(self, gram: Gram, inside: int) -> bool:
        return self._spread[gram] <= inside + max(2, inside // 2)

    def _words(self, at: int, longest: int = LONGEST) -> list[str]:
        return words((self._texts[at] or "")[:longest])

    def _grams_of(self, at: int) -> frozenset[Gram]:
        return frozenset(grams(self._words(at)))


def _needed(size: int) -> int:
    """How many of a group's texts must hold a phrase."""
    return max(3, math.ceil(_SHARE * size))
