"""Which changes are outliers among their peers.

The measure is the logarithm of a tensor's relative L2, less the median of its role (the same tensor in
other layers): what is left does not depend on how far attention moves compared with norms. The spread of
all such residuals, by median absolute deviation, says what is usual in this model; so four layers are
enough to judge by. Roles with fewer than three changed tensors (embeddings, heads) are held against all
tensors of their class, with a wider spread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import median

NORMAL = 1.4826  # median absolute deviation to standard deviation, for a normal distribution
MIN_ROLE = 3
MIN_CLASS = 5
MIN_OWN = 8  # with fewer, chance makes a role's own spread too wide or too narrow
ROLE_SPREAD = 0.15  # least spread of logarithms among peers: a change below 2.5 times theirs is no outlier
CLASS_SPREAD = 0.5  # the same across roles: 20 times


@dataclass(frozen=True, slots=True)
class Change:
    """A changed tensor: its role, whether it is a matrix, its relative L2 (above 0) and cosine."""

    name: str
    role: str
    matrix: bool
    relative_l2: float
    cosine: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a change stands among its peers.

    Attributes:
        z: robust z-score of the logarithm of the relative L2; 0 without peers.
        peer_relative_l2: median of the peers; 0 without peers.
        peer_cosine: median of the peers; 0 without peers.
        peers: how many there are.
    """

    z: float = 0.0
    peer_relative_l2: float = 0.0
    peer_cosine: float = 0.0
    peers: int = 0


def standings(changes: Sequence[Change]) -> dict[str, Standing]:
    """Every changed tensor's standing, by name."""
    roles: dict[str, list[Change]] = defaultdict(list)
    classes: dict[bool, list[Change]] = defaultdict(list)
    for change in changes:
        roles[change.role].append(change)
        classes[change.matrix].append(change)
    result: dict[str, Standing] = {}
    for members in classes.values():
        result |= _of_class(members, roles)
    return result


def _of_class(members: list[Change], roles: dict[str, list[Change]]) -> dict[str, Standing]:
    grouped = [c for c in members if len(roles[c.role]) >= MIN_ROLE]
    centres = {c.role: median(log(p.relative_l2) for p in roles[c.role]) for c in grouped}
    spread = max(ROLE_SPREAD, _deviation([log(c.relative_l2) - centres[c.role] for c in grouped]))
    found: dict[str, Standing] = {}
    for role, centre in centres.items():
        peers = roles[role]
        residuals = [log(p.relative_l2) - centre for p in peers]
        own = _deviation(residuals) if len(peers) >= MIN_OWN else 0.0
        found |= _stand(peers, peers, max(spread, own))
    alone = [c for c in members if c.role not in centres]
    if len(members) >= MIN_CLASS:
        logs = [log(c.relative_l2) for c in members]
        middle = median(logs)
        found |= _stand(alone, members, max(CLASS_SPREAD, _deviation([value - middle for value in logs])))
    return found


def _stand(changes: list[Change], peers: list[Change], spread: float) -> dict[str, Standing]:
    if not changes:
        return {}
    size = median(p.relative_l2 for p in peers)
    cosine = median(p.cosine for p in peers)
    middle = median(log(p.relative_l2) for p in peers)
    return {
        c.name: Standing((log(c.relative_l2) - middle) / spread, size, cosine, len(peers) - 1)
        for c in changes
    }


def _deviation(residuals: list[float]) -> float:
    return NORMAL * median(abs(r) for r in residuals) if residuals else 0.0
