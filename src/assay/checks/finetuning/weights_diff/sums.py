"""Figures of a tensor, added up block by block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Self


@dataclass(frozen=True, slots=True)
class Sums:
    """What a block, or many, adds to a tensor's figures. Non-finite values add to nothing but the counts.

    Attributes:
        count: elements of the candidate.
        compared: elements that were compared with the baseline's.
        difference: sum of squares of candidate minus baseline.
        baseline: sum of squares of the baseline.
        candidate: sum of squares of the candidate, of the compared elements.
        max_abs: largest absolute difference.
        changed: elements that differ.
        nan: elements of the candidate that are NaN.
        inf: elements of the candidate that are infinite, or beyond 1e140 in 64-bit floats.
    """

    count: int = 0
    compared: int = 0
    difference: float = 0.0
    baseline: float = 0.0
    candidate: float = 0.0
    max_abs: float = 0.0
    changed: int = 0
    nan: int = 0
    inf: int = 0

    @classmethod
    def total(cls, parts: list[Sums]) -> Self:
        """The sum of `parts`, the same in whatever order threads finished them."""
        return cls(
            count=sum(p.count for p in parts),
            compared=sum(p.compared for p in parts),
            difference=fsum(p.difference for p in parts),
            baseline=fsum(p.baseline for p in parts),
            candidate=fsum(p.candidate for p in parts),
            max_abs=max((p.max_abs for p in parts), default=0.0),
            changed=sum(p.changed for p in parts),
            nan=sum(p.nan for p in parts),
            inf=sum(p.inf for p in parts),
        )

    def scaled(self, factor: float) -> Sums:
        """The figures of numbers `factor` times as large: exact, where it is a power of two."""
        square = factor * factor
        return replace(
            self,
            difference=self.difference * square,
            baseline=self.baseline * square,
            candidate=self.candidate * square,
            max_abs=self.max_abs * factor,
        )

    @property
    def l2(self) -> float:
        """Norm of the change."""
        return sqrt(self.difference)

    @property
    def relative_l2(self) -> float:
        """Norm of the change over that of the baseline; over the candidate's where the baseline is 0."""
        reference = self.baseline or self.candidate
        return sqrt(self.difference / reference) if reference else 0.0

    @property
    def cosine(self) -> float:
        """Cosine between baseline and candidate: 1 where both are 0, 0 where one is.

        Taken from the change, which loses nothing where both are nearly equal:
        1 - cos = (|b-a|² - (|b|-|a|)²) / 2|a||b|.
        """
        first, second = sqrt(self.baseline), sqrt(self.candidate)
        if not first or not second:
            return 1.0 if first == second else 0.0
        away = (self.difference - (second - first) ** 2) / (2 * first * second)
        return min(1.0, max(-1.0, 1.0 - away))

    @property
    def changed_fraction(self) -> float:
        """Share of the compared elements that differ."""
        return self.changed / self.compared if self.compared else 0.0
