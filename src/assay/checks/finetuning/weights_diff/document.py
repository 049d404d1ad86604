"""Metrics, which policies decide on, and details, which reports draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from assay.checks.finetuning.weights_diff.judge import Result, largest, total_relative_l2
from assay.checks.finetuning.weights_diff.pairing import Plan
from assay.checks.finetuning.weights_diff.sums import Sums
from assay.core.canonical import JSON
from assay.core.report import Metric

MAX_TENSORS = 20_000
MAX_NAME = 300


def metrics(found: Sequence[Result], plan: Plan, *, compared: bool) -> dict[str, Metric]:
    """The flat figures."""
    return {
        "compared": compared,
        "tensors": len(found),
        "changed_tensors": sum(r.compared and r.changed for r in found),
        "added": len(plan.added),
        "removed": len(plan.removed),
        "reshaped": len(plan.reshaped),
        "retyped": len(plan.retyped),
        "relative_l2": total_relative_l2(found),
        "max_tensor_relative_l2": largest(found),
        "nan": sum(r.sums.nan for r in found),
        "inf": sum(r.sums.inf for r in found),
    }


def details(found: Sequence[Result], plan: Plan, kernel: str) -> dict[str, JSON]:
    """Every tensor (the 20,000 that changed most, where there are more) and every layer."""
    shown = list(found)
    if len(shown) > MAX_TENSORS:
        shown = sorted(shown, key=lambda r: -r.sums.relative_l2)[:MAX_TENSORS]
    return {
        "kernel": kernel,
        "tensors": [_tensor(result) for result in shown],
        "tensors_total": len(found),
        "layers": _layers(found),
        "added": _names(plan.added),
        "removed": _names(plan.removed),
        "reshaped": _names(plan.reshaped),
        "retyped": _names(plan.retyped),
    }


def _names(names: Sequence[str]) -> list[JSON]:
    return [name[:MAX_NAME] for name in names[:1000]]


def _tensor(result: Result) -> dict[str, JSON]:
    tensor, sums = result.tensor, result.sums
    known: dict[str, JSON] = {
        "name": tensor.name[:MAX_NAME],
        "layer": result.place.layer,
        "role": result.place.role[:MAX_NAME],
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "file": tensor.file.name,
        "nan": sums.nan,
        "inf": sums.inf,
        "compared": result.compared,
    }
    if not result.compared:
        return known
    return known | {
        "l2": sums.l2,
        "relative_l2": sums.relative_l2,
        "cosine": sums.cosine,
        "max_abs": sums.max_abs,
        "changed_fraction": sums.changed_fraction,
        "z": result.standing.z,
    }


def _layers(found: Sequence[Result]) -> list[JSON]:
    grouped: dict[tuple[str, int], list[Sums]] = defaultdict(list)
    for result in found:
        if result.compared and result.place.layer is not None and result.tensor.kind == "float":
            grouped[result.place.stack, result.place.layer].append(result.sums)
    layers: list[JSON] = [
        {
            "stack": stack[:MAX_NAME],
            "layer": layer,
            "relative_l2": Sums.total(sums).relative_l2,
            "tensors": len(sums),
        }
        for (stack, layer), sums in sorted(grouped.items())
    ]
    return layers[:MAX_TENSORS]
