"""How well scores tell attacks from the rest."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def auc(positive: Scores, negative: Scores) -> float:
    """Area under the ROC curve: how often an attack scores above a harmless text, ties half."""
    if not len(positive) or not len(negative):
        return math.nan
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(negative)))


def threshold_at(negative: Scores, rate: float) -> float:
    """The least threshold at which at most `rate` of the harmless texts lie above it."""
    ordered = np.sort(negative)[::-1]
    return float(ordered[min(int(rate * len(ordered)), len(ordered) - 1)])


def recall_at(positive: Scores, negative: Scores, rate: float = 0.01) -> float:
    """How many attacks lie above the threshold for this rate of false alarms."""
    return (
        float((positive > threshold_at(negative, rate)).mean())
        if len(positive) and len(negative)
        else math.nan
    )


def wilson(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval (1927) for a rate, 95 % by default."""
    if not trials:
        return 0.0, 1.0
    rate, square = hits / trials, z * z / trials
    middle = (rate + square / 2) / (1 + square)
    half = z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
