"""Programs in languages that are not read: not judged by this version, and never clean."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection

_CODE = (".rb", ".pl", ".lua", ".php")


def is_code(blob: Blob) -> bool:
    """Whether the name says that it is a program this version cannot judge."""
    return blob.name.lower().endswith(_CODE)


def judge(blob: Blob, text: str, inspection: Inspection) -> None:  # noqa: ARG001  the seam's shape
    """Say that it was not judged."""
    inspection.skip(blob, "a program in this language is not judged by this version")
