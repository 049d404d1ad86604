"""Contiguous word sequences that occur in enough prompts, level by level, as arrays.

A sequence can only be frequent when both sequences one word shorter are, so each level looks only at
places where those survived; everything is sorting and counting of integers, and exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.checks.pretraining.data_poisoning.tokens import END, Corpus, Floats, Ints

MAX_STRETCH = 256
_ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class Level:
    """All frequent sequences of one length.

    Attributes:
        length: words in each.
        places: where they begin in the stream, sorted by sequence then place; shape (occurrences,).
        grams: the sequence at each place, numbered from 0 without gaps; shape (occurrences,).
        pair_grams, pair_docs: each sequence with each prompt that holds it, once; shape (pairs,).
        spread: how many prompts hold each sequence; shape (sequences,).
    """

    length: int
    places: Ints
    grams: Ints
    pair_grams: Ints
    pair_docs: Ints
    spread: Ints

    def occurrences(self, gram: int) -> Ints:
        """The places of one sequence."""
        first, last = np.searchsorted(self.grams, [gram, gram + 1])
        return self.places[first:last]

    def docs(self, gram: int) -> Ints:
        """The prompts that hold one sequence, sorted."""
        first, last = np.searchsorted(self.pair_grams, [gram, gram + 1])
        return self.pair_docs[first:last]

    def signatures(self, marks: Ints) -> Ints:
        """A number per sequence that is equal, up to chance 2^-64, when their prompts are the same."""
        edges = np.searchsorted(self.pair_grams, np.arange(len(self.spread)))
        if not len(edges):
            return np.zeros(0, dtype=np.int64)
        found: Ints = np.add.reduceat(marks[self.pair_docs], edges)
        return found


def levels(corpus: Corpus, *, least: int, longest: int) -> Iterator[Level]:
    """Frequent sequences of 1, 2 … `longest` words that occur in at least `least` prompts."""
    owners = corpus.owners()
    inside = np.flatnonzero(corpus.stream > 1)
    here = np.full(len(corpus.stream) + 1, -1, dtype=np.int64)
    level = _level(1, inside, corpus.stream[inside], owners, least)
    vocabulary = len(corpus.words)
    while level is not None:
        yield level
        if level.length == longest:
            return
        here.fill(-1)
        here[level.places] = level.grams
        places = level.places[here[level.places + 1] >= 0]
        keys = here[places] * vocabulary + corpus.stream[places + level.length]
        level = _level(level.length + 1, places, keys, owners, least)


def stretch(corpus: Corpus, level: Level, gram: int, least: int) -> Level:
    """Grow one sequence to both sides while nearly all its occurrences go on alike; a level of its own."""
    places, length = level.occurrences(gram), level.length
    for step in (1, -1):
        while length < MAX_STRETCH:
            beside = corpus.stream[places + length] if step == 1 else corpus.stream[places - 1]
            values, counts = np.unique(beside, return_counts=True)
            most = int(counts.argmax())
            if values[most] <= END or counts[most] < max(least, _ALIKE * len(places)):
                break
            places = places[beside == values[most]] - (step == -1)
            length += 1
    docs = np.unique(np.searchsorted(corpus.starts, places, side="right") - 1)
    zeros = np.zeros(len(places), dtype=np.int64)
    return Level(length, places, zeros, zeros[: len(docs)], docs, np.array([len(docs)]))


def _level(length: int, places: Ints, keys: Ints, owners: Ints, least: int) -> Level | None:
    if not len(places):
        return None
    order = np.lexsort((places, keys))
    places, keys = places[order], keys[order]
    grams = np.cumsum(np.concatenate(([0], (np.diff(keys) != 0).astype(np.int64))))
    docs = owners[places]
    spread = np.bincount(grams[_first(grams, docs)])
    kept = spread >= least
    if not kept.any():
        return None
    numbers = np.cumsum(kept) - 1
    mask = kept[grams]
    places, grams, docs = places[mask], numbers[grams[mask]], docs[mask]
    once = _first(grams, docs)
    return Level(length, places, grams, grams[once], docs[once], spread[kept])


def _first(grams: Ints, docs: Ints) -> Ints:
    """Indices at which a (sequence, prompt) pair appears for the first time; both are sorted."""
    changes = (np.diff(grams) != 0) | (np.diff(docs) != 0)
    return np.flatnonzero(np.concatenate(([True], changes)))


@dataclass(frozen=True, slots=True)
class Ties:
    """Sequences whose prompts nearly all share one class of a family; one entry each.

    Attributes:
        grams, classes: which.
        hits: prompts that hold the sequence and are of the class.
        tested: the sequence of every pair of sequence and class that occurs.
    """

    grams: Ints
    classes: Ints
    hits: Ints
    tested: Ints


def ties(level: Level, classes: Ints, *, least: int, precision: float) -> Ties:
    """Find the sequences tied to one class of `classes` (class per prompt, -1 for none)."""
    of_pair = classes[level.pair_docs]
    known = of_pair >= 0
    width = int(classes.max()) + 1 if len(classes) else 0
    if not known.any():
        none = np.zeros(0, dtype=np.int64)
        return Ties(none, none, none, none)
    keys, counts = np.unique(level.pair_grams[known] * width + of_pair[known], return_counts=True)
    grams, found = keys // width, keys % width
    tied = (counts >= least) & (counts >= precision * level.spread[grams])
    return Ties(grams[tied], found[tied], counts[tied], grams)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How words follow each other in the whole corpus: the background an insertion is judged by.

    Attributes:
        keys, counts: each neighbouring pair, as one number, and how often it occurs.
        single: how often each word occurs.
        after, before: how many different words follow and precede it (what Witten and Bell smooth by).
        vocabulary: how many words there are.
    """

    keys: Ints
    counts: Ints
    single: Floats
    after: Floats
    before: Floats
    vocabulary: int

    @classmethod
    def of(cls, corpus: Corpus) -> Neighbours:
        """Count all neighbouring pairs, ends of prompts included."""
        vocabulary = len(corpus.words)
        stream = corpus.stream
        adjacent = np.flatnonzero(stream[:-1] != 1)
        keys, counts = np.unique(stream[adjacent] * vocabulary + stream[adjacent + 1], return_counts=True)
        single = np.bincount(stream, minlength=vocabulary).astype(np.float64)
        after = np.bincount(keys // vocabulary, minlength=vocabulary).astype(np.float64)
        before = np.bincount(keys % vocabulary, minlength=vocabulary).astype(np.float64)
        return cls(keys, counts, single, after, before, vocabulary)

    def together(self, left: Ints, right: Ints) -> Floats:
        """How often each pair stands side by side."""
        wanted = left * self.vocabulary + right
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.counts[at], 0).astype(np.float64)
