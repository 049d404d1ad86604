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
