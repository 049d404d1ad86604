"""What crosses the line between tenants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.checks.deployment.vector_poisoning.copies import Copies
from assay.checks.deployment.vector_poisoning.neighbours import Neighbours
from assay.checks.deployment.vector_poisoning.shapes import AMONG
from assay.subjects.vector_stores.snapshot import Snapshot

_APART = 0.8  # of neighbours are of one's own tenant: the tenants' subjects are apart
_LEVEL = 0.01
_MOST = 0.5  # of the tenants hold a text: it was given to all of them


@dataclass(frozen=True, slots=True)
class Stray:
    """An entry that lies among another tenant's, and all of whose neighbours are that tenant's.

    Attributes:
        at: its place in the snapshot.
        tenant: whose it is.
        among: whose the entries around it are.
        log10_q: log10 of the chance of that, times the number of entries.
    """

    at: int
    tenant: str
    among: str
    log10_q: float


def homophily(snapshot: Snapshot, near: Neighbours) -> float:
    """Share of neighbours that are of one's own tenant, over entries whose tenant is known."""
    codes, known = _codes(snapshot)
    same = codes[near.index[:, :AMONG]] == codes[:, None]
    return float(same[known].mean()) if known.any() else 1.0


def strays(snapshot: Snapshot, near: Neighbours) -> list[Stray]:
    """Entries that belong to one tenant and lie in the middle of another's, in stores where that is unusual.

    Null: each neighbour is of one's own tenant with the chance that the store shows; Bonferroni over entries.
    """
    codes, known = _codes(snapshot)
    share = homophily(snapshot, near)
    if len(set(snapshot.tenants) - {""}) < 2 or not _APART <= share < 1:  # noqa: PLR2004
        return []
    around = codes[near.index[:, :AMONG]]
    log10_q = AMONG * math.log10(1 - share) + math.log10(len(snapshot))
    if around.shape[1] < AMONG or log10_q > math.log10(_LEVEL):
        return []
    foreign = known & (around != codes[:, None]).all(axis=1) & (around == around[:, :1]).all(axis=1)
    found = np.flatnonzero(foreign & known[near.index[:, 0]])
    names = snapshot.tenants
    return [Stray(int(at), names[at], names[near.index[at, 0]], log10_q) for at in found]


def leaks(snapshot: Snapshot, copies: list[Copies]) -> Iterator[tuple[Copies, tuple[str, ...]]]:
    """Texts that several tenants hold and most do not: what all have was given to all."""
    tenants = set(snapshot.tenants) - {""}
    for one in copies:
        holders = {snapshot.tenants[at] for at in one.members} - {""}
        if 1 < len(holders) <= _MOST * len(tenants):
            yield one, tuple(sorted(holders))


def _codes(
    snapshot: Snapshot,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    numbers = {name: at for at, name in enumerate(sorted(set(snapshot.tenants)))}
    codes = np.asarray([numbers[name] for name in snapshot.tenants], np.int64)
    known = np.asarray([bool(name) for name in snapshot.tenants], np.bool_)
    return codes, known
