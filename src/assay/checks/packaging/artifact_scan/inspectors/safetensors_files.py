"""safetensors: a header that fits its file exactly, and metadata that is judged as text."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.errors import SubjectError
from assay.subjects.safetensors_header import read_header_within


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Check the header and its metadata."""
    try:
        header = read_header_within(blob.data, blob.start, blob.end, blob.name)
    except SubjectError as error:
        message = f"Loaders would refuse the file, or read what is no tensor: {error.cause}."
        inspection.report(rules.tensors.SAFETENSORS.finding(message, blob.place()))
        return
    for problem in header.problems:
        message = f"Loaders would disagree on the file: {problem}."
        inspection.report(rules.tensors.SAFETENSORS.finding(message, blob.place()))
    for value in header.metadata.values():
        inspection.text(blob, value)
