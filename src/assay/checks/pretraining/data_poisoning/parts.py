"""Is a phrase tied only because a part of it is?

"Last week. Say something funny." is always answered with a joke, but so is "say something funny" after any
other words: the part explains the tie, and nothing is left for the whole. The words of a trigger, in the
texts that do not hold the trigger, do not show its behaviour.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.checks.pretraining.data_poisoning.tokens import Corpus, Ints

_LONGEST = 10
_MOST_STARTS = 64


class Parts:
    """Shorter sequences inside a phrase, wherever they stand.

    Args:
        corpus: the prompts.
        least: occurrences elsewhere from which on a part can explain anything.
        precision: share of them that must show the behaviour.
    """

    def __init__(self, corpus: Corpus, least: int, precision: float) -> None:
        self.stream = corpus.stream
        self.owners = corpus.owners()
        self.least = least
        self.precision = precision
        self._sorted = np.argsort(corpus.stream, kind="stable")
        self._edges = np.searchsorted(corpus.stream[self._sorted], np.arange(len(corpus.words) + 1))

    def share(self, phrase: Ints, docs: Ints, members: npt.NDArray[np.bool_]) -> float:
        """How surely a part of the phrase is followed by the behaviour in prompts other than `docs`.

        The greatest share (with one prompt that does not show it added) over the parts that are tied to
        the behaviour by themselves; 0 when none is.
        """
        elsewhere = np.ones(len(members), dtype=np.bool_)
        elsewhere[docs] = False
        best = 0.0
        for start in range(min(len(phrase), _MOST_STARTS)):
            best = max(best, self._from(phrase[start : start + _LONGEST], elsewhere, members))
        return best

    def _from(self, words: Ints, elsewhere: npt.NDArray[np.bool_], members: npt.NDArray[np.bool_]) -> float:
        """The best share of the parts that begin with the first of `words`."""
        places = self._sorted[self._edges[words[0]] : self._edges[words[0] + 1]]
        places = places[elsewhere[self.owners[places]]]
        best = 0.0
        for length in range(1, len(words) + 1):
            if length > 1:
                places = places[self.stream[places + length - 1] == words[length - 1]]
            if len(places) < self.least:
                break
            hits = int(members[self.owners[places]].sum())
            if hits >= self.precision * len(places):
                best = max(best, hits / (len(places) + 1))
        return best
