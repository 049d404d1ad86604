"""Rates with their uncertainty."""

from __future__ import annotations

import math

Z95 = 1.959963984540054


def told_share(hits: int, total: int) -> str:
    """A rate with its 95 % interval for people: `12 %; 95 % interval 5 % to 24 %`."""
    low, high = wilson_interval(hits, total)
    return f"{_percent(hits / total if total else 0.0)}; 95 % interval {_percent(low)} to {_percent(high)}"


def _percent(rate: float) -> str:
    return f"{rate * 100:.0f} %"


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a rate, each end in 0..1 (Wilson 1927); of no trials it is all of it."""
    if not total:
        return 0.0, 1.0
    rate, slack = hits / total, Z95 * Z95 / total
    centre = (rate + slack / 2) / (1 + slack)
    half = Z95 / (1 + slack) * math.sqrt(rate * (1 - rate) / total + slack / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)
