"""SentencePiece models: read to their last byte; their texts are judged, their compiled rules looked at."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.subjects.graphs.sentencepiece import read_sentencepiece


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a model."""
    with graph_files.parsing(blob, inspection, "SentencePiece model"):
        model = read_sentencepiece(blob.data, blob.start, blob.end)
        graph_files.unknown_fields(blob, inspection, model.unknown)
        inspection.text(blob, "\n".join(model.texts))
        graph_files.probe_pickles(blob, inspection, model.tables)
    graph_files.other_readings(blob, inspection, "sentencepiece")
