"""Options of `model.weights-diff`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from assay.core.finding import Severity


@dataclass(frozen=True, slots=True)
class WeightsDiffOptions:
    """Options of `model.weights-diff`.

    Attributes:
        max_relative_l2: how far the whole model may move, relative to the baseline's norm.
        outlier_z: robust z-score above which a tensor's change is an outlier among its peers.
        outlier_floor: relative L2 below which no change is an outlier.
        min_cosine: cosine below which a tensor counts as replaced while its peers kept theirs.
        targeted_share: share of the tensors that, changed alone, makes a targeted edit.
        fail_on: the severity that fails the check.
        workers: threads; 0 takes one per core.
        kernel: `auto` takes numba (extra `fast`) for models that repay its start-up, else numpy.
    """

    max_relative_l2: Annotated[float, Gt(0)] = 0.25
    outlier_z: Annotated[float, Gt(0)] = 6.0
    outlier_floor: Annotated[float, Ge(0)] = 1e-3
    min_cosine: Annotated[float, Ge(-1), Le(1)] = 0.8
    targeted_share: Annotated[float, Ge(0), Le(1)] = 0.05
    fail_on: Severity = Severity.MEDIUM
    workers: Annotated[int, Ge(0), Le(256)] = 0
    kernel: Literal["auto", "numpy", "numba"] = "auto"
