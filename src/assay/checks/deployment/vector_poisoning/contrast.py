"""How much nearer the nearest few entries are than those that follow: the mark of a planted group.

PoisonedRAG (Zou et al. 2024, arXiv 2402.07867) plants a handful of passages (five) for each question. They
embed next to the question, and so next to each other, nearer than honest passages on the subject are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning.neighbours import Ints, Neighbours

_NEXT = 5
_SIZES = range(2, 10)  # others in a group: three to ten entries
LEAST = _SIZES[-1] + _NEXT + 1  # entries a store must have


@dataclass(frozen=True, slots=True)
class Contrast:
    """The contrast of each entry, and the size at which it is largest.

    Attributes:
        figure: mean cosine to the `size` nearest, less that to the next five; shape (entries,).
        size: how many of the nearest stand out.
    """

    figure: NDArray[np.float64]
    size: Ints


def contrast(near: Neighbours) -> Contrast:
    """The contrast of every entry of a store of `LEAST` entries or more."""
    sums = np.cumsum(near.cosine, axis=1, dtype=np.float64)
    sums = np.concatenate([np.zeros((len(near), 1)), sums], axis=1)
    figures = np.stack([sums[:, m] / m - (sums[:, m + _NEXT] - sums[:, m]) / _NEXT for m in _SIZES], axis=1)
    best = figures.argmax(axis=1)
    return Contrast(figures.max(axis=1), np.asarray(_SIZES, np.int64)[best])
