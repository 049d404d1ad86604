"""Groups of passages that were made for one question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assay.checks.deployment.vector_poisoning.contrast import Contrast
from assay.checks.deployment.vector_poisoning.neighbours import Neighbours
from assay.checks.deployment.vector_poisoning.tails import Tail
from assay.checks.deployment.vector_poisoning.wording import Shared, Wording
from assay.subjects.vector_stores.snapshot import Snapshot

LEAST = 3  # entries of a group
_SAMPLE = 1_500
_LARGE = 0.5  # of a source's entries are in groups
_WIDEST = 0.1  # share of entries that are looked at closely at most


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that stand close together, say different things, and share words that no others have.

    Attributes:
        members: places in the snapshot, ascending.
        phrase: the longest run of words that they share, in lower case.
        opening: whether most of them begin with it.
        question: whether most of them begin with a question, as PoisonedRAG puts it before its answer.
        whole_source: they come from one source that holds mostly such groups, two and more; one group may be
            a short document on one subject.
        part_of_source: they come from one source that holds mostly other things.
        log10_rate: how rare their contrast is among honest entries, log10, on average.
        inside, outside: mean cosine to each other, and to the nearest five that follow.
    """

    members: tuple[int, ...]
    phrase: str
    opening: bool
    question: bool
    whole_source: bool
    part_of_source: bool
    log10_rate: float
    inside: float
    outside: float


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for, and how strictly.

    Attributes:
        groups: what was found, the rarest first.
        shared_rate: share of honest groups of neighbours that share words by chance, measured on a sample.
        rate: share of honest entries whose contrast is looked at closely.
        contrast: from which contrast on they are.
        candidates: how many entries were.
        flagged: entries that both conditions hold for, in groups or not.
    """

    groups: tuple[Group, ...]
    shared_rate: float
    rate: float
    contrast: float
    candidates: int
    flagged: int


class PlantedGroups:
    """Finds groups in a snapshot.

    An entry is flagged where two things meet: a contrast that is rare in this store, and texts that share
    words with no others while they say different things. How often neighbours share words so by chance is
    measured on a sample of the store; the contrast must be as much rarer as to bring both to `rate`.

    Args:
        snapshot: the store; every entry should have a text.
        near: its neighbours.
        found: its contrasts.
        rate: share of honest entries that may be flagged.
        seed: of the sample.
    """

    def __init__(
        self, snapshot: Snapshot, near: Neighbours, found: Contrast, *, rate: float, seed: int
    ) -> None:
        self._snapshot, self._near, self._found, self._rate = snapshot, near, found, rate
        self._generator = np.random.default_rng(seed)
        self._wording = Wording(snapshot.texts)
        self._tail = Tail.of(found.figure)

    def search(self, checkpoint: Callable[[], None] = lambda: None) -> Search:
        """Look for groups; `checkpoint` is called between steps."""
        count = min(_SAMPLE, len(self._snapshot))
        sample = self._generator.choice(len(self._snapshot), count, replace=False)
        shared_rate = len(self._made(sample.tolist())) / count
        checkpoint()
        rate = min(_WIDEST, self._rate / max(shared_rate, 1 / count))
        least = self._tail.value(rate)
        candidates = np.flatnonzero(self._found.figure > least).tolist()
        flagged = self._made(candidates)
        checkpoint()
        groups = sorted(self._groups(flagged), key=lambda group: (group.log10_rate, group.members))
        return Search(tuple(groups), shared_rate, rate, least, len(candidates), len(flagged))

    def _around(self, at: int) -> list[int]:
        """An entry and those of its neighbours that its contrast sets apart."""
        nearest: list[int] = self._near.index[at, : self._found.size[at]].tolist()
        return [at, *nearest]

    def _made(self, places: Sequence[int]) -> dict[int, Shared]:
        """Those of some entries whose texts look made for one question."""
        shared = {at: self._wording.shared(self._around(at)) for at in places}
        self._wording.count(gram for one in shared.values() for gram in one.phrases)
        return {at: one for at, one in shared.items() if self._wording.is_made(self._around(at), one)}

    def _groups(self, flagged: dict[int, Shared]) -> Iterator[Group]:
        gathered = [members for members in self._joined(flagged) if len(members) >= LEAST]
        names = self._snapshot.sources
        held = Counter(names)
        suspect = Counter(names[at] for members in gathered for at in members)
        groups = Counter(names[members[0]] for members in gathered)
        for members in gathered:
            source = names[members[0]]
            single = bool(source) and all(names[at] == source for at in members)
            share = suspect[source] / held[source]
            shared = self._wording.shared(members)
            self._wording.count(shared.phrases)
            rare = self._wording.rare(shared)
            quoted = rare or [gram for at in members for gram in flagged[at].phrases]
            inside, outside = self._distances(members)
            yield Group(
                tuple(members),
                max((self._wording.quote(at, quoted) for at in members), key=len),
                self._wording.is_opening(members, rare),
                self._wording.is_question(members),
                single and share >= _LARGE and groups[source] > 1,
                single and share < _LARGE,
                float(np.mean([self._tail.log10_rate(float(self._found.figure[at])) for at in members])),
                inside,
                outside,
            )

    def _joined(self, flagged: dict[int, Shared]) -> list[list[int]]:
        """Flagged entries, those that stand around each other together."""
        root = {at: at for at in flagged}

        def find(at: int) -> int:
            while root[at] != at:
                root[at] = root[root[at]]
                at = root[at]
            return at

        for at in flagged:
            for other in self._around(at)[1:]:
                if other in root:
                    root[find(other)] = find(at)
        gathered: dict[int, list[int]] = defaultdict(list)
        for at in sorted(flagged):
            gathered[find(at)].append(at)
        return list(gathered.values())

    def _distances(self, members: Sequence[int]) -> tuple[float, float]:
        rows, size = np.asarray(members), len(members)
        inside = np.isin(self._near.index[rows], rows)
        cosine = self._near.cosine[rows]
        beyond = [cosine[at][~inside[at]][:5] for at in range(size)]
        return float(cosine[inside].mean()), float(np.concatenate(beyond).mean())
