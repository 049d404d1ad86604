"""What `model.weights-diff` measured, in a few lines: how much changed, and where most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from assay.core.canonical import JSON
from assay.core.report import Report
from assay.reports.plain import visible

CHECK = "model.weights-diff"
MOST = 5


def lines(report: Report) -> Iterator[str]:
    """How many tensors changed, the total relative L2, and the five that changed most; else nothing."""
    metrics = report.metrics
    changed, total = metrics.get("changed_tensors"), metrics.get("tensors")
    if report.check != CHECK or not metrics.get("compared") or not (_number(changed) and _number(total)):
        return
    told = (
        f"changed: {changed:,} of {total:,} tensors, total relative L2 {_figure(metrics.get('relative_l2'))}"
    )
    for name in ("added", "removed", "reshaped", "retyped"):
        if metrics.get(name):
            told += f", {visible(str(metrics[name]), limit=20)} {name}"
    yield told
    for tensor in _most(report.details.get("tensors")):
        figures = f"relative L2 {_figure(tensor.get('relative_l2'))}, cosine {_figure(tensor.get('cosine'))}"
        yield f"  {visible(str(tensor.get('name')), limit=200)}: {figures}"


def _most(tensors: JSON) -> list[Mapping[str, JSON]]:
    if isinstance(tensors, str) or not isinstance(tensors, Sequence):
        return []
    moved = [t for t in tensors if isinstance(t, Mapping) and _rank(t) > 0]
    return sorted(moved, key=_rank, reverse=True)[:MOST]


def _rank(tensor: Mapping[str, JSON]) -> float:
    change = tensor.get("relative_l2")
    if isinstance(change, bool) or not isinstance(change, int | float):
        return 0.0
    return math.inf if math.isnan(change) else float(change)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(value: object) -> str:
    return f"{value:.4g}" if _number(value) else "unknown"
