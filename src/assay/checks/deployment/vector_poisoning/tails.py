"""Tails of a figure over a store's own entries: from which value on it is as rare as asked for.

Most entries of a store are what they seem. So the null distribution of a figure is read off the bulk, and its
upper tail is that which the bulk leads to: beyond its 75th percentile a figure is taken as exponential, with
the scale that the 75th and 90th percentiles give (peaks over a threshold, Pickands 1975, with shape 0; shape
is fixed because a fitted one would follow the attack). Percentiles do not move when a few per cent of the
entries are an attack, means and maxima do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH = 0.75, 0.90


@dataclass(frozen=True, slots=True)
class Tail:
    """An exponential upper tail.

    Attributes:
        start: the 90th percentile.
        scale: by how much the figure grows where it becomes e times as rare.
    """

    start: float
    scale: float

    @classmethod
    def of(cls, figures: NDArray[np.float64]) -> Tail:
        """The tail that the bulk of `figures` leads to."""
        low, high = (float(value) for value in np.quantile(figures, [_LOW, _HIGH]))
        scale = (high - low) / math.log((1 - _LOW) / (1 - _HIGH))
        return cls(high, max(scale, 1e-9))

    def value(self, rate: float) -> float:
        """The figure that a share `rate` of honest entries goes beyond; `rate` at most 0.1."""
        return self.start + self.scale * math.log((1 - _HIGH) / min(rate, 1 - _HIGH))

    def log10_rate(self, figure: float) -> float:
        """Log10 of the share of honest entries that go beyond `figure`, at least -300."""
        beyond = max(0.0, figure - self.start) / self.scale
        return max(-300.0, math.log10(1 - _HIGH) - beyond / math.log(10))
