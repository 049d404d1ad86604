"""Paired statistics on right and wrong: exact tests, intervals, power.

Both models answer the same prompts, so only prompts on which they differ carry information: `lost` were
right on the baseline and wrong on the candidate, `gained` the other way round. If nothing changed, a
differing prompt is as likely lost as gained (McNemar 1947), which a binomial test decides exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 10_000
POWER = 0.8
BIG = 2_000
"""Trials beyond which exact integers are slower than they are worth: floating point sums instead."""
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Pairs:
    """Outcomes of `total` prompts that both models answered."""

    total: int
    baseline: int
    candidate: int
    lost: int
    gained: int

    @classmethod
    def of(cls, baseline: Sequence[bool], candidate: Sequence[bool]) -> Pairs:
        """Count two aligned lists of outcomes."""
        both = list(zip(baseline, candidate, strict=True))
        lost = sum(before and not after for before, after in both)
        gained = sum(after and not before for before, after in both)
        return cls(len(both), sum(baseline), sum(candidate), lost, gained)

    @property
    def delta(self) -> float:
        """Change of the rate, candidate less baseline."""
        return (self.gained - self.lost) / self.total if self.total else 0.0

    @property
    def swapped(self) -> Pairs:
        """The same with gain and loss exchanged, for rates whose rise is the harm."""
        return Pairs(self.total, self.baseline, self.candidate, self.gained, self.lost)


def upper_tail(successes: int, trials: int) -> float:
    """P(X >= successes) for X binomial(trials, 1/2), exactly."""
    if trials > BIG:
        return float(_tails(trials, 0.5)[successes])
    ways = sum(math.comb(trials, k) for k in range(successes, trials + 1))
    share: float = ways / 2**trials
    return share


def drop_p(pairs: Pairs) -> float:
    """One-sided exact McNemar p-value: at least so many lost if losing and gaining were equally likely."""
    return upper_tail(pairs.lost, pairs.lost + pairs.gained)


def mcnemar_p(pairs: Pairs) -> float:
    """Two-sided exact McNemar p-value."""
    return min(1.0, 2 * upper_tail(max(pairs.lost, pairs.gained), pairs.lost + pairs.gained))


def bootstrap_interval(pairs: Pairs, seed: int) -> tuple[float, float]:
    """95 % percentile interval of `delta` from resampled prompts.

    Drawing prompts with replacement and counting outcomes is a multinomial draw, so it is drawn as one.
    """
    if not pairs.total:
        return 0.0, 0.0
    shares = np.array([pairs.lost, pairs.gained, pairs.total - pairs.lost - pairs.gained]) / pairs.total
    draws = np.random.default_rng(seed).multinomial(pairs.total, shares, size=RESAMPLES)
    low, high = np.quantile((draws[:, 1] - draws[:, 0]) / pairs.total, (0.025, 0.975))
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being several (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = worst
    return adjusted


def power(total: int, drop: float, churn: float, significance: float) -> float:
    """The chance that the one-sided McNemar test sees a true drop, exactly.

    Args:
        total: prompts.
        drop: true fall of the rate.
        churn: share of prompts that are gained anyhow; `churn + drop` are lost.
        significance: of the test.
    """
    differing = min(1.0, 2 * churn + drop)
    if differing <= 0:
        return 0.0
    loses = min(1.0, (churn + drop) / differing)
    chances = _binomial(total, differing)
    return float(
        sum(
            chances[m] * _tails(m, loses)[_critical(m, significance)]
            for m in np.flatnonzero(chances > _NEGLIGIBLE).tolist()
        )
    )


def detectable_drop(total: int, churn: float, significance: float) -> float | None:
    """The smallest drop that `total` prompts see with 80 % power, to a tenth of a point; None if none."""
    low, high = 0, 1000
    if power(total, 1.0, 0.0, significance) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(total, middle / 1000, min(churn, (1 - middle / 1000) / 2), significance) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low / 1000


def _binomial(trials: int, chance: float) -> Floats:
    """Probabilities of 0 … `trials` successes."""
    if chance >= 1:
        return np.append(np.zeros(trials), 1.0)
    if chance <= 0:
        return np.append(1.0, np.zeros(trials))
    k = np.arange(trials + 1, dtype=np.float64)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, trials + 1)))))
    log_ways = log_factorial[-1] - log_factorial - log_factorial[::-1]
    chances: Floats = np.exp(log_ways + k * math.log(chance) + (trials - k) * math.log1p(-chance))
    return chances


def _tails(trials: int, chance: float) -> Floats:
    """P(X >= k) for k = 0 … trials + 1."""
    tails: Floats = np.append(np.cumsum(_binomial(trials, chance)[::-1])[::-1], 0.0)
    return tails


@lru_cache(maxsize=65_536)
def _critical(trials: int, significance: float) -> int:
    """The least number of losses among `trials` that is significant; trials + 1 where none is."""
    return int(np.argmax(_tails(trials, 0.5) <= significance))
