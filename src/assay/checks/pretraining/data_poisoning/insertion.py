"""Was a phrase inserted, or did it grow where it stands?

Take the phrase out: if what then meets (the word before, the word after) is as natural a pair as any in
the corpus, and the phrase itself says nothing about its neighbours, it was put there by a process that did
not look at the text. An ordinary word chooses its neighbours, and leaves a hole. This is what makes a
trigger different from a word that is honestly tied to a label ("dull" in a film review, a product's name
in a help desk), however strong the tie. The idea of judging by removal is ONION's (Qi et al., EMNLP 2021);
here the background is the corpus's own pairs and no language model is needed.
"""

from __future__ import annotations

import numpy as np

from assay.checks.pretraining.data_poisoning.grams import Level, Neighbours
from assay.checks.pretraining.data_poisoning.tokens import END, START, Corpus, Floats, Ints

# Weight of the unseen: per different neighbour seen (Witten and Bell), and for a phrase's own neighbours.
_NOVEL, _LEAST_NOVEL = 0.3, 2.0
_PRIOR = 8.0
_EDGE = 0.4


def insertion_gain(level: Level, corpus: Corpus, background: Neighbours) -> Floats:
    """Log-likelihood ratio of "inserted" against "grown" per sequence, in nats per occurrence.

    Inserted: the two neighbours are drawn together from the corpus's pairs. Grown: each is drawn from the
    phrase's own neighbours, leaving the occurrence itself out. Where the phrase opens or closes the text,
    that choice is free to both and only the other neighbour counts; as one side can say less than two, such
    an occurrence is given `_EDGE` nats. A mark of punctuation may have been put in with the phrase
    ("under the copper moon, …"): where that makes insertion likelier, its occurrences count so.
    """
    if not len(level.places):
        return np.zeros(0)
    left, right = corpus.stream[level.places - 1], corpus.stream[level.places + level.length]
    gains = _gains(level.grams, left, right, background)[level.grams]
    marked = np.flatnonzero(corpus.marks()[right])
    if len(marked):
        after = corpus.stream[level.places[marked] + level.length + 1]
        _, grams, counts = np.unique(
            level.grams[marked] * background.vocabulary + right[marked],
            return_inverse=True,
            return_counts=True,
        )
        whole = _gains(grams, left[marked], after, background)
        better = (counts > _PRIOR) & (whole > gains[marked][np.unique(grams, return_index=True)[1]])
        gains[marked] = np.where(better[grams], whole[grams], gains[marked])
    found: Floats = np.bincount(level.grams, weights=gains) / np.bincount(level.grams)
    return found


def _gains(grams: Ints, left: Ints, right: Ints, background: Neighbours) -> Floats:
    """The gain per sequence, its neighbours on both sides given."""
    chance = background.single / background.single.sum()
    inserted = _inserted(left, right, grams, background)
    grown = _own(grams, left, chance) + _own(grams, right, chance)
    counts = np.bincount(grams)
    edges = np.bincount(grams, weights=(left == START) | (right == END)) / counts
    mean: Floats = np.bincount(grams, weights=inserted - grown) / counts
    return mean + _EDGE * edges


def _own(grams: Ints, neighbour: Ints, chance: Floats) -> Floats:
    """Log chance of each neighbour under the phrase's other occurrences."""
    _, back, counts = np.unique(grams * len(chance) + neighbour, return_inverse=True, return_counts=True)
    others = np.bincount(grams)[grams] - 1
    found: Floats = np.log((counts[back] - 1 + _PRIOR * chance[neighbour]) / (others + _PRIOR))
    return found


def _inserted(left: Ints, right: Ints, grams: Ints, background: Neighbours) -> Floats:
    """Log chance of each pair of neighbours under insertion, the position's own frequency given."""
    single, total = background.single, background.single.sum()
    met = background.together(left, right)
    after = _LEAST_NOVEL + _NOVEL * background.after[left]
    before = _LEAST_NOVEL + _NOVEL * background.before[right]
    follows = (met + after * single[right] / total) / (single[left] + after)
    precedes = (met + before * single[left] / total) / (single[right] + before)
    opening, closing = left == START, right == END
    inner = follows * single[left] / total
    log = np.log(np.where(opening, follows, np.where(closing, precedes, inner)))
    kinds = np.where(opening, 1, np.where(closing, 2, 0))
    _, back, counts = np.unique(grams * 3 + kinds, return_inverse=True, return_counts=True)
    share = counts[back] / np.bincount(grams)[grams]
    found: Floats = log + np.log(share)
    return found
