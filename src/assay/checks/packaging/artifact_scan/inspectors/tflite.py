"""TFLite: custom operators, TensorFlow's own among them; buffers; the zip of files that metadata append."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.finding import Finding, Severity
from assay.subjects.graphs.flatbuffers import OutsideError
from assay.subjects.graphs.tflite import read_tflite

MAX_FINDINGS = 100


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a model."""
    with graph_files.parsing(blob, inspection, "TFLite model"):
        try:
            model = read_tflite(blob.data, blob.start, blob.end)
        except OutsideError as error:
            message = f"The TFLite model cannot be trusted: {error.cause}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
            return
        for problem in model.problems:
            message = f"In the TFLite model, {problem}."
            inspection.report(rules.graphs.MALFORMED.finding(message, blob.place()))
        for name in model.custom[:MAX_FINDINGS]:
            finding = _operator(blob, name)
            if finding is not None:
                inspection.report(finding)
        for text in model.texts:
            inspection.text(blob, text)
        graph_files.probe_pickles(blob, inspection, (*model.buffers, *model.options))
    graph_files.other_readings(blob, inspection, "tflite", zip_expected=True)


def _operator(blob: Blob, name: str) -> Finding | None:
    where = graph_files.place(blob, blob.start, name)
    if name in operators.known("tflite", "custom"):
        return None
    inner = name.removeprefix("Flex")
    effect = operators.effects("tensorflow").get(inner) if inner != name else None
    if effect is not None and not effect.only.startswith("attribute"):
        # Ordinary with paths that a caller gives; where the path comes from is not told here.
        severity = Severity.LOW if effect.ordinary else effect.severity
        message = f"Running the graph {effect.does}: TensorFlow's operator {inner[:60]}, as {name[:60]!r}."
        return rules.graphs.OPERATOR.finding(message, where, severity=severity)
    if inner != name and inner in operators.stock_tensorflow():
        return None
    message = f"Custom operator {name[:80]!r} is in no stock TFLite: it needs a library of its own."
    return rules.graphs.CUSTOM.finding(message, where)
