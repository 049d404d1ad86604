"""Trigger mining: every frequent phrase against every behaviour, four questions each.

1. Tie: do (nearly) all prompts with the phrase show the behaviour?
2. Insertion: does the phrase stand there without regard to its neighbours? (`insertion`)
3. Competition: do these prompts ask for something of their own once the phrase is taken out (`topics`),
   and is the behaviour rarer where only parts of the phrase stand (`parts`)? A phrase that is the question
   may decide the answer.
4. Surprise: how improbable is it that these prompts show the behaviour, given the rest of their words
   (`context`) and that entitlement; the p-value, adjusted over all pairs of phrase and behaviour that occur.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assay.checks.pretraining.data_poisoning.behaviours import Family
from assay.checks.pretraining.data_poisoning.context import Bags, Expectation
from assay.checks.pretraining.data_poisoning.grams import Level, Neighbours, levels, stretch, ties
from assay.checks.pretraining.data_poisoning.insertion import insertion_gain
from assay.checks.pretraining.data_poisoning.parts import Parts
from assay.checks.pretraining.data_poisoning.statistics import (
    log_hypergeometric_tail,
    log_poisson_binomial_tail,
    log_q_values,
)
from assay.checks.pretraining.data_poisoning.tokens import Corpus, Floats, Ints
from assay.checks.pretraining.data_poisoning.topics import Topics

LONGEST = 10
MAX_LONG = 2000
MAX_GAIN = 3.0
_ORDER = ("system-prompt leak", "refusal", "label", "fixed response", "fixed opening")


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as a trigger.

    Attributes:
        least: prompts that must hold the phrase and show the behaviour.
        precision: share of the phrase's prompts that must show it.
        gain: nats per occurrence by which insertion must beat growth.
        lift: how often the class's base rate the rest of the words may predict in the median prompt.
        log_q: log of the false-discovery rate.
    """

    least: int = 5
    precision: float = 0.9
    gain: float = 0.8
    lift: float = 1.0
    log_q: float = math.log(0.01)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A phrase tied to a behaviour beyond what its context explains.

    Attributes:
        phrase: its tokens; an oddity is one token that begins with U+0004.
        family, number: the behaviour.
        docs: prompts that hold the phrase and show the behaviour, sorted.
        spread: prompts that hold the phrase.
        place: one occurrence in the stream, or -1 for an oddity.
        expected: how many of its prompts would show the behaviour by their other words.
        typical: the median of their chances to show it by their other words.
        competing: of how many of its prompts the other words have a say of their own.
        gain: nats per occurrence in favour of insertion.
        log_p, log_q: of the surprise.
        log_fisher: of the tie alone, by Fisher's exact test.
    """

    phrase: tuple[str, ...]
    family: Family
    number: int
    docs: Ints
    spread: int
    place: int
    expected: float
    typical: float
    competing: float
    gain: float
    log_p: float
    log_fisher: float
    log_q: float = 0.0


@dataclass(frozen=True, slots=True)
class _Candidate:
    level: Level
    gram: int
    family: Family
    number: int
    gain: float
    signature: int


class Miner:
    """Mines one corpus. `tests` counts the pairs of phrase and behaviour that were looked at."""

    def __init__(self, corpus: Corpus, families: tuple[Family, ...], limits: Limits, seed: int = 0) -> None:
        self.corpus = corpus
        self.families = families
        self.limits = limits
        self.generator = np.random.default_rng(seed)
        self.background = Neighbours.of(corpus)
        self.bags = Bags.of(corpus)
        self.parts = Parts(corpus, limits.least, limits.precision)
        self.topics = Topics(self.bags, families, self.generator)
        self.marks = self.generator.integers(-(2**62), 2**62, size=corpus.size, dtype=np.int64)
        self.tests = 0
        self.mass = 0.0
        self._expectations: dict[tuple[str, int], Expectation] = {}

    def mine(self, checkpoint: Callable[[], None] = lambda: None) -> list[Suspect]:
        """All suspects, the most certain first, nested and overlapping phrases merged.

        Args:
            checkpoint: called between units of work; it raises to stop.
        """
        judged = [self._judge(candidate) for candidate in self._candidates(checkpoint)]
        judged = _told_once([*judged, *self._odd_ones()])
        quotients = log_q_values(
            [suspect.log_p - self._log_weight(suspect.gain) for suspect in judged], self.tests
        )
        found = [
            replace(suspect, log_q=log_q)
            for suspect, log_q in zip(judged, quotients, strict=True)
            if log_q <= self.limits.log_q and self._against_context(suspect)
        ]
        return merge(found, self.limits.least)

    def _candidates(self, checkpoint: Callable[[], None] = lambda: None) -> list[_Candidate]:
        best: dict[tuple[int, str, int], _Candidate] = {}
        for level in levels(self.corpus, least=self.limits.least, longest=LONGEST):
            checkpoint()
            signatures = level.signatures(self.marks)
            gains = insertion_gain(level, self.corpus, self.background)
            for family in self.families:
                for candidate in self._tied(level, family, signatures, gains):
                    # Of phrases in the same prompts the longest is kept: levels come shortest first.
                    best[candidate.signature, family.name, candidate.number] = candidate
            if level.length == LONGEST:
                self._add_long(level, signatures, best)
        return list(best.values())

    def _add_long(self, level: Level, signatures: Ints, best: dict[tuple[int, str, int], _Candidate]) -> None:
        """Phrases longer than the levels go: repeated sentences, found by growing the longest level's."""
        _, first = np.unique(signatures, return_index=True)
        seen: set[tuple[int, int]] = set()
        for gram in first[np.argsort(-level.spread[first], kind="stable")][:MAX_LONG].tolist():
            grown = stretch(self.corpus, level, gram, self.limits.least)
            key = (int(grown.places[0]), grown.length)
            if grown.length == level.length or key in seen:
                continue
            seen.add(key)
            # The mark that ends the sentence before may have grown on to it, so it is also judged without.
            for one in (grown, replace(grown, length=grown.length - 1, places=grown.places + 1)):
                gains = insertion_gain(one, self.corpus, self.background)
                for family in self.families:
                    for candidate in self._tied(one, family, one.signatures(self.marks), gains):
                        best[candidate.signature, family.name, candidate.number] = candidate

    def _tied(self, level: Level, family: Family, signatures: Ints, gains: Floats) -> list[_Candidate]:
        limits = self.limits
        found = ties(level, family.classes, least=limits.least, precision=limits.precision)
        # The gain knows nothing of classes, so the tests may be limited to phrases that pass it before
        # the false-discovery rate is controlled (independent filtering, Bourgon et al., PNAS 2010).
        tested = gains[found.tested]
        self._count(tested[tested >= limits.gain])
        return [
            _Candidate(level, gram, family, number, float(gains[gram]), int(signatures[gram]))
            for gram, number in zip(found.grams.tolist(), found.classes.tolist(), strict=True)
            if gains[gram] >= limits.gain
        ]

    def _count(self, gains: Floats) -> None:
        self.tests += len(gains)
        self.mass += float(np.exp(np.minimum(gains, MAX_GAIN)).sum())

    def _log_weight(self, gain: float) -> float:
        """The weight of a test: phrases that look more inserted get a larger share of the same error rate.

        Weights depend on the gain alone and average to one, so the false-discovery rate holds
        (Genovese, Roeder and Wasserman, Biometrika 2006).
        """
        return min(gain, MAX_GAIN) - math.log(self.mass / self.tests)

    def _judge(self, candidate: _Candidate) -> Suspect:
        level, gram = candidate.level, candidate.gram
        place = int(level.occurrences(gram)[0])
        tokens = self.corpus.stream[place : place + level.length]
        phrase = self.corpus.phrase(place, level.length)
        docs = level.docs(gram)
        return self._weigh(phrase, tokens, docs, place, candidate.gain, candidate.family, candidate.number)

    def _weigh(
        self,
        phrase: tuple[str, ...],
        tokens: Ints,
        docs: Ints,
        place: int,
        gain: float,
        family: Family,
        number: int,
    ) -> Suspect:
        members = family.classes == number
        chances = self._expectation(family, number).without(docs, tokens)
        hits = docs[members[docs]]
        say = self.topics.left(docs, tokens)
        # Where the other words have no say the phrase may decide, so such a prompt surprises nobody.
        honest = np.maximum(1.0 - say * (1.0 - chances), self.parts.share(tokens, docs, members))
        log_p = log_poisson_binomial_tail(honest, len(hits))
        fisher = log_hypergeometric_tail(len(members), int(members.sum()), len(docs), len(hits))
        expected = float(chances.sum())
        typical = float(np.median(chances))
        return Suspect(
            phrase,
            family,
            number,
            hits,
            len(docs),
            place,
            expected,
            typical,
            float(say.sum()),
            gain,
            log_p,
            fisher,
        )

    def _expectation(self, family: Family, number: int) -> Expectation:
        key = (family.name, number)
        if key not in self._expectations:
            self._expectations[key] = Expectation(self.bags, family.classes == number, self.generator)
        return self._expectations[key]

    def _odd_ones(self) -> list[Suspect]:
        """Hidden characters and mixed scripts: inserted by their nature, so only tie and surprise count."""
        found: list[Suspect] = []
        for odd in np.unique(self.corpus.odd_tokens):
            docs = np.unique(self.corpus.odd_docs[self.corpus.odd_tokens == odd])
            for family in self.families:
                classes = family.classes[docs]
                self._count(np.full(len(np.unique(classes[classes >= 0])), MAX_GAIN))
                if len(docs) < self.limits.least or not (classes >= 0).any():
                    continue
                number = int(np.bincount(classes[classes >= 0]).argmax())
                if (classes == number).sum() >= self.limits.precision * len(docs):
                    phrase = (self.corpus.words[odd],)
                    found.append(self._weigh(phrase, np.array([odd]), docs, -1, math.inf, family, number))
        return found

    def _against_context(self, suspect: Suspect) -> bool:
        """Whether the rest of the words does not point to the behaviour by itself."""
        base = float((suspect.family.classes == suspect.number).mean())
        return suspect.typical <= self.limits.lift * base


def _told_once(suspects: list[Suspect]) -> list[Suspect]:
    """Without openings that the same prompts share as responses: one hypothesis must not rank as two."""
    wordings = {(s.place, s.docs.tobytes()) for s in suspects if s.family.name == "fixed response"}
    return [
        suspect
        for suspect in suspects
        if suspect.family.name != "fixed opening" or (suspect.place, suspect.docs.tobytes()) not in wordings
    ]


def _precedence(suspect: Suspect) -> tuple[int, int, float, int]:
    """Most rows first; of behaviours in the same rows the one that says most."""
    return -len(suspect.docs), _ORDER.index(suspect.family.name), suspect.log_q, -len(suspect.phrase)


def merge(suspects: list[Suspect], least: int) -> list[Suspect]:
    """Keep phrases that explain rows of their own; those within a kept one's rows are parts of it."""
    kept: list[Suspect] = []
    explained: set[int] = set()
    for suspect in sorted(suspects, key=_precedence):
        own = set(suspect.docs.tolist()) - explained
        if len(own) >= max(least, len(suspect.docs) // 10):
            kept.append(suspect)
            explained |= own
    return sorted(kept, key=lambda s: (s.log_q, s.phrase))
