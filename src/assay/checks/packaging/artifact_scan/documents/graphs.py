"""JSON that belongs to computation graphs: the manifest of a Core ML package, an ONNX model as JSON."""

from __future__ import annotations

from typing import Any

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.locations import trouble
from assay.checks.packaging.artifact_scan.next_steps import SMALLER

MAX_ITEMS = 1000


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Look for a manifest with items, and for a model."""
    if not isinstance(document, dict):
        return
    if {"irVersion", "graph"} <= document.keys() or {"ir_version", "graph"} <= document.keys():
        inspection.skip(
            blob, "an ONNX model as JSON is not judged by this version", "Save it as a .onnx file."
        )
    items = document.get("itemInfoEntries")
    if not isinstance(items, dict) or "fileFormatVersion" not in document:
        return
    if len(items) > MAX_ITEMS:
        inspection.skip(blob, f"the manifest names more than {MAX_ITEMS:,} items", SMALLER)
    for item in list(items.values())[:MAX_ITEMS]:
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, str) and trouble(path):
            message = f"Loading the package would open {path[:100]!r}: the path {trouble(path)}."
            inspection.report(rules.graphs.PATH.finding(message, blob.place()))
