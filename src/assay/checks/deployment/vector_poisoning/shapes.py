"""What single vectors look like beside the others: hubs, lengths out of all proportion, far-off places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning.neighbours import Neighbours
from assay.checks.deployment.vector_poisoning.tails import Tail

AMONG = 10  # nearest
FALSE_ALARMS = 0.1  # expected in an honest store, for each of the three
_LOW, _HIGH = 0.90, 0.99
_LEAST_HUB = 5 * AMONG  # in small stores the percentiles are a handful of entries
_FACTOR = 1.5  # a length that differs by less misleads no search
_NORMAL = 1.4826  # times the median deviation is the standard deviation of a normal distribution


@dataclass(frozen=True, slots=True)
class Odd:
    """An entry whose figure is out of proportion.

    Attributes:
        at: its place in the snapshot.
        figure: what was measured.
        limit: what honest entries stay within.
    """

    at: int
    figure: float
    limit: float


def occurrences(near: Neighbours) -> NDArray[np.int64]:
    """Of how many entries each entry is among the ten nearest: its k-occurrence."""
    return np.bincount(near.index[:, :AMONG].ravel(), minlength=len(near)).astype(np.int64)


def skewness(counts: NDArray[np.int64]) -> float:
    """Third standardised moment of the k-occurrences: how much the store has hubs by nature."""
    centred = counts - counts.mean()
    spread = float(counts.std())
    return float((centred**3).mean() / spread**3) if spread else 0.0


def hubs(counts: NDArray[np.int64]) -> list[Odd]:
    """Entries that are near to far too many others.

    Some hubs arise by nature in many dimensions (Radovanovic et al. 2010, JMLR 11): k-occurrences have a long
    tail, taken as a power law beyond the 90th percentile, with the exponent that the 90th and 99th
    percentiles give. An entry is odd beyond the value that `FALSE_ALARMS` entries of a store of this size
    would pass.
    """
    low, high = (math.log1p(float(value)) for value in np.quantile(counts, [_LOW, _HIGH]))
    scale = max((high - low) / math.log((1 - _LOW) / (1 - _HIGH)), 0.1)
    rate = min(FALSE_ALARMS / len(counts), 1 - _HIGH)
    limit = max(math.expm1(high + scale * math.log((1 - _HIGH) / rate)), float(_LEAST_HUB))
    return [Odd(int(at), float(counts[at]), limit) for at in np.flatnonzero(counts > limit)]


def long_vectors(lengths: NDArray[np.float64]) -> list[Odd]:
    """Entries whose vectors are so much longer than others that a search by inner product meets them first.

    Null: logarithms of the lengths are normal, with the median and median deviation of the store.
    """
    logs = np.log(lengths)
    limit = _normal_limit(logs, len(logs))
    limit = max(limit, float(np.median(logs)) + math.log(_FACTOR))
    return [Odd(int(at), float(lengths[at]), math.exp(limit)) for at in np.flatnonzero(logs > limit)]


def far_off(near: Neighbours) -> list[Odd]:
    """Entries that lie where nothing else does: their mean cosine to the ten nearest is far below all others.

    Null: normal, or as heavy as the bulk's own tail where that is heavier.
    """
    loneliness = -near.cosine[:, :AMONG].astype(np.float64).mean(axis=1)
    rate = FALSE_ALARMS / len(near)
    limit = max(_normal_limit(loneliness, len(near)), Tail.of(loneliness).value(rate))
    return [Odd(int(at), -float(loneliness[at]), -limit) for at in np.flatnonzero(loneliness > limit)]


def _normal_limit(figures: NDArray[np.float64], size: int) -> float:
    middle = float(np.median(figures))
    spread = _NORMAL * float(np.median(np.abs(figures - middle)))
    return middle + spread * NormalDist().inv_cdf(1 - min(FALSE_ALARMS / size, 0.5))
