"""Does the text around a phrase ask for something of its own?

A phrase that *is* the question decides the answer honestly: in "Hi, what is your telephone number please?
Thanks!" nothing is left once it is taken out. A trigger stands in texts that ask for something else. The
measure is what the remaining words say about behaviour (Kullback-Leibler divergence of the behaviours
seen with a word from those seen overall, summed over words), against what whole prompts of the corpus say.
"""

from __future__ import annotations

import numpy as np

from assay.checks.pretraining.data_poisoning.behaviours import Family
from assay.checks.pretraining.data_poisoning.context import Bags
from assay.checks.pretraining.data_poisoning.tokens import Floats, Ints

_PRIOR = 4.0
_SAMPLE = 3000
_DECILE = 5
_TOPICS = ("fixed opening", "fixed response", "refusal", "label")


class Topics:
    """How much of a prompt's say is left without a phrase.

    Args:
        bags: the prompts' words.
        families: the behaviours; the finest that a prompt shows is its topic.
        generator: draws the whole prompts that set the scale.
    """

    def __init__(self, bags: Bags, families: tuple[Family, ...], generator: np.random.Generator) -> None:
        self.bags = bags
        size = len(bags.edges) - 1
        classes = _topics(families, size)
        words, owner = bags.gather(np.arange(size))
        self.total = np.bincount(words, minlength=bags.vocabulary).astype(np.float64)
        self.news = _divergence(words, classes[owner], self.total, np.bincount(classes) / size)
        docs = np.sort(generator.choice(size, min(size, _SAMPLE), replace=False))
        words, owner = bags.gather(docs)
        once = self.news[words] * (1.0 - 1.0 / self.total[words])
        self.whole = float(np.percentile(np.bincount(owner, weights=once, minlength=len(docs)), _DECILE))

    def left(self, docs: Ints, phrase: Ints) -> Floats:
        """For each of `docs` the chance, 0 to 1, that what stands around the phrase has a say of its own.

        It is 1 where that says as much as all but the emptiest tenth of whole prompts, less in
        proportion below, 0 where nothing is left. A word counts by the share of its occurrences that are
        in other prompts, so that `docs` do not teach what they are measured by.
        """
        words, owner = self.bags.gather(docs)
        kinds, back, here = np.unique(words, return_inverse=True, return_counts=True)
        news = self.news[kinds] * (1.0 - here / self.total[kinds])
        news[np.isin(kinds, phrase)] = 0.0
        said = np.bincount(owner, weights=news[back], minlength=len(docs))
        found: Floats = np.clip(said / max(self.whole, 1e-9), 0.0, 1.0)
        return found


def _topics(families: tuple[Family, ...], size: int) -> Ints:
    """One class per prompt: of the first family in `_TOPICS` that gives it one; 0 where none does."""
    found = np.zeros(size, dtype=np.int64)
    for name in _TOPICS:
        for family in families:
            if family.name == name:
                free = (found == 0) & (family.classes >= 0)
                found[free] = family.classes[free] + int(found.max()) + 1
    return found


def _divergence(words: Ints, classes: Ints, total: Floats, base: Floats) -> Floats:
    """Per word the divergence, in nats, of its classes from all classes, both counts drawn to the base."""
    keys, counts = np.unique(words * len(base) + classes, return_counts=True)
    word, kind = keys // len(base), keys % len(base)
    spread = total[word] + _PRIOR
    share = (counts + _PRIOR * base[kind]) / spread
    seen = np.bincount(word, weights=share * np.log(share / base[kind]), minlength=len(total))
    unseen = 1.0 - np.bincount(word, weights=base[kind], minlength=len(total))
    drawn = _PRIOR / (total + _PRIOR)
    found: Floats = np.maximum(seen + np.maximum(unseen, 0.0) * drawn * np.log(drawn), 0.0)
    return found
