"""What changed since the snapshot that was approved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.subjects.vector_stores.snapshot import Snapshot

_SAME = 0.9995  # cosine of a vector that was only stored in another precision
_MOST = 0.5  # of the entries moved: the store was embedded anew


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries by how they differ from the baseline; places in the candidate, ids where they are gone.

    Attributes:
        added: were not there.
        removed: are no longer there.
        rewritten: have another text.
        moved: have another vector under the same text.
        relabelled: have another source or tenant, and nothing else.
        kept: entries that both have.
        comparable: both have vectors of one width.
    """

    added: tuple[int, ...]
    removed: tuple[str, ...]
    rewritten: tuple[int, ...]
    moved: tuple[int, ...]
    relabelled: tuple[int, ...]
    kept: int
    comparable: bool

    @property
    def total(self) -> int:
        """How many entries differ."""
        parts = (self.added, self.removed, self.rewritten, self.moved, self.relabelled)
        return sum(len(part) for part in parts)

    @property
    def embedded_anew(self) -> bool:
        """Whether most vectors changed under the same texts: another model, no attack on single entries."""
        return not self.comparable or len(self.moved) > _MOST * max(1, self.kept)


def changes(candidate: Snapshot, baseline: Snapshot) -> Changes:
    """Compare two snapshots, entry by entry, by id."""
    before = {key: at for at, key in enumerate(baseline.ids)}
    pairs = [(at, before[key]) for at, key in enumerate(candidate.ids) if key in before]
    comparable = candidate.vectors.shape[1:] == baseline.vectors.shape[1:]
    rewritten = [at for at, old in pairs if candidate.texts[at] != baseline.texts[old]]
    moved = _moved(candidate, baseline, pairs) if comparable else []
    other = set(rewritten) | set(moved)
    now = set(candidate.ids)
    return Changes(
        added=tuple(at for at, key in enumerate(candidate.ids) if key not in before),
        removed=tuple(key for key in baseline.ids if key not in now),
        rewritten=tuple(rewritten),
        moved=tuple(sorted(set(moved) - set(rewritten))),
        relabelled=tuple(
            at for at, old in pairs if at not in other and _labels(candidate, at) != _labels(baseline, old)
        ),
        kept=len(pairs),
        comparable=comparable,
    )


def _labels(snapshot: Snapshot, at: int) -> tuple[str, str]:
    return snapshot.sources[at], snapshot.tenants[at]


def _moved(candidate: Snapshot, baseline: Snapshot, pairs: list[tuple[int, int]]) -> list[int]:
    if not pairs:
        return []
    now, then = (np.asarray(side, np.int64) for side in zip(*pairs, strict=True))
    first, second = candidate.vectors[now].astype(np.float64), baseline.vectors[then].astype(np.float64)
    scale = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    moved: list[int] = now[(first * second).sum(axis=1) < _SAME * scale].tolist()
    return moved
