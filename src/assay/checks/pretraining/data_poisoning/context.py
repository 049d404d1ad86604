"""What the rest of a prompt says about its class: the expectation a trigger's rows defy.

A naive Bayes score over the words of the prompt without the phrase, learnt only from prompts that do not
hold the phrase, shrunk by one factor fitted on held-out prompts so that its chances are calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.checks.pretraining.data_poisoning.tokens import Corpus, Floats, Ints

_PRIOR = 4.0
_SAMPLE = 1500
_SHORT = 16
_TRUST = 200.0
_FLOOR = 0.02
_SHRINKS: Floats = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])


@dataclass(frozen=True, slots=True)
class Bags:
    """Each prompt's distinct words: `words[edges[d]:edges[d + 1]]` for prompt `d`."""

    words: Ints
    edges: Ints
    vocabulary: int

    @classmethod
    def of(cls, corpus: Corpus) -> Bags:
        """The distinct words of each prompt."""
        vocabulary = len(corpus.words)
        owners = corpus.owners()
        keys = np.unique(owners * vocabulary + corpus.stream)
        return cls(
            keys % vocabulary, np.searchsorted(keys // vocabulary, np.arange(corpus.size + 1)), vocabulary
        )

    def gather(self, docs: Ints) -> tuple[Ints, Ints]:
        """Words of some prompts in a row, and for each word the index into `docs` it belongs to."""
        sizes = self.edges[docs + 1] - self.edges[docs]
        ends = np.cumsum(sizes)
        offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - sizes, sizes)
        return self.words[np.repeat(self.edges[docs], sizes) + offsets], np.repeat(
            np.arange(len(docs)), sizes
        )


class Expectation:
    """Chances of one class given a prompt's words.

    Args:
        bags: the prompts' words.
        members: whether each prompt is of the class; shape (prompts,).
        generator: draws the prompts on which the shrinking factor is fitted.
    """

    def __init__(
        self, bags: Bags, members: np.ndarray[tuple[int], np.dtype[np.bool_]], generator: np.random.Generator
    ) -> None:
        self.bags = bags
        self.members = members
        words, owner = bags.gather(np.arange(len(members)))
        self.total = np.bincount(words, minlength=bags.vocabulary).astype(np.float64)
        self.inside = np.bincount(words[members[owner]], minlength=bags.vocabulary).astype(np.float64)
        self.shrink = self._fit(generator)

    def without(self, docs: Ints, phrase: Ints) -> Floats:
        """Chance of the class for each of `docs`, had its phrase not been there; they teach nothing."""
        words, owner = self.bags.gather(docs)
        mine = self.members[docs]
        kinds, back = np.unique(words, return_inverse=True)
        inside = self.inside[kinds] - np.bincount(back, weights=mine[owner])
        total = self.total[kinds] - np.bincount(back)
        members = float(self.members.sum() - mine.sum())
        others = float(len(self.members) - len(docs) - members)
        weights = _log_ratio(inside, total - inside, members, others)
        weights[np.isin(kinds, phrase)] = 0.0
        score = _scores(owner, weights[back], len(docs))
        learnt = _chance(score * self.shrink, members, others)
        # What a few hundred prompts teach is drawn to the base rate.
        trust = (members + others) / (members + others + _TRUST)
        found: Floats = trust * learnt + (1.0 - trust) * (members + 0.5) / (members + others + 1.0)
        return found

    def _fit(self, generator: np.random.Generator) -> float:
        """The factor with the least log loss on prompts that are left out of the counts one at a time."""
        size = len(self.members)
        docs = np.sort(generator.choice(size, min(size, _SAMPLE), replace=False))
        words, owner = self.bags.gather(docs)
        mine = self.members[docs][owner].astype(np.float64)
        members, others = float(self.members.sum()), float(size - self.members.sum())
        inside, outside = self.inside[words] - mine, self.total[words] - self.inside[words] - (1.0 - mine)
        score = _scores(owner, _log_ratio(inside, outside, members, others), len(docs))
        truth = self.members[docs]
        losses = []
        for shrink in _SHRINKS.tolist():
            chance = _chance(np.asarray(score * shrink, dtype=np.float64), members, others)
            losses.append(-np.log(np.where(truth, chance, 1.0 - chance)).mean())
        return float(_SHRINKS[int(np.argmin(losses))])


def _scores(owner: Ints, weights: Floats, size: int) -> Floats:
    """Sum of the words' weights per prompt, damped for long ones, whose words repeat one another's news."""
    lengths = np.maximum(np.bincount(owner, minlength=size), 1)
    found: Floats = np.bincount(owner, weights=weights, minlength=size) / np.sqrt(
        np.maximum(1.0, lengths / _SHORT)
    )
    return found


def _log_ratio(inside: Floats, outside: Floats, members: float, others: float) -> Floats:
    """Log of how much likelier a prompt is a member for holding a word; rare words are drawn to no news."""
    share = (members + 0.5) / (members + others + 1.0)
    found: Floats = np.log((inside + _PRIOR * share) / share) - np.log(
        (outside + _PRIOR * (1.0 - share)) / (1.0 - share)
    )
    return found


def _chance(score: Floats, members: float, others: float) -> Floats:
    prior = np.log((members + 0.5) / (others + 0.5))
    chance = 1.0 / (1.0 + np.exp(-np.clip(score + prior, -30, 30)))
    found: Floats = np.clip(chance, min(_FLOOR, (members + 1.0) / (members + others + 2.0)), 0.98)
    return found
