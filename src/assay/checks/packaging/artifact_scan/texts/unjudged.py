"""Programs that an interpreter runs whose language is not read: not judged, and never clean."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW


def judge(blob: Blob, text: str, inspection: Inspection) -> None:  # noqa: ARG001  the seam's shape
    """Say that it was not judged."""
    inspection.skip(blob, "a program in this language is not judged by this version", REVIEW)
