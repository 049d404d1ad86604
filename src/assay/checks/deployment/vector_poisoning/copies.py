"""Texts that are versions of each other, and floods of them from one source."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assay.checks.deployment.vector_poisoning.neighbours import Neighbours
from assay.checks.deployment.vector_poisoning.wording import Wording
from assay.subjects.vector_stores.snapshot import Snapshot

NEAR = 0.95  # cosine
LEAST = 5  # entries that fill the first results of a search
WHOLE = 0.8  # of a source's entries: it holds hardly anything else
_SAME = 0.6  # of the phrases of the shorter text


@dataclass(frozen=True, slots=True)
class Copies:
    """Entries that are versions of one text.

    Attributes:
        members: places in the snapshot, ascending.
        source: the one that nearly all come from, "" where they come from several or it is unknown.
        whole_source: it holds hardly anything else.
        reworded: not all of them are equal, so removing equal texts leaves several.
        log10_q: log10 of the chance that a store with as many copies as this one has so large a set, times
            the number of sets.
    """

    members: tuple[int, ...]
    source: str
    whole_source: bool
    reworded: bool
    log10_q: float


def find_copies(snapshot: Snapshot, near: Neighbours) -> list[Copies]:
    """All sets of two versions and more, the largest first.

    The null distribution of the size of a set is geometric, its parameter that of the store's other sets:
    where every page lies there in five versions, five are nothing remarkable.
    """
    wording = Wording(snapshot.texts)
    sets = sorted(_sets(snapshot, near, wording), key=lambda members: (-len(members), members))
    sizes = [len(members) for members in sets]
    held = Counter(snapshot.sources)
    return [_judged(snapshot, members, held, _log10_q(len(members), sizes)) for members in sets]


def _judged(snapshot: Snapshot, members: Sequence[int], held: Counter[str], log10_q: float) -> Copies:
    # The text that was copied may be there too, from its own source.
    ((usual, own),) = Counter(snapshot.sources[at] for at in members).most_common(1)
    source = usual if own >= WHOLE * len(members) else ""
    texts = {snapshot.texts[at] for at in members if snapshot.sources[at] == usual}
    whole = bool(source) and own >= WHOLE * held[source]
    return Copies(tuple(members), source, whole, len(texts) > 1, log10_q)


def _log10_q(size: int, sizes: Sequence[int]) -> float:
    """With one set more than there are, half as large again as the smallest: so none is judged by itself."""
    others = len(sizes) - 1 + 1
    beyond = sum(sizes) - size - 2 * (len(sizes) - 1) + 0.5
    growing = beyond / (beyond + others)
    return min(0.0, (size - 2) * math.log10(growing) + math.log10(len(sizes)))


def _sets(snapshot: Snapshot, near: Neighbours, wording: Wording) -> Iterator[list[int]]:
    root = list(range(len(snapshot)))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    for at, column in np.argwhere(near.cosine >= NEAR).tolist():
        other = int(near.index[at, column])
        if find(at) != find(other) and _is_version(snapshot, wording, at, other):
            root[find(other)] = find(at)
    gathered: dict[int, list[int]] = defaultdict(list)
    for at in range(len(snapshot)):
        gathered[find(at)].append(at)
    return (members for members in gathered.values() if len(members) > 1)


def _is_version(snapshot: Snapshot, wording: Wording, one: int, other: int) -> bool:
    first, second = snapshot.texts[one], snapshot.texts[other]
    if first is None or second is None:
        return False
    return first == second or wording.overlap(one, other) >= _SAME
