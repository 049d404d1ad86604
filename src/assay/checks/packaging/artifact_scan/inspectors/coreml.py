"""Core ML: classes of the application, linked models, files that values lie in."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.inspectors.locations import trouble
from assay.subjects.graphs.coreml import CoreMLModel, read_coreml

MAX_FINDINGS = 50
_MODEL = "@model_path/"  # the folder of the model's own weights


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a model."""
    with graph_files.parsing(blob, inspection, "Core ML model"):
        model = read_coreml(blob.data, blob.start, blob.end)
        graph_files.unknown_fields(blob, inspection, model.unknown)
        _classes(blob, model, inspection)
        _paths(blob, model, inspection)
        for text in model.texts:
            inspection.text(blob, text)
        for start, end in model.serialized:
            inspection.examine(blob.member_at("serialized model", start, end - start))
    graph_files.other_readings(blob, inspection, "coreml")


def _classes(blob: Blob, model: CoreMLModel, inspection: Inspection) -> None:
    custom = dict(model.classes)
    for name, at in list(custom.items())[:MAX_FINDINGS]:
        message = f"Loading it runs the class {name[:80]!r} of the application that loads it."
        inspection.report(rules.graphs.CUSTOM.finding(message, graph_files.place(blob, at, name)))


def _paths(blob: Blob, model: CoreMLModel, inspection: Inspection) -> None:
    blobs = [(path.removeprefix(_MODEL), at) for path, at in model.blobs.items()]
    for path, at in (*model.linked, *blobs)[:10_000]:
        wrong = trouble(path)
        if path and wrong:
            message = f"Loading it would open {path[:100]!r}: the path {wrong}."
            inspection.report(rules.graphs.PATH.finding(message, graph_files.place(blob, at, path)))
